//! Adding a factor, and proving a pending one by its first code.
//!
//! A pending factor counts for nothing, and an active one of the same label stays in force until the
//! new one is proven: whoever only asks for a new secret neither gains nor locks out anyone.

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer,
    name::FactorLabel,
};

use super::{
    Added, Answer, Authority, Holding, Member, NewFactor, Order, PENDING_TRIES, Target, authorize,
    pending_dropped,
};
use crate::{
    factor::{Check, Params, Secret},
    store::{
        Refused, StoreError,
        account::Account,
        audit_rows::{self, Event},
        bench::Bench,
        challenge::ENROLLMENT,
        factor_row::{Factor, Fresh},
        factor_tag::Tag,
        notable::BEGUN,
        remembered, roster, token,
        tx::Tx,
        waiting,
    },
};

/// Nobody has shown that codes arrive there.
pub(super) const UNPROVEN_ADDRESS: Refused =
    Refused::Invalid("a number or address counts only when a code that was sent there comes back");

/// Whether a factor with such parameters and secret may be added.
pub(super) fn sound(tx: &Tx<'_>, params: Params, secret: &Secret) -> Result<(), Refused> {
    if !params.is_valid() {
        return Err(Refused::Invalid(match params.kind() {
            FactorKind::Sms | FactorKind::Mail => "codes that are sent have 6 to 8 digits",
            FactorKind::Totp
            | FactorKind::Hotp
            | FactorKind::Recovery
            | FactorKind::Rest
            | FactorKind::Token
            | FactorKind::BreakGlass => "codes have 6 or 8 digits, steps last 15 to 120 seconds",
        }));
    }
    if params.kind() == FactorKind::Recovery {
        return Err(Refused::Invalid("recovery codes are made as a set"));
    }
    if params.is_emergency() {
        return Err(Refused::Invalid("codes for an emergency have a verb of their own"));
    }
    if !secret.fits(params.kind()) {
        return Err(Refused::Invalid("this kind of factor keeps another secret"));
    }
    match secret {
        Secret::Token(secret) => token::sound(&tx.settings.token, secret),
        Secret::Seed(_)
        | Secret::Address(_)
        | Secret::Outside(_)
        | Secret::Recovery(_)
        | Secret::BreakGlass(_) => Ok(()),
    }
}

/// Adds a factor.
pub(in crate::store) fn enroll(tx: &mut Tx<'_>, new: NewFactor) -> Answer<Added> {
    let NewFactor { mut order, label, params, start, secret, activate, replace } = new;
    let member = Member { label, params, start, secret };
    if let Err(refused) = sound(tx, member.params, &member.secret) {
        return Ok(Err(refused));
    }
    if activate && !matches!(order.authority, Authority::Admin) {
        return Ok(Err(Refused::Invalid("only an administrator adds a factor without proof by a code")));
    }
    if activate && member.params.is_sent() {
        return Ok(Err(UNPROVEN_ADDRESS));
    }
    let user = order.context.user.clone();
    let held = Holding::of(tx, &user)?;
    if let Err(refused) = authorize(tx, &mut order, held.as_ref())? {
        return Ok(Err(refused));
    }
    // The code that authorized this has moved rows.
    let mut held = match held {
        Some(_) => Holding::of(tx, &user)?,
        None => None,
    };
    if let Some(held) = &mut held {
        if held.account.uid != order.uid {
            return Ok(Err(Refused::Orphaned));
        }
        if let Err(refused) = make_room(tx, held, &member.label, (activate, replace))? {
            return Ok(Err(refused));
        }
    }
    let state = if activate { FactorState::Active } else { FactorState::Pending };
    let (_, factor) = insert(tx, &order, held.map(|held| held.account), (&member, state))?;
    let what = if replace { "enroll_replace" } else { "enroll" };
    let verdict = if activate { "done" } else { BEGUN };
    note_as(tx, &order, (what, verdict), (params, factor.id))?;
    Ok(Ok(Added { factor: FactorId(factor.id), state: factor.state }))
}

/// Writes down that a factor was added or proven; of kinds that somebody else has a part in, which.
pub(super) fn note(
    tx: &mut Tx<'_>,
    order: &Order,
    (what, params): (&str, Params),
    factor: i64,
) -> Result<(), StoreError> {
    note_as(tx, order, (what, "done"), (params, factor))
}

fn note_as(
    tx: &mut Tx<'_>,
    order: &Order,
    (what, verdict): (&str, &str),
    (params, factor): (Params, i64),
) -> Result<(), StoreError> {
    let kind = params.kind();
    let reason = if kind.shows_codes() { "ok" } else { kind.word() };
    let (context, factor) = (Some(&order.context), Some(FactorId(factor)));
    audit_rows::append(tx, &Event { what, context, factor, rule: None, verdict, reason })
}

/// Takes away what the new factor replaces, and sees whether there is room for it.
fn make_room(
    tx: &mut Tx<'_>,
    held: &mut Holding,
    label: &FactorLabel,
    (activate, replace): (bool, bool),
) -> Answer<()> {
    let same = |factor: &Factor| factor.label == *label;
    let proven = |factor: &Factor| same(factor) && factor.state != FactorState::Pending;
    if held.is_of_directory(label) {
        return Ok(Err(Refused::OfDirectory));
    }
    if !replace && held.factors.iter().any(proven) {
        return Ok(Err(Refused::LabelTaken(label.clone())));
    }
    // What the new one takes the place of, now or when it is confirmed, needs no room.
    let replaced = held.factors.iter().filter(|factor| factor.counts() && same(factor)).count();
    let staying = held.counted().saturating_sub(replaced);
    let most = tx.settings.max_factors;
    if u32::try_from(staying).unwrap_or(u32::MAX) >= most {
        return Ok(Err(Refused::TooMany(most)));
    }
    drop_labelled(tx, held, label, |factor| activate || factor.state == FactorState::Pending)?;
    Ok(Ok(()))
}

/// Deletes factors with a label; the manifest still has to be written.
pub(super) fn drop_labelled(
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

/// Writes a factor, and the account it belongs to.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    order: &Order,
    account: Option<Account>,
    (new, state): (&Member, FactorState),
) -> Result<(Account, Factor), StoreError> {
    let id = tx.head.take_factor_id();
    let account = take_in(tx, order, account, id)?;
    if state == FactorState::Active {
        tx.head.active_factors = tx.head.active_factors.saturating_add(1);
        waiting::settled(tx, &order.context.user)?;
    }
    let (label, params, moving) = (new.label.clone(), new.params, new.start);
    let fresh = Fresh { id, label, state, params, moving, secret: &new.secret, tag: Tag::default() };
    let factor = Factor::insert(tx, &account, fresh)?;
    Ok((account, factor))
}

/// Puts a factor into the manifest of its account, which is made where there is none.
pub(super) fn take_in(
    tx: &mut Tx<'_>,
    order: &Order,
    account: Option<Account>,
    factor: i64,
) -> Result<Account, StoreError> {
    if let Some(mut account) = account {
        account.add_factor(factor);
        remembered::factor_changed(tx, &mut account)?;
        account.update(tx)?;
        return Ok(account);
    }
    let user = &order.context.user;
    let (realm, name) = (user.realm.as_str().to_owned(), user.name.as_str().to_owned());
    let slot = tx.vault.slot(&realm, &name);
    let mut account = Account::new(tx.head.take_account_id(), slot, (realm, name), order.uid);
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
    answer: &answer::Answer,
) -> Answer<FactorId> {
    let Some(held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    let index = match held.find(&Target { factor, label: None }, &[FactorState::Pending]) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut bench = Bench::of(&tx.read(), held.account, ENROLLMENT)?;
    let check = match bench.factors.get(index) {
        Some(pending) => match (pending.params, answer) {
            (Params::Token, answer::Answer::Token(typed)) => {
                let user = &order.context.user;
                Some(token::prove(tx, user, &bench.account, (pending, typed))?)
            }
            _ => bench.check_one(tx, pending, answer)?,
        },
        None => return Ok(Err(Refused::NoSuchFactor)),
    };
    match check {
        Some(Check::ClockUnusable) => Ok(Err(Refused::ClockUnusable)),
        Some(Check::Wrong | Check::Used) | None => {
            if check.is_some() {
                bench.fail_code(tx, index)?;
            }
            wrong_first_code(tx, order, Holding { account: bench.account, factors: bench.factors }, index)
        }
        Some(Check::Match(moved)) => {
            let moved = bench.without_code(tx, index, moved)?;
            let mut held = Holding { account: bench.account, factors: bench.factors };
            let Some(pending) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
            pending.moving = moved;
            activate(tx, order, held, index)
        }
    }
}

/// Makes a factor that was just proven active in place of the one with its label.
pub(super) fn activate(tx: &mut Tx<'_>, order: &Order, mut held: Holding, index: usize) -> Answer<FactorId> {
    let Some(pending) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    pending.counter.succeed();
    pending.state = FactorState::Active;
    pending.update(tx)?;
    let (id, label, params) = (pending.id, pending.label.clone(), pending.params);
    tx.head.active_factors = tx.head.active_factors.saturating_add(1);
    drop_labelled(tx, &mut held, &label, |factor| factor.id != id)?;
    held.settle(tx)?;
    waiting::settled(tx, &order.context.user)?;
    note(tx, order, ("confirm", params), id)?;
    Ok(Ok(FactorId(id)))
}

fn wrong_first_code(tx: &mut Tx<'_>, order: &Order, mut held: Holding, index: usize) -> Answer<FactorId> {
    let Some(pending) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    let id = pending.id;
    pending.counter.failures = pending.counter.failures.saturating_add(1);
    if pending.counter.failures >= PENDING_TRIES {
        return pending_dropped(tx, order, held, index);
    }
    pending.update(tx)?;
    audit_rows::append_change(tx, &order.context, "confirm_failed", Some(id))?;
    Ok(Err(Refused::WrongCode))
}
