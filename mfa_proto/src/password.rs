//! What a front end asks the password prover, version 1: whether a password is an account's, or to change
//! it. One request and one reply over a connection.
//!
//! Refuses to say why not: wrong, unknown, locked and expired are one word.

use serde::{Deserialize, Serialize};

use crate::{
    name::{Claim, UserName},
    secret::SecretText,
};

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
pub enum Request {
    /// Whether the password is the account's, and the account may be used.
    Check(Box<Check>),
    /// Put a new password in place of the old one, which is checked first.
    Change {
        /// As for a check: the old password.
        check: Box<Check>,
        /// The new password.
        new: SecretText,
    },
}

impl Request {
    /// Whose password, and which.
    pub fn check(&self) -> &Check {
        match self {
            Self::Check(check) | Self::Change { check, .. } => check,
        }
    }
}

/// A password that somebody typed.
#[derive(Debug, Deserialize, Serialize)]
pub struct Check {
    /// Whose it should be.
    pub user: UserName,
    /// What was typed.
    pub password: SecretText,
    /// From where, as the front end has it: for the log.
    pub source: Option<Claim>,
}

/// What came of it. Only [`Self::Yes`] is a yes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[must_use]
pub enum Reply {
    /// It is the account's, which may be used; or it was changed.
    Yes,
    /// No: wrong, no such account, locked, expired, or a new password that was not taken.
    No,
    /// It is the account's, but has to be changed before it counts.
    MustChange,
    /// Too many have been tried, of this account or in all. Nothing was checked.
    Busy,
    /// It could not be checked, or not in time. The log says why.
    Unavailable,
    /// The prover was not told that it may change passwords.
    Refused,
}
