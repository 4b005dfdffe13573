//! Text that must not be seen: answers, codes, setup keys. Redacted when printed, wiped when dropped.
//!
//! Refuses `Display` and `Clone`. Comparing is left to the factor code, which does it in constant time.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The longest secret text in bytes: PAM's own limit for one response (`PAM_MAX_RESP_SIZE`).
pub const MAX_SECRET: usize = 512;

/// The secret text is longer than [`MAX_SECRET`] bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the text has {0} bytes, more than the {MAX_SECRET} allowed")]
pub struct SecretTooLong(pub usize);

/// Secret text of at most [`MAX_SECRET`] bytes.
#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(try_from = "String")]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text over; a refused text is wiped.
    pub fn new(mut text: String) -> Result<Self, SecretTooLong> {
        if text.len() > MAX_SECRET {
            let length = text.len();
            text.zeroize();
            return Err(SecretTooLong(length));
        }
        Ok(Self(text))
    }

    /// A second copy, wiped like the first. Not `Clone`, so that no copy is made in passing.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// The text itself. Every call is a place where a secret may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SecretText {
    type Error = SecretTooLong;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_shows_nothing_of_the_secret() {
        let secret = SecretText::new("755224".into()).unwrap();
        assert_eq!(format!("{secret:?}"), "SecretText(redacted)");
        assert_eq!(secret.expose(), "755224");
    }

    #[test]
    fn the_length_is_bounded() {
        assert!(SecretText::new("x".repeat(MAX_SECRET)).is_ok());
        assert_eq!(SecretText::new("x".repeat(513)).unwrap_err(), SecretTooLong(513));
    }
}
