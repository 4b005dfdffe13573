//! What the dialect says: its two bodies, its numbers, its texts.
//!
//! Refuses to say of a refusal more than the login page acts on: that a code is wanted, that a password has to be
//! changed, that there were too many attempts.

use hyper::{StatusCode, header::SET_COOKIE};
use serde::Serialize;

use crate::answer::Answer;

/// The method of authentication of the plugin whose dialect this is.
const METHOD: u8 = 59;

/// An error, with what stands beside it after a right password.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    code: i32,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    otpmethods: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newpasswordrequired: Option<bool>,
}

impl Fault {
    const fn new(code: i32, message: &'static str) -> Self {
        Self { code, message, otpmethods: None, newpasswordrequired: None }
    }

    /// With a status.
    pub(super) fn with(self, status: StatusCode) -> Answer {
        Answer::json(status, &self)
    }

    /// With the status of most of them.
    pub(super) fn bad(self) -> Answer {
        self.with(StatusCode::BAD_REQUEST)
    }
}

/// There is no login to go on with.
pub(super) const NO_LOGIN: Fault = Fault::new(-1, "Missing previous login, or timeout - please relogin");
/// Name or password is wrong, or the account may not be used.
pub(super) const WRONG_PASSWORD: Fault = Fault::new(1, "Wrong userid or password");
/// The code is wrong, used or over.
pub(super) const WRONG_CODE: Fault = Fault::new(2, "Wrong code");
/// The login page goes back to its begin at the words "too many".
pub(super) const TOO_MANY: Fault =
    Fault::new(3, "There were too many attempts - please wait and login again");
/// Nothing was judged.
pub(super) const UNAVAILABLE: Fault = Fault::new(4, "The service is not available at present");
/// The request is none of this dialect.
pub(super) const UNREADABLE: Fault = Fault::new(5, "The request cannot be read");
/// Something that was given was not taken.
pub(super) const NOT_TAKEN: Fault = Fault::new(7, "The new password was not accepted");
/// No code can be sent.
pub(super) const NOT_SENT: Fault = Fault::new(8, "No code could be sent");
/// There is no room, or no right, for a new secret.
pub(super) const NOT_REGISTERED: Fault = Fault::new(9, "No authenticator can be registered");
/// Somebody else's page asks.
pub(super) const FOREIGN: Fault = Fault::new(10, "This page may not ask");
/// Only for who is logged on.
pub(super) const REQUIRES_LOGIN: Fault = Fault::new(18, "Requires authentication");

/// The password was right; a code by one of these ways is wanted.
pub(super) fn code_wanted(otpmethods: Vec<&'static str>) -> Fault {
    Fault { otpmethods: Some(otpmethods), ..Fault::new(15, "One-time code required") }
}

/// The password was right, and has to be changed.
pub(super) fn change_wanted() -> Fault {
    Fault { newpasswordrequired: Some(true), ..Fault::new(6, "The password must be changed") }
}

/// The session as the page sees it.
#[derive(Debug, Serialize)]
struct Info<'a> {
    is_delayed_logoff: bool,
    user_id: Option<&'a str>,
    customer_id: Option<&'a str>,
    agreement_id: Option<&'a str>,
    internal: Option<bool>,
    logged_on: bool,
    user_name: Option<&'a str>,
    ip: Option<&'a str>,
    authentication_level: u8,
    authentication_method: u8,
    groups: [&'a str; 0],
    creating_agent: &'a str,
    ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otpmethods: Option<&'a [&'a str]>,
}

/// The session of who is logged on, or that nobody is. With the ways to prove a code where those belong to the
/// answer.
pub(super) fn info(user: Option<&str>, ip: Option<&str>, otpmethods: Option<&[&str]>) -> Answer {
    let on = user.is_some();
    Answer::json(
        StatusCode::OK,
        &Info {
            is_delayed_logoff: false,
            user_id: user,
            customer_id: on.then_some(""),
            agreement_id: on.then_some(""),
            internal: on.then_some(true),
            logged_on: on,
            user_name: user,
            ip,
            authentication_level: if on { 2 } else { 0 },
            authentication_method: if on { METHOD } else { 0 },
            groups: [],
            creating_agent: "mfad",
            ticket: None,
            otpmethods,
        },
    )
}

/// Done, and nothing to say: an empty body.
pub(super) fn done() -> Answer {
    Answer::status(StatusCode::CREATED)
}

/// The same with a cookie.
pub(super) fn with_cookie(answer: Answer, cookie: &str) -> Answer {
    answer.with(SET_COOKIE, cookie)
}
