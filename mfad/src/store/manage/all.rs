//! Adding many factors of one user at once, all or none: what was brought along from elsewhere.

use mfa_proto::{
    admin::{FactorKind, FactorState},
    answer::{OtpCode, RecoveryCode},
    name::FactorLabel,
};

use super::{Answer, Authority, Holding, Order, enroll, recovery};
use crate::{
    factor::{Moving, Params, Secret},
    store::{Refused, StoreError, audit_rows, recovery::Set, tx::Tx},
};

/// Digits of recovery codes that are brought along.
const DIGITS: u8 = 8;

/// One of the factors to add.
#[derive(Debug)]
pub struct Member {
    /// What the person calls it.
    pub label: FactorLabel,
    /// Kind and parameters.
    pub params: Params,
    /// Where it starts ([`Params::start`]).
    pub start: Moving,
    /// Its secret.
    pub secret: Secret,
}

/// Factors and recovery codes to add, all or none of them.
#[derive(Debug)]
pub struct EnrollAll {
    /// Who wants it, for whom. Administrators only.
    pub order: Order,
    /// The factors: active at once. Not those that codes are sent for, whose address has to be proven.
    pub factors: Vec<Member>,
    /// Single-use codes of 8 digits, at most [`mfa_proto::answer::RecoveryCode::MOST`].
    pub recovery: Vec<OtpCode>,
    /// Takes the place of factors with the same labels, and of the recovery codes before.
    pub replace: bool,
}

/// Adds all of them.
pub(in crate::store) fn enroll_all(tx: &mut Tx<'_>, all: EnrollAll) -> Answer<u32> {
    let EnrollAll { order, factors, recovery: codes, replace } = all;
    if let Err(refused) = acceptable(tx, &order, &factors, &codes) {
        return Ok(Err(refused));
    }
    let mut held = Holding::of(tx, &order.context.user)?;
    if let Some(held) = &mut held {
        if held.account.uid != order.uid {
            return Ok(Err(Refused::Orphaned));
        }
        if let Err(refused) = room(held, &factors, (!codes.is_empty(), replace)) {
            return Ok(Err(refused));
        }
        for member in &factors {
            enroll::drop_labelled(tx, held, &member.label, |_| true)?;
        }
        if !codes.is_empty() {
            recovery::drop_set(tx, held)?;
        }
    }
    let most = tx.settings.max_factors;
    let staying = held.as_ref().map_or(0, Holding::counted);
    if staying.saturating_add(factors.len()) > usize::try_from(most).unwrap_or(usize::MAX) {
        return Err(StoreError::Refused(Refused::TooMany(most)));
    }
    let added = factors.len().saturating_add(usize::from(!codes.is_empty()));
    let what = if replace { "enroll_replace" } else { "enroll" };
    let mut account = held.map(|held| held.account);
    for mut member in factors {
        // The code of this moment may have been used where the factor comes from.
        if matches!(member.params, Params::Totp(_)) {
            member.start = member.params.fenced(member.start, tx.now);
        }
        let (taken_in, factor) = enroll::insert(tx, &order, account, (&member, FactorState::Active))?;
        account = Some(taken_in);
        enroll::note(tx, &order, (what, member.params), factor.id)?;
    }
    if !codes.is_empty() {
        let made = |tx: &Tx<'_>, set: Set| set.of_digits(&tx.read(), &codes);
        let (_, id) = recovery::insert(tx, &order, account, (Params::Recovery { digits: DIGITS }, made))?;
        audit_rows::append_change(tx, &order.context, "recovery_new", Some(id))?;
    }
    u32::try_from(added).map(Ok).map_err(|_| StoreError::Internal)
}

/// Whether each of them could be added for itself.
fn acceptable(tx: &Tx<'_>, order: &Order, factors: &[Member], codes: &[OtpCode]) -> Result<(), Refused> {
    if !matches!(order.authority, Authority::Admin) {
        return Err(Refused::Invalid("only an administrator adds factors without proof by a code"));
    }
    if factors.is_empty() && codes.is_empty() {
        return Err(Refused::Invalid("there is nothing to add"));
    }
    if codes.len() > usize::from(RecoveryCode::MOST) {
        return Err(Refused::Invalid("a set has 1 to 60 recovery codes"));
    }
    if codes.iter().any(|code| code.digits() != DIGITS) {
        return Err(Refused::Invalid("recovery codes that are brought along have 8 digits"));
    }
    for (place, member) in factors.iter().enumerate() {
        enroll::sound(tx, member.params, &member.secret)?;
        if member.params.is_sent() {
            return Err(enroll::UNPROVEN_ADDRESS);
        }
        let same = |other: &Member| other.label == member.label;
        let set = !codes.is_empty() && member.label.as_str() == FactorKind::Recovery.word();
        if set || factors.iter().take(place).any(same) {
            return Err(Refused::LabelTaken(member.label.clone()));
        }
    }
    Ok(())
}

/// Whether what is held makes room.
fn room(held: &Holding, factors: &[Member], (recovery, replace): (bool, bool)) -> Result<(), Refused> {
    if recovery && let Some(taken) = recovery::taken(held) {
        return Err(taken);
    }
    if factors.iter().any(|member| held.is_of_directory(&member.label)) {
        return Err(Refused::OfDirectory);
    }
    if replace {
        return Ok(());
    }
    if recovery && recovery::holds_set(held) {
        return recovery::label().map_or(Ok(()), |label| Err(Refused::LabelTaken(label)));
    }
    let proven = |label: &FactorLabel| {
        held.factors.iter().any(|f| f.label == *label && f.state != FactorState::Pending)
    };
    match factors.iter().find(|member| proven(&member.label)) {
        Some(member) => Err(Refused::LabelTaken(member.label.clone())),
        None => Ok(()),
    }
}
