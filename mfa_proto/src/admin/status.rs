//! How the daemon and its limits stand.

use serde::{Deserialize, Serialize};

use crate::text::ShownText;

/// Why something is locked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockReason {
    /// Wrong codes one after the other.
    Failures,
    /// Too many failures in the long window that successes do not reset.
    LongWindow,
}

/// Whether something is locked, and for how long.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockState {
    /// It is not.
    #[default]
    Open,
    /// Until a time, Unix seconds.
    Until {
        /// When it ends.
        until: i64,
        /// Why.
        reason: LockReason,
    },
    /// Until an administrator unlocks it.
    UntilAdmin {
        /// Why.
        reason: LockReason,
    },
}

/// How asking the directory ended. Kept in memory: a start and a reload begin anew.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryState {
    /// It was not asked yet.
    #[default]
    NotAsked,
    /// It answered the last time.
    Answers {
        /// When, in Unix seconds.
        at: i64,
    },
    /// It could not be asked the last time.
    Fails {
        /// Since when not, in Unix seconds.
        since: i64,
        /// Why, as it was said last.
        why: ShownText,
    },
}

/// How the daemon is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// Seconds since its start.
    pub uptime: u64,
    /// Users with at least one factor.
    pub users: u64,
    /// Factors that count.
    pub active_factors: u64,
    /// Rows of the audit trail.
    pub audit_rows: u64,
    /// Connections open now.
    pub connections: u32,
    /// Logins accepted since the start.
    pub accepted: u64,
    /// Logins not accepted since the start.
    pub denied: u64,
    /// Logins that needed no factor since the start.
    pub skipped: u64,
    /// Errors of the store since the start.
    pub store_errors: u64,
    /// Jobs that wait for the store now.
    pub waiting: u32,
    /// Users that are locked out now.
    pub locked: u64,
    /// Notices that have not been sent yet.
    pub notices: u64,
    /// Whether egress answers; `None` where none is needed.
    pub egress: Option<Result<(), ShownText>>,
    /// How the directory was last asked about people; `None` where it is not asked.
    pub directory: Option<DirectoryState>,
    /// Whether the store takes writes; else what is wrong.
    pub store: Result<(), ShownText>,
    /// The path of the database: what is handed over for a restore lies beside it.
    pub database: String,
    /// The id of the key in use.
    pub key: String,
    /// Rows still sealed with an older key.
    pub rows_with_old_key: u64,
    /// The profile of limits in force.
    pub profile: String,
}

/// What became of a look at the configuration.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConfigReport {
    /// The configuration is valid (and, after a reload, in force).
    pub valid: bool,
    /// What is wrong, each with file, line and column; cut after a frame's worth.
    pub problems: Vec<String>,
    /// What is valid but deserves a second look, each with file, line and column; cut likewise.
    pub notes: Vec<String>,
}
