//! Users whose account is gone, or is another's by now.

use serde::{Deserialize, Serialize};

use super::UserSummary;
use crate::{name::UserId, text::ShownText};

/// Users that were looked up, and what came of it: found, or removed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct OrphanPage {
    /// Those whose account is gone or has another uid now, in order of name; after a request to remove them,
    /// those that were removed.
    pub orphaned: Vec<UserSummary>,
    /// Those of whom that cannot be said, or does not hold.
    pub left_alone: Vec<LeftAlone>,
    /// Where a look at all users goes on: ask after this one. `None` at the end.
    pub more_after: Option<UserId>,
}

impl OrphanPage {
    /// The most users of one request to remove them: what is said of them fits one reply.
    pub const AT_ONCE: usize = 8;
}

/// A user of whom it is not known that its account is gone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LeftAlone {
    /// Whom.
    pub user: UserId,
    /// Why, in one sentence.
    pub why: ShownText,
}
