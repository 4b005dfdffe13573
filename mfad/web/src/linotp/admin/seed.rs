//! Keys between hexadecimal digits, as LinOTP has them, and base32, as core has them.
//!
//! Refuses what is not wholly of its alphabet; how long a key has to be is core's to judge.

use std::fmt::Write as _;

use mfa_proto::secret::SecretText;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The key that hexadecimal digits say, spaces and hyphens among them.
pub(super) fn base32_of_hex(hex: &str) -> Option<SecretText> {
    let digits: Zeroizing<String> = Zeroizing::new(hex.chars().filter(|c| !matches!(c, ' ' | '-')).collect());
    if digits.is_empty() || digits.len() % 2 == 1 {
        return None;
    }
    let mut bits = Bits::default();
    let mut text = Zeroizing::new(String::with_capacity(digits.len()));
    for digit in digits.chars() {
        bits.push(digit.to_digit(16)?, 4);
        if let Some(five) = bits.pull(5) {
            text.push(letter(five)?);
        }
    }
    if let Some(five) = bits.rest(5) {
        text.push(letter(five)?);
    }
    SecretText::new(std::mem::take(&mut *text)).ok()
}

/// The hexadecimal digits of a key.
pub(super) fn hex_of_base32(key: &SecretText) -> Option<Zeroizing<String>> {
    let mut bits = Bits::default();
    let mut hex = Zeroizing::new(String::with_capacity(key.expose().len().saturating_mul(2)));
    for letter in key.expose().bytes().filter(|byte| *byte != b'=') {
        let five = ALPHABET.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        bits.push(u32::try_from(five).ok()?, 5);
        if let Some(byte) = bits.pull(8) {
            let _infallible = write!(hex, "{byte:02x}");
        }
    }
    Some(hex)
}

fn letter(five: u32) -> Option<char> {
    ALPHABET.get(usize::try_from(five).ok()?).copied().map(char::from)
}

/// Bits that wait until there are enough of them.
#[derive(Default)]
struct Bits {
    held: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.held = (self.held << count) | value;
        self.count += count;
    }

    fn pull(&mut self, count: u32) -> Option<u32> {
        self.count = self.count.checked_sub(count)?;
        let value = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        Some(value)
    }

    /// What is left, filled up with zeros.
    fn rest(&mut self, count: u32) -> Option<u32> {
        let missing = count.checked_sub(self.count).filter(|_| self.count > 0)?;
        Some(self.held << missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_in_both_alphabets() {
        // RFC 4648 section 10, and keys of the lengths that hashes want.
        for (hex, base32) in [
            ("66", "MY"),
            ("666f", "MZXQ"),
            ("666f6f", "MZXW6"),
            ("666f6f62", "MZXW6YQ"),
            ("666f6f6261", "MZXW6YTB"),
            ("666f6f626172", "MZXW6YTBOI"),
            ("3132333435363738393031323334353637383930", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            ("b8feabf68cacd2722c6ecdcccec1c31b84c67363", "XD7KX5UMVTJHELDOZXGM5QODDOCMM43D"),
        ] {
            let key = base32_of_hex(hex).unwrap();
            assert_eq!(key.expose(), base32);
            assert_eq!(hex_of_base32(&key).unwrap().as_str(), hex);
            assert_eq!(base32_of_hex(&hex.to_uppercase()).unwrap().expose(), base32);
        }
        let spaced = "3132 3334 3536 3738 3930-3132 3334 3536 3738 3930";
        assert_eq!(base32_of_hex(spaced).unwrap().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let long = "31".repeat(64);
        assert_eq!(hex_of_base32(&base32_of_hex(&long).unwrap()).unwrap().as_str(), long);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in ["", "zz", "123", " - ", "3132+3", "\u{0661}\u{0661}"] {
            assert!(base32_of_hex(bad).is_none(), "{bad:?}");
        }
        let bad = SecretText::new("MZXW1".to_owned()).unwrap();
        assert!(hex_of_base32(&bad).is_none());
    }
}
