//! `recovery`: sets of single-use codes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mfa_proto::answer::RecoveryCode;

use super::{help, user::OptionalUser};

/// `recovery`.
#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryVerb {
    /// Make a new set of codes; those of the set before are void
    #[command(after_long_help = help::RECOVERY)]
    New(RecoveryNewArgs),
    /// Say how many codes are left
    #[command(after_long_help = help::RECOVERY)]
    Count(OptionalUser),
}

/// `recovery new`.
#[derive(Args, Debug)]
pub(crate) struct RecoveryNewArgs {
    /// For whom.
    #[command(flatten)]
    pub(crate) user: OptionalUser,
    /// How many codes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=i64::from(RecoveryCode::MOST)))]
    pub(crate) count: u8,
    /// Where they go.
    #[command(flatten)]
    pub(crate) to: CodesTo,
    /// Read a current code of an active factor from standard input; all but root need one
    #[arg(long)]
    pub(crate) code_stdin: bool,
}

/// Where codes go that are shown once: to a terminal, unless said otherwise.
#[derive(Args, Debug)]
pub(crate) struct CodesTo {
    /// Write the codes to this file, which must not exist and will be readable by its owner alone
    #[arg(long, value_name = "FILE", conflicts_with = "stdout")]
    pub(crate) output: Option<PathBuf>,
    /// Print the codes even when standard output is not a terminal
    #[arg(long)]
    pub(crate) stdout: bool,
}
