//! Adding a factor, and proving a pending one by its first code.
//!
//! A pending factor counts for nothing, and an active one of the same label stays in force until the
//! new one is proven: whoever only asks for a new secret neither gains nor locks out anyone.

use mfa_proto::{
    admin::{FactorId, FactorState},
    answer,
    name::FactorLabel,
};

use super::{Added, Answer, Authority, Holding, NewFactor, Order, Target, authorize};
use crate::{
    factor::{Check, Trial},
    store::{
        Refused, StoreError,
        account::Account,
        audit_rows,
        factor_row::{Factor, Fresh},
        roster,
        tx::Tx,
    },
};

/// Wrong codes after which a pending factor is removed.
const PENDING_TRIES: u32 = 5;

/// Adds a factor.
pub(in crate::store) fn enroll(tx: &mut Tx<'_>, mut new: NewFactor) -> Answer<Added> {
    if !new.params.is_valid() {
        return Ok(Err(Refused::Invalid("codes have 6 or 8 digits, steps last 15 to 120 seconds")));
    }
    if new.activate && !matches!(new.order.authority, Authority::Admin) {
        return Ok(Err(Refused::Invalid("only an administrator adds a factor without proof by a code")));
    }
    let user = new.order.context.user.clone();
    let held = Holding::of(tx, &user)?;
    if let Err(refused) = authorize(tx, &mut new.order, held.as_ref())? {
        return Ok(Err(refused));
    }
    // The code that authorized this has moved rows.
    let mut held = match held {
        Some(_) => Holding::of(tx, &user)?,
        None => None,
    };
    if let Some(held) = &mut held {
        if held.account.uid != new.order.uid {
            return Ok(Err(Refused::Orphaned));
        }
        if let Err(refused) = make_room(tx, held, &new)? {
            return Ok(Err(refused));
        }
    }
    let factor = insert(tx, held, &new)?;
    let what = if new.replace { "enroll_replace" } else { "enroll" };
    audit_rows::append_change(tx, &new.order.context, what, Some(factor.id))?;
    Ok(Ok(Added { factor: FactorId(factor.id), state: factor.state }))
}

/// Takes away what the new factor replaces, and sees whether there is room for it.
fn make_room(tx: &mut Tx<'_>, held: &mut Holding, new: &NewFactor) -> Answer<()> {
    let same = |factor: &Factor| factor.label == new.label;
    let proven = |factor: &Factor| same(factor) && factor.state != FactorState::Pending;
    if !new.replace && held.factors.iter().any(proven) {
        return Ok(Err(Refused::LabelTaken(new.label.clone())));
    }
    // What the new one takes the place of, now or when it is confirmed, needs no room.
    let staying = held.factors.iter().filter(|factor| !same(factor)).count();
    let most = tx.settings.max_factors;
    if u32::try_from(staying).unwrap_or(u32::MAX) >= most {
        return Ok(Err(Refused::TooMany(most)));
    }
    drop_labelled(tx, held, &new.label, |factor| new.activate || factor.state == FactorState::Pending)?;
    Ok(Ok(()))
}

fn drop_labelled(
    tx: &mut Tx<'_>,
    held: &mut Holding,
    label: &FactorLabel,
    which: impl Fn(&Factor) -> bool,
) -> Result<(), StoreError> {
    while let Some(index) = held.factors.iter().position(|f| f.label == *label && which(f)) {
        held.delete(tx, index)?;
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, held: Option<Holding>, new: &NewFactor) -> Result<Factor, StoreError> {
    let id = tx.head.take_factor_id();
    let state = if new.activate { FactorState::Active } else { FactorState::Pending };
    let account = match held {
        Some(Holding { mut account, .. }) => {
            account.add_factor(id);
            account.update(tx)?;
            account
        }
        None => new_account(tx, new, id)?,
    };
    if new.activate {
        tx.head.active_factors = tx.head.active_factors.saturating_add(1);
    }
    let (label, params, moving) = (new.label.clone(), new.params, new.start);
    Factor::insert(tx, &account, Fresh { id, label, state, params, moving, secret: &new.secret })
}

fn new_account(tx: &mut Tx<'_>, new: &NewFactor, factor: i64) -> Result<Account, StoreError> {
    let user = &new.order.context.user;
    let (realm, name) = (user.realm.as_str().to_owned(), user.name.as_str().to_owned());
    let slot = tx.vault.slot(&realm, &name);
    let mut account = Account::new(tx.head.take_account_id(), slot, (realm, name), new.order.uid);
    account.add_factor(factor);
    roster::insert(tx, &mut account)?;
    tx.head.accounts = tx.head.accounts.saturating_add(1);
    Ok(account)
}

/// Proves a pending factor by a code, which makes it active in place of the one with its label.
pub(in crate::store) fn confirm(
    tx: &mut Tx<'_>,
    order: &Order,
    factor: Option<FactorId>,
    code: &answer::Answer,
) -> Answer<FactorId> {
    let Some(mut held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    let index = match held.find(&Target { factor, label: None }, &[FactorState::Pending]) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(pending) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    let answer::Answer::Code(code) = code else { return wrong_first_code(tx, order, held, index) };
    let seed = pending.open_seed(&tx.read(), &held.account)?;
    let trial = Trial { seed: &seed, moving: pending.moving, code, now: tx.now, rules: tx.settings.rules };
    match pending.params.check(&trial) {
        Check::ClockUnusable => Ok(Err(Refused::ClockUnusable)),
        Check::Wrong | Check::Used => wrong_first_code(tx, order, held, index),
        Check::Match(moved) => {
            pending.moving = moved;
            pending.counter.succeed();
            pending.state = FactorState::Active;
            pending.update(tx)?;
            let (id, label) = (pending.id, pending.label.clone());
            tx.head.active_factors = tx.head.active_factors.saturating_add(1);
            drop_labelled(tx, &mut held, &label, |factor| factor.id != id)?;
            held.settle(tx)?;
            audit_rows::append_change(tx, &order.context, "confirm", Some(id))?;
            Ok(Ok(FactorId(id)))
        }
    }
}

fn wrong_first_code(tx: &mut Tx<'_>, order: &Order, mut held: Holding, index: usize) -> Answer<FactorId> {
    let Some(pending) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    let id = pending.id;
    pending.counter.failures = pending.counter.failures.saturating_add(1);
    if pending.counter.failures >= PENDING_TRIES {
        held.delete(tx, index)?;
        held.settle(tx)?;
        audit_rows::append_change(tx, &order.context, "pending_dropped", Some(id))?;
        return Ok(Err(Refused::PendingDropped));
    }
    pending.update(tx)?;
    audit_rows::append_change(tx, &order.context, "confirm_failed", Some(id))?;
    Ok(Err(Refused::WrongCode))
}
