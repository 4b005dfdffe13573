//! The shared secret of a factor, as bytes: wiped on drop, never printed.

use std::fmt;

use mfa_proto::secret::SecretText;
use zeroize::Zeroizing;

use super::encoding;

/// Bits below which a key is weak: RFC 4226 §4 R6 wants 128.
pub(super) const WEAK_BELOW: usize = 128;

/// A shared secret of 10 to 128 bytes.
#[derive(Eq, PartialEq)]
pub struct Key(Zeroizing<Vec<u8>>);

/// Why text is not a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// Not in the encoding named.
    #[error("the key is not {0}")]
    NotIn(&'static str),
    /// Shorter than any program makes them.
    #[error("the key has {0} bits: with fewer than 80, codes can be found by trying")]
    TooShort(usize),
    /// Longer than any hash makes use of.
    #[error("the key has {0} bits, more than the 1024 allowed")]
    TooLong(usize),
}

impl Key {
    /// The least bytes: google-authenticator made keys of 80 bits until 2018.
    pub const MIN: usize = 10;
    /// The most bytes.
    pub const MAX: usize = 128;

    /// Reads base32 in any case, with spaces, dashes and padding.
    pub fn from_base32(text: &str) -> Result<Self, KeyError> {
        Self::new(encoding::base32(text).ok_or(KeyError::NotIn("base32 (letters A-Z and digits 2-7)"))?)
    }

    /// Reads hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        Self::new(encoding::hex(text).ok_or(KeyError::NotIn("hexadecimal (an even number of 0-9 and a-f)"))?)
    }

    /// Reads base64.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::new(encoding::base64(text).ok_or(KeyError::NotIn("base64"))?)
    }

    /// Takes bytes over.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        match bytes.len() {
            few if few < Self::MIN => Err(KeyError::TooShort(few.saturating_mul(8))),
            many if many > Self::MAX => Err(KeyError::TooLong(many.saturating_mul(8))),
            _ => Ok(Self(bytes)),
        }
    }

    /// Its length.
    pub fn bits(&self) -> usize {
        self.0.len().saturating_mul(8)
    }

    /// An order, so that equal keys of different people can be found.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }

    /// Base32 without padding, upper case, as the daemon takes it. `None` never happens: the longest key
    /// fits a secret text.
    pub fn to_base32(&self) -> Option<SecretText> {
        const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().saturating_mul(2)));
        for group in self.0.chunks(5) {
            let value = group.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
            let bits = group.len().saturating_mul(8);
            let padded = value << (40_usize.saturating_sub(bits));
            for digit in 0..bits.div_ceil(5) {
                let shift = 35_usize.saturating_sub(digit.saturating_mul(5));
                let digit = usize::try_from((padded >> shift) & 31).ok()?;
                text.push(char::from(*DIGITS.get(digit)?));
            }
        }
        SecretText::new(std::mem::take(&mut *text)).ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_bounded_and_said_in_bits() {
        assert_eq!(Key::from_hex("00").unwrap_err(), KeyError::TooShort(8));
        assert_eq!(Key::from_hex(&"0".repeat(18)).unwrap_err(), KeyError::TooShort(72));
        assert_eq!(Key::from_hex(&"0".repeat(20)).unwrap().bits(), 80);
        assert_eq!(Key::from_hex(&"0".repeat(256)).unwrap().bits(), 1024);
        assert_eq!(Key::from_hex(&"0".repeat(258)).unwrap_err(), KeyError::TooLong(1032));
        assert_eq!(Key::from_base32("").unwrap_err(), KeyError::TooShort(0));
    }

    #[test]
    fn a_key_prints_nothing_of_itself() {
        let key = Key::from_hex("3132333435363738393031323334353637383930").unwrap();
        assert_eq!(format!("{key:?}"), "Key(redacted)");
        assert_eq!(key.to_base32().unwrap().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    proptest! {
        #[test]
        fn what_is_written_in_base32_reads_back(bytes in proptest::collection::vec(any::<u8>(), 10..=128)) {
            let key = Key::new(Zeroizing::new(bytes)).unwrap();
            let text = key.to_base32().unwrap();
            prop_assert!(text.expose().bytes().all(|c| matches!(c, b'A'..=b'Z' | b'2'..=b'7')));
            prop_assert_eq!(Key::from_base32(text.expose()).unwrap(), key);
        }
    }
}
