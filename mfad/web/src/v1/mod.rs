//! mfad's own API, `/v1`: JSON, and one call that answers by its status alone.
//!
//! Refuses to say more of a refusal than what to do next; wrong codes, unknown users and challenges that are
//! over look alike.

mod change;
mod look;
mod status;
mod token;
mod verify;
mod whole;

use hyper::{
    Method, StatusCode,
    header::{ALLOW, RETRY_AFTER},
};
use mfa_proto::admin::Request;
use serde::Serialize;

use self::change::Change;
use crate::{
    answer::{Answer, JSON},
    call::{BadBody, Call},
    clients::Unknown,
};

/// What this API is, as `OpenAPI` 3.1 describes it.
const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

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
    let known = Known::at(call.path())?;
    let methods = known.methods();
    if !methods.contains(call.method()) {
        let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let refused = problem(StatusCode::METHOD_NOT_ALLOWED, "method", "this is asked for in another way");
        return Some(refused.with(ALLOW, &allowed));
    }
    if known == Known::Document {
        return Some(Answer::body(StatusCode::OK, JSON, DOCUMENT));
    }
    let desk = match call.client() {
        Ok(desk) => desk,
        Err(unknown) => return Some(stranger(call, unknown)),
    };
    let request = match known {
        Known::Verify => return Some(verify::answer(call, &desk).await.unwrap_or_else(unreadable)),
        Known::Token => return Some(token::answer(call, &desk).await.unwrap_or_else(unreadable)),
        Known::Verdict => return Some(status::answer(call, &desk).await),
        Known::Document | Known::Status => Ok(Request::Status),
        Known::Users => look::users(call),
        Known::Audit => look::audit(call),
        Known::Factors if *call.method() == Method::GET => look::factors(call),
        Known::Factors => change::enroll(call).await,
        Known::Change(what) => change::change(call, what).await,
    };
    Some(match request {
        Ok(request) => look::ask(&desk, request).await,
        Err(bad) => unreadable(bad),
    })
}

/// What there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Document,
    Verify,
    Token,
    Verdict,
    Status,
    Users,
    Audit,
    Factors,
    Change(Change),
}

impl Known {
    fn at(path: &str) -> Option<Self> {
        Some(match path.strip_prefix("/v1/")? {
            "openapi.json" => Self::Document,
            "verify" => Self::Verify,
            "verify/status" => Self::Verdict,
            "status" => Self::Status,
            "users" => Self::Users,
            "audit" => Self::Audit,
            "factors" => Self::Factors,
            "factors/confirm" => Self::Change(Change::Confirm),
            "factors/enable" => Self::Change(Change::Enable),
            "factors/disable" => Self::Change(Change::Disable),
            "factors/remove" => Self::Change(Change::Remove),
            "factors/resync" => Self::Change(Change::Resync),
            "factors/send" => Self::Change(Change::Send),
            "factors/recovery" => Self::Change(Change::Recovery),
            "token/issue" => Self::Change(Change::Token),
            "token/verify" => Self::Token,
            "users/unlock" => Self::Change(Change::Unlock),
            "users/reset" => Self::Change(Change::Reset),
            _ => return None,
        })
    }

    const fn methods(self) -> &'static [Method] {
        match self {
            Self::Document | Self::Status | Self::Users | Self::Audit => &[Method::GET],
            Self::Verify | Self::Token | Self::Change(_) => &[Method::POST],
            Self::Verdict | Self::Factors => &[Method::GET, Method::POST],
        }
    }
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

fn unavailable() -> Answer {
    let why = "mfad cannot judge at present: nothing was granted or changed";
    problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why)
}

fn too_many(wait: u32) -> Answer {
    let answer = problem(StatusCode::TOO_MANY_REQUESTS, "too_many", "too many requests: wait");
    answer.with(RETRY_AFTER, &wait.to_string())
}

/// Something that went wrong, beside results.
pub fn problem(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::json(status, &Problem { error: Inner { code, message } })
}
