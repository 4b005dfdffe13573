//! Names that stand in the configuration and mean something elsewhere on the host: accounts, groups, a time
//! zone.
//!
//! Refuses to look them up: this is the configuration alone. Whoever needs what they mean asks, and tells
//! what is wrong by [`Mention::problem`].

use super::problem::{Position, Problem};
use std::path::PathBuf;

/// What a name is of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mentioned {
    /// An account.
    User,
    /// A group.
    Group,
    /// A time zone.
    TimeZone,
}

/// A name, and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Mention {
    /// What it is of.
    pub what: Mentioned,
    /// The name.
    pub name: String,
    /// The file it stands in.
    pub file: PathBuf,
    /// Where in the file.
    pub position: Position,
}

impl Mention {
    /// Something that is wrong with it.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { file: self.file.clone(), position: Some(self.position), message: message.into() }
    }
}
