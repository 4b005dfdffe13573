//! The digits of a one-time code. Redacted when printed, wiped when dropped. Refuses to judge.

use zeroize::Zeroizing;

use super::AnswerShape;

/// The digits of a one-time code: 6, 7 or 8. Redacted when printed, wiped when dropped.
pub struct OtpCode {
    digits: Zeroizing<[u8; 8]>,
    length: usize,
}

impl OtpCode {
    /// Numbers of digits that codes have.
    pub const LENGTHS: [u8; 3] = [8, 7, 6];

    /// Takes 6, 7 or 8 ASCII digits; white space and dashes between or around them are how apps show codes.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut digits = Zeroizing::new([0_u8; 8]);
        let mut length = 0_usize;
        for byte in typed.bytes() {
            match byte {
                b'0'..=b'9' => {
                    *digits.get_mut(length)? = byte;
                    length = length.saturating_add(1);
                }
                b' ' | b'\t' | b'-' => {}
                _ => return None,
            }
        }
        matches!(length, 6..=8).then_some(Self { digits, length })
    }

    /// The digits as ASCII text. Every call is a place where a code may leak: keep them few.
    pub fn expose(&self) -> &str {
        self.digits.get(..self.length).and_then(|d| std::str::from_utf8(d).ok()).unwrap_or_default()
    }

    /// How many digits: 6, 7 or 8.
    pub fn digits(&self) -> u8 {
        match self.length {
            8 => 8,
            7 => 7,
            _ => 6,
        }
    }

    /// The form of prompt that takes this code.
    pub fn shape(&self) -> AnswerShape {
        match self.length {
            8 => AnswerShape::EIGHT_DIGITS,
            7 => AnswerShape::SEVEN_DIGITS,
            _ => AnswerShape::SIX_DIGITS,
        }
    }
}

impl std::fmt::Debug for OtpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OtpCode({} digits, redacted)", self.length)
    }
}
