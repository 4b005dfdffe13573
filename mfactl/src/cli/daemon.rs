//! Commands about the daemon, and those that write files for shells and man.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mfa_proto::name::{ServiceName, UserName};

use super::help;

/// `audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// Only what concerns this user
    #[arg(long)]
    pub(crate) user: Option<UserName>,
    /// Only what came through this PAM service
    #[arg(long)]
    pub(crate) service: Option<ServiceName>,
    /// Only at or after: 2026-03-01, "2026-03-01 14:30", RFC 3339, @UNIX, or 2h, 30min, 7d ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only before; same forms
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only the last N rows of what fits [default: 50 without --since and --until, else all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) last: Option<u32>,
    /// Go on showing rows as they come, until Ctrl-C
    #[arg(long, short, conflicts_with = "until")]
    pub(crate) follow: bool,
}

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
