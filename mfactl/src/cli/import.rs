//! `import`: what to read, whose it is, and how.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mfa_proto::name::UserName;
use mfactl::import::{Format, KeyEncoding};

/// `import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Files, - for standard input, or directories that hold home directories (/home)
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// What the files are
    #[arg(long, value_enum, default_value_t = FormatName::Auto)]
    pub(crate) format: FormatName,
    /// Import for this account only; what names no account is taken to be its
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<UserName>,
    /// Read from FILE whose names and tokens are whose: lines of a name or serial number, and an account
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Read everything and report, but change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Put the factors in the place of those that the users have by the same labels
    #[arg(long)]
    pub(crate) replace: bool,
    /// How the keys in a csv file are written, whatever its header says
    #[arg(long, value_enum, value_name = "ENCODING")]
    pub(crate) key_encoding: Option<EncodingName>,
    /// The columns of a csv file without header line, as in "serial,key (hex),user"
    #[arg(long)]
    pub(crate) columns: Option<String>,
    /// Read the key that a pskc file is encrypted with from FILE: 32 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// What files are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FormatName {
    /// By their look
    Auto,
    /// The state file that libpam-google-authenticator keeps in each home
    GoogleAuthenticator,
    /// users.oath of libpam-oath
    Oath,
    /// otpauth:// links, one on a line
    Otpauth,
    /// otpauth-migration:// links, as exported by Google Authenticator
    Migration,
    /// PSKC (RFC 6030), plain or encrypted with a pre-shared key
    Pskc,
    /// Lists of tokens with a header line
    Csv,
}

impl FormatName {
    /// The format; `None` when it is to be seen from the file.
    pub(crate) fn named(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::GoogleAuthenticator => Some(Format::GoogleAuthenticator),
            Self::Oath => Some(Format::Oath),
            Self::Otpauth => Some(Format::Otpauth),
            Self::Migration => Some(Format::Migration),
            Self::Pskc => Some(Format::Pskc),
            Self::Csv => Some(Format::Csv),
        }
    }
}

/// How keys are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EncodingName {
    /// Hexadecimal
    Hex,
    /// Base32
    Base32,
}

impl From<EncodingName> for KeyEncoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Hex => Self::Hex,
            EncodingName::Base32 => Self::Base32,
        }
    }
}
