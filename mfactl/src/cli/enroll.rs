//! `enroll`: what a new factor of each kind is made of.
//!
//! Refuses to take a key, a telephone number or a mail address from the command line, where other users of
//! the host could read it.

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValuesParser, builder::TypedValueParser};
use mfa_proto::{
    admin::Algorithm,
    name::{Claim, FactorLabel},
    tag::{Description, Serial},
};

use super::{help, user::OptionalUser};

/// `enroll`: a kind, or none to be asked.
#[derive(Args, Debug)]
pub(crate) struct EnrollWanted {
    /// What kind.
    #[command(subcommand)]
    pub(crate) kind: Option<EnrollKind>,
}

/// Kinds of factor to add.
#[derive(Debug, Subcommand)]
pub(crate) enum EnrollKind {
    /// Time-based codes (RFC 6238): what authenticator apps make
    #[command(after_long_help = help::ENROLL)]
    Totp {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
        /// What its codes are like.
        #[command(flatten)]
        oath: OathArgs,
        /// Seconds a code lasts, 15 to 120; many apps know only 30
        #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(15..=120))]
        period: u16,
    },
    /// Counter-based codes (RFC 4226): tokens with a button
    #[command(after_long_help = help::ENROLL)]
    Hotp {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
        /// What its codes are like.
        #[command(flatten)]
        oath: OathArgs,
        /// The first counter that has not been used
        #[arg(long, value_name = "N", default_value_t = 0)]
        counter: u64,
    },
    /// Codes sent to a telephone number
    #[command(after_long_help = help::ENROLL_SENT)]
    Sms {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
        /// Where codes go.
        #[command(flatten)]
        sent: SentArgs,
    },
    /// Codes sent to a mail address
    #[command(after_long_help = help::ENROLL_SENT)]
    Mail {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
        /// Where codes go.
        #[command(flatten)]
        sent: SentArgs,
    },
    /// A service elsewhere that judges what the person answers
    #[command(after_long_help = help::ENROLL_REST)]
    Rest {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
        /// Which service: NAME stands for [rest.NAME] of the configuration
        #[arg(long, value_name = "NAME")]
        service: FactorLabel,
        /// The name by which the service knows the user [default: the account's]
        #[arg(long, value_name = "NAME", value_parser = remote_user)]
        remote_user: Option<Claim>,
        /// Make it active at once, without an answer that the service said yes to (root)
        #[arg(long)]
        no_confirm: bool,
    },
    /// Signed tokens of a machine that logs in by itself
    #[command(after_long_help = help::ENROLL_TOKEN)]
    Token {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
        /// Tokens are signed by the application of a domain: [token."DOMAIN"] of the configuration
        #[arg(long, conflicts_with = "secret_stdin")]
        domain: Option<FactorLabel>,
        /// Read the seed in base32 and then the signing secret, a line each, from standard input instead of
        /// having them made
        #[arg(long)]
        secret_stdin: bool,
    },
}

/// Options of all kinds of factor.
#[derive(Args, Debug)]
pub(crate) struct EnrollArgs {
    /// For whom.
    #[command(flatten)]
    pub(crate) user: OptionalUser,
    /// What to call it, to tell several apart: "phone", "spare key" [default: the kind]
    #[arg(long)]
    pub(crate) label: Option<FactorLabel>,
    /// The serial number of the device, which no other factor may have (root)
    #[arg(long)]
    pub(crate) serial: Option<Serial>,
    /// What the device is
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<Description>,
    /// Replace the active factor with this label; the old one counts until the new one is confirmed
    #[arg(long)]
    pub(crate) replace: bool,
    /// Read a current code of an active factor from the next line of standard input
    #[arg(long)]
    pub(crate) code_stdin: bool,
    /// Read the invitation to a first factor from the next line of standard input
    #[arg(long, conflicts_with = "code_stdin")]
    pub(crate) invitation_stdin: bool,
}

/// What codes made from a key are like, and what is shown of it.
#[derive(Args, Debug)]
pub(crate) struct OathArgs {
    /// The hash inside the code; many apps know only sha1
    #[arg(long, value_enum, default_value_t = AlgorithmName::Sha1)]
    pub(crate) algorithm: AlgorithmName,
    /// Digits of a code; many apps know only 6
    #[arg(long, default_value = "6", value_parser = PossibleValuesParser::new(["6", "8"]).try_map(|d| d.parse::<u8>()))]
    pub(crate) digits: u8,
    /// Make it active at once, without proof by a code (root)
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Read the key, in base32, from the first line of standard input instead of having one made
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// What is shown.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Where codes are sent.
#[derive(Args, Debug)]
pub(crate) struct SentArgs {
    /// Read the number or address from the first line of standard input; without this it is asked for
    #[arg(long)]
    pub(crate) address_stdin: bool,
    /// Digits of a code [default: what the configuration says]
    #[arg(long, value_parser = PossibleValuesParser::new(["6", "7", "8"]).try_map(|d| d.parse::<u8>()))]
    pub(crate) digits: Option<u8>,
}

/// What is shown of a new factor.
#[derive(Args, Debug)]
pub(crate) struct Shown {
    /// Print the otpauth link as well
    #[arg(long)]
    pub(crate) uri: bool,
    /// How to draw the QR code
    #[arg(long, value_enum, value_name = "STYLE", default_value_t = QrStyle::Auto)]
    pub(crate) qr: QrStyle,
}

/// How a QR code is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum QrStyle {
    /// On a terminal wide enough, in black on white; plain without colors
    Auto,
    /// Without color codes, for a terminal with dark background, even into a file
    Plain,
    /// Without color codes, for a terminal with light background, even into a file
    Inverted,
    /// Not at all
    None,
}

/// The hash inside the code.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AlgorithmName {
    /// HMAC-SHA-1
    Sha1,
    /// HMAC-SHA-256
    Sha256,
    /// HMAC-SHA-512
    Sha512,
}

impl From<AlgorithmName> for Algorithm {
    fn from(name: AlgorithmName) -> Self {
        match name {
            AlgorithmName::Sha1 => Self::Sha1,
            AlgorithmName::Sha256 => Self::Sha256,
            AlgorithmName::Sha512 => Self::Sha512,
        }
    }
}

/// A name at an outside service: sent as it is, or not at all.
fn remote_user(text: &str) -> Result<Claim, String> {
    if text.trim().is_empty() || text.len() > Claim::MAX_NAME {
        return Err(format!("a name of 1 to {} bytes is needed", Claim::MAX_NAME));
    }
    Claim::try_from(text.to_owned()).map_err(|_| "it has characters that no name can have".to_owned())
}
