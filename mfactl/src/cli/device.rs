//! Devices: `pin`, `find`, `describe`, `assign`, `unassign`.
//!
//! Refuses to take a PIN from the command line, where other users of the host could read it.

use clap::{Args, Subcommand};
use mfa_proto::tag::{Description, Serial};

use super::{
    factor::{SwitchArgs, TargetArgs},
    help,
    user::NamedUser,
};

/// `pin`.
#[derive(Debug, Subcommand)]
pub(crate) enum PinVerb {
    /// Set what is typed before each code of a factor, and ends the PIN before
    #[command(after_long_help = help::PIN)]
    Set(SwitchArgs),
    /// Let the codes of a factor count without a PIN (root)
    #[command(after_long_help = help::PIN)]
    Clear(TargetArgs),
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
