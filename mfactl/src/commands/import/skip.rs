//! What was not imported, where it stands, and why.

use std::fmt;

/// A place in the input.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    /// The file, as it is shown.
    pub(super) path: String,
    /// The line, where it is one.
    pub(super) line: Option<usize>,
}

impl Place {
    /// The whole of a file.
    pub(super) fn of(path: &str) -> Self {
        Self { path: path.to_owned(), line: None }
    }

    /// One line.
    pub(super) fn line(path: &str, line: usize) -> Self {
        Self { path: path.to_owned(), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// Something that was not imported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Skip {
    /// Whose it is, when that is known and fit to be shown.
    pub(super) user: Option<String>,
    /// Where it stands.
    pub(super) place: Place,
    /// Why.
    pub(super) why: String,
    /// What to do.
    pub(super) hint: Option<String>,
    /// The user has such factors already.
    pub(super) present: bool,
}

impl Skip {
    /// Without a hint.
    pub(super) fn at(place: Place, user: Option<String>, why: impl Into<String>) -> Self {
        Self { user, place, why: why.into(), hint: None, present: false }
    }

    /// With what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
