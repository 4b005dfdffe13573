//! Fills an empty store with many users at once, and a trail with many rows, for measurements.
//!
//! Not for use on a host: a run that is interrupted leaves a ring that is not closed, and all users of
//! such a store are denied.

use mfa_proto::{
    admin::FactorState,
    name::{FactorLabel, UserId},
};

use super::{
    StoreError,
    account::Account,
    audit_rows::{self, Event},
    factor_row::{Factor, Fresh},
    factor_tag::Tag,
    tx::{Read, Tx},
    vault::Slot,
};
use crate::{
    audit::Context,
    factor::{Moving, Params, Secret, Seed},
};

/// Users written in one transaction.
pub(super) const CHUNK: usize = 5_000;

/// A user to fill in, with one active factor.
#[derive(Debug)]
pub struct Seeded {
    /// Who.
    pub user: UserId,
    /// The account's uid; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// What the factor is called.
    pub label: FactorLabel,
    /// Its kind and parameters.
    pub params: Params,
    /// Where it stands.
    pub start: Moving,
    /// Its secret.
    pub seed: Seed,
}

/// Where users will stand in the ring, in order: slot and number of the user.
pub(super) fn order(read: &Read<'_>, users: &[UserId]) -> Vec<(Slot, usize)> {
    let slot = |user: &UserId| read.vault.slot(user.realm.as_str(), user.name.as_str());
    let mut slots: Vec<(Slot, usize)> = users.iter().enumerate().map(|(n, user)| (slot(user), n)).collect();
    slots.sort_unstable();
    slots
}

/// Makes room in memory while much is written, or gives it back.
pub(super) fn room(read: &Read<'_>, kib: i64) -> Result<(), StoreError> {
    read.connection.pragma_update(None, "cache_size", kib.saturating_neg())?;
    read.connection.release_memory()?;
    Ok(())
}

/// Points the beginning of an empty ring to `first`.
pub(super) fn begin(tx: &Tx<'_>, first: Slot) -> Result<(), StoreError> {
    let gone = || StoreError::Tampered("the row that begins the ring is gone".to_owned());
    let mut genesis = Account::at(&tx.read(), &Slot::default())?.ok_or_else(gone)?;
    if genesis.next != Slot::default() {
        return Err(StoreError::Refused(super::Refused::Invalid(
            "only an empty store can be filled at once",
        )));
    }
    genesis.next = first;
    genesis.update(tx)
}

/// Writes users with their slots; the last of them points to `next`.
pub(super) fn fill(tx: &mut Tx<'_>, users: Vec<(Slot, Seeded)>, next: Slot) -> Result<(), StoreError> {
    let mut following: Vec<Slot> = users.iter().skip(1).map(|(slot, _)| *slot).collect();
    following.push(next);
    for ((slot, user), next) in users.into_iter().zip(following) {
        let (realm, name) = (String::from(user.user.realm), String::from(user.user.name));
        let mut account = Account::new(tx.head.take_account_id(), slot, (realm, name), user.uid);
        let id = tx.head.take_factor_id();
        account.next = next;
        account.add_factor(id);
        account.insert(tx)?;
        let (label, params, moving) = (user.label, user.params, user.start);
        let secret = &Secret::Seed(user.seed);
        let fresh =
            Fresh { id, label, state: FactorState::Active, params, moving, secret, tag: Tag::default() };
        Factor::insert(tx, &account, fresh)?;
        tx.head.accounts = tx.head.accounts.saturating_add(1);
        tx.head.active_factors = tx.head.active_factors.saturating_add(1);
    }
    Ok(())
}

/// Writes so many rows of denied logins.
pub(super) fn fill_trail(tx: &mut Tx<'_>, context: &Context, rows: usize) -> Result<(), StoreError> {
    let event = Event {
        what: "login",
        context: Some(context),
        factor: None,
        rule: None,
        verdict: "deny",
        reason: "policy",
    };
    (0..rows).try_for_each(|_| audit_rows::append(tx, &event))
}
