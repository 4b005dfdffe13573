//! An administrator's remedies: ending waits, and forgetting failures after an accident.

use mfa_proto::admin::FactorKind;

use super::{Answer, Holding, Order};
use crate::{
    factor::{Moving, Params},
    limits::Counter,
    store::{Refused, StoreError, audit_rows, challenge, factor_row::Factor, nonce, remembered, tx::Tx},
};

/// Steps that a genuine watermark may be ahead of the clock: the window, and the largest learned drift.
const GENUINE_LEAD: i64 = 11;

/// Ends all waits of a user; counts stay. How many factors.
pub(in crate::store) fn unlock(tx: &mut Tx<'_>, order: &Order) -> Answer<u32> {
    each(tx, order, "unlock", |_, held| {
        held.account.unproven.unlock();
        held.account.window_locked = false;
        held.factors.iter_mut().for_each(|factor| factor.counter.unlock());
        Ok(())
    })
}

/// Forgets failures, waits and drift, and brings watermarks back to now. Codes that were used stay used, and
/// those that were sent are void. How many factors.
pub(in crate::store) fn reset(tx: &mut Tx<'_>, order: &Order) -> Answer<u32> {
    let now = tx.now;
    each(tx, order, "reset", |tx, held| {
        held.account.unproven = Counter::default();
        held.account.window_locked = false;
        held.account.days.clear();
        remembered::factor_changed(tx, &mut held.account)?;
        for factor in &mut held.factors {
            if factor.keeps_challenges() {
                for row in challenge::of(&tx.read(), factor)? {
                    row.delete(tx, factor)?;
                }
            }
            factor.counter = Counter::default();
            if factor.params == Params::Token {
                factor.moving = nonce::Memory::of(&tx.read(), factor)?.reset(tx, factor)?;
                continue;
            }
            let fenced = factor.params.fenced(factor.moving, now);
            factor.moving = keep_used(factor, fenced);
        }
        Ok(())
    })
}

/// The fence, but not behind a code that was used a little ahead of time.
fn keep_used(factor: &Factor, fenced: Moving) -> Moving {
    let lead = factor.moving.position.saturating_sub(fenced.position);
    match factor.params.kind() {
        FactorKind::Totp if (0..=GENUINE_LEAD).contains(&lead) => {
            Moving { position: factor.moving.position, ..fenced }
        }
        FactorKind::Totp
        | FactorKind::Hotp
        | FactorKind::Recovery
        | FactorKind::Sms
        | FactorKind::Mail
        | FactorKind::Rest
        | FactorKind::Token
        | FactorKind::BreakGlass => fenced,
    }
}

fn each(
    tx: &mut Tx<'_>,
    order: &Order,
    what: &str,
    change: impl FnOnce(&Tx<'_>, &mut Holding) -> Result<(), StoreError>,
) -> Answer<u32> {
    let Some(mut held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    change(tx, &mut held)?;
    held.account.update(tx)?;
    held.factors.iter_mut().try_for_each(|factor| factor.update(tx))?;
    audit_rows::append_change(tx, &order.context, what, None)?;
    let count = u32::try_from(held.factors.len());
    count.map(Ok).map_err(|_| StoreError::Internal)
}
