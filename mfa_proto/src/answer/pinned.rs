//! A PIN directly followed by a code, in one text. Redacted when printed, wiped when dropped.
//!
//! Refuses PINs shorter than 4 characters, so that no such text passes for a bare code, and what is not printable
//! ASCII, so that a PIN is the same bytes from every keyboard. How many of the last digits are the code is known to the
//! factor alone. Refuses to judge.

use std::fmt;

use super::{OtpCode, RecoveryCode};
use crate::secret::SecretText;

/// What a person knows, in front of the code of a factor.
pub struct Pin(SecretText);

/// Why a text is no PIN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PinError {
    /// Its length.
    #[error("a PIN has {} to {} characters", Pin::SHORTEST, Pin::LONGEST)]
    Length,
    /// A character that it must not have.
    #[error("a PIN has printable ASCII characters without spaces")]
    Character,
    /// With a code behind it, it would be read as a recovery code.
    #[error("with a code behind it, this PIN would look like a recovery code: choose another")]
    LikeRecovery,
}

impl Pin {
    /// The fewest characters.
    pub const SHORTEST: usize = 4;
    /// The most characters.
    pub const LONGEST: usize = 32;

    /// Takes a PIN that is to be set.
    pub fn new(text: &str) -> Result<Self, PinError> {
        let pin = Self::plain(text)?;
        let like = OtpCode::LENGTHS.iter().any(|digits| {
            let typed = zeroize::Zeroizing::new(format!("{text}{}", "2".repeat(usize::from(*digits))));
            RecoveryCode::parse(&typed).is_some()
        });
        if like { Err(PinError::LikeRecovery) } else { Ok(pin) }
    }

    fn plain(text: &str) -> Result<Self, PinError> {
        if !(Self::SHORTEST..=Self::LONGEST).contains(&text.len()) {
            return Err(PinError::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PinError::Character);
        }
        SecretText::new(text.to_owned()).map(Self).map_err(|_| PinError::Length)
    }

    /// The PIN itself. Every call is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(redacted)")
    }
}

/// A text that is a PIN with a code behind it, for at least one number of digits.
pub struct PinnedCode(SecretText);

impl PinnedCode {
    /// Takes such a text; white space around it is nobody's.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        let fits = OtpCode::LENGTHS.iter().any(|digits| split(typed, *digits).is_some());
        fits.then(|| SecretText::new(typed.to_owned()).ok().map(Self)).flatten()
    }

    /// The PIN, and the code of so many digits behind it; `None` when the text is not that.
    pub fn split(&self, digits: u8) -> Option<(Pin, OtpCode)> {
        split(self.0.expose(), digits)
    }

    /// All of it. Every call is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn split(typed: &str, digits: u8) -> Option<(Pin, OtpCode)> {
    let at = typed.len().checked_sub(usize::from(digits))?;
    let (pin, code) = typed.split_at_checked(at)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((Pin::plain(pin).ok()?, OtpCode::parse(code)?))
}

impl fmt::Debug for PinnedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinnedCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(typed: &str, digits: u8) -> Option<(String, String)> {
        let (pin, code) = PinnedCode::parse(typed)?.split(digits)?;
        Some((pin.expose().to_owned(), code.expose().to_owned()))
    }

    #[test]
    fn the_digits_of_the_factor_say_where_the_pin_ends() {
        let both = |pin: &str, code: &str| Some((pin.to_owned(), code.to_owned()));
        assert_eq!(parts("1234755224", 6), both("1234", "755224"));
        assert_eq!(parts("abcd12345678", 6), both("abcd12", "345678"));
        assert_eq!(parts("abcd12345678", 8), both("abcd", "12345678"));
        assert_eq!(parts(" 1234755224 ", 6), both("1234", "755224"));
        assert_eq!(parts("1234755224", 8), None, "two characters are no PIN");
    }

    #[test]
    fn what_is_no_pin_with_a_code_is_refused() {
        let long = format!("{}755224", "x".repeat(33));
        for typed in
            ["", "755224", "12345678", "123755224", "pin 755224", "pin", "pinn75522a", "pän!755224", &long]
        {
            assert!(PinnedCode::parse(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn a_pin_is_set_only_when_it_can_be_typed_again() {
        assert_eq!(Pin::new("123").unwrap_err(), PinError::Length);
        assert_eq!(Pin::new(&"1".repeat(33)).unwrap_err(), PinError::Length);
        assert_eq!(Pin::new("12 34").unwrap_err(), PinError::Character);
        assert_eq!(Pin::new("grüße").unwrap_err(), PinError::Character);
        assert_eq!(Pin::new("07GAYTEMZUGU").unwrap_err(), PinError::LikeRecovery);
        assert_eq!(Pin::new("07-gayt-emzu").unwrap_err(), PinError::LikeRecovery, "with 8 digits");
        assert!(Pin::new("1234").is_ok() && Pin::new(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn printing_shows_nothing() {
        let printed =
            format!("{:?} {:?}", Pin::new("MARKER").unwrap(), PinnedCode::parse("MARKER123456").unwrap());
        assert_eq!(printed, "Pin(redacted) PinnedCode(redacted)");
    }
}
