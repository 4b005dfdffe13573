//! Text on its way to a terminal or a log: bounded, and free of what could steer either.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

/// The longest text shown to a person, in bytes (`PAM_MAX_MSG_SIZE` less the terminating NUL).
pub const MAX_SHOWN: usize = 511;

/// Text fit to be shown: at most [`MAX_SHOWN`] bytes, no control characters but line feed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String")]
pub struct ShownText(String);

/// The text has control characters or is longer than [`MAX_SHOWN`] bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the text cannot be shown: it is too long or has control characters")]
pub struct NotShowable;

impl ShownText {
    /// Makes any text showable: replaces what steers terminals by `?` and cuts at [`MAX_SHOWN`] bytes.
    pub fn clean(text: &str) -> Self {
        let mut clean = String::with_capacity(text.len().min(MAX_SHOWN));
        for character in text.chars().map(|c| if steers(c) { '?' } else { c }) {
            if clean.len().saturating_add(character.len_utf8()) > MAX_SHOWN {
                break;
            }
            clean.push(character);
        }
        Self(clean)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ShownText {
    type Error = NotShowable;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > MAX_SHOWN || text.chars().any(steers) { Err(NotShowable) } else { Ok(Self(text)) }
    }
}

impl Drop for ShownText {
    /// A prompt may hold the key of a factor that is being enrolled.
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Display for ShownText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Escape sequences, carriage returns that overwrite a line, and marks that reverse its direction.
fn steers(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Writes outside text into one log line: control and direction characters escaped, so that a name
/// cannot forge a second line.
pub fn escape_for_log(text: &str) -> String {
    text.chars()
        .flat_map(|c| if steers(c) || c == '\n' { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overwrites_are_taken_out() {
        assert_eq!(ShownText::clean("a\u{1b}[2Jb\rc\u{202e}d\ne").as_str(), "a?[2Jb?c?d\ne");
        assert_eq!(ShownText::try_from("a\u{1b}b".to_owned()), Err(NotShowable));
        assert_eq!(escape_for_log("x\nmfad: accept"), "x\\u{a}mfad: accept");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let cut = ShownText::clean(&"é".repeat(400));
        assert_eq!(cut.as_str().len(), 510);
        assert!(ShownText::try_from("x".repeat(512)).is_err());
    }
}
