//! What sshd says it has accepted already (`SSH_AUTH_INFO_0`): lines, each whole.
//!
//! Refuses to cut within a line: half a key would be another key. Refuses to read what the lines say.

use serde::{Deserialize, Serialize};

/// Lines such as `publickey ssh-ed25519 AAAA…`, of printable ASCII, in all at most [`Self::MAX`] bytes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthInfo(String);

/// The text has other characters than printable ASCII and line feeds, or is too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the authentication information has strange characters or is too long")]
pub struct NotAuthInfo;

impl AuthInfo {
    /// The most bytes: what fits the frame that starts a login, and most certificates.
    pub const MAX: usize = 2800;

    /// Takes the lines of `text` that are printable and fit, in order; others are left out.
    pub fn clean(text: &str) -> Self {
        let mut kept = String::new();
        for line in text.lines().filter(|line| !line.is_empty() && line.bytes().all(printable)) {
            if kept.len().saturating_add(line.len()).saturating_add(1) <= Self::MAX {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        Self(kept)
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// The text as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

impl TryFrom<String> for AuthInfo {
    type Error = NotAuthInfo;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if Self::clean(&text).0 == text { Ok(Self(text)) } else { Err(NotAuthInfo) }
    }
}

impl From<AuthInfo> for String {
    fn from(info: AuthInfo) -> Self {
        info.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_kept_whole_or_not_at_all() {
        let long = format!("publickey ssh-rsa {}", "A".repeat(AuthInfo::MAX));
        let text = format!("publickey ssh-ed25519 AAAA\n{long}\npass\u{1b}word\npassword\n");
        let kept = AuthInfo::clean(&text);
        assert_eq!(kept.lines().collect::<Vec<_>>(), ["publickey ssh-ed25519 AAAA", "password"]);
        assert_eq!(AuthInfo::try_from(text), Err(NotAuthInfo));
        assert_eq!(AuthInfo::try_from("password".to_owned()), Err(NotAuthInfo), "no line end");
    }

    proptest! {
        #[test]
        fn what_is_kept_is_taken_again(text in ".{0,4000}") {
            let kept = AuthInfo::clean(&text);
            prop_assert!(kept.as_str().len() <= AuthInfo::MAX);
            prop_assert_eq!(AuthInfo::try_from(kept.as_str().to_owned()), Ok(kept));
        }
    }
}
