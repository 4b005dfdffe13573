//! Factors that an outside service judges: the failure is counted, durably, before the service is asked.
//!
//! What counts as asked is a row and a [`Ticket`]; a yes uses up both, and takes the failure back. Refuses
//! to ask: the caller has egress do that, with no transaction open.

use std::sync::Arc;

use mfa_proto::admin::{FactorId, FactorState};

use super::{
    Channel, Outcome, StoreError, attempt,
    audit_rows::{self, Event},
    bench::{Bench, Blame},
    challenge::{self, Challenge, Purpose, Term},
    counting::Counting,
    factor_row::Factor,
    issue::SentLimits,
    roster,
    tx::Tx,
    view::account_gate,
};
use crate::{
    audit::Context,
    clock::UnixTime,
    factor::{Outside, Params, Secret},
    limits::Gate,
};

/// Answers of one factor that may be with its service at once.
const AT_ONCE: usize = 16;

/// An answer that an outside service is to judge, in a login.
#[derive(Debug)]
pub struct Consult {
    /// Who asks, for whom, from where.
    pub context: Context,
    /// The policy rule that asks for a factor, for the trail.
    pub rule: Option<String>,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// Which factor.
    pub factor: FactorId,
    /// Whether the password was proven, which decides whose budget a failure is charged to.
    pub channel: Channel,
    /// Which factors count: nobody is asked about another.
    pub counting: Counting,
}

/// Whether the service may be asked. By the time it is known it is durable.
#[derive(Debug)]
#[must_use]
pub enum Consulted {
    /// It may; the failure is counted already.
    Ticket(Box<Ticket>),
    /// It may not, because attempts are used up; not counted.
    Locked {
        /// When the next attempt may be judged.
        gate: Gate,
    },
    /// The user has no such active factor.
    Gone,
    /// The account has another uid than at enrollment.
    Orphaned,
    /// The stored rows fail their integrity check.
    Tampered,
}

/// The right to have one answer judged, once. Refuses to be copied, and is of no use to another process.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    context: Context,
    rule: Option<String>,
    uid: Option<u32>,
    channel: Channel,
    counting: Counting,
    factor: FactorId,
    outside: Outside,
    /// The row that goes with it.
    row: i64,
    /// Where the factor stood: another success meanwhile makes the ticket void.
    position: i64,
    charge: Charge,
    pub(super) confirms: bool,
    /// The store that gave it: not a copy of its database, nor the same database opened again.
    issuer: Option<Arc<()>>,
}

/// What was counted in advance.
#[derive(Clone, Debug, Default)]
struct Charge {
    at: UnixTime,
    exhausted: bool,
    locked: bool,
    /// Failed attempts since the last success before, and where the last of them came from.
    before: (u32, String),
}

impl Ticket {
    /// Whom to ask, and about whom.
    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Which factor.
    pub fn factor(&self) -> FactorId {
        self.factor
    }

    /// Who asks, for whom, from where.
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn issued_by(self, issuer: &Arc<()>) -> Self {
        Self { issuer: Some(Arc::clone(issuer)), ..self }
    }

    pub(super) fn is_of(&self, issuer: &Arc<()>) -> bool {
        self.issuer.as_ref().is_some_and(|own| Arc::ptr_eq(own, issuer))
    }

    pub(super) fn uid(&self) -> Option<u32> {
        self.uid
    }
}

/// The word of the outside service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Judgment {
    /// Yes, exactly as its contract has it.
    Yes,
    /// No.
    No,
    /// It was not reached, or did not keep to its contract.
    Unreachable,
}

/// Counts a failure in advance and gives the right to ask.
pub(super) fn consult(tx: &mut Tx<'_>, wanted: Consult) -> Result<Consulted, StoreError> {
    let user = wanted.context.user.clone();
    match try_consult(tx, wanted) {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: the login of {user} is denied");
            Ok(Consulted::Tampered)
        }
        other => other,
    }
}

fn try_consult(tx: &mut Tx<'_>, wanted: Consult) -> Result<Consulted, StoreError> {
    let Some(account) = roster::find(&tx.read(), &wanted.context.user)? else { return Ok(Consulted::Gone) };
    if account.uid != wanted.uid {
        return Ok(Consulted::Orphaned);
    }
    let session = wanted.context.session.clone();
    let mut bench = Bench::counting(&tx.read(), account, session.as_str(), &wanted.counting)?;
    let meant = |factor: &Factor| FactorId(factor.id) == wanted.factor && factor.params == Params::Rest;
    let meant = |factor: &Factor| meant(factor) && bench.counts(factor);
    let Some(index) = bench.factors.iter().position(meant) else { return Ok(Consulted::Gone) };
    let state = bench.factors.get(index).map(|factor| factor.state);
    match state {
        Some(FactorState::Active) => {}
        Some(FactorState::Exhausted) => return Ok(Consulted::Locked { gate: Gate::Exhausted }),
        Some(FactorState::Pending | FactorState::Disabled) | None => return Ok(Consulted::Gone),
    }
    bench.begin_waits_anew(tx)?;
    let gate = gate_of(&bench, index, wanted.channel, tx.now);
    if !gate.is_open() {
        return Ok(Consulted::Locked { gate });
    }
    let Some((row, outside)) = ask(tx, &mut bench, index)? else {
        return Ok(Consulted::Locked { gate: Gate::Wait { until: tx.now.plus(1) } });
    };
    let locked = bench.account.window_locked;
    let before = (bench.account.failed, bench.account.failed_from.clone());
    bench.charge(tx, &[index], Blame { context: &wanted.context, channel: wanted.channel })?;
    let factor = bench.factors.get_mut(index).ok_or(StoreError::Internal)?;
    // Without proven password the charge was the account's alone.
    factor.update(tx)?;
    let charge = Charge {
        at: tx.now,
        exhausted: factor.state == FactorState::Exhausted,
        locked: bench.account.window_locked && !locked,
        before,
    };
    let position = factor.moving.position;
    let ticket = Ticket { charge, row: row.id, position, ..ticket(wanted, outside) };
    record(tx, &ticket)?;
    Ok(Consulted::Ticket(Box::new(ticket)))
}

/// A ticket that goes with no row yet.
pub(super) fn ticket(wanted: Consult, outside: Outside) -> Ticket {
    let Consult { context, rule, uid, factor, channel, counting } = wanted;
    let (row, position, charge) = (0, 0, Charge::default());
    Ticket {
        context,
        rule,
        uid,
        channel,
        counting,
        factor,
        outside,
        row,
        position,
        charge,
        confirms: false,
        issuer: None,
    }
}

/// A ticket that confirms a factor.
pub(super) fn confirming(wanted: Consult, outside: Outside, (row, factor): (&Challenge, &Factor)) -> Ticket {
    let (row, position) = (row.id, factor.moving.position);
    Ticket { row, position, confirms: true, ..ticket(wanted, outside) }
}

fn gate_of(bench: &Bench<'_>, index: usize, channel: Channel, now: UnixTime) -> Gate {
    let own = bench.factors.get(index).map_or(Gate::Exhausted, |factor| {
        if factor.state == FactorState::Exhausted {
            Gate::Exhausted
        } else {
            factor.counter.clone().gate(now)
        }
    });
    account_gate(&bench.account, channel, now).and(own)
}

/// Writes the row that a ticket goes with; the factor's row has to be written after it. `None` when too
/// many answers are with the service.
pub(super) fn ask(
    tx: &Tx<'_>,
    bench: &mut Bench<'_>,
    index: usize,
) -> Result<Option<(Challenge, Outside)>, StoreError> {
    let factor = bench.factors.get_mut(index).ok_or(StoreError::Internal)?;
    let Secret::Outside(outside) = factor.open_secret(&tx.read(), &bench.account)? else {
        return Err(StoreError::Internal);
    };
    let mut asked = 0_usize;
    for row in challenge::of(&tx.read(), factor)?.iter().filter(|row| row.purpose == Purpose::Ask) {
        // Left over by a process that ended before it was answered.
        if row.is_live(&row.session, tx.now) {
            asked = asked.saturating_add(1);
        } else {
            row.delete(tx, factor)?;
        }
    }
    if asked >= AT_ONCE {
        factor.update(tx)?;
        return Ok(None);
    }
    let term = Term { session: bench.session, lifetime: SentLimits::LONGEST };
    Ok(Some((Challenge::ask(tx, factor, &term)?, outside)))
}

pub(super) fn record(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    let event = Event {
        what: "consult",
        context: Some(&ticket.context),
        factor: Some(ticket.factor),
        rule: ticket.rule.as_deref(),
        verdict: "begun",
        reason: "ok",
    };
    audit_rows::append(tx, &event)
}

/// Uses a ticket up.
pub(super) fn settle(tx: &mut Tx<'_>, ticket: &Ticket, judgment: Judgment) -> Result<Outcome, StoreError> {
    let user = &ticket.context.user;
    let outcome = attempt::denied_if_tampered(try_settle(tx, ticket, judgment), user)?;
    attempt::record(tx, &outcome, (&ticket.context, ticket.rule.as_deref(), "login"))?;
    Ok(outcome)
}

fn try_settle(tx: &mut Tx<'_>, ticket: &Ticket, judgment: Judgment) -> Result<Outcome, StoreError> {
    let Some(account) = roster::find(&tx.read(), &ticket.context.user)? else { return Ok(Outcome::NoFactor) };
    if account.uid != ticket.uid {
        return Ok(Outcome::Orphaned);
    }
    let session = ticket.context.session.as_str();
    let mut bench = Bench::counting(&tx.read(), account, session, &ticket.counting)?;
    let Some(index) = bench.factors.iter().position(|factor| FactorId(factor.id) == ticket.factor) else {
        return Ok(Outcome::NoFactor);
    };
    let used = use_up(tx, &mut bench, index, ticket)?;
    let gate = gate_of(&bench, index, ticket.channel, tx.now);
    match judgment {
        Judgment::No => return Ok(Outcome::Wrong { gate }),
        Judgment::Unreachable => return Ok(Outcome::Unreachable { gate }),
        Judgment::Yes => {}
    }
    match used {
        Used::Void => return Ok(Outcome::Unreachable { gate }),
        Used::Late => return Ok(Outcome::Used { gate }),
        Used::Good => {}
    }
    if !take_back(tx, &mut bench, index, ticket)? {
        return Ok(Outcome::Locked { gate: Gate::Exhausted });
    }
    let factor = bench.factors.get(index).ok_or(StoreError::Internal)?;
    if factor.state != FactorState::Active || !bench.counts(factor) {
        return Ok(Outcome::NoFactor);
    }
    let moved = factor.moved_on();
    let proof = bench.consume(tx, &ticket.context.user, index, moved)?;
    let failed = bench.forgive(tx)?;
    Ok(Outcome::Accepted(proof.after(failed)))
}

/// What a ticket turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Used {
    /// It was good, once.
    Good,
    /// It has no row any more, or it came too late.
    Void,
    /// Another answer was right meanwhile.
    Late,
}

/// Deletes the row of a ticket, exactly one, and writes the factor.
pub(super) fn use_up(
    tx: &Tx<'_>,
    bench: &mut Bench<'_>,
    index: usize,
    ticket: &Ticket,
) -> Result<Used, StoreError> {
    let factor = bench.factors.get_mut(index).ok_or(StoreError::Internal)?;
    if factor.params != Params::Rest {
        return Ok(Used::Void);
    }
    let rows = challenge::of(&tx.read(), factor)?;
    let own = |row: &&Challenge| row.id == ticket.row && row.purpose == Purpose::Ask;
    let Some(row) = rows.iter().find(own) else { return Ok(Used::Void) };
    row.delete(tx, factor)?;
    factor.update(tx)?;
    if !row.is_live(bench.session, tx.now) || row.serial != ticket.position {
        return Ok(Used::Void);
    }
    Ok(if factor.moving.position == ticket.position { Used::Good } else { Used::Late })
}

/// Takes back what was counted in advance. Not if the factor was used up by others' failures meanwhile.
fn take_back(
    tx: &mut Tx<'_>,
    bench: &mut Bench<'_>,
    index: usize,
    ticket: &Ticket,
) -> Result<bool, StoreError> {
    let factor = bench.factors.get_mut(index).ok_or(StoreError::Internal)?;
    if factor.state == FactorState::Exhausted {
        if !ticket.charge.exhausted {
            return Ok(false);
        }
        factor.state = FactorState::Active;
        tx.head.active_factors = tx.head.active_factors.saturating_add(1);
        factor.update(tx)?;
    }
    let account = &mut bench.account;
    account.failed = account.failed.saturating_sub(1);
    if account.failed <= ticket.charge.before.0 {
        account.failed_from.clone_from(&ticket.charge.before.1);
    }
    if ticket.channel == Channel::Proven {
        account.days.take_back(ticket.charge.at);
        if ticket.charge.locked && account.days.total(tx.now) < tx.settings.profile.window_failures {
            account.window_locked = false;
        }
    }
    account.update(tx)?;
    Ok(true)
}
