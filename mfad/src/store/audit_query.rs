//! Looking through the audit trail, and cutting off its oldest part. Whether it is whole: `audit_check`.
//!
//! Each call looks at a bounded number of rows, so that logins never wait for a long search; the handle
//! calls again until it has what it wants.

use mfa_proto::{
    admin::{AuditFilter, AuditRow},
    name::{Claim, ServiceName},
};
use rusqlite::{OptionalExtension, ToSql, params};

use super::{
    StoreError,
    audit_rows::{self, Event, columns},
    tx::{Read, Tx},
};
use crate::{clock::UnixTime, seal::Mac};

/// Rows looked at in one job.
const STRETCH: i64 = 10_000;

/// Rows deleted in one job.
const CUT: i64 = 1_000;

/// What one look found, and where the next begins.
#[derive(Debug)]
pub(super) struct Stretch<T> {
    pub(super) found: Vec<T>,
    /// The last number looked at; `None` when the end is reached.
    pub(super) go_on: Option<i64>,
    /// The last row that there is.
    pub(super) last: i64,
}

macro_rules! fitting {
    ($what:expr, $order:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM audit WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR (realm = ?3 AND name = ?4)) \
             AND (?5 IS NULL OR service = ?5) AND time >= ?6 AND time < ?7 \
             AND (?9 IS NULL OR source = ?9) AND (?10 IS NULL OR verdict = ?10) \
             AND (?11 IS NULL OR event = ?11) ORDER BY seq ",
            $order,
            " LIMIT ?8"
        )
    };
}

fn bind<T>(
    read: &Read<'_>,
    sql: &str,
    filter: &AuditFilter,
    (after, upto, limit): (i64, i64, u32),
    mut each: impl FnMut(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let realm = filter.user.as_ref().map(|user| user.realm.as_str());
    let name = filter.user.as_ref().map(|user| user.name.as_str());
    let service = filter.service.as_ref().map(ServiceName::as_str);
    let (since, until) = (filter.since.unwrap_or(i64::MIN), filter.until.unwrap_or(i64::MAX));
    let source = filter.source.as_ref().map(Claim::as_str);
    let (verdict, event) = (filter.verdict.as_deref(), filter.event.as_deref());
    let values: [&dyn ToSql; 11] =
        [&after, &upto, &realm, &name, &service, &since, &until, &limit, &source, &verdict, &event];
    let mut statement = read.connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(each(row)?);
    }
    Ok(found)
}

/// Rows that fit, oldest first, from one stretch after `after`.
pub(super) fn forward(
    read: &Read<'_>,
    filter: &AuditFilter,
    after: i64,
    limit: u32,
) -> Result<Stretch<AuditRow>, StoreError> {
    let after = after.max(read.head.audit_cut);
    let upto = after.saturating_add(STRETCH);
    let sql = fitting!(columns!(), "ASC");
    let found = bind(read, sql, filter, (after, upto, limit), audit_rows::from_row)?;
    let last = read.head.audit_last;
    Ok(Stretch { found, go_on: (upto < last).then_some(upto), last })
}

/// Numbers of rows that fit, newest first, from one stretch up to `upto`.
pub(super) fn backward(
    read: &Read<'_>,
    filter: &AuditFilter,
    upto: i64,
    limit: u32,
) -> Result<Stretch<i64>, StoreError> {
    let upto = upto.min(read.head.audit_last);
    let least = filter.after.max(read.head.audit_cut);
    let after = upto.saturating_sub(STRETCH).max(least);
    let found = bind(read, fitting!("seq", "DESC"), filter, (after, upto, limit), |row| Ok(row.get(0)?))?;
    Ok(Stretch { found, go_on: (after > least).then_some(after), last: read.head.audit_last })
}

/// Deletes some of the oldest rows: those before `before`, and those in excess of `most`. How many.
pub(super) fn prune(tx: &mut Tx<'_>, before: UnixTime, most: u64) -> Result<u64, StoreError> {
    let cut = tx.head.audit_cut;
    let far = cut.saturating_add(CUT).min(tx.head.audit_last);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let in_excess = if tx.head.audit_rows() > most {
        // One more, because this writes a row of its own.
        tx.head.audit_last.saturating_add(1).saturating_sub(most).min(far)
    } else {
        cut
    };
    // Up to the first row that is young enough: the trail stays in one piece.
    let young: Option<i64> = tx
        .connection
        .prepare_cached(
            "SELECT seq FROM audit WHERE seq > ?1 AND seq <= ?2 AND time >= ?3 ORDER BY seq LIMIT 1",
        )?
        .query_row(params![cut, far, before.0], |row| row.get(0))
        .optional()?;
    let new_cut = young.map_or(far, |seq| seq.saturating_sub(1)).max(in_excess);
    if new_cut <= cut {
        return Ok(0);
    }
    let chain: Option<Mac> = tx
        .connection
        .prepare_cached("SELECT chain FROM audit WHERE seq = ?1")?
        .query_row([new_cut], |row| row.get(0))
        .optional()?;
    tx.connection.prepare_cached("DELETE FROM audit WHERE seq <= ?1")?.execute([new_cut])?;
    let removed = new_cut.saturating_sub(cut);
    tx.head.audit_cut = new_cut;
    // Of a row that is missing there is no link; the check then names the first row after it.
    tx.head.audit_cut_chain = chain.unwrap_or([0; 32]);
    let reason = format!("{removed} rows up to {new_cut}");
    let event = Event {
        what: "audit_pruned",
        context: None,
        factor: None,
        rule: None,
        verdict: "done",
        reason: &reason,
    };
    audit_rows::append(tx, &event)?;
    Ok(u64::try_from(removed).unwrap_or(0))
}
