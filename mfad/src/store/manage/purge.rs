//! Removing a user whose rows fail their integrity check, so that it can be enrolled anew.
//!
//! Mends the ring only as far as it is known: a neighbor that is missing as well goes on denying. Where
//! the user's own row cannot be trusted, nobody can say whether others stood behind it; the log says so.

use mfa_proto::name::UserId;
use rusqlite::{OptionalExtension, params};

use super::{Answer, Order};
use crate::store::{StoreError, account::Account, audit_rows, roster, tx::Tx, vault::Slot};

/// Deletes all rows of a user, sound or not. How many factors there were.
pub(super) fn purge(tx: &mut Tx<'_>, order: &Order) -> Answer<u32> {
    let user = &order.context.user;
    let slot = tx.vault.slot(user.realm.as_str(), user.name.as_str());
    let own = Account::at(&tx.read(), &slot).ok().flatten();
    let (accounts, factors) = delete_rows(tx, user, &slot)?;
    close_gap(tx, &slot, own.map(|account| account.next))?;
    // Still broken: what is missing is not this user's, or not only.
    if roster::find(&tx.read(), user)?.is_some() {
        return Err(StoreError::Internal);
    }
    tx.head.accounts = tx.head.accounts.saturating_sub(i64::from(accounts > 0));
    audit_rows::append_change(tx, &order.context, "remove_tampered", None)?;
    Ok(Ok(u32::try_from(factors).unwrap_or(u32::MAX)))
}

fn delete_rows(tx: &mut Tx<'_>, user: &UserId, slot: &Slot) -> Result<(usize, usize), StoreError> {
    // The row that begins the ring has no name and is never meant.
    let whose = "account WHERE name != '' AND (slot = ?1 OR (realm = ?2 AND name = ?3))";
    let values = params![slot, user.realm.as_str(), user.name.as_str()];
    let factors = format!("factor WHERE account_id IN (SELECT id FROM {whose})");
    let active: i64 = tx.connection.query_row(
        &format!("SELECT count(*) FROM {factors} AND state = 'active'"),
        values,
        |row| row.get(0),
    )?;
    let removed = tx.connection.execute(&format!("DELETE FROM {factors}"), values)?;
    let accounts = tx.connection.execute(&format!("DELETE FROM {whose}"), values)?;
    // Of factors whose own rows somebody took away.
    let orphans = "DELETE FROM challenge WHERE factor_id NOT IN (SELECT id FROM factor)";
    tx.connection.execute(orphans, [])?;
    tx.head.active_factors = tx.head.active_factors.saturating_sub(active);
    Ok((accounts, removed))
}

/// Lets the row before point to what followed the user: by the user's own row if that was sound, else to
/// what is there.
fn close_gap(tx: &Tx<'_>, slot: &Slot, own_next: Option<Slot>) -> Result<(), StoreError> {
    let Some(mut before) = Account::before(&tx.read(), slot)? else {
        return Err(StoreError::Tampered(
            "the row that begins the ring is gone: restore a backup".to_owned(),
        ));
    };
    if before.next != *slot {
        return Ok(());
    }
    before.next = if let Some(next) = own_next {
        next
    } else {
        tracing::warn!(
            "the ring is closed over a row that could not be trusted: compare `mfactl list` with a backup"
        );
        let after: Option<Slot> = tx
            .connection
            .query_row("SELECT slot FROM account WHERE slot > ?1 ORDER BY slot LIMIT 1", [slot], |row| {
                row.get(0)
            })
            .optional()?;
        after.unwrap_or_default()
    };
    before.update(tx)
}
