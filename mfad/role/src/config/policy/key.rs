//! How a rule names public keys: by type, or by fingerprint.

use std::{fmt, str::FromStr};

/// The most bytes of a type.
const MAX_TYPE: usize = 64;
/// Characters of a SHA-256 digest in base64 without padding.
const DIGEST: usize = 43;

/// Types of keys: one, or all that begin so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyPattern {
    start: String,
    open: bool,
}

impl KeyPattern {
    /// Whether a key of this type is meant.
    pub fn fits(&self, key_type: &str) -> bool {
        if self.open { key_type.starts_with(&self.start) } else { key_type == self.start }
    }

    /// Whether all that `other` means is meant.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.fits(&other.start) && (self.open || !other.open)
    }

    /// Whether every key is meant.
    pub(super) fn is_any(&self) -> bool {
        self.open && self.start.is_empty()
    }
}

impl FromStr for KeyPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (start, open) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'@' | b'.' | b'_');
        if text.is_empty() || text.len() > MAX_TYPE || !start.bytes().all(plain) {
            return Err("write a type of key, as \"ssh-ed25519\", or how types begin, as \"sk-*\"");
        }
        Ok(Self { start: start.to_owned(), open })
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.start, if self.open { "*" } else { "" })
    }
}

/// The fingerprint of a key, `SHA256:…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The text, `SHA256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write \"SHA256:…\" with all its 43 characters, as `ssh-keygen -lf key.pub` prints it";
        let digest = text.strip_prefix("SHA256:").ok_or(wrong)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        // 256 bits leave four of the last character's six: the others are zero.
        let whole = digest.bytes().last().is_some_and(|b| b"AEIMQUYcgkosw048".contains(&b));
        if digest.len() != DIGEST || !digest.bytes().all(plain) || !whole {
            return Err(wrong);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> KeyPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_type_is_one_or_all_that_begin_so() {
        let sk = "sk-ssh-ed25519@openssh.com";
        assert!(pattern("sk-*").fits(sk) && pattern(sk).fits(sk) && pattern("*").fits(sk));
        assert!(!pattern("sk-").fits(sk) && !pattern("ssh-*").fits(sk) && !pattern("sk-*").fits("SK-x"));
        assert!(pattern("sk-*").covers(&pattern("sk-ssh-*")) && pattern("*").covers(&pattern("sk-*")));
        assert!(!pattern("sk-ssh-*").covers(&pattern("sk-*")) && !pattern("sk-").covers(&pattern("sk-*")));
        for bad in ["", "s*k", "**", "ssh ed25519", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<KeyPattern>().is_err(), "{bad:?}");
        }
        assert_eq!(pattern("sk-*").to_string(), "sk-*");
    }

    #[test]
    fn a_fingerprint_is_whole() {
        let good = "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ";
        assert_eq!(good.parse::<Fingerprint>().unwrap().as_str(), good);
        for bad in [
            "",
            "SHA256:",
            "xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ",
            "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64Cy",
            "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ=",
            "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyR",
            "sha256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ",
            "MD5:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f:0f",
        ] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad:?}");
        }
    }
}
