//! Who is enrolled, and who provably is not.
//!
//! Accounts stand in a ring ordered by a keyed hash of their name. Each row's code covers its own slot
//! and the next, so a name without row is absent only when a genuine row says that nothing stands
//! between it and its successor (the idea of NSEC in RFC 4034). Deleting rows of a user therefore never
//! makes the user look not enrolled. Costs two index look-ups.
//!
//! Cannot notice that the whole file was replaced by an older copy of itself: nothing inside a file can.

use mfa_proto::name::UserId;
use rusqlite::OptionalExtension;

use super::{
    StoreError,
    account::Account,
    tx::{Read, Tx},
    vault::Slot,
};

const GENESIS: Slot = [0; 16];

/// The row of a user; `None` when the user provably has none.
pub(super) fn find(read: &Read<'_>, user: &UserId) -> Result<Option<Account>, StoreError> {
    let (realm, name) = (user.realm.as_str(), user.name.as_str());
    let slot = read.vault.slot(realm, name);
    match Account::at(read, &slot)? {
        Some(account) if account.realm == realm && account.name == name => Ok(Some(account)),
        Some(account) => Err(StoreError::Tampered(format!("{account} stands in the slot of {user}"))),
        None => gap(read, &slot, || format!("the account row of {user}")).map(|_| None),
    }
}

/// The row with a number.
pub(super) fn find_by_id(read: &Read<'_>, id: i64) -> Result<Option<Account>, StoreError> {
    let found = Account::after_id(read, id.saturating_sub(1), 1)?.pop().filter(|found| found.id == id);
    found.map(|account| account.verified(read)).transpose()
}

/// The row before an empty slot, if nothing stands between it and the next.
fn gap(read: &Read<'_>, slot: &Slot, what: impl Fn() -> String) -> Result<Account, StoreError> {
    let missing = || StoreError::Tampered(format!("{}, or one beside it, is missing", what()));
    let before = Account::before(read, slot)?.ok_or_else(missing)?;
    let after: Option<Slot> = read
        .connection
        .prepare_cached("SELECT slot FROM account WHERE slot > ?1 ORDER BY slot LIMIT 1")?
        .query_row([slot], |row| row.get(0))
        .optional()?;
    // The last row points back to the first.
    if before.next == after.unwrap_or(GENESIS) { Ok(before) } else { Err(missing()) }
}

/// Puts a new row into the ring.
pub(super) fn insert(tx: &Tx<'_>, account: &mut Account) -> Result<(), StoreError> {
    let mut before = gap(&tx.read(), &account.slot, || format!("the account row of {account}"))?;
    account.next = before.next;
    before.next = account.slot;
    before.update(tx)?;
    account.insert(tx)
}

/// Takes a row out of the ring.
pub(super) fn remove(tx: &Tx<'_>, account: &Account) -> Result<(), StoreError> {
    unlink(tx, account)?;
    account.delete(tx)
}

/// Gives a row another name, and with it another place in the ring. The name must be free.
pub(super) fn rename(tx: &Tx<'_>, account: &mut Account, user: &UserId) -> Result<(), StoreError> {
    unlink(tx, account)?;
    let (realm, name) = (user.realm.as_str(), user.name.as_str());
    account.slot = tx.vault.slot(realm, name);
    (account.realm, account.name) = (realm.to_owned(), name.to_owned());
    // Out of its old place before the gap is looked at, which may be beside it.
    account.update_whose(tx)?;
    let mut before = gap(&tx.read(), &account.slot, || format!("the account row of {account}"))?;
    account.next = before.next;
    before.next = account.slot;
    before.update(tx)?;
    account.update(tx)
}

/// Lets the row before point to what follows this one.
fn unlink(tx: &Tx<'_>, account: &Account) -> Result<(), StoreError> {
    let missing = || StoreError::Tampered(format!("the row before the account row of {account} is missing"));
    let mut before = Account::before(&tx.read(), &account.slot)?.ok_or_else(missing)?;
    if before.next != account.slot {
        return Err(missing());
    }
    before.next = account.next;
    before.update(tx)
}
