//! The dialect of Ceptor's LDAP-OTP authentication, `/ceptorauthenticateldap/1`: password, then code, with a
//! session in a cookie, for the login page that speaks it already.
//!
//! Refuses other pages (`Origin`), whoever has no session where one is needed, and to hold a password for longer
//! than it takes to have it proven. `docs/compat.md` lists what is done otherwise than in the original.

mod login;
mod registration;
mod second;
mod session;
mod words;

use hyper::{
    Method, StatusCode,
    header::{ALLOW, RETRY_AFTER},
};

pub use self::session::{Sessions, cookie_of};
use crate::{answer::Answer, call::Call, clients::Unknown, origin, prover::Prover, verify::Desk};

/// What all paths begin with.
const PREFIX: &str = "/ceptorauthenticateldap/1";

/// What there is.
#[derive(Clone, Copy)]
enum Known {
    Info,
    Password,
    Change,
    Logoff,
    Send,
    VerifySent,
    VerifyTotp,
    Register,
}

/// One request of a client that is known.
pub(super) struct Visit<'a> {
    call: &'a mut Call,
    desk: Desk,
    sessions: Sessions,
    prover: Prover,
}

/// Answers a request; `None` when its path is none of this dialect.
pub async fn answer(call: &mut Call) -> Option<Answer> {
    let (method, known) = match call.path().strip_prefix(PREFIX)? {
        "/info" => (Method::GET, Known::Info),
        "/auth/uidpw" => (Method::POST, Known::Password),
        "/auth/changepw" => (Method::POST, Known::Change),
        "/auth/logoff" => (Method::PUT, Known::Logoff),
        "/auth/sendsms" => (Method::PUT, Known::Send),
        "/auth/verifysmsotp" => (Method::POST, Known::VerifySent),
        "/auth/verifytotp" => (Method::POST, Known::VerifyTotp),
        "/totp/qr" => (Method::POST, Known::Register),
        _ => return None,
    };
    if *call.method() != method {
        let refused = words::UNREADABLE.with(StatusCode::METHOD_NOT_ALLOWED);
        return Some(refused.with(ALLOW, method.as_str()));
    }
    if origin::is_foreign(call.headers()) {
        return Some(words::FOREIGN.with(StatusCode::FORBIDDEN));
    }
    let desk = match call.login_page() {
        Ok(desk) => desk,
        Err(Unknown::Nobody) => {
            return Some(words::REQUIRES_LOGIN.with(StatusCode::FORBIDDEN));
        }
        Err(Unknown::TooOften) => {
            let refused = words::TOO_MANY.with(StatusCode::TOO_MANY_REQUESTS);
            return Some(refused.with(RETRY_AFTER, "1"));
        }
    };
    let state = call.state();
    let (sessions, prover) = (state.sessions.clone(), state.prover.clone());
    let visit = Visit { call, desk, sessions, prover };
    Some(match known {
        Known::Info => login::info(&visit),
        Known::Password => login::password(visit).await,
        Known::Change => login::change(visit).await,
        Known::Logoff => login::logoff(&visit),
        Known::Send => second::send(&visit).await,
        Known::VerifySent => second::verify(&visit, second::Way::Sent).await,
        Known::VerifyTotp => second::verify(&visit, second::Way::Totp).await,
        Known::Register => registration::begin(visit).await,
    })
}
