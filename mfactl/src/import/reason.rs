//! Why something in a file is no factor that can be imported: what is wrong, and what to do.
//!
//! Repeats no text that may be a key: a key may stand in any wrong place.

use super::key::KeyError;

/// Why not.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Reason {
    /// Not UTF-8.
    #[error("this is not text in UTF-8")]
    NotText,
    /// Nothing but white space.
    #[error("there is nothing in it")]
    Empty,
    /// Larger than the program that writes such files would read.
    #[error("the file has more than the {most} bytes that such a file may have")]
    TooLarge {
        /// The bound.
        most: usize,
    },
    /// The key.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The key is not there.
    #[error("there is no key")]
    NoKey,
    /// Digits of a code.
    #[error("codes of {0} digits: mfad takes 6 or 8")]
    Digits(u64),
    /// Seconds of a step.
    #[error("a code must last 15 to 120 seconds")]
    Period,
    /// The counter.
    #[error("the counter is not a number, or too large")]
    Counter,
    /// The hash.
    #[error("the hash is not SHA-1, SHA-256 or SHA-512")]
    Algorithm,
    /// Neither TOTP nor HOTP.
    #[error("it is neither TOTP nor HOTP")]
    Kind,
    /// A password before the code.
    #[error("a PIN is set, which mfad does not ask for")]
    Pin,
    /// Neither mode is switched on.
    #[error("neither TOTP_AUTH nor HOTP_COUNTER is set: no code of this key was ever accepted")]
    NoMode,
    /// A line of `.google_authenticator`.
    #[error("this line is neither an option nor a scratch code of 8 digits")]
    NeitherOptionNorCode,
    /// An option.
    #[error("the option {name} {what}")]
    Option {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Fields of a line.
    #[error("the line has {found} fields, not {wanted}")]
    Fields {
        /// As many there are.
        found: usize,
        /// As many there should be.
        wanted: &'static str,
    },
    /// A link.
    #[error("this is not a link of the form otpauth://totp/NAME?secret=KEY: {0}")]
    Link(&'static str),
    /// The payload of a migration link.
    #[error("this is not what Google Authenticator exports: {0}")]
    Migration(&'static str),
    /// Not all QR codes of an export are there.
    #[error(
        "{there} of the {all} QR codes of this export are there: put the links of all of them into the file"
    )]
    Batches {
        /// As many there are.
        there: usize,
        /// As many there should be.
        all: usize,
    },
    /// The XML itself.
    #[error("this is not XML that can be read (column {column}): {why}")]
    Xml {
        /// The column in the line.
        column: u32,
        /// What the reader found.
        why: &'static str,
    },
    /// PSKC.
    #[error("this is not PSKC as RFC 6030 has it: {0}")]
    Pskc(&'static str),
    /// A key that is encrypted in a way that is not supported, or not without the other key.
    #[error("the key is encrypted {0}")]
    Encrypted(&'static str),
    /// What the issuer demands and mfad does not do.
    #[error("its issuer demands {0}, which mfad does not do")]
    Policy(&'static str),
    /// The header line of CSV.
    #[error("the header line is not one: {0}")]
    Header(String),
    /// A line of CSV.
    #[error("{0}")]
    Csv(String),
}

impl Reason {
    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Key(KeyError::TooShort(_)) | Self::NoMode => "enroll a new one: mfactl enroll totp USER",
            Self::Digits(_) | Self::Period | Self::Algorithm | Self::Kind => {
                "this token cannot be used here: enroll another one"
            }
            Self::Pin => {
                "put - in its place to import it without the PIN, and have the PAM stack ask for the password"
            }
            Self::Policy(_) => "enroll another token, or ask who issued it for a file without the demand",
            Self::NotText => "save it as UTF-8",
            Self::NeitherOptionNorCode => "when it means nothing, take it out",
            Self::Key(_)
            | Self::Empty
            | Self::TooLarge { .. }
            | Self::NoKey
            | Self::Counter
            | Self::Option { .. }
            | Self::Fields { .. }
            | Self::Link(_)
            | Self::Migration(_)
            | Self::Batches { .. }
            | Self::Xml { .. }
            | Self::Pskc(_)
            | Self::Encrypted(_)
            | Self::Header(_)
            | Self::Csv(_) => return None,
        })
    }
}
