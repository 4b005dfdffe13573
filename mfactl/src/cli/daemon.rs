//! Commands about the daemon, and those that write files for shells and man.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mfa_proto::name::{ServiceName, UserName};

use super::help;

/// `test`.
#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Who logs in
    pub(crate) user: UserName,
    /// The PAM service to log in as, which policy may depend on
    #[arg(long, default_value = "mfactl-test")]
    pub(crate) service: ServiceName,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Have the daemon read the configuration files and say what is wrong, without using them (root)
    #[command(after_long_help = help::CONFIG)]
    Check,
}

/// `man`.
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Write mfactl.1 and a page for each command into this directory
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

/// The shells with completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ShellName {
    /// GNU bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}
