//! `pam`: which service, how it asks, and how long a change waits to be confirmed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use mfa_proto::name::ServiceName;

use super::{help, parse};

/// `pam`.
#[derive(Debug, Subcommand)]
pub(crate) enum PamVerb {
    /// Have a service ask for a code; it is taken back by itself unless it is confirmed (root)
    #[command(after_long_help = help::PAM_ENABLE)]
    Enable(Box<PamEnableArgs>),
    /// Have a service ask for no code any more (root)
    #[command(after_long_help = help::PAM_DISABLE)]
    Disable(PamDisableArgs),
    /// Show which services ask, since when, and what waits to be confirmed
    #[command(after_long_help = help::PAM_STATUS)]
    Status,
    /// Keep what was enabled: a login in a second terminal works (root)
    Confirm(PamServiceArgs),
    /// Take back what was enabled, now (root)
    #[command(after_long_help = help::PAM_REVERT)]
    Revert(PamRevertArgs),
}

/// `pam enable`.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Args, Debug)]
pub(crate) struct PamEnableArgs {
    /// Which: sshd, sudo, su, login, another name in /etc/pam.d; common-auth for all services of a Debian
    pub(crate) service: ServiceName,
    /// Let users in without a code who have no factor, and write a rule that says so: for the days of a roll-out
    #[arg(long)]
    pub(crate) optional: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take it back after so long unless `mfactl pam confirm` is run
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = within)]
    pub(crate) confirm_within: Duration,
    /// Do not take it back by itself
    #[arg(long, conflicts_with = "confirm_within")]
    pub(crate) no_revert: bool,
    /// How sshd is to ask; where it cannot ask as it is configured, this is asked for
    #[arg(long, value_enum, value_name = "WAY")]
    pub(crate) sshd: Option<SshdWay>,
    /// Do not ask whether it is meant
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Go on though this stands against it
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) despite: Vec<Despite>,
    /// With --dry-run: look at the files of a system that is mounted here
    #[arg(long, value_name = "DIR", default_value = "/", requires = "dry_run")]
    pub(crate) root: PathBuf,
}

/// How sshd is to ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SshdWay {
    /// Password and code, which writes /etc/ssh/sshd_config.d/50-mfad.conf
    Password,
    /// Key and code, without the password, which writes it, too
    Key,
    /// As it is configured
    Keep,
}

/// What may stand against it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Despite {
    /// No administrator has a factor, or not you: log in by another way, or enroll before the next login
    NoAdmin,
    /// sshd cannot ask, or lets in without: you configure it yourself
    Sshd,
    /// mfad does not answer: until it does, every login is denied
    Daemon,
}

/// `pam disable`.
#[derive(Args, Debug)]
pub(crate) struct PamDisableArgs {
    /// Which
    #[arg(required_unless_present = "all")]
    pub(crate) service: Option<ServiceName>,
    /// All services, lines that were written by hand included, without asking: before the module is removed
    #[arg(long, conflicts_with = "service")]
    pub(crate) all: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask whether it is meant
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// `pam confirm`.
#[derive(Args, Debug)]
pub(crate) struct PamServiceArgs {
    /// Which [default: all that wait]
    pub(crate) service: Option<ServiceName>,
}

/// `pam revert`.
#[derive(Args, Debug)]
pub(crate) struct PamRevertArgs {
    /// Which [default: all that wait]
    pub(crate) service: Option<ServiceName>,
    /// Only what is due: nobody confirmed it in time. What the timer runs
    #[arg(long, conflicts_with = "service")]
    pub(crate) due: bool,
}

/// From a minute to a day; 0 for never.
fn within(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    let span = parse::span(text)?;
    if (Duration::from_secs(60)..=Duration::from_secs(86_400)).contains(&span) {
        return Ok(span);
    }
    Err("give 1m to 1d, or 0 to have it never taken back".to_owned())
}
