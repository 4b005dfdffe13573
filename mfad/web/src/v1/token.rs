//! `POST /v1/token/verify`: whether a signed one-time token is right, for applications whose users log in by them.
//!
//! Refuses to take anything but a token: a client that may have tokens verified cannot try codes.

use hyper::StatusCode;
use mfa_role::config::Right;
use serde::Deserialize;

use super::{
    look::named,
    problem,
    verify::{Typed, said},
};
use crate::{
    answer::Answer,
    call::{BadBody, Call},
    verify::{Desk, Verified},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    user: String,
    realm: Option<String>,
    token: Typed,
    source: Option<String>,
}

/// Answers the call.
pub(super) async fn answer(call: &mut Call, desk: &Desk) -> Result<Answer, BadBody> {
    if !desk.client().rights.include(Right::TokenVerify) {
        return Ok(problem(
            StatusCode::FORBIDDEN,
            "forbidden",
            "this client has not the right: token:verify",
        ));
    }
    let Asked { user, realm, token, source } = call.json().await?;
    let verified = match (named(user, realm), token) {
        (Ok(user), Typed(Some(token))) => desk.verify_token(user, token, source).await,
        // No user has such a name, or no token is so long: like a wrong token.
        (Ok(_), Typed(None)) | (Err(_), _) => Verified::Reject { wait: 0, open: false },
    };
    Ok(said(&verified, None))
}
