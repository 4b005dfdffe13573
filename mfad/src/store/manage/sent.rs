//! Codes that confirm a pending factor, or prove its owner before a change; and the outside service that
//! confirms one.
//!
//! Needs no code itself: whoever asks for one gains nothing but the caps' worth of messages to the owner.

use mfa_proto::admin::{FactorId, FactorState};

use super::{Answer, Authority, Holding, Order, PENDING_TRIES, Target, pending_dropped};
use crate::{
    factor::Params,
    limits::Gate,
    store::{
        Channel, Consult, Issued, Judgment, MadeCode, Refused, StoreError, Ticket,
        bench::Bench,
        challenge::ENROLLMENT,
        consult::{self, Used},
        counting::Counting,
        issue::{self, Making},
        manage::enroll,
        tx::Tx,
        view::account_gate,
    },
};

/// Makes a code.
pub(in crate::store) fn send(
    tx: &mut Tx<'_>,
    order: &Order,
    target: &Target,
    made: Option<MadeCode>,
) -> Answer<Issued> {
    let Some(mut held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    let index = match held.find_sent(target) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let Holding { account, factors } = &mut held;
    let Some(factor) = factors.get_mut(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    let gate = account_gate(account, order.channel(), tx.now).and(factor.counter.clone().gate(tx.now));
    if factor.state == FactorState::Active && !gate.is_open() {
        return Ok(Err(Refused::Locked { gate }));
    }
    let issued = issue::make(tx, factor, Making { account, session: ENROLLMENT, made })?;
    issue::record(tx, &issued, (&order.context, None), factor)?;
    Ok(match issued {
        Issued::Gone => Err(Refused::Invalid("no code is sent for this kind of factor")),
        Issued::Locked { gate } => Err(Refused::Locked { gate }),
        Issued::Orphaned => Err(Refused::Orphaned),
        Issued::TooSoon { until } => Err(Refused::TooSoon { until }),
        Issued::Capped { until } => Err(Refused::Capped { until }),
        Issued::Tampered => return Err(StoreError::Internal),
        Issued::Code(_) | Issued::Begin { .. } => Ok(issued),
    })
}

/// It could not be sent.
pub(in crate::store) fn unsent(tx: &mut Tx<'_>, order: &Order, factor: FactorId) -> Answer<()> {
    issue::kill(tx, &order.context, factor, ENROLLMENT).map(Ok)
}

/// A pending factor is to be proven by an outside service: a failure is counted before it is asked.
pub(in crate::store) fn consult_pending(
    tx: &mut Tx<'_>,
    order: Order,
    factor: Option<FactorId>,
) -> Answer<Ticket> {
    let Some(held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    let index = match held.find(&Target { factor, label: None }, &[FactorState::Pending]) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(pending) = held.factors.get(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    if pending.params != Params::Rest {
        return Ok(Err(Refused::Invalid("no outside service judges this kind of factor")));
    }
    if pending.counter.failures >= PENDING_TRIES {
        return pending_dropped(tx, &order, held, index);
    }
    let channel = order.channel();
    let mut bench = Bench::of(&tx.read(), held.account, ENROLLMENT)?;
    let Some((row, outside)) = consult::ask(tx, &mut bench, index)? else {
        return Ok(Err(Refused::Locked { gate: Gate::Wait { until: tx.now.plus(1) } }));
    };
    let pending = bench.factors.get_mut(index).ok_or(StoreError::Internal)?;
    pending.counter.failures = pending.counter.failures.saturating_add(1);
    pending.update(tx)?;
    let id = FactorId(pending.id);
    let counting = Counting::default();
    let wanted =
        Consult { context: order.context, rule: None, uid: order.uid, factor: id, channel, counting };
    let ticket = consult::confirming(wanted, outside, (&row, pending));
    consult::record(tx, &ticket)?;
    Ok(Ok(ticket))
}

/// It was judged.
pub(in crate::store) fn settle_pending(
    tx: &mut Tx<'_>,
    ticket: &Ticket,
    judgment: Judgment,
) -> Answer<FactorId> {
    let (context, uid) = (ticket.context().clone(), ticket.uid());
    let order =
        Order { context, uid, authority: Authority::Owner { code: None, channel: Channel::Unproven } };
    let Some(held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    let meant = |held: &Holding| held.factors.iter().position(|f| FactorId(f.id) == ticket.factor());
    let Some(index) = meant(&held) else { return Ok(Err(Refused::NoSuchFactor)) };
    let mut bench = Bench::of(&tx.read(), held.account, ENROLLMENT)?;
    let used = consult::use_up(tx, &mut bench, index, ticket)?;
    let mut held = Holding { account: bench.account, factors: bench.factors };
    match (judgment, used) {
        (Judgment::Yes, Used::Good) => {}
        (Judgment::No, _) | (Judgment::Yes, Used::Late) => {
            let tries = held.factors.get(index).map_or(0, |pending| pending.counter.failures);
            if tries >= PENDING_TRIES {
                return pending_dropped(tx, &order, held, index);
            }
            return Ok(Err(Refused::WrongCode));
        }
        (Judgment::Unreachable, _) | (Judgment::Yes, Used::Void) => return Ok(Err(Refused::Unreachable)),
    }
    let Some(pending) = held.factors.get_mut(index).filter(|f| f.state == FactorState::Pending) else {
        return Ok(Err(Refused::NoSuchFactor));
    };
    pending.moving = pending.moved_on();
    enroll::activate(tx, &order, held, index)
}
