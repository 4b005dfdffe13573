//! Devices: their serial numbers and descriptions, who has them, and what is to be typed before their codes.
//!
//! A device that nobody has is kept by an account of a realm that no login has, under its serial number: it is sealed,
//! counted and in the ring like any other. Refuses to give away a device that somebody has, and to let a PIN go on to
//! another owner.

use mfa_proto::{
    admin::{FactorId, FactorState},
    name::{FactorLabel, RealmName, UserId},
    tag::{Description, Serial},
};

use super::{
    Added, Answer, Authority, Holding, NewFactor, Order, Target, authorize,
    enroll::{enroll, take_in},
};
use crate::store::{
    Refused, StoreError,
    audit_rows::{self, Event},
    factor_row::Factor,
    factor_tag::{self, Origin},
    pin::NewPin,
    remembered, roster,
    tx::Tx,
    waiting,
};

/// What identifies a new factor's device, and its PIN, stretched.
#[derive(Debug, Default)]
pub(in crate::store) struct Label {
    pub(in crate::store) serial: Option<Serial>,
    pub(in crate::store) description: Option<Description>,
    pub(in crate::store) pin: Option<NewPin>,
}

/// The name under which a device is kept that nobody has.
fn keeper(serial: &Serial) -> Result<UserId, StoreError> {
    serial.keeper().map_err(|_| StoreError::Internal)
}

/// Adds a factor with what identifies its device, or neither.
pub(in crate::store) fn enroll_labeled(tx: &mut Tx<'_>, new: NewFactor, called: Label) -> Answer<Added> {
    let user = new.order.context.user.clone();
    let added = match enroll(tx, new)? {
        Ok(added) => added,
        Err(refused) => return Ok(Err(refused)),
    };
    // As an error, so that the factor is taken back with it.
    label(tx, &user, added.factor, called)?.map_err(StoreError::Refused)?;
    Ok(Ok(added))
}

/// Writes down what identifies a factor that was just added.
fn label(tx: &mut Tx<'_>, user: &UserId, factor: FactorId, label: Label) -> Answer<()> {
    let Label { serial, description, pin } = label;
    let nobodys = user.realm.is_unassigned();
    if nobodys && serial.as_ref().map(keeper).transpose()?.as_ref() != Some(user) {
        return Ok(Err(Refused::Invalid("a device that nobody has is enrolled under its serial number")));
    }
    if nobodys && pin.is_some() {
        return Ok(Err(Refused::Invalid("a device that nobody has has no PIN: set it for who gets it")));
    }
    if serial.is_none() && description.is_none() && pin.is_none() {
        return Ok(Ok(()));
    }
    let Some(mut held) = Holding::of(tx, user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let Some(added) = held.factors.iter_mut().find(|held| held.id == factor.0) else {
        return Ok(Err(Refused::NoSuchFactor));
    };
    if nobodys && !added.params.kind().shows_codes() {
        return Ok(Err(NO_DEVICE));
    }
    if let Some(serial) = &serial
        && let Err(taken) = factor_tag::free(&tx.read(), serial, None)?
    {
        return Ok(Err(taken));
    }
    added.tag.serial = serial;
    added.tag.description = description.unwrap_or_else(Description::none);
    if let Some(pin) = &pin {
        if !added.params.takes_pin() {
            return Ok(Err(NO_PIN));
        }
        let hashed = pin.hashed(&tx.read(), added.id)?;
        added.seal_pin(tx, &held.account, &hashed)?;
    }
    added.update_tag(tx)?;
    Ok(Ok(()))
}

/// With its next secret, the PIN would be gone, and nobody told.
const KEPT: Refused = Refused::Invalid("a factor that the directory keeps has no PIN, and no other owner");
const NO_PIN: Refused = Refused::Invalid("a PIN is typed before codes: this kind of factor has none");
const NO_DEVICE: Refused =
    Refused::Invalid("only devices with codes of their own (totp, hotp) go from hand to hand");

/// Sets, or takes away, what is to be typed before the codes of a factor.
pub(in crate::store) fn set_pin(
    tx: &mut Tx<'_>,
    mut order: Order,
    target: &Target,
    pin: Option<&NewPin>,
) -> Answer<FactorId> {
    use FactorState as S;
    let user = order.context.user.clone();
    let admin = matches!(order.authority, Authority::Admin);
    if pin.is_none() && !admin {
        return Ok(Err(Refused::Invalid("only an administrator takes a PIN away")));
    }
    if user.realm.is_unassigned() {
        return Ok(Err(Refused::Invalid("a device that nobody has has no PIN: set it for who gets it")));
    }
    let states = [S::Pending, S::Active, S::Disabled];
    let meant = |held: &Holding| {
        let index = held.find_among(target, &states, |factor| factor.params.takes_pin())?;
        let own = held.factors.get(index).is_some_and(|factor| factor.tag.origin == Origin::Own);
        if own { Ok(index) } else { Err(KEPT) }
    };
    let Some(held) = Holding::of(tx, &user)? else { return Ok(Err(Refused::NotEnrolled)) };
    // Found before the code is judged: a code must not be used up for what cannot be done.
    if let Err(refused) = meant(&held) {
        return Ok(Err(refused));
    }
    if let Err(refused) = authorize(tx, &mut order, Some(&held))? {
        return Ok(Err(refused));
    }
    // The code that authorized this has moved rows.
    let Some(mut held) = Holding::of(tx, &user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let index = match meant(&held) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(factor) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    match pin {
        Some(pin) => {
            let hashed = pin.hashed(&tx.read(), factor.id)?;
            factor.seal_pin(tx, &held.account, &hashed)?;
        }
        None => factor.tag.pin = None,
    }
    factor.update_tag(tx)?;
    let id = factor.id;
    remembered::factor_changed(tx, &mut held.account)?;
    held.account.update(tx)?;
    let what = if pin.is_some() { "pin_set" } else { "pin_clear" };
    audit_rows::append_change(tx, &order.context, what, Some(id))?;
    Ok(Ok(FactorId(id)))
}

/// Names the device of a factor. What is `None` stays as it is.
pub(in crate::store) fn describe(
    tx: &mut Tx<'_>,
    order: &Order,
    target: &Target,
    (serial, description): (Option<Serial>, Option<Description>),
) -> Answer<FactorId> {
    use FactorState as S;
    if order.context.user.realm.is_unassigned() && serial.is_some() {
        return Ok(Err(Refused::Invalid("a device that nobody has keeps its serial number")));
    }
    let Some(mut held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let index = match held.find(target, &[S::Pending, S::Active, S::Disabled, S::Exhausted]) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(factor) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    if let Err(refused) = order.may_touch(factor) {
        return Ok(Err(refused));
    }
    if let Some(serial) = serial {
        if let Err(taken) = factor_tag::free(&tx.read(), &serial, Some(factor.id))? {
            return Ok(Err(taken));
        }
        factor.tag.serial = Some(serial);
    }
    if let Some(description) = description {
        factor.tag.description = description;
    }
    factor.update_tag(tx)?;
    let id = factor.id;
    audit_rows::append_change(tx, &order.context, "describe", Some(id))?;
    Ok(Ok(FactorId(id)))
}

/// Gives a device that nobody has to the user of the order.
pub(in crate::store) fn assign(tx: &mut Tx<'_>, order: &Order, serial: &Serial) -> Answer<FactorId> {
    let user = &order.context.user;
    let Some((from, mut factor)) = factor_tag::find(&tx.read(), serial)? else {
        return Ok(Err(Refused::NoSuchFactor));
    };
    if from.realm != RealmName::unassigned().as_str() || user.realm.is_unassigned() {
        return Ok(Err(Refused::WrongState("in somebody's hands: take it back first (mfactl unassign)")));
    }
    let to = Holding::of(tx, user)?;
    if to.as_ref().is_some_and(|to| to.account.uid != order.uid) {
        return Ok(Err(Refused::Orphaned));
    }
    let most = tx.settings.max_factors;
    let holds = to.as_ref().map_or(0, Holding::counted);
    if u32::try_from(holds).unwrap_or(u32::MAX) >= most {
        return Ok(Err(Refused::TooMany(most)));
    }
    if factor.state == FactorState::Active {
        waiting::settled(tx, user)?;
    }
    let to = to.map_or_else(Vec::new, |to| to.factors);
    let label = match free_label(&to, &factor, serial) {
        Ok(label) => label,
        Err(refused) => return Ok(Err(refused)),
    };
    factor.label = label;
    let id = go_over(tx, order, factor)?;
    note(tx, order, "assign", (id, serial))?;
    Ok(Ok(id))
}

/// Takes the device back from the user of the order.
pub(in crate::store) fn unassign(tx: &mut Tx<'_>, order: &Order, serial: &Serial) -> Answer<FactorId> {
    let user = &order.context.user;
    let Some((from, factor)) = factor_tag::find(&tx.read(), serial)? else {
        return Ok(Err(Refused::NoSuchFactor));
    };
    if (from.realm.as_str(), from.name.as_str()) != (user.realm.as_str(), user.name.as_str()) {
        return Ok(Err(Refused::NoSuchFactor));
    }
    if user.realm.is_unassigned() {
        return Ok(Err(Refused::WrongState("nobody's already")));
    }
    if !factor.params.kind().shows_codes() {
        return Ok(Err(NO_DEVICE));
    }
    if factor.tag.origin != Origin::Own {
        return Ok(Err(KEPT));
    }
    let mut context = order.context.clone();
    context.user = keeper(serial)?;
    if roster::find(&tx.read(), &context.user)?.is_some() {
        return Err(StoreError::Tampered(format!("{} holds something else", context.user)));
    }
    let to = Order { context, uid: None, authority: Authority::Admin };
    let id = go_over(tx, &to, factor)?;
    note(tx, order, "unassign", (id, serial))?;
    Ok(Ok(id))
}

/// The label that a device has with its new owner: its own, or its serial number where that is taken.
fn free_label(held: &[Factor], factor: &Factor, serial: &Serial) -> Result<FactorLabel, Refused> {
    let taken = |label: &FactorLabel| held.iter().any(|other| other.label == *label);
    if !taken(&factor.label) {
        return Ok(factor.label.clone());
    }
    let label = FactorLabel::new(serial.as_str()).map_err(|_| Refused::LabelTaken(factor.label.clone()))?;
    if taken(&label) { Err(Refused::LabelTaken(label)) } else { Ok(label) }
}

/// Moves a factor to the account of an order, which is made where there is none; without its PIN, and with what was
/// used and failed.
fn go_over(tx: &mut Tx<'_>, to: &Order, mut factor: Factor) -> Result<FactorId, StoreError> {
    let (id, from) = (factor.id, factor.account_id);
    let before = roster::find_by_id(&tx.read(), from)?.ok_or(StoreError::Internal)?;
    let present = roster::find(&tx.read(), &to.context.user)?;
    let heir = take_in(tx, to, present, id)?;
    factor.tag.pin = None;
    factor.reseal(tx, (&before, &heir))?;
    // Its neighbors in the ring may be the rows that were just written.
    let mut left = roster::find_by_id(&tx.read(), from)?.ok_or(StoreError::Internal)?;
    left.drop_factor(id);
    if left.factor_ids.is_empty() {
        roster::remove(tx, &left)?;
        tx.head.accounts = tx.head.accounts.saturating_sub(1);
    } else {
        remembered::factor_changed(tx, &mut left)?;
        left.update(tx)?;
    }
    Ok(FactorId(id))
}

fn note(
    tx: &mut Tx<'_>,
    order: &Order,
    what: &str,
    (factor, serial): (FactorId, &Serial),
) -> Result<(), StoreError> {
    let (context, factor) = (Some(&order.context), Some(factor));
    let event = Event { what, context, factor, rule: None, verdict: "done", reason: serial.as_str() };
    audit_rows::append(tx, &event)
}
