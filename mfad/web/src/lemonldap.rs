//! What a `LemonLDAP::NG` portal asks its REST second factor: `/rest2f/init` and `/rest2f/verify`.
//!
//! The portal takes every answer but 2xx for an error, and by the truth of Perl every `result` that is a string for
//! a yes: so `result` is `true` or `false` and nothing else, and only mfad's own trouble is no 200. A portal that
//! makes its codes itself has them delivered, with a right of its own. Refuses to judge those: what a portal has not
//! from here it need not ask here.

use hyper::{Method, StatusCode, header::ALLOW};
use mfa_proto::{
    foreign::ForeignCode,
    front::Deliver,
    name::{FactorLabel, UserId, UserName},
    secret::SecretText,
};
use mfa_role::config::Right;
use serde::Deserialize;
use tracing::warn;

use crate::{
    answer::Answer,
    call::{BadBody, Call},
    clients::Unknown,
    verify::{Desk, Question, Undelivered, Verified},
};

/// How long the portal's form waits for a code (its `formTimeout`), in minutes: what the message says.
const FORM_MINUTES: u16 = 2;

/// What the portal sends. Which attributes of its session come along is the portal's configuration: those that
/// are not here are left alone.
#[derive(Deserialize)]
struct Asked {
    user: Option<String>,
    code: Option<SecretText>,
    /// Where the person is: `source => ipAddr` among the arguments of the portal.
    source: Option<String>,
    /// What is to be sent or begun first: a label, an outside service or a kind.
    factor: Option<String>,
}

/// Answers a request; `None` when its path is none of this dialect.
pub async fn answer(call: &mut Call) -> Option<Answer> {
    let begins = match call.path() {
        "/rest2f/init" => true,
        "/rest2f/verify" => false,
        _ => return None,
    };
    if call.method() != Method::POST {
        return Some(result(StatusCode::METHOD_NOT_ALLOWED, false).with(ALLOW, "POST"));
    }
    let desk = match call.client() {
        Ok(desk) => desk,
        Err(Unknown::Nobody) => {
            return Some(call.asking_for_proof(result(StatusCode::UNAUTHORIZED, false)));
        }
        Err(Unknown::TooOften) => return Some(result(StatusCode::TOO_MANY_REQUESTS, false)),
    };
    let rights = &desk.client().rights;
    let (verifies, delivers) = (rights.include(Right::Verify), rights.include(Right::Deliver));
    if !(verifies || begins && delivers) {
        return Some(may_not(&desk));
    }
    let asked: Result<Asked, BadBody> = call.json().await;
    Some(match asked {
        Ok(mut asked) if begins => match asked.code.take() {
            Some(code) => deliver(code, asked, &desk).await,
            None if !verifies => may_not(&desk),
            None => init(asked, &desk).await,
        },
        Ok(asked) => verify(asked, &desk).await,
        Err(bad) => result(bad.status(), false),
    })
}

fn may_not(desk: &Desk) -> Answer {
    warn!("client {} has not the right to ask for a second factor: verify", desk.client().name);
    result(StatusCode::FORBIDDEN, false)
}

/// Has a code sent that the portal made, and which it will judge alone. Yes says that core has taken it, whoever it
/// is for, and whether anything was sent or not: the portal shows its form in any case.
async fn deliver(code: SecretText, asked: Asked, desk: &Desk) -> Answer {
    let client = &desk.client().name;
    if !desk.client().rights.include(Right::Deliver) {
        warn!(
            "client {client} wants its own code delivered: leave the portal's code regex empty, so that mfad makes and \
             judges the codes, or give the client the right \"deliver\""
        );
        return result(StatusCode::OK, false);
    }
    let Some((user, choose)) = names(asked.user, asked.factor) else {
        return result(StatusCode::OK, false);
    };
    let code = match ForeignCode::try_from(code) {
        Ok(code) => code,
        Err(none) => {
            warn!(
                "client {client} wants a code delivered that is none: {none}; change the portal's code regex"
            );
            return result(StatusCode::OK, false);
        }
    };
    match desk.deliver(Deliver { user, code, choose, minutes: FORM_MINUTES }, asked.source.as_deref()).await {
        Ok(()) => result(StatusCode::OK, true),
        Err(Undelivered) => result(StatusCode::SERVICE_UNAVAILABLE, false),
    }
}

/// Has a code sent, or a service begun, where the person needs that. Asked again while an answer is waited for, it
/// is sent again, as far as that is not too soon.
async fn init(asked: Asked, desk: &Desk) -> Answer {
    let Some((user, choose)) = names(asked.user, asked.factor) else {
        return result(StatusCode::OK, false);
    };
    let verified = if let Some(open) = desk.open_for(&user) {
        // What people type for it: the word again, or nothing.
        let word = choose.as_ref().map_or("", FactorLabel::as_str);
        let Ok(again) = SecretText::new(word.to_owned()) else { return result(StatusCode::OK, false) };
        desk.answer(&open, again).await
    } else {
        desk.verify(Question { user, answer: None, choose, source: asked.source }).await
    };
    said(&verified, true)
}

/// Judges an answer: in the conversation that init has opened, else by itself.
async fn verify(asked: Asked, desk: &Desk) -> Answer {
    let (Some((user, choose)), Some(code)) = (names(asked.user, asked.factor), asked.code) else {
        return result(StatusCode::OK, false);
    };
    let verified = if let Some(open) = desk.open_for(&user) {
        desk.answer(&open, code).await
    } else {
        let question = Question { user, answer: Some(code), choose, source: asked.source };
        desk.verify(question).await
    };
    said(&verified, false)
}

/// `None` when no user has such a name, or no factor such a label.
fn names(user: Option<String>, factor: Option<String>) -> Option<(UserId, Option<FactorLabel>)> {
    let user = UserId::local(UserName::new(user?).ok()?);
    let choose = factor.filter(|factor| !factor.is_empty()).map(FactorLabel::new).transpose().ok()?;
    Some((user, choose))
}

/// `begun`: a challenge is what was wanted.
fn said(verified: &Verified, begun: bool) -> Answer {
    match verified {
        // Who needs no second factor has none to begin, and passes whatever is answered.
        Verified::Accept(_) => result(StatusCode::OK, true),
        Verified::Challenge(_) => result(StatusCode::OK, begun),
        // Of a code that cannot be sent yet, the one before still counts.
        Verified::Reject { open, .. } => result(StatusCode::OK, begun && *open),
        Verified::Locked { .. } | Verified::TooSoon { .. } => result(StatusCode::OK, false),
        Verified::Unavailable => result(StatusCode::SERVICE_UNAVAILABLE, false),
    }
}

fn result(status: StatusCode, result: bool) -> Answer {
    let body = if result { r#"{"result":true}"# } else { r#"{"result":false}"# };
    Answer::body(status, crate::answer::JSON, body)
}
