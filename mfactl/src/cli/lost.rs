//! `lost`: what is lost, and how its user gets in meanwhile.

use std::time::Duration;

use clap::Args;

use super::{breakglass, recovery::CodesTo, user::NamedUser};

/// `lost`.
#[derive(Args, Debug)]
pub(crate) struct LostArgs {
    /// Who has lost it.
    #[command(flatten)]
    pub(crate) user: NamedUser,
    /// What is lost, by id or label [default: all that a phone or a device holds: totp, hotp and sms]
    #[arg(value_name = "FACTOR")]
    pub(crate) factors: Vec<String>,
    /// Make a code that lets the user in once, as breakglass does
    #[arg(long)]
    pub(crate) emergency: bool,
    /// How long that code counts: 5m to 24h
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = breakglass::span)]
    pub(crate) span: Duration,
    /// Why that code is made: for the audit trail, and for those who are told [default: what is lost]
    #[arg(long, value_name = "TEXT", value_parser = breakglass::reason)]
    pub(crate) reason: Option<String>,
    /// Where that code goes.
    #[command(flatten)]
    pub(crate) to: CodesTo,
    /// Everything is lost: delete all that the user holds, and make an invitation to enroll anew
    #[arg(long, conflicts_with_all = ["factors", "emergency"])]
    pub(crate) invite: bool,
    /// Do not ask whether it is meant, and offer nothing
    #[arg(long, short)]
    pub(crate) yes: bool,
}
