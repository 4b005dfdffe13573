//! What is known of one change, as it lies on the disk: enough to take it back without asking anybody.

use serde::{Deserialize, Serialize};

/// One change to one service.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The PAM service.
    pub(crate) service: String,
    /// When it was made, in Unix seconds.
    pub(crate) since: i64,
    /// When it is taken back unless it was confirmed; `None` for never.
    pub(crate) until: Option<i64>,
    /// The PAM file that was edited; `None` where none was.
    pub(crate) stack: Option<Edited>,
    /// The distribution's profile was switched on.
    pub(crate) profile: bool,
    /// The drop-in of sshd that was written.
    pub(crate) drop_in: Option<DropIn>,
    /// The policy rule that was written.
    pub(crate) rule: Option<DropIn>,
}

/// A file before and after.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edited {
    /// Its path.
    pub(crate) path: String,
    /// What it said; `None` where there was none.
    pub(crate) before: Option<String>,
    /// What it says.
    pub(crate) after: String,
}

/// A file that was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DropIn {
    /// Its path.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Record {
    /// This change and one that was kept before it, as one.
    pub(super) fn beside(self, earlier: Self) -> Self {
        Self {
            since: earlier.since,
            stack: self.stack.or(earlier.stack),
            profile: self.profile || earlier.profile,
            drop_in: self.drop_in.or(earlier.drop_in),
            rule: self.rule.or(earlier.rule),
            ..self
        }
    }

    /// Whether it is to be taken back: its time is over, or the clock stands before its beginning, so that nobody
    /// knows.
    pub(crate) fn due(&self, now: i64) -> bool {
        self.until.is_some_and(|until| now >= until || now < self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_makes_it_due() {
        let record = Record {
            service: "sshd".to_owned(),
            since: 1000,
            until: Some(1600),
            stack: None,
            profile: false,
            drop_in: None,
            rule: None,
        };
        for (now, due) in [(1000, false), (1599, false), (1600, true), (999, true)] {
            assert_eq!(record.due(now), due, "{now}");
        }
        assert!(!Record { until: None, ..record }.due(9999));
    }
}
