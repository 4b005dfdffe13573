//! `remembered`: successes for which logins are not asked again.

use clap::{Args, Subcommand};

use super::{help, user::OptionalUser};

/// `remembered`.
#[derive(Debug, Subcommand)]
pub(crate) enum RememberedVerb {
    /// List what is remembered; without USER root sees that of all users
    #[command(after_long_help = help::REMEMBERED)]
    List(OptionalUser),
    /// Have it forgotten: the next login asks again
    #[command(after_long_help = help::REMEMBERED)]
    Revoke(RevokeArgs),
}

/// `remembered revoke`.
#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// Whose.
    #[command(flatten)]
    pub(crate) user: OptionalUser,
    /// Only this one; its number is what `mfactl remembered list` shows
    #[arg(long, value_name = "N", conflicts_with = "all", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) row: Option<i64>,
    /// All of USER; without USER, all of all users (root)
    #[arg(long)]
    pub(crate) all: bool,
}
