//! `[remember]`: what successes that are remembered are bound to.

/// What successes that are remembered are bound to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Remembering {}
