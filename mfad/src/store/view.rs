//! What a login has to know before it asks: which codes the user has, and whether one would be judged.

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer::AnswerShape,
    name::{FactorLabel, UserId},
    text::ShownText,
};

use super::{
    StoreError,
    account::Account,
    attempt::Channel,
    challenge,
    factor_row::{self, Factor},
    roster,
    tx::Read,
    waiting,
};
use crate::{clock::UnixTime, factor::Secret, limits::Gate};

/// What stands behind a name.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself, and several may hold")]
pub struct AccountView {
    /// The active factors, in order of enrollment.
    pub held: Vec<Held>,
    /// What the answers of the active factors look like; `None` without an active factor.
    pub shape: Option<AnswerShape>,
    /// A factor was disabled by failures and not enrolled again: the user must not pass for one who
    /// never enrolled, else a hundred wrong guesses would switch the second factor off.
    pub exhausted: bool,
    /// How the limits stand at present: the most lenient of the active factors, and the account's.
    pub gate: Gate,
    /// The uid at enrollment.
    pub uid: Option<u32>,
    /// A directory has, or had, a factor of the user, which is switched off. Whoever can delete there, or write
    /// nonsense, must not make the user pass for one who never enrolled.
    pub withheld: bool,
    /// Nothing is held that counts, or ever did: a first factor may be enrolled, where the rules say so.
    pub newcomer: bool,
    /// Logins without a factor that the time of grace has let in.
    pub graced: u32,
    /// The stored rows fail their integrity check; nothing else here counts.
    pub tampered: bool,
}

impl AccountView {
    const NOTHING: Self = Self {
        held: Vec::new(),
        shape: None,
        exhausted: false,
        withheld: false,
        gate: Gate::Open,
        uid: None,
        newcomer: false,
        graced: 0,
        tampered: false,
    };
}

/// An active factor, as a prompt may speak of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Its id.
    pub factor: FactorId,
    /// Its kind.
    pub kind: FactorKind,
    /// What the person calls it.
    pub label: FactorLabel,
    /// Digits of a code; `None` where codes are no digits.
    pub digits: Option<u8>,
    /// A PIN is to be typed before each code.
    pub pin: bool,
    /// Where codes go, masked; `None` for kinds that send none.
    pub target: Option<ShownText>,
    /// The outside service that judges; `None` for other kinds.
    pub rest_service: Option<FactorLabel>,
    /// Recovery codes that are left; `None` for other kinds.
    pub left: Option<u32>,
    /// How its limits stand.
    pub gate: Gate,
}

pub(super) fn view(read: &Read<'_>, user: &UserId, channel: Channel) -> Result<AccountView, StoreError> {
    match try_view(read, user, channel) {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: logins of {user} are denied");
            Ok(AccountView { tampered: true, ..AccountView::NOTHING })
        }
        other => other,
    }
}

fn try_view(read: &Read<'_>, user: &UserId, channel: Channel) -> Result<AccountView, StoreError> {
    let Some(account) = roster::find(read, user)? else {
        let graced = graced(read, user)?;
        return Ok(AccountView { newcomer: true, graced, ..AccountView::NOTHING });
    };
    let factors = factor_row::load_all(read, &account)?;
    let active = || factors.iter().filter(|f| f.is(FactorState::Active, read.now));
    let exhausted = factors.iter().any(|f| f.is(FactorState::Exhausted, read.now));
    let shape = active().filter_map(Factor::shape).reduce(AnswerShape::or);
    let gate = if shape.is_none() && exhausted {
        Gate::Exhausted
    } else {
        gate_of(&account, &mut active(), channel, read.now)
    };
    let held = active().map(|factor| held(read, &account, factor)).collect::<Result<_, _>>()?;
    for factor in active().filter(|factor| factor.keeps_challenges()) {
        challenge::of(read, factor)?;
    }
    let withheld = factors.iter().any(|factor| factor.tag.origin.is_withheld());
    let newcomer = factors.iter().all(|factor| factor.is_nothing(read.now));
    let graced = if newcomer { graced(read, user)? } else { 0 };
    let uid = account.uid;
    Ok(AccountView { held, shape, exhausted, withheld, gate, uid, newcomer, graced, tampered: false })
}

fn graced(read: &Read<'_>, user: &UserId) -> Result<u32, StoreError> {
    Ok(waiting::seen(read, user)?.map_or(0, |row| row.graced))
}

/// How the limits stand of what is most lenient: an emergency code is there for when the others are locked.
fn gate_of(
    account: &Account,
    active: &mut dyn Iterator<Item = &Factor>,
    channel: Channel,
    now: UnixTime,
) -> Gate {
    let (emergency, others): (Vec<_>, Vec<_>) = active.partition(|factor| factor.params.is_emergency());
    let with = |factors: &[&Factor], gate: Gate| {
        let open = most_lenient(&mut factors.iter().copied(), now).and(gate);
        (!factors.is_empty()).then_some(open)
    };
    let ways = [
        with(&others, account_gate(account, channel, now)),
        with(&emergency, emergency_gate(account, channel, now)),
    ];
    ways.into_iter()
        .flatten()
        .reduce(Gate::more_lenient)
        .unwrap_or_else(|| account_gate(account, channel, now))
}

fn held(read: &Read<'_>, account: &Account, factor: &Factor) -> Result<Held, StoreError> {
    let (target, rest_service) = match factor.shown_secret(read, account)? {
        Some(Secret::Address(address)) => (Some(address.masked()), None),
        Some(Secret::Outside(outside)) => (None, Some(outside.service)),
        Some(Secret::Seed(_) | Secret::Token(_) | Secret::Recovery(_) | Secret::BreakGlass(_)) | None => {
            (None, None)
        }
    };
    Ok(Held {
        factor: FactorId(factor.id),
        kind: factor.params.kind(),
        label: factor.label.clone(),
        digits: Some(factor.params.digits()).filter(|digits| *digits > 0),
        pin: factor.has_pin(),
        target,
        rest_service,
        left: factor.recovery_left(),
        gate: factor.counter.clone().gate(read.now),
    })
}

/// How the limits of a whole account stand, whatever the factor.
pub(super) fn account_gate(account: &Account, channel: Channel, now: UnixTime) -> Gate {
    let window = if account.window_locked { Gate::UntilAdmin } else { Gate::Open };
    window.and(emergency_gate(account, channel, now))
}

/// The same for an emergency code, which failures of 30 days do not hold back.
pub(super) fn emergency_gate(account: &Account, channel: Channel, now: UnixTime) -> Gate {
    match channel {
        Channel::Proven => Gate::Open,
        Channel::Unproven => account.unproven.clone().gate(now),
    }
}

/// When the next attempt on any of some factors may be judged; open when there are none.
pub(super) fn most_lenient(factors: &mut dyn Iterator<Item = &Factor>, now: UnixTime) -> Gate {
    factors
        .map(|factor| {
            if factor.state == FactorState::Active {
                factor.counter.clone().gate(now)
            } else {
                Gate::Exhausted
            }
        })
        .reduce(Gate::more_lenient)
        .unwrap_or(Gate::Open)
}
