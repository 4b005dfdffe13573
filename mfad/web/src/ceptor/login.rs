//! Password, its change, the end, and what the page is told of the session.
//!
//! Refuses to begin a session before the password was proven, and to tell a wrong password from an account that
//! is not there or may not be used.

use hyper::StatusCode;
use mfa_proto::{
    admin::{FactorKind, FactorState, Reply, Request, UserDetail},
    name::{UserId, UserName},
    secret::SecretText,
};
use serde::Deserialize;

use super::{
    Visit,
    session::{Stage, no_cookie},
    words,
};
use crate::{
    answer::Answer,
    attended,
    prover::{Proven, Typed},
    verify::{Question, Verified},
};

/// What is sent with the password. Other keys are let pass: the contract does not forbid them.
#[derive(Deserialize)]
struct Credentials {
    userid: String,
    credentials: Option<SecretText>,
}

/// What is sent to change it.
#[derive(Deserialize)]
struct Change {
    password: SecretText,
    newpassword: SecretText,
}

impl Visit<'_> {
    /// Where the person is.
    pub(super) fn source(&self) -> Option<String> {
        self.call.address().map(|address| address.to_string())
    }

    /// Whether the password is the account's. Core knows of each that is wrong.
    pub(super) async fn prove(&self, user: &UserName, password: SecretText) -> Proven {
        let typed = Typed { user: user.clone(), password, source: self.source() };
        attended::prove(&self.desk, &self.prover, typed).await
    }

    /// What a user holds; `None` where core does not say.
    pub(super) async fn holdings(&self, user: &UserName) -> Option<UserDetail> {
        let show = Request::Show { user: UserId::local(user.clone()) };
        match self.desk.admin(show).await {
            Ok(Reply::User(detail)) => Some(*detail),
            Ok(_) | Err(_) => None,
        }
    }

    /// A new session; its cookie goes with the answer.
    fn begin(&self, user: UserName, stage: Stage, answer: Answer) -> Answer {
        let client = self.desk.client().name.clone();
        match self.sessions.begin(self.call, (user, client), stage) {
            Some(cookie) => words::with_cookie(answer, &cookie),
            None => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// `GET /info`.
pub(super) fn info(visit: &Visit<'_>) -> Answer {
    let found = visit.sessions.of(visit.call, &visit.desk.client().name);
    let on = found.as_ref().filter(|found| matches!(found.session.stage, Stage::LoggedOn(_)));
    let ip = on.map_or_else(|| visit.source(), |found| found.session.ip.clone());
    words::info(on.map(|found| found.session.user.as_str()), ip.as_deref(), None)
}

/// `POST /auth/uidpw`.
pub(super) async fn password(visit: Visit<'_>) -> Answer {
    let Ok(Credentials { userid, credentials }) = visit.call.json().await else {
        return words::UNREADABLE.bad();
    };
    // A new login ends the one before, whatever comes of it.
    visit.sessions.end_of(visit.call);
    let unauthorized = StatusCode::UNAUTHORIZED;
    let (Ok(user), Some(password)) = (UserName::new(userid), credentials) else {
        return words::WRONG_PASSWORD.with(unauthorized);
    };
    match visit.prove(&user, password).await {
        Proven::Yes => second_factor(&visit, user).await,
        Proven::MustChange => visit.begin(user, Stage::MustChange, words::change_wanted().with(unauthorized)),
        Proven::No => words::WRONG_PASSWORD.with(unauthorized),
        Proven::TooMany => words::TOO_MANY.with(unauthorized),
        Proven::Unknown => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The password is right: what else is wanted.
async fn second_factor(visit: &Visit<'_>, user: UserName) -> Answer {
    let methods = visit.holdings(&user).await.as_ref().map(methods).unwrap_or_default();
    let unauthorized = StatusCode::UNAUTHORIZED;
    if !methods.is_empty() {
        return visit.begin(user, Stage::Pending(None), words::code_wanted(methods).with(unauthorized));
    }
    // Only a rule lets in who holds nothing.
    let question =
        Question { user: UserId::local(user.clone()), answer: None, choose: None, source: visit.source() };
    match visit.desk.verify(question).await {
        Verified::Accept(_) => {
            let told = words::info(Some(user.as_str()), visit.source().as_deref(), Some(&methods));
            visit.begin(user, Stage::LoggedOn(None), told)
        }
        Verified::Challenge(challenge) => {
            let stage = Stage::Pending(Some(challenge.transaction));
            visit.begin(user, stage, words::code_wanted(methods).with(unauthorized))
        }
        Verified::Reject { .. } => words::code_wanted(methods).with(unauthorized),
        Verified::Locked { .. } | Verified::TooSoon { .. } => words::TOO_MANY.with(unauthorized),
        Verified::Unavailable => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The ways by which a user can prove a code here, of those that the dialect knows.
fn methods(detail: &UserDetail) -> Vec<&'static str> {
    let holds = |kinds: &[FactorKind]| {
        detail.factors.iter().any(|f| f.state == FactorState::Active && kinds.contains(&f.kind))
    };
    let typed = holds(&[FactorKind::Totp, FactorKind::Hotp]).then_some("totp");
    let sent = holds(&[FactorKind::Sms, FactorKind::Mail]).then_some("sms");
    typed.into_iter().chain(sent).collect()
}

/// `POST /auth/changepw`. Who still owes a code may not: the password alone must not lock its owner out.
pub(super) async fn change(visit: Visit<'_>) -> Answer {
    let Some(found) = visit.sessions.of(visit.call, &visit.desk.client().name) else {
        return words::NO_LOGIN.bad();
    };
    match found.session.stage {
        Stage::MustChange | Stage::LoggedOn(_) => {}
        Stage::Pending(_) => return words::REQUIRES_LOGIN.with(StatusCode::FORBIDDEN),
    }
    let Ok(Change { password, newpassword }) = visit.call.json().await else {
        return words::UNREADABLE.bad();
    };
    let user = &found.session.user;
    // First by itself: what is refused then is the new one, and no guess.
    let proven = match visit.prove(user, password.again()).await {
        Proven::Yes | Proven::MustChange => {
            let typed = Typed { user: user.clone(), password, source: visit.source() };
            visit.prover.change(typed, newpassword).await
        }
        proven @ (Proven::No | Proven::TooMany | Proven::Unknown) => proven,
    };
    match proven {
        Proven::Yes => {
            visit.sessions.end(&found);
            words::with_cookie(words::done(), &no_cookie())
        }
        Proven::No | Proven::MustChange => words::NOT_TAKEN.bad(),
        Proven::TooMany => words::TOO_MANY.bad(),
        Proven::Unknown => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// `PUT /auth/logoff`.
pub(super) fn logoff(visit: &Visit<'_>) -> Answer {
    visit.sessions.end_of(visit.call);
    words::with_cookie(words::done(), &no_cookie())
}
