//! Codes: having one sent, and proving one.
//!
//! Refuses all of it to whoever has not proven a password in the same session, and lets a session try a few codes
//! only, beside the limits of core.

use hyper::StatusCode;
use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState, Refusal, RefusalCode, Reply, Request},
    name::{FactorLabel, UserId},
    secret::SecretText,
};

use super::{
    Visit,
    session::{Found, Stage},
    words,
};
use crate::{
    answer::Answer,
    verify::{Question, Verified},
};

/// Which of the two calls it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// The code was sent.
    Sent,
    /// An app or a device has it.
    Totp,
}

/// `PUT /auth/sendsms`.
pub(super) async fn send(visit: &Visit<'_>) -> Answer {
    let Some(found) = pending(visit) else { return words::NO_LOGIN.bad() };
    let Some(choose) = sent_factor(visit, &found).await else { return words::NOT_SENT.bad() };
    let question = Question {
        user: UserId::local(found.session.user.clone()),
        answer: None,
        choose: Some(choose),
        source: visit.source(),
    };
    match visit.desk.verify(question).await {
        Verified::Challenge(challenge) => {
            visit.sessions.note(&found, Stage::Pending(Some(challenge.transaction)));
            words::done()
        }
        Verified::Locked { .. } | Verified::TooSoon { .. } => words::TOO_MANY.bad(),
        // A rule may have changed meanwhile: the next login finds out.
        Verified::Accept(_) | Verified::Reject { .. } => words::NOT_SENT.bad(),
        Verified::Unavailable => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The label of what codes are sent to: a telephone before a mail box.
async fn sent_factor(visit: &Visit<'_>, found: &Found) -> Option<FactorLabel> {
    let detail = visit.holdings(&found.session.user).await?;
    let of = |kind| {
        let mut factors = detail.factors.iter();
        factors.find(|factor| factor.kind == kind && factor.state == FactorState::Active)
    };
    of(FactorKind::Sms).or_else(|| of(FactorKind::Mail)).map(|factor| factor.label.clone())
}

/// A session that owes a code.
fn pending(visit: &Visit<'_>) -> Option<Found> {
    let found = visit.sessions.of(visit.call, &visit.desk.client().name)?;
    matches!(found.session.stage, Stage::Pending(_)).then_some(found)
}

/// `POST /auth/verifysmsotp` and `POST /auth/verifytotp`, the code in the query.
pub(super) async fn verify(visit: &Visit<'_>, way: Way) -> Answer {
    let Some(found) = visit.sessions.of(visit.call, &visit.desk.client().name) else {
        return words::NO_LOGIN.bad();
    };
    let code = visit.call.query().get("code").and_then(|code| SecretText::new(code.to_owned()).ok());
    let Some(code) = code.filter(|code| !code.expose().is_empty()) else { return words::WRONG_CODE.bad() };
    match (&found.session.stage, way) {
        (Stage::LoggedOn(Some(factor)), Way::Totp) => activate(visit, &found, *factor, code).await,
        (Stage::Pending(Some(transaction)), Way::Sent) => {
            if !visit.sessions.may_try(&found) {
                return words::TOO_MANY.bad();
            }
            let verified = visit.desk.answer(transaction, code).await;
            judged(visit, &found, &verified)
        }
        (Stage::Pending(_), Way::Totp) => {
            if !visit.sessions.may_try(&found) {
                return words::TOO_MANY.bad();
            }
            let user = UserId::local(found.session.user.clone());
            let source = visit.source();
            let question = Question { user, answer: Some(code), choose: None, source };
            judged(visit, &found, &visit.desk.verify(question).await)
        }
        // Nothing was sent, or nothing waits for a code.
        (Stage::Pending(None) | Stage::LoggedOn(_) | Stage::MustChange, Way::Sent)
        | (Stage::LoggedOn(None) | Stage::MustChange, Way::Totp) => words::NO_LOGIN.bad(),
    }
}

/// What core said of a code that ends a login.
fn judged(visit: &Visit<'_>, found: &Found, verified: &Verified) -> Answer {
    match verified {
        Verified::Accept(_) => logged_on(visit, found),
        Verified::Reject { .. } | Verified::Challenge(_) => words::WRONG_CODE.bad(),
        Verified::Locked { .. } => {
            visit.sessions.end(found);
            words::TOO_MANY.bad()
        }
        Verified::TooSoon { .. } => words::TOO_MANY.bad(),
        Verified::Unavailable => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The session goes on as one of who has proven all, under a new cookie.
fn logged_on(visit: &Visit<'_>, found: &Found) -> Answer {
    match visit.sessions.advance(found, Stage::LoggedOn(None)) {
        Some(cookie) => words::with_cookie(words::done(), &cookie),
        None => words::NO_LOGIN.bad(),
    }
}

/// The first code of a new registration: it counts from now on, and the one before no more.
async fn activate(visit: &Visit<'_>, found: &Found, factor: FactorId, code: SecretText) -> Answer {
    if !visit.sessions.may_try(found) {
        return words::TOO_MANY.bad();
    }
    let user = UserId::local(found.session.user.clone());
    match visit.desk.admin(Request::Confirm { user, factor: Some(factor), code }).await {
        Ok(Reply::Done { .. }) => logged_on(visit, found),
        Ok(Reply::Refused(Refusal { code: RefusalCode::Locked | RefusalCode::TooMany, .. })) => {
            words::TOO_MANY.bad()
        }
        Ok(Reply::Refused(_)) => words::WRONG_CODE.bad(),
        Ok(_) | Err(_) => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
