//! What a person may type at a prompt, and what it is: digits of a code, or nothing of use.
//!
//! Both sides use it: the module, so that an account password that sshd offers in place of a code
//! never leaves the host process; the daemon, because it does not trust the module's word. Refuses to
//! judge: whether a code is right is not known here.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// What sshd answers in place of a user it will refuse whatever PAM says (OpenSSH `auth-pam.c`), repeated
/// or cut to the length of what was typed.
const SSHD_REFUSAL: &[u8] = b"\x08\n\r\x7fINCORRECT";

/// Whether this is what sshd answers for a user it will refuse whatever PAM says. It can never be right,
/// and it must not use up the attempts of the account it names.
pub fn is_sshd_refusal(answer: &[u8]) -> bool {
    !answer.is_empty() && answer.iter().eq(SSHD_REFUSAL.iter().cycle().take(answer.len()))
}

/// The set of answers that a prompt takes, as bits: unknown bits are forms a newer daemon knows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AnswerShape(u16);

impl AnswerShape {
    /// Six decimal digits, white space and dashes between them allowed.
    pub const SIX_DIGITS: Self = Self(1);
    /// Eight decimal digits, white space and dashes between them allowed.
    pub const EIGHT_DIGITS: Self = Self(1 << 1);
    /// Nothing is asked: the prompt only carries a text, and what is typed is thrown away.
    pub const ACKNOWLEDGE: Self = Self(1 << 2);

    /// The answers that either of two prompts would take.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The shape of a code of `digits` digits; `None` unless that is 6 or 8.
    pub const fn of_digits(digits: u8) -> Option<Self> {
        match digits {
            6 => Some(Self::SIX_DIGITS),
            8 => Some(Self::EIGHT_DIGITS),
            _ => None,
        }
    }

    /// Whether every form of `part` is in this set.
    pub const fn includes(self, part: Self) -> bool {
        self.0 & part.0 == part.0 && part.0 != 0
    }

    /// What `typed` is, when it is something this prompt takes.
    pub fn parse(self, typed: &str) -> Option<Answer> {
        if self.includes(Self::ACKNOWLEDGE) {
            return Some(Answer::Acknowledged);
        }
        let code = OtpCode::parse(typed)?;
        self.includes(code.shape()).then_some(Answer::Code(code))
    }

    /// Splits what a client with a single field sent: a password followed directly by a code. Takes the
    /// longest code that this shape allows and the text ends in.
    ///
    /// Refuses a text whose password part would be empty.
    pub fn split_combined(self, typed: &str) -> Option<Combined> {
        [Self::EIGHT_DIGITS, Self::SIX_DIGITS]
            .into_iter()
            .filter(|form| self.includes(*form))
            .find_map(|form| split_last(typed, if form == Self::EIGHT_DIGITS { 8 } else { 6 }))
    }
}

fn split_last(typed: &str, digits: usize) -> Option<Combined> {
    let at = typed.len().checked_sub(digits)?;
    let (password, code) = typed.split_at_checked(at)?;
    if password.is_empty() || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let password = SecretText::new(password.to_owned()).ok()?;
    Some(Combined { password, code: OtpCode::parse(code)? })
}

/// What was typed at a prompt.
#[derive(Debug)]
pub enum Answer {
    /// A code of the shape the prompt asked for.
    Code(OtpCode),
    /// The person has seen the text.
    Acknowledged,
}

/// A password and a code that came as one text.
#[derive(Debug)]
pub struct Combined {
    /// All before the code: for `pam_unix`, never for the daemon.
    pub password: SecretText,
    /// The code at the end.
    pub code: OtpCode,
}

/// The digits of a one-time code: exactly 6 or 8. Redacted when printed, wiped when dropped.
pub struct OtpCode {
    digits: Zeroizing<[u8; 8]>,
    length: usize,
}

impl OtpCode {
    /// Takes 6 or 8 ASCII digits; white space and dashes between or around them are how apps show codes.
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
        matches!(length, 6 | 8).then_some(Self { digits, length })
    }

    /// The digits as ASCII text. Every call is a place where a code may leak: keep them few.
    pub fn expose(&self) -> &str {
        self.digits.get(..self.length).and_then(|d| std::str::from_utf8(d).ok()).unwrap_or_default()
    }

    /// How many digits: 6 or 8.
    pub fn digits(&self) -> u8 {
        if self.length == 8 { 8 } else { 6 }
    }

    /// The form of prompt that takes this code.
    pub fn shape(&self) -> AnswerShape {
        if self.length == 8 { AnswerShape::EIGHT_DIGITS } else { AnswerShape::SIX_DIGITS }
    }
}

impl std::fmt::Debug for OtpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OtpCode({} digits, redacted)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIX: AnswerShape = AnswerShape::SIX_DIGITS;
    const BOTH: AnswerShape = AnswerShape::SIX_DIGITS.or(AnswerShape::EIGHT_DIGITS);

    fn code(shape: AnswerShape, typed: &str) -> Option<String> {
        match shape.parse(typed) {
            Some(Answer::Code(code)) => Some(code.expose().to_owned()),
            Some(Answer::Acknowledged) | None => None,
        }
    }

    #[test]
    fn codes_are_taken_as_people_type_them() {
        for typed in ["123456", "123 456", " 123-456 ", "12 34 56"] {
            assert_eq!(code(SIX, typed).as_deref(), Some("123456"), "{typed:?}");
        }
        assert_eq!(code(BOTH, "1234 5678").as_deref(), Some("12345678"));
    }

    #[test]
    fn a_password_is_not_a_code() {
        for typed in
            ["", "12345", "1234567", "123456789", "hunter2", "١٢٣٤٥٦", "123456\n", "+12345", "12345a"]
        {
            assert_eq!(code(BOTH, typed), None, "{typed:?}");
        }
        assert_eq!(code(SIX, "12345678"), None);
    }

    #[test]
    fn what_sshd_answers_for_users_it_refuses_is_told_apart_at_any_length() {
        for length in 1..40 {
            let answer: Vec<u8> = SSHD_REFUSAL.iter().copied().cycle().take(length).collect();
            assert!(is_sshd_refusal(&answer), "{length}");
            assert_eq!(code(BOTH, std::str::from_utf8(&answer).unwrap()), None);
        }
        for other in [b"".as_slice(), b"123456", b"INCORRECT", b"\x08\n\r\x7fincorrect"] {
            assert!(!is_sshd_refusal(other), "{other:?}");
        }
    }

    #[test]
    fn one_field_splits_into_password_and_code() {
        let split = SIX.split_combined("pass word123456").unwrap();
        assert_eq!((split.password.expose(), split.code.expose()), ("pass word", "123456"));
        assert_eq!(BOTH.split_combined("p12345678").unwrap().code.expose(), "12345678");
        assert_eq!(BOTH.split_combined("pä123456").unwrap().password.expose(), "pä");
        assert!(SIX.split_combined("123456").is_none(), "no password is left");
        assert!(SIX.split_combined("password").is_none());
        assert!(SIX.split_combined("ä12345").is_none());
    }

    #[test]
    fn printing_shows_no_digit() {
        assert_eq!(format!("{:?}", OtpCode::parse("123456").unwrap()), "OtpCode(6 digits, redacted)");
    }

    proptest! {
        #[test]
        fn whatever_is_typed_a_code_has_the_digits_asked_for(typed in ".*") {
            if let Some(Answer::Code(code)) = SIX.parse(&typed) {
                prop_assert_eq!(code.expose().len(), 6);
                prop_assert!(code.expose().bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
