//! Commands about users whose account is gone or has another uid: list, reassign, prune.

use clap::Args;
use mfa_proto::name::{UserId, UserName};

use super::user::NamedUser;

/// `list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only users whose account is gone or has another uid now: their factors deny
    #[arg(long)]
    pub(crate) orphaned: bool,
}

/// `reassign`.
#[derive(Args, Debug)]
pub(crate) struct ReassignArgs {
    /// Whose factors.
    #[command(flatten)]
    pub(crate) user: NamedUser,
    /// The account that takes them over [default: the one of the same name]
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<UserName>,
}

impl ReassignArgs {
    /// Who takes over, as the daemon names it: in the same realm.
    pub(crate) fn heir(&self) -> Option<UserId> {
        let realm = self.user.id().realm;
        self.to.clone().map(|name| UserId { realm, name })
    }
}

/// `prune`.
#[derive(Args, Debug)]
pub(crate) struct PruneArgs {
    /// Users whose account is gone or has another uid now
    #[arg(long, required = true)]
    pub(crate) orphaned: bool,
    /// Only show whom it would remove
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask whether it is meant
    #[arg(long, short)]
    pub(crate) yes: bool,
}
