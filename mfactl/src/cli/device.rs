//! Devices: `pin`, `find`, `describe`, `assign`, `unassign`.
//!
//! Refuses to take a PIN from the command line, where other users of the host could read it.

use clap::{Args, Subcommand};
use mfa_proto::tag::{Description, Serial};

use super::{factor::TargetArgs, help, user::NamedUser};

/// `pin`.
#[derive(Debug, Subcommand)]
pub(crate) enum PinVerb {
    /// Set what is typed before each code of a factor, and ends the PIN before
    #[command(after_long_help = help::PIN)]
    Set(PinSetArgs),
    /// Let the codes of a factor count without a PIN (root)
    #[command(after_long_help = help::PIN)]
    Clear(PinTarget),
}

/// Whose factor and which; with a serial number nobody else need be named.
#[derive(Args, Debug)]
pub(crate) struct PinTarget {
    /// By user.
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The factor of the device with this serial number, whosever it is (root)
    #[arg(long, conflicts_with_all = ["user", "realm", "factor", "label"])]
    pub(crate) serial: Option<Serial>,
}

/// `pin set`.
#[derive(Args, Debug)]
pub(crate) struct PinSetArgs {
    /// Whose and which.
    #[command(flatten)]
    pub(crate) whose: PinTarget,
    /// Read a current code from standard input; all but root need one
    #[arg(long)]
    pub(crate) code_stdin: bool,
}

/// A device by its serial number.
#[derive(Args, Debug)]
pub(crate) struct SerialArgs {
    /// The serial number
    pub(crate) serial: Serial,
}

/// `assign`.
#[derive(Args, Debug)]
pub(crate) struct AssignArgs {
    /// The serial number of a device that nobody has
    pub(crate) serial: Serial,
    /// To whom.
    #[command(flatten)]
    pub(crate) user: NamedUser,
}

/// `describe`.
#[derive(Args, Debug)]
pub(crate) struct DescribeArgs {
    /// Whose and which.
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The serial number, which no other factor may have
    #[arg(long, required_unless_present = "text")]
    pub(crate) serial: Option<Serial>,
    /// What the device is; an empty text takes the description away
    #[arg(long)]
    pub(crate) text: Option<Description>,
}
