//! Commands about one factor: enroll, confirm, disable, enable, remove.

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValuesParser, builder::TypedValueParser};
use mfa_proto::{admin::Algorithm, name::FactorLabel};

use super::{help, user::OptionalUser};

/// Kinds of factor to add.
#[derive(Debug, Subcommand)]
pub(crate) enum EnrollKind {
    /// Time-based codes (RFC 6238): what authenticator apps make
    #[command(after_long_help = help::ENROLL)]
    Totp {
        /// Options of all kinds.
        #[command(flatten)]
        common: EnrollArgs,
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
        /// The first counter that has not been used
        #[arg(long, value_name = "N", default_value_t = 0)]
        counter: u64,
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
    /// The hash inside the code; many apps know only sha1
    #[arg(long, value_enum, default_value_t = AlgorithmName::Sha1)]
    pub(crate) algorithm: AlgorithmName,
    /// Digits of a code; many apps know only 6
    #[arg(long, default_value = "6", value_parser = PossibleValuesParser::new(["6", "8"]).try_map(|d| d.parse::<u8>()))]
    pub(crate) digits: u8,
    /// How it becomes active.
    #[command(flatten)]
    pub(crate) activation: Activation,
    /// What is read from standard input.
    #[command(flatten)]
    pub(crate) given: Given,
    /// What is shown.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// How a new factor becomes active.
#[derive(Args, Debug)]
pub(crate) struct Activation {
    /// Make it active at once, without proof by a code (root)
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Replace the active factor with this label; the old one counts until the new one is confirmed
    #[arg(long)]
    pub(crate) replace: bool,
}

/// What is read from standard input, so that it shows in no argument list.
#[derive(Args, Debug)]
pub(crate) struct Given {
    /// Read the key, in base32, from the first line of standard input instead of having one made
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// Read a current code of an active factor from the next line of standard input
    #[arg(long)]
    pub(crate) code_stdin: bool,
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
