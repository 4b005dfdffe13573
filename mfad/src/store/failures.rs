//! Failures in the trail: of passwords, which are proven elsewhere, and where those of late came from.
//!
//! Refuses to count: what the trail says is for the limits in memory, which only get tighter by it.

use rusqlite::params;

use super::{
    StoreError,
    audit_rows::{self, Event},
    tx::{Read, Tx},
};
use crate::{audit::Context, clock::UnixTime, session::Reason};

/// The rows looked at, from the end: it is done at the start, before anybody is served.
const STRETCH: i64 = 50_000;

/// Writes down that a password was refused.
pub(super) fn append_password(tx: &mut Tx<'_>, context: &Context, reason: Reason) -> Result<(), StoreError> {
    let event = Event {
        what: "password",
        context: Some(context),
        factor: None,
        rule: None,
        verdict: "deny",
        reason: reason.word(),
    };
    audit_rows::append(tx, &event)
}

/// Codes and passwords that were wrong: where they came from, as it was claimed, and when. The oldest first.
pub(super) fn since(read: &Read<'_>, since: UnixTime) -> Result<Vec<(String, UnixTime)>, StoreError> {
    let after = read.head.audit_last.saturating_sub(STRETCH).max(read.head.audit_cut);
    let sql = "SELECT source, time FROM audit WHERE seq > ?1 AND time > ?2 AND time <= ?3 \
               AND source IS NOT NULL AND verdict = 'deny' \
               AND (event = 'password' OR (event = 'login' AND reason IN ('wrong_code', 'used_code'))) \
               ORDER BY seq";
    let mut statement = read.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![after, since.0, read.now.0], |row| {
        Ok((row.get::<_, String>(0)?, UnixTime(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
