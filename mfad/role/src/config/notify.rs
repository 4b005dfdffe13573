//! `[notify]`: who is told of what happens to factors, and how.

/// Who is told of what happens to factors, and how.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Notify {}
