//! Whom a command is for.

use clap::Args;
use mfa_proto::name::{RealmName, UserId, UserName};

/// A user that must be named.
#[derive(Args, Debug)]
pub(crate) struct NamedUser {
    /// Whom
    pub(crate) user: UserName,
    /// Where the name is looked up
    #[arg(long, default_value = "local")]
    pub(crate) realm: RealmName,
}

impl NamedUser {
    /// As the daemon names it.
    pub(crate) fn id(&self) -> UserId {
        UserId { realm: self.realm.clone(), name: self.user.clone() }
    }
}

/// A user that is the caller when not named.
#[derive(Args, Debug)]
pub(crate) struct OptionalUser {
    /// Whom [default: the account this runs as]
    pub(crate) user: Option<UserName>,
    /// Where the name is looked up
    #[arg(long, default_value = "local")]
    pub(crate) realm: RealmName,
}
