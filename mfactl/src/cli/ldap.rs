//! `ldap`: secrets sealed for a directory, and what it has taken over.
//!
//! Refuses to take a secret from the command line, where other users of the host could read it.

use clap::{ArgGroup, Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};
use mfa_proto::name::UserName;

use super::{
    enroll::{AlgorithmName, Shown},
    help,
    user::NamedUser,
};

/// What to do with the directory.
#[derive(Debug, Subcommand)]
pub(crate) enum LdapVerb {
    /// Seal a TOTP secret for a user: prints the value to put into the directory (root)
    #[command(after_long_help = help::LDAP_SEAL)]
    Seal(LdapSealArgs),
    /// Take over what the directory has of users: addresses, sealed secrets (root)
    #[command(after_long_help = help::LDAP_PULL)]
    Pull(LdapPullArgs),
}

/// `ldap seal`.
#[derive(Args, Debug)]
pub(crate) struct LdapSealArgs {
    /// For whom.
    #[command(flatten)]
    pub(crate) user: NamedUser,
    /// The hash inside the code; many apps know only sha1
    #[arg(long, value_enum, default_value_t = AlgorithmName::Sha1)]
    pub(crate) algorithm: AlgorithmName,
    /// Digits of a code; many apps know only 6
    #[arg(long, default_value = "6", value_parser = PossibleValuesParser::new(["6", "8"]).try_map(|d| d.parse::<u8>()))]
    pub(crate) digits: u8,
    /// Seconds a code lasts, 15 to 120; many apps know only 30
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(15..=120))]
    pub(crate) period: u16,
    /// Read the secret from the first line of standard input instead of having one made: base32, or an otpauth
    /// link, which says what its codes are like as well
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// What is shown of a secret that was made.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// `ldap pull`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whom").required(true).args(["users", "all"]))]
pub(crate) struct LdapPullArgs {
    /// Whom
    #[arg(value_name = "USER")]
    pub(crate) users: Vec<UserName>,
    /// All who hold a factor here
    #[arg(long)]
    pub(crate) all: bool,
    /// Only say what would be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
}
