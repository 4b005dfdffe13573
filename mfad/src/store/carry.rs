//! Codes that a client made itself, which are only to be carried to an address that is held here.
//!
//! They pass what codes of logins pass, and count towards the same caps. Refuses to know them: no code comes
//! here, so nothing is kept that an answer could be compared with.

use mfa_proto::{
    admin::{FactorId, FactorState},
    egress::Medium,
    secret::SecretText,
    text::ShownText,
};

use super::{
    Channel, StoreError,
    account::Account,
    audit_rows::{self, Event},
    challenge,
    factor_row::{self, Factor},
    roster,
    sent::{self, Pause},
    tx::Tx,
    view::account_gate,
};
use crate::{audit::Context, factor::Secret};

/// What the trail calls it.
const EVENT: &str = "deliver";

/// A code is to be carried to somebody whose password was proven.
#[derive(Debug)]
pub struct Carry {
    /// Who asks, for whom, from where.
    pub context: Context,
    /// The policy rule that says which kinds count, for the trail.
    pub rule: Option<String>,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// By which factor it is to go; or why by none, which is only written down.
    pub by: Result<FactorId, Hindrance>,
}

/// Why a code is not carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hindrance {
    /// A rule lets nobody in.
    Policy,
    /// No address is held that fits, or several are and none is named.
    NoAddress,
    /// Nothing is configured that sends.
    NoGateway,
    /// Attempts are used up.
    Locked,
    /// Something was sent there a moment ago.
    TooSoon,
    /// Too many were sent.
    Capped,
    /// The account has another uid than at enrollment.
    Orphaned,
    /// The stored rows fail their integrity check.
    Tampered,
}

impl Hindrance {
    /// The word in the trail.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::NoAddress => "no_address",
            Self::NoGateway => "no_gateway",
            Self::Locked => "locked",
            Self::TooSoon => "too_soon",
            Self::Capped => "capped",
            Self::Orphaned => "orphaned",
            Self::Tampered => "tampered",
        }
    }
}

/// Where a code is to go. By the time it is known it is counted, and stands in the trail.
#[derive(Debug)]
pub struct Addressed {
    /// Of which factor.
    pub factor: FactorId,
    /// The telephone number or mail address.
    pub to: SecretText,
    /// The same, as it may be shown.
    pub masked: ShownText,
    /// How it travels.
    pub medium: Medium,
}

/// Where a code is to be carried, if it may be. Either way the trail says so.
pub(super) fn carry(tx: &mut Tx<'_>, wanted: &Carry) -> Result<Result<Addressed, Hindrance>, StoreError> {
    let addressed = match addressed(tx, wanted) {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: no code is carried to {}", wanted.context.user);
            Err(Hindrance::Tampered)
        }
        other => other?,
    };
    let (factor, verdict, reason) = match &addressed {
        Ok(addressed) => (Some(addressed.factor), "done", medium_word(addressed.medium)),
        Err(hindrance) => (wanted.by.ok(), "deny", hindrance.word()),
    };
    record(tx, (&wanted.context, wanted.rule.as_deref()), (factor, verdict, reason))?;
    Ok(addressed)
}

fn addressed(tx: &mut Tx<'_>, wanted: &Carry) -> Result<Result<Addressed, Hindrance>, StoreError> {
    let FactorId(id) = match wanted.by {
        Ok(factor) => factor,
        Err(hindrance) => return Ok(Err(hindrance)),
    };
    let Some(account) = roster::find(&tx.read(), &wanted.context.user)? else {
        return Ok(Err(Hindrance::NoAddress));
    };
    if account.uid != wanted.uid {
        return Ok(Err(Hindrance::Orphaned));
    }
    let factors = factor_row::load_all(&tx.read(), &account)?;
    let fits = |f: &&Factor| f.id == id && f.state == FactorState::Active && f.params.is_sent();
    match factors.iter().find(fits) {
        Some(factor) => by(tx, &account, factor),
        None => Ok(Err(Hindrance::NoAddress)),
    }
}

fn by(
    tx: &mut Tx<'_>,
    account: &Account,
    factor: &Factor,
) -> Result<Result<Addressed, Hindrance>, StoreError> {
    let gate = account_gate(account, Channel::Proven, tx.now).and(factor.counter.clone().gate(tx.now));
    if !gate.is_open() {
        return Ok(Err(Hindrance::Locked));
    }
    // What is under way there stays as it is; rows that were changed show.
    challenge::of(&tx.read(), factor)?;
    let secret = factor.open_secret(&tx.read(), account)?;
    let number = sent::number_of(&tx.read(), &secret)?;
    let Secret::Address(to) = secret else { return Err(StoreError::Internal) };
    let interval = tx.settings.sent.resend_interval;
    match sent::count_apart(tx, account, (number, interval))? {
        Ok(()) => {}
        Err(Pause::TooSoon) => return Ok(Err(Hindrance::TooSoon)),
        Err(Pause::Capped(until)) => {
            tracing::warn!(
                "no more codes are carried by factor {} before {}: too many were",
                factor.id,
                until.0
            );
            return Ok(Err(Hindrance::Capped));
        }
    }
    let (masked, medium) = (to.masked(), to.medium());
    let to = SecretText::new(to.expose().to_owned()).map_err(|_| StoreError::Internal)?;
    Ok(Ok(Addressed { factor: FactorId(factor.id), to, masked, medium }))
}

/// Writes down that a code was not delivered after all. What was counted stays counted.
pub(super) fn undelivered(tx: &mut Tx<'_>, context: &Context, factor: FactorId) -> Result<(), StoreError> {
    record(tx, (context, None), (Some(factor), "unavailable", "undelivered"))
}

fn record(
    tx: &mut Tx<'_>,
    (context, rule): (&Context, Option<&str>),
    (factor, verdict, reason): (Option<FactorId>, &str, &str),
) -> Result<(), StoreError> {
    let event = Event { what: EVENT, context: Some(context), factor, rule, verdict, reason };
    audit_rows::append(tx, &event)
}

const fn medium_word(medium: Medium) -> &'static str {
    match medium {
        Medium::Sms => "sms",
        Medium::Mail => "mail",
    }
}
