//! Forgetting what is remembered, by command.
//!
//! The epoch moves whatever is forgotten, so that no row which is put back counts. Refuses to forget more
//! than was asked for: the rows that stay are written for the new epoch.

use mfa_proto::name::UserId;

use super::{Row, page, void};
use crate::{
    audit::Context,
    store::{
        StoreError,
        account::Account,
        audit_rows::{self, Event},
        roster,
        tx::Tx,
    },
};

/// Users whose rows are forgotten in one transaction.
const AT_ONCE: u32 = 200;

/// Forgets all of a user, or one row of it. How many.
pub(in crate::store) fn forget(
    tx: &mut Tx<'_>,
    context: &Context,
    row: Option<i64>,
) -> Result<u32, StoreError> {
    let Some(account) = roster::find(&tx.read(), &context.user)? else { return Ok(0) };
    of_account(tx, context, (account, row))
}

/// Forgets one row, whosever it is. How many.
pub(in crate::store) fn forget_row(tx: &mut Tx<'_>, context: &Context, row: i64) -> Result<u32, StoreError> {
    let found = Row::after(&tx.read(), row.saturating_sub(1), 1)?.into_iter().find(|(id, _)| *id == row);
    let Some((_, found)) = found else { return Ok(0) };
    let account = match found {
        Some(found) => page::sound(&tx.read(), found.account_id)?,
        None => None,
    };
    match account.and_then(|account| Some((page::user_of(&account)?, account))) {
        Some((user, account)) => of_account(tx, &about(context, user), (account, Some(row))),
        None => Row::delete(tx, row).map(|()| 1),
    }
}

/// Forgets all of a few users. How many; none when nothing is left.
pub(in crate::store) fn forget_some(tx: &mut Tx<'_>, context: &Context) -> Result<u32, StoreError> {
    let sql = "SELECT DISTINCT account_id FROM remembered LIMIT ?1";
    let ids: Vec<i64> = {
        let mut statement = tx.connection.prepare_cached(sql)?;
        let rows = statement.query_map([AT_ONCE], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    let mut forgotten = 0_u32;
    for id in ids {
        let account = page::sound(&tx.read(), id)?;
        let count = match account.and_then(|account| Some((page::user_of(&account)?, account))) {
            Some((user, account)) => of_account(tx, &about(context, user), (account, None))?,
            None => delete_all(tx, id)?,
        };
        forgotten = forgotten.saturating_add(count);
    }
    Ok(forgotten)
}

fn about(context: &Context, user: UserId) -> Context {
    Context { user, ..context.clone() }
}

fn of_account(
    tx: &mut Tx<'_>,
    context: &Context,
    (mut account, row): (Account, Option<i64>),
) -> Result<u32, StoreError> {
    let (mut rows, count) = (Row::of(&tx.read(), &account)?, rows_of(tx, account.id)?);
    if row.is_some_and(|row| rows.iter().all(|known| known.id != row)) {
        return Ok(0);
    }
    // Kept for the new epoch; what did not count before does not either from now on.
    rows.retain(|known| row.is_some_and(|row| row != known.id) && known.is_live(&account, tx.now));
    let before = account.epoch;
    if row.is_some() {
        account.epoch = account.epoch.saturating_add(1).max(tx.now.0);
        for kept in &mut rows {
            kept.move_to(tx, account.epoch)?;
        }
        let sql = "DELETE FROM remembered WHERE account_id = ?1 AND epoch <= ?2";
        tx.connection.prepare_cached(sql)?.execute([account.id, before])?;
    } else {
        void(tx, &mut account)?;
    }
    account.update(tx)?;
    let forgotten = row.map_or(count, |_| 1);
    if forgotten > 0 {
        let reason = row.map_or_else(|| "all".to_owned(), |row| format!("row {row}"));
        let (what, verdict) = ("forget", "done");
        let event =
            Event { what, context: Some(context), factor: None, rule: None, verdict, reason: &reason };
        audit_rows::append(tx, &event)?;
    }
    Ok(forgotten)
}

fn rows_of(tx: &Tx<'_>, account: i64) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM remembered WHERE account_id = ?1";
    Ok(tx.connection.prepare_cached(sql)?.query_row([account], |row| row.get(0))?)
}

fn delete_all(tx: &Tx<'_>, account: i64) -> Result<u32, StoreError> {
    let sql = "DELETE FROM remembered WHERE account_id = ?1";
    let rows = tx.connection.prepare_cached(sql)?.execute([account])?;
    u32::try_from(rows).map_err(|_| StoreError::Internal)
}
