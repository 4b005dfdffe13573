//! What a directory keeps for people: secrets sealed for it, and what was taken over from it.

use serde::{Deserialize, Serialize};

use super::FactorKind;
use crate::{name::FactorLabel, secret::SecretText, text::ShownText};

/// A secret that was sealed for a person.
#[derive(Debug, Deserialize, Serialize)]
pub struct SealedSecret {
    /// The value to put into the directory.
    pub value: SecretText,
    /// The secret in base32, for the person; `None` when it was brought along.
    pub secret: Option<SecretText>,
    /// The `otpauth://` link that QR codes hold; `None` when the secret was brought along.
    pub uri: Option<SecretText>,
}

/// What became of a factor that a directory keeps.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum DirectoryChange {
    /// The directory has it, and it is there now.
    Adopted,
    /// The directory has another number or address for it.
    Changed,
    /// The directory has it again.
    Back,
    /// The directory has it no more: it is switched off.
    Gone,
    /// It made room, long gone from the directory, or was there for what did not open and now does.
    Dropped,
    /// The directory has something that does not open: its owner does not pass for one who never enrolled.
    Withheld,
    /// The user holds as many factors as allowed: it was not taken in.
    NoRoom,
}

impl DirectoryChange {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Adopted, Self::Changed, Self::Back, Self::Gone, Self::Dropped, Self::Withheld, Self::NoRoom];

    /// For programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Changed => "changed",
            Self::Back => "back",
            Self::Gone => "gone",
            Self::Dropped => "dropped",
            Self::Withheld => "withheld",
            Self::NoRoom => "no_room",
        }
    }
}

/// A factor that was changed after the directory, or would be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PulledFactor {
    /// How.
    pub change: DirectoryChange,
    /// Its kind.
    pub kind: FactorKind,
    /// Its label; of what was not taken in, none.
    pub label: Option<FactorLabel>,
}

/// What was taken over of a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pulled {
    /// Whether the directory has exactly one entry of the person.
    pub found: bool,
    /// What was changed; empty where all was as the directory has it.
    pub changes: Vec<PulledFactor>,
    /// What the directory has and nobody can use: what it should be, and why it is not.
    pub unusable: Vec<(FactorKind, ShownText)>,
}
