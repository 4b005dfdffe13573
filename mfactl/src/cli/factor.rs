//! Commands about one factor: confirm, resync, send, disable, enable, remove, and tokens.

use clap::{Args, Subcommand};
use mfa_proto::name::FactorLabel;

use super::{help, user::OptionalUser};

/// `confirm`.
#[derive(Args, Debug)]
pub(crate) struct ConfirmArgs {
    /// Whose factor.
    #[command(flatten)]
    pub(crate) user: OptionalUser,
    /// The code; asked for on a terminal, else read from standard input
    pub(crate) code: Option<String>,
    /// Which factor, when more than one waits to be confirmed
    #[arg(long, value_name = "ID")]
    pub(crate) factor: Option<i64>,
    /// The code is what another service asks for: taken as it is, not as digits
    #[arg(long)]
    pub(crate) text: bool,
}

/// Whose factor and which.
#[derive(Args, Debug)]
pub(crate) struct TargetArgs {
    /// Whose factor.
    #[command(flatten)]
    pub(crate) user: OptionalUser,
    /// Which factor, by id
    #[arg(long, value_name = "ID", conflicts_with = "label")]
    pub(crate) factor: Option<i64>,
    /// Which factor, by label
    #[arg(long)]
    pub(crate) label: Option<FactorLabel>,
}

/// `disable`.
#[derive(Args, Debug)]
pub(crate) struct SwitchArgs {
    /// Whose and which.
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Read a current code from standard input; all but root need one
    #[arg(long)]
    pub(crate) code_stdin: bool,
}

/// `remove`.
#[derive(Args, Debug)]
pub(crate) struct RemoveArgs {
    /// Whose and which.
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Delete all factors of the user
    #[arg(long, conflicts_with_all = ["factor", "label"])]
    pub(crate) all: bool,
    /// Do not ask whether it is meant
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Read a current code from standard input; all but root need one
    #[arg(long)]
    pub(crate) code_stdin: bool,
}

/// `token`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Print a fresh signed token (root)
    #[command(after_long_help = help::TOKEN)]
    Issue(TargetArgs),
}
