//! Keys that are brought along: base32 as it is printed on tokens and shown by other programs.

use mfa_proto::secret::SecretText;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Takes out the spaces and dashes that group a key, the padding, and lower case. What is not base32
/// is refused before anything is sent.
pub(super) fn tidy(given: &SecretText) -> Result<SecretText, Failure> {
    let text = given.expose().trim_end_matches('=');
    let mut tidy = Zeroizing::new(String::with_capacity(text.len()));
    for character in text.chars().filter(|c| !matches!(c, ' ' | '\t' | '-')) {
        if !matches!(character, 'a'..='z' | 'A'..='Z' | '2'..='7') {
            return Err(Failure::usage(
                "the key is not base32: it holds the letters A to Z and the digits 2 to 7 only",
            ));
        }
        tidy.push(character.to_ascii_uppercase());
    }
    crate::terminal::secret(&mut tidy)
}

/// In groups of four, as people type it.
pub(super) fn grouped(secret: &SecretText) -> Zeroizing<String> {
    let text = secret.expose();
    let mut grouped = Zeroizing::new(String::with_capacity(text.len().saturating_mul(2)));
    for (index, character) in text.chars().enumerate() {
        if index != 0 && index % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretText {
        SecretText::new(text.to_owned()).unwrap()
    }

    #[test]
    fn keys_are_taken_as_printed_on_tokens() {
        for given in ["jbsw y3dp-ehpk\t3pxp", "JBSWY3DPEHPK3PXP==="] {
            assert_eq!(tidy(&secret(given)).unwrap().expose(), "JBSWY3DPEHPK3PXP");
        }
        for given in ["JBSW1", "JB=SW", "ключ", "JBSW\u{1b}"] {
            assert!(tidy(&secret(given)).is_err(), "{given:?}");
        }
    }

    #[test]
    fn keys_are_shown_in_groups_of_four() {
        assert_eq!(grouped(&secret("JBSWY3DPEH")).as_str(), "JBSW Y3DP EH");
    }
}
