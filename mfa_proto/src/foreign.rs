//! A code that was made elsewhere and is only to be delivered.
//!
//! Refuses what would let whoever makes it write to people: no spaces, no dots, no signs that an address or a
//! sentence is made of.

use serde::{Deserialize, Serialize};

use crate::secret::SecretText;

/// The most characters of a code that was made elsewhere.
pub const MAX_FOREIGN_CODE: usize = 32;

/// The text is no code that would be delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a code that is to be delivered has 1 to {MAX_FOREIGN_CODE} characters: letters, digits and `-`")]
pub struct NoForeignCode;

/// A code that was made elsewhere: 1 to [`MAX_FOREIGN_CODE`] ASCII letters, digits and `-`. Redacted when printed
/// and wiped when dropped, as any secret.
#[derive(Debug, Deserialize, Serialize)]
#[serde(try_from = "SecretText")]
pub struct ForeignCode(SecretText);

impl ForeignCode {
    /// The code, to be put into the message.
    pub fn into_text(self) -> SecretText {
        self.0
    }
}

impl TryFrom<SecretText> for ForeignCode {
    type Error = NoForeignCode;

    /// Takes the text over; a refused text is wiped.
    fn try_from(text: SecretText) -> Result<Self, Self::Error> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let length = text.expose().len();
        if (1..=MAX_FOREIGN_CODE).contains(&length) && text.expose().bytes().all(known) {
            Ok(Self(text))
        } else {
            Err(NoForeignCode)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    fn code(text: &str) -> Result<ForeignCode, NoForeignCode> {
        SecretText::new(text.to_owned()).unwrap().try_into()
    }

    #[test]
    fn nothing_but_a_code_is_one() {
        for good in ["1", "KJU64680", "kju-64680", &"7".repeat(32)] {
            assert_eq!(code(good).unwrap().into_text().expose(), good);
        }
        for bad in [
            "",
            " ",
            "12 34",
            "1234\n",
            "1.2",
            "evil.example",
            "https://a",
            "a/b",
            "a@b",
            "a:b",
            "1_2",
            "\u{e4}1",
            "\u{202e}12",
            "\0",
            "+4930",
            &"7".repeat(33),
        ] {
            assert_eq!(code(bad).map(drop), Err(NoForeignCode), "{bad:?}");
        }
    }

    #[test]
    fn what_is_none_is_not_taken_off_the_wire_either() {
        let bytes = |text: &str| codec::encode(&SecretText::new(text.to_owned()).unwrap()).unwrap().to_vec();
        let decoded = |text: &str| codec::decode::<ForeignCode>(&bytes(text)[crate::frame::HEADER..]).is_ok();
        assert!(decoded("KJU64680"));
        for bad in ["", "12 34", "see evil.example", &"7".repeat(33)] {
            assert!(!decoded(bad), "{bad:?}");
        }
    }

    #[test]
    fn printing_shows_nothing_of_it() {
        let printed = format!("{:?} {}", code("KJU64680"), code("not a code").unwrap_err());
        assert!(!printed.contains("KJU64680") && !printed.contains("not a code"), "{printed}");
    }
}
