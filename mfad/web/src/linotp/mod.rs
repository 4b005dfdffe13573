//! LinOTP's dialect: `/validate` for those who have people verified, `/admin`, `/audit` and `/system` for those who
//! manage tokens.
//!
//! `value` is the answer, `status` only says that the question was understood. Refuses to tell by either, or by the
//! time it takes, whether a user exists. `docs/compat.md` lists what is done otherwise than in the original.

mod admin;
mod asked;
mod audit;
mod csv;
mod envelope;
mod manage;
mod system;
mod validate;

use hyper::{Method, StatusCode, header::ALLOW};

use crate::{answer::Answer, call::Call};

/// Answers a request; `None` when its path is none of this dialect.
pub async fn answer(call: &mut Call) -> Option<Answer> {
    let path = call.path().to_owned();
    let (part, verb) = path.strip_prefix('/')?.split_once('/')?;
    match part {
        "validate" => validate::answer(call, verb).await,
        "admin" | "audit" | "system" => manage::answer(call, (part, verb)).await,
        _ => None,
    }
}

/// Whether it is asked in a way that LinOTP takes; else the refusal.
fn asked_rightly(call: &Call) -> Result<(), Box<Answer>> {
    if [Method::GET, Method::POST].contains(call.method()) {
        Ok(())
    } else {
        Err(Box::new(Answer::status(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW, "GET, POST")))
    }
}
