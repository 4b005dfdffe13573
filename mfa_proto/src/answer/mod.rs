//! What may be answered at a prompt, and what it is: a code, a recovery code, a token, a word, or nothing
//! of use.
//!
//! Both sides use it: the module, so that an account password that sshd offers in place of a code
//! never leaves the host process; the daemon, because it does not trust the module's word. Refuses to
//! judge: whether a code is right is not known here.

mod otp;
mod pinned;
mod recovery;
mod token;

use serde::{Deserialize, Serialize};

pub use self::{
    otp::OtpCode,
    pinned::{Pin, PinError, PinnedCode},
    recovery::RecoveryCode,
    token::SignedToken,
};
use crate::{name::FactorLabel, secret::SecretText};

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
    /// A recovery code ([`RecoveryCode`]).
    pub const RECOVERY: Self = Self(1 << 3);
    /// A signed token ([`SignedToken`]).
    pub const TOKEN: Self = Self(1 << 4);
    /// A word that chooses: `?` or the label of a factor.
    pub const WORD: Self = Self(1 << 5);
    /// Nothing typed: send the code again.
    pub const EMPTY: Self = Self(1 << 6);
    /// Seven decimal digits, white space and dashes between them allowed.
    pub const SEVEN_DIGITS: Self = Self(1 << 7);
    /// What an outside service asks for: 4 to 64 printable ASCII characters without spaces.
    pub const TEXT: Self = Self(1 << 8);
    /// A PIN directly followed by a code ([`PinnedCode`]).
    pub const PINNED: Self = Self(1 << 9);

    /// No answer at all: for building sets.
    pub const NONE: Self = Self(0);

    /// The answers that either of two prompts would take.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The shape of a code of `digits` digits; `None` unless that is 6, 7 or 8.
    pub const fn of_digits(digits: u8) -> Option<Self> {
        match digits {
            6 => Some(Self::SIX_DIGITS),
            7 => Some(Self::SEVEN_DIGITS),
            8 => Some(Self::EIGHT_DIGITS),
            _ => None,
        }
    }

    /// Whether every form of `part` is in this set.
    pub const fn includes(self, part: Self) -> bool {
        self.0 & part.0 == part.0 && part.0 != 0
    }

    /// What `typed` is, when it is something this prompt takes. What fits more than one form is the first
    /// of: code, recovery code, token, PIN and code, word, text of an outside service.
    pub fn parse(self, typed: &str) -> Option<Answer> {
        if self.includes(Self::ACKNOWLEDGE) {
            return Some(Answer::Acknowledged);
        }
        if typed.trim().is_empty() {
            return self.includes(Self::EMPTY).then_some(Answer::Empty);
        }
        if let Some(code) = OtpCode::parse(typed).filter(|code| self.includes(code.shape())) {
            return Some(Answer::Code(code));
        }
        let (recovery, token) = (self.includes(Self::RECOVERY), self.includes(Self::TOKEN));
        if let Some(code) = RecoveryCode::parse(typed).filter(|_| recovery) {
            return Some(Answer::Recovery(code));
        }
        if let Some(token) = SignedToken::parse(typed).filter(|_| token) {
            return Some(Answer::Token(token));
        }
        if let Some(pinned) = PinnedCode::parse(typed).filter(|_| self.includes(Self::PINNED)) {
            return Some(Answer::Pinned(pinned));
        }
        if let Some(choice) = Choice::parse(typed).filter(|_| self.includes(Self::WORD)) {
            return Some(Answer::Choice(choice));
        }
        self.includes(Self::TEXT).then(|| outside_text(typed)).flatten().map(Answer::Text)
    }

    /// Splits what a client with a single field sent: a password followed directly by a code. Takes the
    /// longest code that this shape allows and the text ends in.
    ///
    /// Refuses a text whose password part would be empty.
    pub fn split_combined(self, typed: &str) -> Option<Combined> {
        [(Self::EIGHT_DIGITS, 8), (Self::SEVEN_DIGITS, 7), (Self::SIX_DIGITS, 6)]
            .into_iter()
            .filter(|(form, _)| self.includes(*form))
            .find_map(|(_, digits)| split_last(typed, digits))
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

/// What an outside service may ask for.
fn outside_text(typed: &str) -> Option<SecretText> {
    let typed = typed.trim();
    let sound = (4..=64).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| SecretText::new(typed.to_owned()).ok()).flatten()
}

/// What was typed at a prompt.
#[derive(Debug)]
pub enum Answer {
    /// A code of the shape the prompt asked for.
    Code(OtpCode),
    /// The person has seen the text.
    Acknowledged,
    /// A recovery code.
    Recovery(RecoveryCode),
    /// A signed token.
    Token(SignedToken),
    /// A PIN and the code behind it.
    Pinned(PinnedCode),
    /// A word that chooses.
    Choice(Choice),
    /// A text for an outside service to judge.
    Text(SecretText),
    /// Nothing was typed.
    Empty,
}

impl Answer {
    /// The answer as it goes over the wire: what was meant, without what people type around it.
    pub fn canonical(&self) -> Option<SecretText> {
        let text = match self {
            Self::Code(code) => code.expose(),
            Self::Recovery(code) => code.expose(),
            Self::Token(token) => token.expose(),
            Self::Pinned(pinned) => pinned.expose(),
            Self::Choice(Choice::List) => "?",
            Self::Choice(Choice::Factor(word)) => word.expose(),
            Self::Text(text) => text.expose(),
            Self::Acknowledged | Self::Empty => "",
        };
        SecretText::new(text.to_owned()).ok()
    }
}

/// A word typed in place of a code. It may be a mistyped password as well: redacted like one.
#[derive(Debug)]
pub enum Choice {
    /// `?`: say what there is.
    List,
    /// The factor with this label, or of this kind.
    Factor(SecretText),
}

impl Choice {
    /// The longest word: longer ones are no labels that people type.
    const MAX: usize = 32;

    /// Takes `?`, or a label that has a letter, so that no code passes for one.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        if typed == "?" {
            return Some(Self::List);
        }
        let worded = typed.len() <= Self::MAX && typed.chars().any(char::is_alphabetic);
        let worded = worded && FactorLabel::new(typed).is_ok();
        worded.then(|| SecretText::new(typed.to_owned()).ok()).flatten().map(Self::Factor)
    }
}

/// A password and a code that came as one text.
#[derive(Debug)]
pub struct Combined {
    /// All before the code: for `pam_unix`, never for the daemon.
    pub password: SecretText,
    /// The code at the end.
    pub code: OtpCode,
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
            _ => None,
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

    const EVERYTHING: AnswerShape = AnswerShape::SIX_DIGITS
        .or(AnswerShape::RECOVERY)
        .or(AnswerShape::TOKEN)
        .or(AnswerShape::WORD)
        .or(AnswerShape::EMPTY);

    #[test]
    fn the_form_of_an_answer_says_what_it_is() {
        let said = |typed: &str| match EVERYTHING.parse(typed) {
            Some(Answer::Code(_)) => "code",
            Some(Answer::Recovery(_)) => "recovery",
            Some(Answer::Token(_)) => "token",
            Some(Answer::Pinned(_)) => "pinned",
            Some(Answer::Choice(Choice::List)) => "list",
            Some(Answer::Choice(Choice::Factor(_))) => "word",
            Some(Answer::Empty) => "empty",
            Some(Answer::Text(_)) => "text",
            Some(Answer::Acknowledged) => "acknowledged",
            None => "nothing",
        };
        let token = format!("{} {}=", "1".repeat(24), "A".repeat(43));
        let rows = [
            ("123 456", "code"),
            ("07-GAYT-EMZU-GU3D-OOBZ", "recovery"),
            (token.as_str(), "token"),
            ("?", "list"),
            (" sms ", "word"),
            ("", "empty"),
            ("  ", "empty"),
            ("12345", "nothing"),
            ("1234567", "nothing"),
            ("a word that is longer than any label is", "nothing"),
        ];
        for (typed, expected) in rows {
            assert_eq!(said(typed), expected, "{typed:?}");
        }
        assert_eq!(code(AnswerShape::SEVEN_DIGITS, "123-4567").as_deref(), Some("1234567"));
        assert!(AnswerShape::TEXT.parse("KJU64680").is_some());
        assert!(AnswerShape::TEXT.parse("two words").is_none());
        let pinned = EVERYTHING.or(AnswerShape::PINNED).or(AnswerShape::TEXT);
        assert!(matches!(pinned.parse("hunter123456"), Some(Answer::Pinned(_))));
        assert!(matches!(EVERYTHING.parse("hunter123456"), Some(Answer::Choice(_))));
        assert!(matches!(pinned.parse("07GAYTEMZUGU323232"), Some(Answer::Recovery(_))));
    }

    #[test]
    fn a_prompt_takes_only_what_it_asks_for() {
        for typed in ["07-GAYT-EMZU-GU3D-OOBZ", "?", "sms", "", "KJU64680"] {
            assert!(SIX.parse(typed).is_none(), "{typed:?}");
            assert!(AnswerShape::NONE.parse(typed).is_none(), "{typed:?}");
        }
        assert!(!EVERYTHING.includes(AnswerShape::NONE));
    }

    #[test]
    fn what_is_sent_is_what_was_meant() {
        for (typed, sent) in [
            ("123 456", "123456"),
            ("07-gayt-emzu-gu3d-oobz", "07GAYTEMZUGU3DOOBZ"),
            (" sms", "sms"),
            ("?", "?"),
            ("", ""),
        ] {
            let answer = EVERYTHING.parse(typed).unwrap();
            assert_eq!(answer.canonical().unwrap().expose(), sent);
            assert!(EVERYTHING.parse(sent).is_some(), "the daemon takes what the module sends");
            let printed = format!("{answer:?}");
            assert!(sent.is_empty() || sent == "?" || !printed.contains(sent), "{printed}");
        }
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
