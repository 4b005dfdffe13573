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
    worth: Worth,
    failed: Option<Failed>,
}

/// How a proof counts towards a login that needs several.
#[derive(Clone, Debug)]
pub(super) struct Worth {
    /// It is the last that is needed.
    pub(super) last: bool,
    /// Factors with the same secret; `None` where one factor is enough, so that nobody looked.
    pub(super) twins: Option<Vec<FactorId>>,
}

/// Attempts that failed since the success before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failed {
    /// How many.
    pub count: u32,
    /// Where the last of them came from, as claimed; empty when nothing was claimed.
    pub from: String,
}

impl Worth {
    /// One factor is enough.
    #[cfg(test)]
    const ALONE: Self = Self { last: true, twins: None };
    /// It ends any login, and nothing else has its secret.
    const ENOUGH: Self = Self { last: true, twins: Some(Vec::new()) };
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

    /// Other factors that this proves as well, because they have the same secret; `None` where one factor was
    /// all that was needed.
    pub fn twins(&self) -> Option<&[FactorId]> {
        self.worth.twins.as_deref()
    }

    /// Whether it was the last that the login needed.
    pub fn is_last(&self) -> bool {
        self.worth.last
    }

    /// Whether this and another are proofs of two different factors of one user.
    pub fn differs_from(&self, other: &Self) -> bool {
        let apart = |one: &Self, two: &Self| one.twins().is_some_and(|twins| !twins.contains(&two.factor));
        self.user == other.user && self.factor != other.factor && apart(self, other) && apart(other, self)
    }

    /// Attempts that failed since the success before, if any did.
    pub fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }

    /// The same, of a user whose attempts had failed before.
    pub(super) fn after(self, failed: Option<Failed>) -> Self {
        Self { failed, ..self }
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
    (factor, moved): (&mut Factor, Moving),
    worth: Worth,
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
        worth,
        failed: None,
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
        worth: Worth::ENOUGH,
        failed: None,
    }))
}

#[cfg(test)]
impl Proof {
    /// A proof of nothing: for the tests of what is built on proofs. Not in any program.
    pub(crate) fn of_nothing(user: UserId) -> Self {
        let (factor, kind, worth) = (FactorId(1), FactorKind::Totp, Worth::ALONE);
        Self { user, factor, kind, recovery_left: None, emergency: None, worth, failed: None }
    }

    /// The same, by a recovery code.
    pub(crate) fn of_recovery(user: UserId, left: u32) -> Self {
        let kind = FactorKind::Recovery;
        Self { kind, recovery_left: Some(left), ..Self::of_nothing(user) }
    }

    /// The same, by an emergency code.
    pub(crate) fn of_emergency(user: UserId, made: UnixTime) -> Self {
        let (kind, factor) = (FactorKind::BreakGlass, FactorId(8));
        Self { kind, factor, emergency: Some(made), worth: Worth::ENOUGH, ..Self::of_nothing(user) }
    }

    /// One of several proofs of a login.
    pub(crate) fn one_of_several(user: UserId, factor: i64, (last, twins): (bool, &[i64])) -> Self {
        let twins = Some(twins.iter().map(|id| FactorId(*id)).collect());
        Self { factor: FactorId(factor), worth: Worth { last, twins }, ..Self::of_nothing(user) }
    }

    /// The same, after failures.
    pub(crate) fn after_failures(self, count: u32, from: &str) -> Self {
        self.after(Some(Failed { count, from: from.to_owned() }))
    }
}
