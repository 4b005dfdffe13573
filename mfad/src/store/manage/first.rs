//! The first factor of a user, enrolled while logging in: one code proves it and the login.
//!
//! Nothing is written before that code is right, so that whoever gives up leaves nothing behind. Refuses
//! everybody who has, or had and lost, a factor.

use std::sync::Arc;

use mfa_proto::{
    admin::FactorState,
    answer::{OtpCode, RecoveryCode},
    name::UserId,
};

use super::{Authority, Holding, Member, Order, enroll};
use crate::{
    audit::Context,
    factor::{Check, Moving, Secret, Trial},
    limits::Gate,
    store::{
        StoreError,
        attempt::{self, Outcome},
        audit_rows,
        bench::Bench,
        roster,
        tx::Tx,
        waiting,
    },
};

/// A factor that was shown, and counts for nothing yet.
#[derive(Debug)]
pub struct FirstFactor {
    /// What it will be.
    pub member: Member,
    /// The invitation that it is enrolled by; `None` where none is needed.
    pub invitation: Option<RecoveryCode>,
}

/// A code that is to prove a first factor, and a login by it.
#[derive(Debug)]
pub struct EnrollFirst {
    /// Who asks, for whom, from where: root, after the password.
    pub context: Context,
    /// The policy rule that asks for a factor, for the trail.
    pub rule: Option<String>,
    /// The account's uid now.
    pub uid: u32,
    /// The factor.
    pub factor: Arc<FirstFactor>,
    /// The code that it showed.
    pub code: OtpCode,
}

/// Whether a user may begin: never had a factor, or none any more, for whom the account is now.
pub(in crate::store) fn is_newcomer(tx: &Tx<'_>, user: &UserId, uid: u32) -> Result<bool, StoreError> {
    Ok(Holding::of(tx, user)?.is_none_or(|held| held.account.uid == Some(uid) && held.is_nothing(tx.now)))
}

/// Removes what a user without factors has begun.
pub(in crate::store) fn drop_pending_of_newcomer(tx: &mut Tx<'_>, order: &Order) -> Result<(), StoreError> {
    let held = Holding::of(tx, &order.context.user)?;
    let Some(mut held) = held.filter(|held| held.is_nothing(tx.now)) else {
        return Ok(());
    };
    // An emergency code whose end has come is left to the sweep, which says so.
    while let Some(index) = held.factors.iter().position(|factor| factor.state == FactorState::Pending) {
        let id = held.factors.get(index).map_or(0, |pending| pending.id);
        held.delete(tx, index)?;
        audit_rows::append_change(tx, &order.context, "pending_dropped", Some(id))?;
    }
    held.settle(tx)
}

/// Adds the factor, and accepts the login, if the code is right.
pub(in crate::store) fn enroll_first(tx: &mut Tx<'_>, first: &EnrollFirst) -> Result<Outcome, StoreError> {
    let judged = judge(tx, first);
    let outcome = match judged {
        Ok(Judged::Right(moved)) => Outcome::Accepted(begin(tx, first, moved)?),
        Ok(Judged::Refused(outcome)) => outcome,
        Err(error) => attempt::denied_if_tampered(Err(error), &first.context.user)?,
    };
    attempt::record(tx, &outcome, (&first.context, first.rule.as_deref(), "login"))?;
    Ok(outcome)
}

enum Judged {
    Right(Moving),
    Refused(Outcome),
}

/// Changes nothing but the count of wrong invitations.
fn judge(tx: &mut Tx<'_>, first: &EnrollFirst) -> Result<Judged, StoreError> {
    if !is_newcomer(tx, &first.context.user, first.uid)? {
        return Ok(Judged::Refused(Outcome::NoFactor));
    }
    // The rows of users without factors are looked at also where nobody needs an invitation.
    waiting::check(&tx.read())?;
    if let Some(code) = &first.factor.invitation
        && !waiting::is_invited(tx, &first.context, first.uid, code)?
    {
        return Ok(Judged::Refused(Outcome::NoFactor));
    }
    let member = &first.factor.member;
    let Secret::Seed(seed) = &member.secret else { return Err(StoreError::Internal) };
    let (moving, now, rules) = (member.start, tx.now, tx.settings.rules);
    let check = member.params.check(&Trial { seed, moving, code: &first.code, now, rules });
    Ok(match check {
        Check::Match(moved) => Judged::Right(moved),
        Check::Used => Judged::Refused(Outcome::Used { gate: Gate::Open }),
        Check::Wrong => Judged::Refused(Outcome::Wrong { gate: Gate::Open }),
        Check::ClockUnusable => Judged::Refused(Outcome::ClockUnusable),
    })
}

/// The factor, active, and its code used up.
fn begin(tx: &mut Tx<'_>, first: &EnrollFirst, moved: Moving) -> Result<crate::store::Proof, StoreError> {
    let user = &first.context.user;
    let (context, uid) = (first.context.clone(), Some(first.uid));
    let order = Order { context, uid, authority: Authority::Admin };
    let member = &first.factor.member;
    let mut held = Holding::of(tx, user)?;
    if let Some(held) = &mut held {
        enroll::drop_labelled(tx, held, &member.label, |factor| factor.state == FactorState::Pending)?;
    }
    let account = held.map(|held| held.account);
    let (_, factor) = enroll::insert(tx, &order, account, (member, FactorState::Active))?;
    enroll::note(tx, &order, ("enroll", member.params), factor.id)?;
    let Some(account) = roster::find(&tx.read(), user)? else { return Err(StoreError::Internal) };
    let mut bench = Bench::of(&tx.read(), account, first.context.session.as_str())?;
    let index = bench.factors.iter().position(|held| held.id == factor.id).ok_or(StoreError::Internal)?;
    bench.consume(tx, user, index, moved)
}
