//! Sets of recovery codes: a new one takes the place of the one before, whose codes are void.

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer::RecoveryCode,
    name::FactorLabel,
};
use zeroize::Zeroizing;

use super::{Answer, Authority, Holding, Order, authorize};
use crate::{
    factor::{Params, Secret},
    seal::SealError,
    store::{
        Refused, StoreError,
        account::Account,
        audit_rows,
        factor_row::{Factor, Fresh},
        factor_tag::Tag,
        manage::enroll,
        recovery::Set,
        tx::Tx,
    },
};

/// A wish for a new set of recovery codes.
#[derive(Debug)]
pub struct RecoveryNew {
    /// Who wants it, for whom. An owner needs an active factor and a current code.
    pub order: Order,
    /// How many: 1 to [`RecoveryCode::MOST`].
    pub count: u8,
}

/// A new set of recovery codes.
#[derive(Debug)]
pub struct NewRecovery {
    /// Its id.
    pub factor: FactorId,
    /// The codes, in order of number: to be shown once and forgotten.
    pub codes: Vec<RecoveryCode>,
}

/// Makes a new set in place of the one before.
pub(in crate::store) fn recovery_new(tx: &mut Tx<'_>, new: RecoveryNew) -> Answer<NewRecovery> {
    let RecoveryNew { mut order, count } = new;
    if count == 0 || count > RecoveryCode::MOST {
        return Ok(Err(Refused::Invalid("a set has 1 to 60 recovery codes")));
    }
    let user = order.context.user.clone();
    let mut held = Holding::of(tx, &user)?;
    // Codes on paper are for whoever has something to lose: they are not a way to begin.
    let active = held.as_ref().is_some_and(|held| held.holds(FactorState::Active, tx.now));
    if !active && !matches!(order.authority, Authority::Admin) {
        return Ok(Err(Refused::NotEnrolled));
    }
    if let Some(refused) = held.as_ref().and_then(taken) {
        return Ok(Err(refused));
    }
    if let Err(refused) = authorize(tx, &mut order, held.as_ref())? {
        return Ok(Err(refused));
    }
    if held.is_some() {
        // The code that authorized this has moved rows.
        held = Holding::of(tx, &user)?;
    }
    if held.as_ref().is_some_and(|held| held.account.uid != order.uid) {
        return Ok(Err(Refused::Orphaned));
    }
    if let Some(held) = &mut held {
        drop_set(tx, held)?;
    }
    let codes = (1..=count).map(fresh).collect::<Result<Vec<_>, _>>()?;
    let account = held.map(|held| held.account);
    let made = |tx: &Tx<'_>, set: Set| set.of_numbered(&tx.read(), &codes);
    let (_, factor) = insert(tx, &order, account, (Params::Recovery { digits: 0 }, made))?;
    audit_rows::append_change(tx, &order.context, "recovery_new", Some(factor))?;
    Ok(Ok(NewRecovery { factor: FactorId(factor), codes }))
}

fn fresh(number: u8) -> Result<RecoveryCode, StoreError> {
    let mut random = Zeroizing::new([0; RecoveryCode::RANDOM_BYTES]);
    getrandom::fill(&mut *random).map_err(|_| SealError::NoRandomness)?;
    RecoveryCode::new(number, &random).ok_or(StoreError::Internal)
}

/// What the set is called.
pub(super) fn label() -> Result<FactorLabel, StoreError> {
    FactorLabel::new(FactorKind::Recovery.word()).map_err(|_| StoreError::Internal)
}

fn is_set(factor: &Factor) -> bool {
    factor.params.kind() == FactorKind::Recovery
}

/// Whether a factor of another kind has the label.
pub(super) fn taken(held: &Holding) -> Option<Refused> {
    let label = label().ok()?;
    held.factors
        .iter()
        .any(|factor| !is_set(factor) && factor.label == label)
        .then_some(Refused::LabelTaken(label))
}

/// Whether there is a set.
pub(super) fn holds_set(held: &Holding) -> bool {
    held.factors.iter().any(is_set)
}

/// Deletes the set there is; the manifest still has to be written.
pub(super) fn drop_set(tx: &mut Tx<'_>, held: &mut Holding) -> Result<(), StoreError> {
    while let Some(index) = held.factors.iter().position(is_set) {
        held.delete(tx, index)?;
    }
    Ok(())
}

/// Writes a set, whose hashes are bound to the ids it gets. Its account and id.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    order: &Order,
    account: Option<Account>,
    (params, made): (Params, impl FnOnce(&Tx<'_>, Set) -> Result<Secret, StoreError>),
) -> Result<(Account, i64), StoreError> {
    let id = tx.head.take_factor_id();
    let account = enroll::take_in(tx, order, account, id)?;
    let secret = made(tx, Set { account: account.id, factor: id })?;
    tx.head.active_factors = tx.head.active_factors.saturating_add(1);
    let (label, state, moving) = (label()?, FactorState::Active, params.start(0));
    Factor::insert(
        tx,
        &account,
        Fresh { id, label, state, params, moving, secret: &secret, tag: Tag::default() },
    )?;
    Ok((account, id))
}
