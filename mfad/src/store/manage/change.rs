//! Switching factors off and on, and removing them.

use mfa_proto::admin::{FactorId, FactorState};

use super::{Answer, Authority, Holding, Order, Target, authorize, purge};
use crate::store::{Refused, StoreError, audit_rows, factor_row::Factor, remembered, tx::Tx};

/// Makes an active factor unusable until it is enabled again.
pub(in crate::store) fn disable(tx: &mut Tx<'_>, mut order: Order, target: &Target) -> Answer<FactorId> {
    let user = order.context.user.clone();
    let Some(held) = Holding::of(tx, &user)? else { return Ok(Err(Refused::NotEnrolled)) };
    // Found before the code is judged: a code must not be used up for what cannot be done.
    let may =
        switchable(&held, target, FactorState::Active).and_then(|index| touchable(&held, &order, index));
    if let Err(refused) = may {
        return Ok(Err(refused));
    }
    if let Err(refused) = authorize(tx, &mut order, Some(&held))? {
        return Ok(Err(refused));
    }
    switch(tx, &order, target, (FactorState::Active, FactorState::Disabled))
}

/// Whether a factor is one that the order may be about.
fn touchable(held: &Holding, order: &Order, index: usize) -> Result<(), Refused> {
    order.may_touch(held.factors.get(index).ok_or(Refused::NoSuchFactor)?)
}

/// Makes a disabled factor usable again; one disabled by failures has to be enrolled anew, and one that the
/// directory has no more has to come back there.
pub(in crate::store) fn enable(tx: &mut Tx<'_>, order: &Order, target: &Target) -> Answer<FactorId> {
    let Some(held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if let Ok(index) = switchable(&held, target, FactorState::Disabled) {
        if let Err(refused) = touchable(&held, order, index) {
            return Ok(Err(refused));
        }
        if held.factors.get(index).is_some_and(|factor| factor.tag.origin.is_withheld()) {
            return Ok(Err(Refused::GoneFromDirectory));
        }
    }
    switch(tx, order, target, (FactorState::Disabled, FactorState::Active))
}

/// The factor meant, of those in a state. A code for an emergency ends by itself.
fn switchable(held: &Holding, target: &Target, from: FactorState) -> Result<usize, Refused> {
    let meant = |factor: &Factor| !factor.params.is_emergency();
    held.find_among(target, &[from], meant).map_err(|refused| {
        let emergency = held.find_among(target, &[from], |factor| !meant(factor)).is_ok();
        if emergency && refused == Refused::NoSuchFactor {
            return Refused::Invalid("an emergency code is not switched off or on: root removes it");
        }
        refused
    })
}

/// Brings the factor meant from one state to another.
pub(super) fn switch(
    tx: &mut Tx<'_>,
    order: &Order,
    target: &Target,
    (from, to): (FactorState, FactorState),
) -> Answer<FactorId> {
    let Some(mut held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let index = match switchable(&held, target, from) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(factor) = held.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    factor.state = to;
    factor.update(tx)?;
    let id = factor.id;
    remembered::factor_changed(tx, &mut held.account)?;
    held.account.update(tx)?;
    let (change, what) = if to == FactorState::Active { (1, "enable") } else { (-1, "disable") };
    tx.head.active_factors = tx.head.active_factors.saturating_add(change);
    audit_rows::append_change(tx, &order.context, what, Some(id))?;
    Ok(Ok(FactorId(id)))
}

/// Removes a factor, or all of a user when the target names none. How many. An administrator may remove
/// all of a user even when the rows fail their integrity check.
pub(in crate::store) fn remove(tx: &mut Tx<'_>, mut order: Order, target: &Target) -> Answer<u32> {
    use FactorState as S;
    let user = order.context.user.clone();
    let all = *target == Target::default();
    let any = [S::Pending, S::Active, S::Disabled, S::Exhausted];
    let held = match Holding::of(tx, &user) {
        Err(StoreError::Tampered(what)) if all && matches!(order.authority, Authority::Admin) => {
            tracing::warn!("{what}: all rows of {user} are removed by uid {}", order.context.actor);
            return purge::purge(tx, &order);
        }
        other => other?,
    };
    let Some(held) = held else { return Ok(Err(Refused::NotEnrolled)) };
    let target = if all {
        if let Some(refused) = held.factors.iter().find_map(|factor| order.may_touch(factor).err()) {
            return Ok(Err(refused));
        }
        None
    } else {
        match held.find(target, &any) {
            Ok(index) => {
                let Some(factor) = held.factors.get(index) else { return Ok(Err(Refused::NoSuchFactor)) };
                if factor.params.is_emergency() && !matches!(order.authority, Authority::Admin) {
                    return Ok(Err(Refused::Invalid("only an administrator takes an emergency code back")));
                }
                if let Err(refused) = order.may_touch(factor) {
                    return Ok(Err(refused));
                }
                Some(factor.id)
            }
            Err(refused) => return Ok(Err(refused)),
        }
    };
    if let Err(refused) = authorize(tx, &mut order, Some(&held))? {
        return Ok(Err(refused));
    }
    // The code that authorized this has moved rows.
    let Some(mut held) = Holding::of(tx, &user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let mut removed = 0_u32;
    while let Some(index) = held.factors.iter().position(|f| target.is_none_or(|id| id == f.id)) {
        let id = held.factors.get(index).map(|factor| factor.id);
        held.delete(tx, index)?;
        audit_rows::append_change(tx, &order.context, "remove", id)?;
        removed = removed.saturating_add(1);
    }
    held.settle(tx)?;
    Ok(Ok(removed))
}
