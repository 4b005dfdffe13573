//! Names of users, realms, services and factors: validated once, here, and only here.
//!
//! Refuses to guess: a name with a control character, `/`, `:` or NUL, or with white space at an end,
//! is no name. Others' bugs that this answers are listed in `docs/cves.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the {what} is empty")]
    Empty {
        /// What kind of name it is.
        what: &'static str,
    },
    /// Longer than the kind allows.
    #[error("the {what} has {length} bytes, more than the {max} allowed")]
    TooLong {
        /// What kind of name it is.
        what: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The most bytes allowed.
        max: usize,
    },
    /// A character that no name may hold.
    #[error(
        "the {what} holds a character that is not allowed (control characters, `/`, `:`, NUL and white space at either end are refused)"
    )]
    Forbidden {
        /// What kind of name it is.
        what: &'static str,
    },
}

fn check(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > max {
        return Err(NameError::TooLong { what, length: text.len(), max });
    }
    let forbidden = |c: char| c.is_control() || matches!(c, '/' | ':' | '\u{2028}' | '\u{2029}');
    if text.chars().any(forbidden) || text.trim() != text {
        return Err(NameError::Forbidden { what });
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most bytes such a name may have.
            pub const MAX: usize = $max;

            /// Validates `text`.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check($what, &text, Self::MAX)?;
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// An account's name, case as the account database has it.
    UserName, "user name", 256
}
name_type! {
    /// Where a name is looked up: `local` is the host's own account database (NSS).
    RealmName, "realm", 64
}
name_type! {
    /// A PAM service (`sshd`, `sudo`) or the name of a front end.
    ServiceName, "service name", 64
}
name_type! {
    /// What the configuration calls a client of a front end: a VPN gateway, a portal.
    ClientName, "client name", 64
}
name_type! {
    /// What a person calls a factor: "phone", "spare key".
    FactorLabel, "label", 64
}

const UNASSIGNED: &str = "unassigned";

impl RealmName {
    /// The realm of the host's own accounts.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The realm of devices that nobody has: their serial numbers stand for users. No login is of it.
    pub fn unassigned() -> Self {
        Self(UNASSIGNED.to_owned())
    }

    /// Whether this is [`Self::unassigned`].
    pub fn is_unassigned(&self) -> bool {
        self.0 == UNASSIGNED
    }

    /// Whether this is [`Self::local`].
    pub fn is_local(&self) -> bool {
        self.0 == "local"
    }
}

impl ServiceName {
    /// The name under which changes by administration stand in the audit trail.
    pub fn administration() -> Self {
        Self("mfactl".to_owned())
    }
}

/// Who a factor belongs to: a name within a realm.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct UserId {
    /// Where the name is looked up.
    pub realm: RealmName,
    /// The name there.
    pub name: UserName,
}

impl UserId {
    /// An account of this host.
    pub fn local(name: UserName) -> Self {
        Self { realm: RealmName::local(), name }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.realm.is_local() {
            write!(f, "{}", self.name)
        } else {
            write!(f, "{}@{}", self.name, self.realm)
        }
    }
}

/// Outside text that is recorded and never trusted: remote host, terminal, `SSH_AUTH_INFO_0`.
/// Bounded, cut and escaped at construction, so that it can stand in a log line.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Claim(String);

impl Claim {
    /// The most bytes kept.
    pub const MAX: usize = 1024;
    /// The most bytes kept of a claim that is a name (host, user, terminal): three of them, and one of
    /// [`Self::MAX`], fit the frame that starts a login.
    pub const MAX_NAME: usize = 256;

    /// Takes what can be taken of `text`: escaped for logs, cut at [`Self::MAX`] bytes.
    pub fn clean(text: &str) -> Self {
        Self::clean_to(text, Self::MAX)
    }

    /// As [`Self::clean`], cut at `most` bytes, and at [`Self::MAX`] in any case.
    pub fn clean_to(text: &str, most: usize) -> Self {
        let mut kept = crate::text::escape_for_log(text);
        while kept.len() > most.min(Self::MAX) {
            kept.pop();
        }
        Self(kept)
    }

    /// The claimed text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Claim {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > Self::MAX {
            return Err(NameError::TooLong { what: "claim", length: text.len(), max: Self::MAX });
        }
        if crate::text::escape_for_log(&text) != text {
            return Err(NameError::Forbidden { what: "claim" });
        }
        Ok(Self(text))
    }
}

impl From<Claim> for String {
    fn from(claim: Claim) -> Self {
        claim.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_others_were_broken_by_are_refused() {
        for bad in
            ["", " ", " root", "root ", "a/b", "../x", "a:b", "a\nb", "a\0b", "\u{1b}[31m", "a\u{2028}b"]
        {
            assert!(UserName::new(bad).is_err(), "{bad:?} was taken for a name");
        }
        assert!(UserName::new("x".repeat(257)).is_err());
        for good in ["root", "jane.doe", "user@example.org", "Ünal", "x-1_2$"] {
            assert_eq!(UserName::new(good).unwrap().as_str(), good);
        }
    }

    proptest! {
        #[test]
        fn a_claim_is_one_bounded_line(text in ".*", most in 0_usize..2000) {
            for (claim, most) in [(Claim::clean(&text), Claim::MAX), (Claim::clean_to(&text, most), most)] {
                prop_assert!(claim.as_str().len() <= most.min(Claim::MAX));
                prop_assert!(!claim.as_str().chars().any(char::is_control));
            }
        }
    }
}
