//! mfad's own API, `/v1`: JSON, and one call that answers by its status alone.
//!
//! Refuses to say more of a refusal than what to do next; wrong codes, unknown users and challenges that are
//! over look alike.

mod status;
mod verify;

use hyper::{
    Method, StatusCode,
    header::{ALLOW, RETRY_AFTER},
};
use serde::Serialize;

use crate::{
    answer::Answer,
    call::{BadBody, Call},
    clients::Unknown,
};

/// What went wrong, beside results.
#[derive(Serialize)]
struct Problem<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'a str,
    message: &'a str,
}

/// Answers a request; `None` when its path is none of this API.
pub async fn answer(call: &mut Call) -> Option<Answer> {
    let path = call.path().to_owned();
    let (methods, known) = match path.as_str() {
        "/v1/verify" => (&[Method::POST][..], Known::Verify),
        "/v1/verify/status" => (&[Method::GET, Method::POST][..], Known::Status),
        _ => return None,
    };
    if !methods.contains(call.method()) {
        let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let refused = problem(StatusCode::METHOD_NOT_ALLOWED, "method", "this is asked for in another way");
        return Some(refused.with(ALLOW, &allowed));
    }
    let desk = match call.client() {
        Ok(desk) => desk,
        Err(unknown) => return Some(stranger(call, unknown)),
    };
    Some(match known {
        Known::Verify => verify::answer(call, &desk).await.unwrap_or_else(unreadable),
        Known::Status => status::answer(call, &desk).await,
    })
}

/// What there is.
#[derive(Clone, Copy)]
enum Known {
    Verify,
    Status,
}

/// Who is nobody is told what would prove it.
fn stranger(call: &Call, unknown: Unknown) -> Answer {
    match unknown {
        Unknown::Nobody => {
            let why = "nothing proves which client this is";
            call.asking_for_proof(problem(StatusCode::UNAUTHORIZED, "unauthorized", why))
        }
        Unknown::TooOften => too_many(1),
    }
}

fn unreadable(bad: BadBody) -> Answer {
    problem(bad.status(), "bad_request", &bad.to_string())
}

fn too_many(wait: u32) -> Answer {
    let answer = problem(StatusCode::TOO_MANY_REQUESTS, "too_many", "too many requests: wait");
    answer.with(RETRY_AFTER, &wait.to_string())
}

/// Something that went wrong, beside results.
pub fn problem(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::json(status, &Problem { error: Inner { code, message } })
}
