//! `/v1/verify/status`: the same question, answered by the status alone, for programs that take every 200 for a
//! yes: 204 yes, 401 no, 403 locked, 429 slow down, 503 not now.
//!
//! Refuses challenges: without a code at hand the answer is no.

use hyper::{Method, StatusCode, header::RETRY_AFTER};
use mfa_proto::secret::SecretText;

use super::verify::{Asked, question};
use crate::{
    answer::Answer,
    call::{BadBody, Call},
    verify::{Desk, Verified},
};

/// Where nginx puts the user, the code and where the person is, for `auth_request` sends no body.
const HEADERS: [&str; 3] = ["x-mfa-user", "x-mfa-code", "x-mfa-source"];

/// Answers the call.
pub(super) async fn answer(call: &mut Call, desk: &Desk) -> Answer {
    let asked = match asked(call).await {
        Ok(asked) => asked,
        Err(bad) => return Answer::status(bad.status()),
    };
    let Some((asked, code)) = asked else { return Answer::status(StatusCode::UNAUTHORIZED) };
    let verified = match question(asked, Some(code)) {
        Ok(Some(question)) => desk.verify(question).await,
        Ok(None) | Err(_) => Verified::Reject { wait: 0, open: false },
    };
    match verified {
        Verified::Accept(_) => Answer::status(StatusCode::NO_CONTENT),
        Verified::Reject { .. } | Verified::Challenge(_) => Answer::status(StatusCode::UNAUTHORIZED),
        Verified::Locked { .. } => Answer::status(StatusCode::FORBIDDEN),
        Verified::TooSoon { wait } => {
            Answer::status(StatusCode::TOO_MANY_REQUESTS).with(RETRY_AFTER, &wait.to_string())
        }
        Verified::Unavailable => Answer::status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// What is asked, from headers or the body; `None` without a user or a code.
async fn asked(call: &mut Call) -> Result<Option<(Asked, SecretText)>, BadBody> {
    let [user, code, source] = HEADERS.map(|name| call.header(name).map(str::to_owned));
    if call.method() == Method::GET {
        return Ok(user.zip(code).and_then(|(user, code)| Asked::of(user, code, source)));
    }
    let params = call.params().await?;
    let get = |name: &str| params.get(name).map(str::to_owned);
    Ok(get("user").zip(get("code")).and_then(|(user, code)| Asked::of(user, code, get("source"))))
}
