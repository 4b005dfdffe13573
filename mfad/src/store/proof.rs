//! The proof that a factor was proven: the only thing a login can be accepted with.
//!
//! Built here only, right after the row that consumes the code was changed or deleted; it leaves the store
//! only when the transaction is durable. Refuses to be copied, stored or sent.

use mfa_proto::{
    admin::{FactorId, FactorKind},
    name::UserId,
};

use super::{StoreError, factor_row::Factor, tx::Tx};
use crate::{clock::UnixTime, factor::Moving};

/// A factor was proven by a code that is used up now.
#[derive(Debug)]
#[must_use]
pub struct Proof {
    user: UserId,
    factor: FactorId,
    kind: FactorKind,
    recovery_left: Option<u32>,
    emergency: Option<UnixTime>,
}

impl Proof {
    /// Whose factor.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Which factor.
    pub fn factor(&self) -> FactorId {
        self.factor
    }

    /// Of which kind.
    pub fn kind(&self) -> FactorKind {
        self.kind
    }

    /// Recovery codes that are left, when it was one of them.
    pub fn recovery_left(&self) -> Option<u32> {
        self.recovery_left
    }

    /// When the emergency code was made, if it was one.
    pub fn emergency(&self) -> Option<UnixTime> {
        self.emergency
    }
}

/// Moves a factor past a code that was right. A proof if exactly one row changed; `None` if the code, or
/// a later one, was used meanwhile.
pub(super) fn consume(
    tx: &Tx<'_>,
    user: &UserId,
    factor: &mut Factor,
    moved: Moving,
) -> Result<Option<Proof>, StoreError> {
    factor.moving = moved;
    factor.counter.succeed();
    factor.last_used = Some(tx.now);
    let rows = factor.consume(tx)?;
    Ok((rows == 1).then(|| Proof {
        user: user.clone(),
        factor: FactorId(factor.id),
        kind: factor.params.kind(),
        recovery_left: factor.recovery_left(),
        emergency: None,
    }))
}

/// Deletes an emergency code that was right. A proof if exactly one row is gone; `None` if it was used
/// meanwhile.
pub(super) fn spend(tx: &Tx<'_>, user: &UserId, factor: &Factor) -> Result<Option<Proof>, StoreError> {
    if !factor.params.is_emergency() || factor.is_void(tx.now) {
        return Err(StoreError::Internal);
    }
    let rows = factor.delete_active(tx)?;
    Ok((rows == 1).then(|| Proof {
        user: user.clone(),
        factor: FactorId(factor.id),
        kind: factor.params.kind(),
        recovery_left: None,
        emergency: Some(factor.created),
    }))
}

#[cfg(test)]
impl Proof {
    /// A proof of nothing: for the tests of what is built on proofs. Not in any program.
    pub(crate) fn of_nothing(user: UserId) -> Self {
        Self { user, factor: FactorId(1), kind: FactorKind::Totp, recovery_left: None, emergency: None }
    }

    /// The same, by a recovery code.
    pub(crate) fn of_recovery(user: UserId, left: u32) -> Self {
        Self { kind: FactorKind::Recovery, recovery_left: Some(left), ..Self::of_nothing(user) }
    }

    /// The same, by an emergency code.
    pub(crate) fn of_emergency(user: UserId, made: UnixTime) -> Self {
        Self { kind: FactorKind::BreakGlass, emergency: Some(made), ..Self::of_nothing(user) }
    }
}
