//! Requests of administrators and owners: what they hold, and what every change of factors needs.
//!
//! Refuses to say who may ask: that is known from the socket ([`Authority`] carries it here).

mod all;
mod breakglass;
mod change;
mod device;
mod directory;
mod enroll;
mod first;
mod limits;
mod lost;
mod orphans;
mod purge;
mod recovery;
mod resync;
mod sent;
mod token;

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer,
    name::{FactorLabel, UserId},
};

pub(super) use self::{
    all::enroll_all,
    breakglass::{Sweep, any_expired, break_glass, spent, sweep},
    change::{disable, enable, remove},
    device::{Label, assign, describe, enroll_labeled, set_pin, unassign},
    directory::{adopt, foresee},
    enroll::{confirm, enroll},
    first::{drop_pending_of_newcomer, enroll_first, is_newcomer},
    limits::{reset, unlock},
    lost::lost,
    orphans::{prune, reassign},
    recovery::recovery_new,
    resync::resync,
    sent::{consult_pending, send, settle_pending, unsent},
    token::token_issue,
};
pub use self::{
    all::{EnrollAll, Member},
    breakglass::{BreakGlass, NewBreakGlass},
    directory::{Adopt, Entry, Unusable},
    first::{EnrollFirst, FirstFactor},
    lost::Lost,
    orphans::{Heir, Reassign},
    recovery::{NewRecovery, RecoveryNew},
    resync::Resync,
};
use super::{
    Refused, StoreError,
    account::Account,
    attempt::{self, Attempt, Channel, Outcome},
    audit_rows,
    challenge::ENROLLMENT,
    counting::Counting,
    factor_row::{self, Factor},
    factor_tag::Origin,
    pin::Typed,
    remembered, roster,
    tx::{Read, Tx},
    waiting,
};
use crate::{
    audit::Context,
    clock::UnixTime,
    factor::{Moving, Params, Secret},
};

/// A refusal whose charges stay, or the result. (A [`StoreError`] takes all back.)
pub(super) type Answer<T> = Result<Result<T, Refused>, StoreError>;

/// By what right a change is asked for.
#[derive(Debug)]
pub enum Authority {
    /// uid 0: no code is needed.
    Admin,
    /// The account's owner: a current code is needed wherever one could be had.
    Owner {
        /// The code, when one was given: of any kind that an active factor takes.
        code: Option<Typed>,
        /// Whose budget a wrong code is charged to.
        channel: Channel,
    },
    /// The account's owner, who has no factor and may add the first by an invitation.
    Invited {
        /// The invitation.
        invitation: answer::RecoveryCode,
    },
}

/// Who wants a change, by what right.
#[derive(Debug)]
pub struct Order {
    /// Who asks, for whom, from where.
    pub context: Context,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// By what right.
    pub authority: Authority,
}

/// Which factor of the user is meant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Target {
    /// By number.
    pub factor: Option<FactorId>,
    /// By label.
    pub label: Option<FactorLabel>,
}

/// A factor to add.
#[derive(Debug)]
pub struct NewFactor {
    /// Who wants it, for whom.
    pub order: Order,
    /// What the person calls it.
    pub label: FactorLabel,
    /// Kind and parameters.
    pub params: Params,
    /// Where it starts ([`Params::start`]).
    pub start: Moving,
    /// Its secret.
    pub secret: Secret,
    /// Active at once, without proof by a code. Administrators only.
    pub activate: bool,
    /// Takes the place of the user's factor with this label.
    pub replace: bool,
}

/// A factor that was added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Added {
    /// Its id.
    pub factor: FactorId,
    /// Pending, or active when asked so.
    pub state: FactorState,
}

/// A user with its factors, while a change is made.
struct Holding {
    account: Account,
    factors: Vec<Factor>,
}

/// Wrong codes after which a pending factor is removed.
const PENDING_TRIES: u32 = 5;

/// Removes a pending factor that was tried too often.
fn pending_dropped<T>(tx: &mut Tx<'_>, order: &Order, mut held: Holding, index: usize) -> Answer<T> {
    let id = held.factors.get(index).map(|pending| pending.id);
    held.delete(tx, index)?;
    held.settle(tx)?;
    audit_rows::append_change(tx, &order.context, "pending_dropped", id)?;
    Ok(Err(Refused::PendingDropped))
}

impl Order {
    /// Refuses all but root to touch what the directory keeps: it would come back.
    fn may_touch(&self, factor: &Factor) -> Result<(), Refused> {
        let root = matches!(self.authority, Authority::Admin) && self.context.client.is_none();
        if root || factor.tag.origin == Origin::Own { Ok(()) } else { Err(Refused::OfDirectory) }
    }

    /// Whose budget a wrong code is charged to.
    fn channel(&self) -> Channel {
        match &self.authority {
            Authority::Admin => Channel::Proven,
            Authority::Invited { .. } => Channel::Unproven,
            Authority::Owner { channel, .. } => *channel,
        }
    }
}

impl Holding {
    fn of(tx: &Tx<'_>, user: &UserId) -> Result<Option<Self>, StoreError> {
        Self::seen(&tx.read(), user)
    }

    /// The same where nothing is changed.
    fn seen(read: &Read<'_>, user: &UserId) -> Result<Option<Self>, StoreError> {
        let Some(account) = roster::find(read, user)? else { return Ok(None) };
        let factors = factor_row::load_all(read, &account)?;
        Ok(Some(Self { account, factors }))
    }

    /// Whether a factor is in a state, its time not over.
    fn holds(&self, state: FactorState, now: UnixTime) -> bool {
        self.factors.iter().any(|factor| factor.is(state, now))
    }

    /// Whether nothing is held that counts, or ever did.
    fn is_nothing(&self, now: UnixTime) -> bool {
        self.factors.iter().all(|factor| factor.is_nothing(now))
    }

    /// Whether the directory keeps a factor of this name: nothing is put in its place but by the directory.
    fn is_of_directory(&self, label: &FactorLabel) -> bool {
        self.factors.iter().any(|factor| factor.label == *label && factor.tag.origin != Origin::Own)
    }

    /// Factors that count towards the most that a user may hold.
    fn counted(&self) -> usize {
        self.factors.iter().filter(|factor| factor.counts()).count()
    }

    /// As [`Self::find`], for factors that codes are sent for: the pending one, when none is named.
    fn find_sent(&self, target: &Target) -> Result<usize, Refused> {
        use FactorState as S;
        let sends = |factor: &Factor| factor.keeps_challenges();
        match self.find_among(target, &[S::Pending], sends) {
            Ok(index) => Ok(index),
            Err(Refused::Ambiguous) => Err(Refused::Ambiguous),
            Err(_) => self.find_among(target, &[S::Active], sends),
        }
    }

    /// As [`Self::find`], among factors of a kind.
    fn find_kind(&self, target: &Target, states: &[FactorState], kind: FactorKind) -> Result<usize, Refused> {
        self.find_among(target, states, |factor| factor.params.kind() == kind)
    }

    /// The index of the factor meant, among those in one of some states when none is named.
    fn find(&self, target: &Target, states: &[FactorState]) -> Result<usize, Refused> {
        self.find_among(target, states, |_| true)
    }

    fn find_among(
        &self,
        target: &Target,
        states: &[FactorState],
        meant: impl Fn(&Factor) -> bool,
    ) -> Result<usize, Refused> {
        let named = target.factor.is_some() || target.label.is_some();
        let fits = |factor: &Factor| {
            meant(factor)
                && target.factor.is_none_or(|id| id.0 == factor.id)
                && target.label.as_ref().is_none_or(|label| *label == factor.label)
        };
        let all = || self.factors.iter().enumerate().filter(|(_, factor)| fits(factor));
        let mut candidates = all().filter(|(_, factor)| states.contains(&factor.state));
        match (candidates.next(), candidates.next(), all().next()) {
            (Some((index, _)), None, _) => Ok(index),
            (Some(_), Some(_), _) => Err(Refused::Ambiguous),
            (None, _, Some((_, other))) if named => {
                Err(Refused::WrongState(factor_row::state_word(other.state)))
            }
            (None, ..) => Err(Refused::NoSuchFactor),
        }
    }

    /// Deletes a factor; the manifest still has to be written.
    fn delete(&mut self, tx: &mut Tx<'_>, index: usize) -> Result<(), StoreError> {
        match self.forget(tx, index) {
            Some(factor) => factor.delete(tx),
            None => Ok(()),
        }
    }

    /// The same for a factor whose row is deleted apart from this.
    fn forget(&mut self, tx: &mut Tx<'_>, index: usize) -> Option<Factor> {
        if index >= self.factors.len() {
            return None;
        }
        let factor = self.factors.remove(index);
        if factor.state == FactorState::Active {
            tx.head.active_factors = tx.head.active_factors.saturating_sub(1);
        }
        self.account.drop_factor(factor.id);
        Some(factor)
    }

    /// Writes the account; one that holds nothing any more goes.
    fn settle(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.factors.is_empty() {
            roster::remove(tx, &self.account)?;
            tx.head.accounts = tx.head.accounts.saturating_sub(1);
            return Ok(());
        }
        remembered::factor_changed(tx, &mut self.account)?;
        self.account.update(tx)
    }
}

/// Whether an order may be carried out. Needs a current code of an owner whose account has an active
/// factor; without one, an owner may not touch what an administrator or failures switched off.
fn authorize(tx: &mut Tx<'_>, order: &mut Order, held: Option<&Holding>) -> Answer<()> {
    if let Authority::Invited { invitation } = &order.authority {
        return invited(tx, order, invitation, held);
    }
    let Some(held) = held else { return Ok(Ok(())) };
    let Authority::Owner { code, channel } = &mut order.authority else { return Ok(Ok(())) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    if !held.holds(FactorState::Active, tx.now) {
        let proven = |factor: &&Factor| factor.state != FactorState::Pending && !factor.is_void(tx.now);
        let switched_off = held.factors.iter().find(proven);
        return Ok(switched_off.map_or(Ok(()), |f| Err(Refused::WrongState(factor_row::state_word(f.state)))));
    }
    let Some(code) = code.take() else { return Ok(Err(Refused::WrongCode)) };
    let (context, channel) = (order.context.clone(), *channel);
    let attempt =
        Attempt { context, rule: None, uid: order.uid, answer: code, channel, counting: Counting::default() };
    Ok(match attempt::judge_and_record(tx, &attempt, (ENROLLMENT, "verify"))? {
        Outcome::Accepted(_) => Ok(()),
        Outcome::Wrong { .. } | Outcome::Used { .. } | Outcome::Unreachable { .. } | Outcome::NoFactor => {
            Err(Refused::WrongCode)
        }
        Outcome::Locked { gate } => Err(Refused::Locked { gate }),
        Outcome::Orphaned => Err(Refused::Orphaned),
        Outcome::ClockUnusable => Err(Refused::ClockUnusable),
        Outcome::Tampered => return Err(StoreError::Tampered(format!("rows of {}", order.context.user))),
    })
}

/// An invitation counts for a first factor alone. It is used up when that becomes active: until then it may be
/// used to begin again.
fn invited(
    tx: &mut Tx<'_>,
    order: &Order,
    invitation: &answer::RecoveryCode,
    held: Option<&Holding>,
) -> Answer<()> {
    if let Some(factor) = held.and_then(|held| held.factors.iter().find(|f| f.state != FactorState::Pending))
    {
        return Ok(Err(Refused::WrongState(factor_row::state_word(factor.state))));
    }
    let Some(uid) = order.uid else { return Ok(Err(Refused::WrongInvitation)) };
    let right = waiting::is_invited(tx, &order.context, uid, invitation)?;
    Ok(if right { Ok(()) } else { Err(Refused::WrongInvitation) })
}
