//! The audit trail as front ends see it.

use serde::{Deserialize, Serialize};

use super::factor::FactorId;
use crate::{
    name::{Claim, ServiceName, UserId},
    text::ShownText,
};

/// The words that stand in [`AuditRow::verdict`].
pub const VERDICTS: [&str; 9] =
    ["accept", "partial", "deny", "locked", "skip", "unavailable", "begun", "done", "noticed"];

/// Which rows are wanted; all that is given must fit.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditFilter {
    /// Rows after this number.
    pub after: i64,
    /// Of one user.
    pub user: Option<UserId>,
    /// Of one service.
    pub service: Option<ServiceName>,
    /// From one source, as it was claimed.
    pub source: Option<Claim>,
    /// With this verdict: one of [`VERDICTS`].
    pub verdict: Option<String>,
    /// About this: `login`, `enroll`, …
    pub event: Option<String>,
    /// At or after, Unix seconds.
    pub since: Option<i64>,
    /// Before, Unix seconds.
    pub until: Option<i64>,
    /// Only the last so many of what fits.
    pub last: Option<u32>,
}

/// One decision or change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditRow {
    /// Its number: no gaps.
    pub seq: i64,
    /// When, Unix seconds.
    pub time: i64,
    /// What happened: `login`, `enroll`, `remove`, …
    pub event: String,
    /// To whom.
    pub user: Option<UserId>,
    /// Through which service.
    pub service: Option<String>,
    /// From where, as claimed.
    pub source: Option<String>,
    /// With which factor.
    pub factor: Option<FactorId>,
    /// The policy rule that decided.
    pub rule: Option<String>,
    /// `accept`, `deny`, …
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Ties together what happened in one login.
    pub session: String,
    /// The uid that asked.
    pub actor: u32,
    /// The client on whose behalf a front end asked.
    pub client: Option<String>,
    /// Its link: a keyed hash over the row and the link of the row before.
    pub chain: [u8; 32],
}

/// A page of audit rows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditPage {
    /// Oldest first.
    pub rows: Vec<AuditRow>,
    /// There are more: ask again after the last.
    pub more: bool,
    /// The last number that was looked at: new rows come after it.
    pub upto: i64,
}

/// How the audit trail is. Sound when `broken_at` is `None`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditReport {
    /// Rows that follow each other as they were written.
    pub rows: u64,
    /// The first row there is; rows before it were removed because of their age or number.
    pub first: i64,
    /// The link of the row before the first, on which it builds.
    pub cut_chain: [u8; 32],
    /// The last row that the sealed head knows.
    pub last: i64,
    /// Its link: whoever has kept it elsewhere can tell later whether rows up to here are still there.
    pub chain: [u8; 32],
    /// The first row that is not what was written: changed, missing, out of order, or beyond the end.
    pub broken_at: Option<i64>,
    /// What is wrong there, and what to do.
    pub problem: Option<ShownText>,
}
