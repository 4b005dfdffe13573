//! What a management call comes to, in LinOTP's terms: a value, or a number and a text.
//!
//! Refuses to pass core's refusals on as they are: each becomes one of the numbers that its clients know.

use std::fmt;

use mfa_proto::{
    admin::{Refusal, RefusalCode, Reply, Request},
    name::UserId,
};
use serde_json::Value;

use super::super::{csv::Sheet, envelope::Fault};
use crate::verify::Desk;

/// A value, and what goes beside it.
#[derive(Debug)]
pub(in super::super) struct Done {
    pub(in super::super) value: Value,
    pub(in super::super) detail: Option<Value>,
}

impl From<Value> for Done {
    fn from(value: Value) -> Self {
        Self { value, detail: None }
    }
}

/// What is said, in the form that it has.
#[derive(Debug)]
pub(in super::super) enum Said {
    /// In the envelope.
    Value(Done),
    /// In the envelope, with how many were looked through.
    List(Vec<Value>, usize),
    /// As it is, in no envelope.
    Bare(Value),
    /// A file.
    Sheet(Sheet),
}

/// A parameter is missing or cannot be used.
pub(super) const PARAMETER: i32 = 905;
/// No such token.
pub(super) const NO_TOKEN: i32 = 1102;
/// More than one token.
pub(super) const SEVERAL: i32 = 1101;
/// No such user, where a token is to be given to one.
const NO_USER: i32 = 1112;
/// The client may not.
const POLICY: i32 = 410;

/// A parameter that cannot be used.
pub(in super::super) fn unusable(name: &str, why: &str) -> Fault {
    Fault::new(PARAMETER, format_args!("Bad parameter: '{name}': {why}"))
}

pub(super) fn no_token(serial: &str) -> Fault {
    Fault::new(NO_TOKEN, format_args!("No token with serial {serial} found"))
}

pub(super) fn no_user(name: &str) -> Fault {
    Fault::new(
        NO_USER,
        format_args!(
            "getUserResolverId failed: UserError(description='getUserId failed: no user >{name}< found!', id=1205)"
        ),
    )
}

/// The client has not the right.
pub(in super::super) fn may_not(why: &str) -> Fault {
    Fault::new(POLICY, why)
}

/// Has core do something, in its words.
pub(in super::super) async fn asked(desk: &Desk, request: Request) -> Result<Result<Reply, Refusal>, Fault> {
    match desk.admin(request).await {
        Ok(Reply::Refused(refusal)) => Ok(Err(refusal)),
        Ok(reply) => Ok(Ok(reply)),
        Err(_) => Err(Fault::other("mfad cannot answer at present: nothing was changed")),
    }
}

/// Has core change something about a user. How many factors that concerned.
pub(super) async fn changed(desk: &Desk, user: &UserId, request: Request) -> Result<u32, Fault> {
    match asked(desk, request).await? {
        Ok(Reply::Done { factors }) => Ok(factors),
        Ok(reply) => Err(senseless(&reply)),
        Err(refusal) => Err(refused(&refusal, user)),
    }
}

/// Core has answered something else than was asked.
pub(in super::super) fn senseless(reply: &Reply) -> Fault {
    tracing::error!("core answered something else than was asked: {reply:?}");
    Fault::other("mfad answered something else than was asked")
}

/// A refusal of core's about what a user has.
pub(in super::super) fn refused(refusal: &Refusal, user: impl fmt::Display) -> Fault {
    let text = refusal.message.as_str();
    match refusal.code {
        RefusalCode::NotAllowed | RefusalCode::Invitation => may_not(text),
        RefusalCode::UnknownUser => no_user(&user.to_string()),
        RefusalCode::NoSuchFactor => Fault::new(NO_TOKEN, text),
        RefusalCode::Ambiguous => Fault::new(SEVERAL, text),
        RefusalCode::WrongCode
        | RefusalCode::Locked
        | RefusalCode::WrongState
        | RefusalCode::Invalid
        | RefusalCode::TooMany
        | RefusalCode::Tampered
        | RefusalCode::Unavailable
        | RefusalCode::TooSoon
        | RefusalCode::NotSent => Fault::other(text),
    }
}
