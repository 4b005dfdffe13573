//! `[metrics]`: where figures are given out, for monitoring.

/// Where figures are given out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Metrics {}
