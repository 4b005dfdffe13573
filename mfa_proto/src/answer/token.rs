//! A signed one-time token as machines send it: `digits space base64` (Prosody's `mod_auth_token`).
//!
//! Knows the form only: eight digits of a time-based code, a nonce of digits, one space, a signature of
//! 32 bytes in padded base64. Redacted when printed, wiped when dropped. Refuses to verify.

use std::fmt;

use zeroize::Zeroizing;

/// Digits of the time-based code that a token begins with.
const OTP_DIGITS: usize = 8;
/// The fewest digits of a nonce: fewer would be used twice by chance.
const LEAST_NONCE: usize = 16;
/// The most digits of a nonce; longer ones only cost.
const MOST_NONCE: usize = 128;
/// Characters of 32 bytes in padded base64.
const SIGNATURE: usize = 44;

/// A token of the right form.
pub struct SignedToken {
    text: Zeroizing<String>,
    digits: usize,
}

impl SignedToken {
    /// Takes exactly the form that [`self`] describes; nothing before, between or after.
    pub fn parse(typed: &str) -> Option<Self> {
        let (digits, signature) = typed.split_once(' ')?;
        let nonce = digits.len().checked_sub(OTP_DIGITS)?;
        let sound = (LEAST_NONCE..=MOST_NONCE).contains(&nonce)
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && signature.len() == SIGNATURE
            && signature.strip_suffix('=').is_some_and(|body| body.bytes().all(is_base64));
        sound.then(|| Self { text: Zeroizing::new(typed.to_owned()), digits: digits.len() })
    }

    /// The time-based code.
    pub fn otp(&self) -> &str {
        self.text.get(..OTP_DIGITS).unwrap_or_default()
    }

    /// The nonce.
    pub fn nonce(&self) -> &str {
        self.text.get(OTP_DIGITS..self.digits).unwrap_or_default()
    }

    /// Code and nonce: what is signed, with the name after it.
    pub fn signed(&self) -> &str {
        self.text.get(..self.digits).unwrap_or_default()
    }

    /// The signature in base64.
    pub fn signature(&self) -> &str {
        self.text.get(self.digits.saturating_add(1)..).unwrap_or_default()
    }

    /// The whole token. Every call is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str =
        "8095230901234567890123456789012345678901 WXbY0ciiLjRUajOrsRC8g7/HsqrN8erXnAoVYqMpIxI=";

    #[test]
    fn the_parts_are_where_they_belong() {
        let token = SignedToken::parse(VALID).unwrap();
        assert_eq!(token.otp(), "80952309");
        assert_eq!(token.nonce(), "01234567890123456789012345678901");
        assert_eq!(token.signed(), "8095230901234567890123456789012345678901");
        assert_eq!(token.signature(), "WXbY0ciiLjRUajOrsRC8g7/HsqrN8erXnAoVYqMpIxI=");
        assert_eq!(token.expose(), VALID);
        assert_eq!(format!("{token:?}"), "SignedToken(redacted)");
    }

    #[test]
    fn any_other_form_is_refused() {
        let (digits, signature) = VALID.split_once(' ').unwrap();
        for typed in [
            String::new(),
            digits.to_owned(),
            format!("{digits}  {signature}"),
            format!(" {VALID}"),
            format!("{VALID} "),
            format!("x{VALID}"),
            format!("80952309 {signature}"),
            format!("80952309{} {signature}", "1".repeat(15)),
            format!("80952309{} {signature}", "1".repeat(129)),
            format!("{digits} {}", signature.trim_end_matches('=')),
            format!("{digits} {}==", signature.get(..42).unwrap()),
            format!("{digits} {}", signature.replace('/', "_")),
            format!("٨{VALID}"),
        ] {
            assert!(SignedToken::parse(&typed).is_none(), "{typed:?}");
        }
    }
}
