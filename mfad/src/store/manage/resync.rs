//! Finding the counter of a device again, whose button was pressed too often (RFC 4226 §7.4).
//!
//! Two consecutive codes prove the device: no other code is needed. A wrong pair costs what a wrong code
//! costs, and is judged only when one would be.

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer::OtpCode,
};

use super::{Answer, Holding, Order, Target};
use crate::store::{
    Refused, StoreError, audit_rows,
    audit_rows::Event,
    bench::{Bench, Blame},
    challenge::ENROLLMENT,
    remembered,
    tx::Tx,
    view::account_gate,
};

/// Two codes of a device whose counter was lost.
#[derive(Debug)]
pub struct Resync {
    /// Who wants it, for whom.
    pub order: Order,
    /// Which factor; by default the only counter-based one.
    pub target: Target,
    /// The codes, as the device showed them one after the other.
    pub codes: [OtpCode; 2],
}

/// Moves the counter behind the two codes.
pub(in crate::store) fn resync(tx: &mut Tx<'_>, wanted: &Resync) -> Answer<FactorId> {
    let Resync { order, target, codes: [first, second] } = wanted;
    let Some(held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    // One that is switched off is found again, too, and stays off.
    let states = [FactorState::Active, FactorState::Disabled];
    let index = match held.find_kind(target, &states, FactorKind::Hotp) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut bench = Bench::of(&tx.read(), held.account, ENROLLMENT)?;
    bench.begin_waits_anew(tx)?;
    let Some(factor) = bench.factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    let own = factor.counter.gate(tx.now);
    let gate = account_gate(&bench.account, order.channel(), tx.now).and(own);
    if !gate.is_open() {
        return Ok(Err(Refused::Locked { gate }));
    }
    let seed = factor.open_seed(&tx.read(), &bench.account)?;
    let found = factor.params.resync(&seed, factor.moving, [first, second]);
    let id = FactorId(factor.id);
    let Some(moved) = found.filter(|moved| moved.position > factor.moving.position) else {
        let blame = Blame { context: &order.context, channel: order.channel() };
        bench.charge(tx, &[index], blame)?;
        note_wrong(tx, order, id)?;
        return Ok(Err(Refused::WrongCode));
    };
    factor.moving = moved;
    factor.counter.succeed();
    factor.update(tx)?;
    remembered::factor_changed(tx, &mut bench.account)?;
    bench.account.update(tx)?;
    audit_rows::append_change(tx, &order.context, "resync", Some(id.0))?;
    Ok(Ok(id))
}

fn note_wrong(tx: &mut Tx<'_>, order: &Order, factor: FactorId) -> Result<(), StoreError> {
    let event = Event {
        what: "resync",
        context: Some(&order.context),
        factor: Some(factor),
        rule: None,
        verdict: "deny",
        reason: "wrong_code",
    };
    audit_rows::append(tx, &event)
}
