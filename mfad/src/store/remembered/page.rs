//! What is remembered, as administrators and owners see it; and sweeping out what counts no more.
//!
//! Shows only what counts now.

use mfa_proto::{
    admin::RememberedRow,
    name::{RealmName, UserId, UserName},
    text::ShownText,
};

use super::Row;
use crate::store::{
    StoreError,
    account::Account,
    audit_rows::{self, Event},
    roster,
    tx::{Read, Tx},
};

/// Rows looked at in one go, so that logins do not wait for all of them.
const STRETCH: u32 = 500;

/// What was found in a stretch of rows.
#[derive(Debug)]
pub(in crate::store) struct Stretch {
    pub(in crate::store) rows: Vec<RememberedRow>,
    /// The number to go on after; `None` at the end.
    pub(in crate::store) go_on: Option<i64>,
}

/// Rows after a number that count now: of one user, or of all.
pub(in crate::store) fn page(
    read: &Read<'_>,
    user: Option<&UserId>,
    after: i64,
) -> Result<Stretch, StoreError> {
    if let Some(user) = user {
        let account = roster::find(read, user)?;
        let rows = account.as_ref().map(|account| Row::of(read, account)).transpose()?.unwrap_or_default();
        let later = rows.iter().filter(|row| row.id > after);
        let shown = later.filter_map(|row| shown(read, account.as_ref(), row)).collect();
        return Ok(Stretch { rows: shown, go_on: None });
    }
    let found = Row::after(read, after, STRETCH)?;
    let mut rows = Vec::new();
    for row in found.iter().filter_map(|(_, row)| row.as_ref()) {
        rows.extend(shown(read, sound(read, row.account_id)?.as_ref(), row));
    }
    Ok(Stretch { rows, go_on: end_of(&found) })
}

/// The last number of a stretch, when others may follow.
fn end_of(found: &[(i64, Option<Row>)]) -> Option<i64> {
    let full = u32::try_from(found.len()).is_ok_and(|rows| rows >= STRETCH);
    found.last().filter(|_| full).map(|(id, _)| *id)
}

/// An account by its number, when its row is as this program wrote it.
pub(super) fn sound(read: &Read<'_>, id: i64) -> Result<Option<Account>, StoreError> {
    let found = Account::after_id(read, id.saturating_sub(1), 1)?.into_iter().find(|found| found.id == id);
    Ok(found.and_then(|account| account.verified(read).ok()))
}

pub(super) fn user_of(account: &Account) -> Option<UserId> {
    let (realm, name) = (RealmName::new(account.realm.as_str()), UserName::new(account.name.as_str()));
    Some(UserId { realm: realm.ok()?, name: name.ok()? })
}

fn shown(read: &Read<'_>, account: Option<&Account>, row: &Row) -> Option<RememberedRow> {
    let account = account.filter(|account| row.is_live(account, read.now))?;
    let text = |text: &str| ShownText::clean(text);
    Some(RememberedRow {
        row: row.id,
        user: user_of(account)?,
        class: text(&row.binding.class),
        source: text(&row.binding.source),
        key: Some(row.binding.key.as_str()).filter(|key| !key.is_empty()).map(text),
        rule: text(&row.binding.rule),
        created: row.created.0,
        expires: row.expires.0,
    })
}

/// Deletes what counts no more, and what this program did not write, in a stretch of rows after a number.
/// The number to go on after.
pub(in crate::store) fn sweep(tx: &mut Tx<'_>, after: i64) -> Result<Option<i64>, StoreError> {
    let found = Row::after(&tx.read(), after, STRETCH)?;
    let mut changed = 0_u32;
    for (id, row) in &found {
        let goes = if let Some(row) = row {
            row.expires <= tx.now || is_stale(tx, row)?
        } else {
            tracing::error!("row {id} of what is remembered was changed: it is deleted");
            changed = changed.saturating_add(1);
            true
        };
        if goes {
            Row::delete(tx, *id)?;
        }
    }
    if changed > 0 {
        let reason = format!("{changed} rows of what is remembered were changed");
        let (what, verdict) = ("remembered_changed", "noticed");
        let event = Event { what, context: None, factor: None, rule: None, verdict, reason: &reason };
        audit_rows::append(tx, &event)?;
    }
    Ok(end_of(&found))
}

/// Whether its account is gone, or has moved on.
fn is_stale(tx: &Tx<'_>, row: &Row) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE id = ?1 AND epoch = ?2)";
    let counts: bool =
        tx.connection.prepare_cached(sql)?.query_row([row.account_id, row.epoch], |found| found.get(0))?;
    Ok(!counts)
}
