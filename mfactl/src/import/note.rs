//! What is different after an import, though it is imported.

/// One thing that a person or an administrator may want to know.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Note {
    /// The key is shorter than RFC 4226 §4 R6 wants.
    WeakKey {
        /// Its length.
        bits: usize,
    },
    /// The device's clock was so many steps off.
    Skew {
        /// Steps; the sign is the other program's.
        steps: i64,
    },
    /// Codes farther from now than one step were accepted.
    WideWindow {
        /// Codes that were valid at one time.
        codes: u64,
    },
    /// An option that this program does not know.
    UnknownOption {
        /// Its name.
        name: String,
    },
    /// The issuer of a token names a day after which it shall not be used.
    Expires {
        /// The day, as the file has it.
        when: String,
    },
    /// Others could read the file, and so the key.
    ReadableByOthers,
    /// Two users have the same key.
    SharedKey {
        /// The other one.
        with: String,
    },
    /// The same factor stood in the input twice.
    Twice,
    /// Codes that work once came along.
    ScratchCodes,
    /// Limits and windows are mfad's own.
    OwnLimits,
    /// A code was accepted more than once.
    ReuseEnds,
    /// The password before the code was checked by another program.
    OutsidePin,
    /// The signature over the file was not checked.
    Unsigned,
}

impl Note {
    /// Whether it holds for so many users alike that their number says enough.
    pub fn is_routine(&self) -> bool {
        match self {
            Self::ScratchCodes | Self::OwnLimits | Self::ReuseEnds | Self::OutsidePin | Self::Unsigned => {
                true
            }
            Self::WeakKey { .. }
            | Self::Skew { .. }
            | Self::WideWindow { .. }
            | Self::UnknownOption { .. }
            | Self::Expires { .. }
            | Self::ReadableByOthers
            | Self::SharedKey { .. }
            | Self::Twice => false,
        }
    }

    /// For programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::WeakKey { .. } => "weak_key",
            Self::Skew { .. } => "skew",
            Self::WideWindow { .. } => "wide_window",
            Self::UnknownOption { .. } => "unknown_option",
            Self::Expires { .. } => "expires",
            Self::ReadableByOthers => "readable_by_others",
            Self::SharedKey { .. } => "shared_key",
            Self::Twice => "twice",
            Self::ScratchCodes => "scratch_codes",
            Self::OwnLimits => "own_limits",
            Self::ReuseEnds => "reuse_ends",
            Self::OutsidePin => "outside_pin",
            Self::Unsigned => "unsigned",
        }
    }

    /// For people: what it means, and what to do.
    pub fn text(&self) -> String {
        match self {
            Self::WeakKey { bits } => {
                format!("the key has {bits} bits, RFC 4226 wants 128: enroll a new one when you can")
            }
            Self::Skew { steps } => format!(
                "the device's clock was {steps} steps off: mfad accepts one step, so set the device's clock right"
            ),
            Self::WideWindow { codes } => format!(
                "{codes} codes were valid at a time: mfad accepts the one before, this one and the next, so the \
                 device's clock must be right"
            ),
            Self::UnknownOption { name } => format!("the option {name} is not known, and was left behind"),
            Self::Expires { when } => format!(
                "its issuer has it end on {when}: mfad does not watch that day, remove the factor then"
            ),
            Self::ReadableByOthers => {
                "others could read the file, and so the key: enroll a new one when you can".to_owned()
            }
            Self::SharedKey { with } => {
                format!("the key is the same as {with}'s: each could make the other's codes; enroll new ones")
            }
            Self::Twice => "the same factor stands in the input twice; it is taken once".to_owned(),
            Self::ScratchCodes => {
                "scratch codes were brought along; they have 8 digits, codes of mfad's own are longer"
                    .to_owned()
            }
            Self::OwnLimits => "window and rate limits were left behind: mfad has its own".to_owned(),
            Self::ReuseEnds => "a code could be used more than once; now each works once".to_owned(),
            Self::OutsidePin => {
                "a password before the code was checked elsewhere; the PAM stack has to see to that now"
                    .to_owned()
            }
            Self::Unsigned => "the signature over the file was not checked".to_owned(),
        }
    }
}
