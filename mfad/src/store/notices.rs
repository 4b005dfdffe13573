//! Rows of the trail that people are yet to be told of, and how far that has come.
//!
//! The trail itself is the queue: the head knows the last row that was looked at. 0 there says that nobody
//! follows, so that what happened before somebody does is not told late. Refuses to tell anybody.

use mfa_proto::{
    admin::{AuditRow, FactorKind, FactorState},
    name::{FactorLabel, UserId},
    secret::SecretText,
};
use rusqlite::params;

use super::{
    StoreError,
    audit_rows::{self, columns},
    factor_row, notable, roster,
    tx::{Read, Tx},
};
use crate::{
    config::NotifyEvent,
    factor::{Params, Secret},
};

/// Rows looked at in one job.
const STRETCH: i64 = 10_000;

/// A row that people are to be told of.
#[derive(Debug)]
pub struct News {
    /// The row.
    pub row: AuditRow,
    /// What the configuration calls what happened.
    pub kind: NotifyEvent,
    /// Its factor, if that is still there.
    pub factor: Option<(FactorKind, FactorLabel)>,
    /// The user's own mail address, where one is enrolled and active.
    pub mail: Option<SecretText>,
}

/// Some of them, in order.
#[derive(Debug)]
pub struct NewsPage {
    /// What was found.
    pub news: Vec<News>,
    /// Up to this row there is nothing else.
    pub upto: i64,
    /// There are rows after it.
    pub more: bool,
}

/// The last row that was looked at; `None` when nobody follows.
pub(super) fn place(read: &Read<'_>) -> Option<i64> {
    Some(read.head.notified).filter(|seq| *seq > 0)
}

/// Begins at the end of the trail.
pub(super) fn begin(tx: &mut Tx<'_>) -> i64 {
    tx.head.notified = tx.head.audit_last;
    tx.head.notified
}

/// Nobody follows any more.
pub(super) fn stop(tx: &mut Tx<'_>) {
    tx.head.notified = 0;
}

/// All rows up to one are done with. Never goes back, and never begins.
pub(super) fn advance(tx: &mut Tx<'_>, upto: i64) {
    if tx.head.notified > 0 {
        tx.head.notified = tx.head.notified.max(upto.min(tx.head.audit_last));
    }
}

/// At most `limit` rows after one that people may be told of.
pub(super) fn after(read: &Read<'_>, seq: i64, limit: usize) -> Result<NewsPage, StoreError> {
    let after = seq.max(read.head.audit_cut);
    let end = after.saturating_add(STRETCH).min(read.head.audit_last);
    let sql = concat!("SELECT ", columns!(), " FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");
    let mut statement = read.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![after, end])?;
    let (mut news, mut upto) = (Vec::new(), end);
    while let Some(row) = rows.next()? {
        let (event, verdict): (String, String) = (row.get(2)?, row.get(9)?);
        let Some(kind) = notable::kind_of(&event, &verdict) else { continue };
        let row = match audit_rows::from_row(row) {
            Ok(linked) => linked.row,
            Err(StoreError::Tampered(what)) => {
                tracing::error!("{what}: nobody is told of it");
                continue;
            }
            Err(error) => return Err(error),
        };
        if news.len() >= limit {
            upto = row.seq.saturating_sub(1);
            break;
        }
        news.push(with_owner(read, row, kind)?);
    }
    Ok(NewsPage { news, upto, more: upto < read.head.audit_last })
}

/// How many rows after one, told at all and not older than `since`.
pub(super) fn count(read: &Read<'_>, since: i64) -> Result<u64, StoreError> {
    let Some(place) = place(read) else { return Ok(0) };
    let sql = "SELECT event, verdict FROM audit WHERE seq > ?1 AND time >= ?2";
    let mut statement = read.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![place, since])?;
    let mut found = 0_u64;
    while let Some(row) = rows.next()? {
        let (event, verdict): (String, String) = (row.get(0)?, row.get(1)?);
        found = found.saturating_add(u64::from(notable::kind_of(&event, &verdict).is_some()));
    }
    Ok(found)
}

/// The row with what is known of its factor and its user now. Rows that were changed say nothing: the event
/// is told all the same.
fn with_owner(read: &Read<'_>, row: AuditRow, kind: NotifyEvent) -> Result<News, StoreError> {
    let known = row.user.as_ref().map(|user| known_of(read, user, row.factor.map(|id| id.0))).transpose();
    let (factor, mail) = match known {
        Ok(known) => known.unwrap_or_default(),
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: a notice is sent without factor and address");
            (None, None)
        }
        Err(error) => return Err(error),
    };
    Ok(News { row, kind, factor, mail })
}

type Known = (Option<(FactorKind, FactorLabel)>, Option<SecretText>);

fn known_of(read: &Read<'_>, user: &UserId, factor: Option<i64>) -> Result<Known, StoreError> {
    let Some(account) = roster::find(read, user)? else { return Ok((None, None)) };
    let factors = factor_row::load_all(read, &account)?;
    let named = factors.iter().find(|held| Some(held.id) == factor);
    let named = named.map(|held| (held.params.kind(), held.label.clone()));
    let mut mail = None;
    for held in factors.iter().filter(|held| held.state == FactorState::Active) {
        if matches!(held.params, Params::Mail { .. })
            && let Secret::Address(address) = held.open_secret(read, &account)?
        {
            let text = SecretText::new(address.expose().to_owned());
            mail = mail.or(Some(text.map_err(|_| StoreError::Internal)?));
        }
    }
    Ok((named, mail))
}
