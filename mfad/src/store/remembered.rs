//! Successes that are remembered: each is a row that counts for one account, class of services, network, key,
//! rule and start of the machine, until it expires or its account's epoch moves on.
//!
//! All rows of an account are void once its epoch is another, so one that is put back after it was taken away
//! counts for nothing. Refuses to say yes: what it recalls, [`crate::policy`] may turn into a grant.

mod page;
mod revoke;
mod row;

use mfa_proto::{admin::FactorKind, name::UserId};
use rusqlite::params;

pub(super) use self::{
    page::{page, sweep},
    revoke::{forget, forget_row, forget_some},
    row::Row,
};
use super::{
    StoreError,
    account::Account,
    audit_rows::{self, Event},
    proof::Proof,
    roster,
    tx::{Read, Tx},
};
use crate::{audit::Context, policy::Binding};

/// The most rows of one user: the oldest goes.
const MOST: i64 = 32;

/// What voids all that is remembered of a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Forgetting {
    /// A factor is added, removed, switched or set back.
    pub on_change: bool,
    /// Attempts are used up for a while.
    pub on_lock: bool,
}

impl Default for Forgetting {
    fn default() -> Self {
        Self { on_change: true, on_lock: true }
    }
}

/// A success to remember, or one to look for.
#[derive(Clone, Debug)]
pub struct Remembrance {
    /// Who asks, for whom, from where.
    pub context: Context,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// What it is bound to.
    pub binding: Binding,
    /// Which start of the machine this is; empty where that does not matter.
    pub boot: String,
    /// Seconds that it counts, from the success on.
    pub seconds: u32,
}

/// The store's word that a success is remembered. Cannot be built elsewhere, nor copied.
#[derive(Debug)]
#[must_use]
pub struct Recollection {
    user: UserId,
    rule: String,
}

impl Recollection {
    /// Whose success it was.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The rule that had it remembered.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// One of nothing: for the tests of what is built on them. Not in any program.
    #[cfg(test)]
    pub(crate) fn of_nothing(user: UserId, rule: &str) -> Self {
        Self { user, rule: rule.to_owned() }
    }
}

/// What of a proof has to be known here.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    user: UserId,
    kind: FactorKind,
    factor: mfa_proto::admin::FactorId,
}

impl Proven {
    pub(super) fn of(proof: &Proof) -> Self {
        Self { user: proof.user().clone(), kind: proof.kind(), factor: proof.factor() }
    }
}

/// Remembers a success. Not one of an emergency code: that is for one login.
pub(super) fn remember(tx: &mut Tx<'_>, proven: &Proven, wanted: &Remembrance) -> Result<(), StoreError> {
    if proven.kind == FactorKind::BreakGlass || proven.user != wanted.context.user {
        return Ok(());
    }
    let Some(account) = roster::find(&tx.read(), &proven.user)? else { return Ok(()) };
    if account.uid != wanted.uid {
        return Ok(());
    }
    make_room(tx, &account, wanted)?;
    Row::insert(tx, &account, wanted)?;
    let event = Event {
        what: "remember",
        context: Some(&wanted.context),
        factor: Some(proven.factor),
        rule: Some(&wanted.binding.rule),
        verdict: "done",
        reason: "ok",
    };
    audit_rows::append(tx, &event)
}

/// Deletes what the new row takes the place of, what counts no more, and the oldest beyond the most.
fn make_room(tx: &Tx<'_>, account: &Account, wanted: &Remembrance) -> Result<(), StoreError> {
    // By one rule one success is remembered: what it asked for before counts no more.
    let Binding { class, source, key, rule, need: _ } = &wanted.binding;
    let sql = "DELETE FROM remembered WHERE account_id = ?1 AND (epoch != ?2 OR expires <= ?3 \
               OR (class, source, key, rule, boot) = (?4, ?5, ?6, ?7, ?8))";
    let values = params![account.id, account.epoch, tx.now.0, class, source, key, rule, wanted.boot];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    let sql = "DELETE FROM remembered WHERE id IN (SELECT id FROM remembered WHERE account_id = ?1 \
               ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?2)";
    tx.connection.prepare_cached(sql)?.execute(params![account.id, MOST.saturating_sub(1)])?;
    Ok(())
}

/// Finds a success that is remembered for such a login.
pub(super) fn recall(read: &Read<'_>, wanted: &Remembrance) -> Result<Option<Recollection>, StoreError> {
    let Some(account) = roster::find(read, &wanted.context.user)? else { return Ok(None) };
    if account.uid != wanted.uid {
        return Ok(None);
    }
    // A rule that remembers for less long than it did is obeyed at once.
    let recent = |row: &Row| read.now.since(row.created) < i64::from(wanted.seconds);
    let fits = |row: &Row| row.boot == wanted.boot && row.binding == wanted.binding && recent(row);
    let found = Row::of(read, &account)?.into_iter().any(|row| row.is_live(&account, read.now) && fits(&row));
    let user = wanted.context.user.clone();
    Ok(found.then(|| Recollection { user, rule: wanted.binding.rule.clone() }))
}

/// Rows of an account that count now.
pub(super) fn live(read: &Read<'_>, account: &Account) -> Result<u32, StoreError> {
    let live = Row::of(read, account)?.iter().filter(|row| row.is_live(account, read.now)).count();
    u32::try_from(live).map_err(|_| StoreError::Internal)
}

/// Makes all that is remembered of an account void. The account's row has to be written after it.
pub(super) fn void(tx: &Tx<'_>, account: &mut Account) -> Result<(), StoreError> {
    // Behind every epoch that a copy of the database could have reached before.
    account.epoch = account.epoch.saturating_add(1).max(tx.now.0);
    tx.connection.prepare_cached("DELETE FROM remembered WHERE account_id = ?1")?.execute([account.id])?;
    Ok(())
}

/// A factor of the account was changed: see [`void`].
pub(super) fn factor_changed(tx: &Tx<'_>, account: &mut Account) -> Result<(), StoreError> {
    if tx.settings.forget.on_change { void(tx, account) } else { Ok(()) }
}

/// Attempts of the account are used up, when the gate that a failure closed is a lock: see [`void`].
pub(super) fn locked(tx: &Tx<'_>, account: &mut Account) -> Result<(), StoreError> {
    if tx.settings.forget.on_lock { void(tx, account) } else { Ok(()) }
}

/// Puts the rows of an account under the current key.
pub(super) fn rekey(tx: &Tx<'_>, account: &Account) -> Result<(), StoreError> {
    Row::of(&tx.read(), account)?.into_iter().try_for_each(|mut row| row.write(tx, tx.vault.current()))
}
