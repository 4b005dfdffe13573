//! What identifies a device beside its owner: the serial number, and a line that describes it.
//!
//! Refuses serial numbers that could be taken for patterns, quoted text, paths or two words where they are searched
//! for, and those that are no user names: a device that nobody has is kept under its serial number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::name::{NameError, RealmName, UserId, UserName};

/// Why a text is no serial number, or no description.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TagError {
    /// The serial number's form.
    #[error(
        "a serial number has 1 to {} printable ASCII characters, without spaces, quotes, * / \\ and :",
        Serial::MAX
    )]
    Serial,
    /// The description's form.
    #[error("a description has at most {} bytes and no control characters", Description::MAX)]
    Description,
}

/// The serial number of a device: `TOTP00019E8B`. Two that differ only in case are the same.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(String);

impl Serial {
    /// The most characters.
    pub const MAX: usize = 64;

    /// Validates `text`.
    pub fn new(text: impl Into<String>) -> Result<Self, TagError> {
        let text = text.into();
        let fits = |byte: u8| {
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'*' | b'/' | b':')
        };
        let sound = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(fits);
        if sound { Ok(Self(text)) } else { Err(TagError::Serial) }
    }

    /// The number as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Who stands for nobody where nobody has the device. The same for all that are the same number.
    pub fn keeper(&self) -> Result<UserId, NameError> {
        let name = UserName::new(self.0.to_ascii_uppercase())?;
        Ok(UserId { realm: RealmName::unassigned(), name })
    }
}

impl PartialEq for Serial {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Serial {}

/// A line that describes a device, for people.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Description(String);

impl Description {
    /// The most bytes.
    pub const MAX: usize = 64;

    /// Nothing is said.
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// Validates `text`, which may be empty.
    pub fn new(text: impl Into<String>) -> Result<Self, TagError> {
        let text = text.into();
        let sound = text.len() <= Self::MAX && crate::text::escape_for_log(&text) == text;
        if sound { Ok(Self(text)) } else { Err(TagError::Description) }
    }

    /// The line itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = TagError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(tag: $name) -> Self {
                tag.0
            }
        }

        impl FromStr for $name {
            type Err = TagError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

as_text!(Serial);
as_text!(Description);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_one_plain_word() {
        for good in ["TOTP00019E8B", "OATH00019E8B", "LSSM0001", "x", "A-1_2.3", &"9".repeat(64)] {
            assert_eq!(Serial::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "A B", "A*", "\"A\"", "'A'", "A\\", "A/B", "A:B", "`A`", "Ä1", "A\n", &"9".repeat(65)]
        {
            assert_eq!(Serial::new(bad), Err(TagError::Serial), "{bad:?}");
        }
        assert_eq!(Serial::new("totp1").unwrap(), Serial::new("TOTP1").unwrap());
        assert_ne!(Serial::new("totp1").unwrap(), Serial::new("TOTP2").unwrap());
    }

    #[test]
    fn a_description_is_one_bounded_line() {
        for good in ["", "red key: for the door / left", "Ünals Schlüssel"] {
            assert_eq!(Description::new(good).unwrap().as_str(), good);
        }
        for bad in ["two\nlines", "\u{1b}[31m", "\u{202e}x", &"x".repeat(65)] {
            assert_eq!(Description::new(bad), Err(TagError::Description), "{bad:?}");
        }
    }
}
