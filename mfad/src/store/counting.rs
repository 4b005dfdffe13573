//! Which factors of a user count for a login: those of the kinds that its rule names, but those that it has
//! proven already.
//!
//! Two factors with one secret are one: whoever has the one has the other. Refuses to judge answers.

use mfa_proto::admin::{FactorId, FactorState};

use super::{StoreError, account::Account, factor_row::Factor, tx::Read};
use crate::policy::Kinds;

/// What counts for a login, and what of it has been proven. The default is one factor of any kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counting {
    /// Kinds of factor that count.
    pub kinds: Kinds,
    /// How many different factors have to be proven: at least 1.
    pub needed: u8,
    /// The only factor that counts, where one was named.
    pub only: Option<FactorId>,
    /// Those that this login has proven already.
    pub proven: Vec<FactorId>,
}

impl Default for Counting {
    fn default() -> Self {
        Self { kinds: Kinds::ALL, needed: 1, only: None, proven: Vec::new() }
    }
}

impl Counting {
    /// Whether another success is the last that is needed.
    pub(super) fn is_last(&self) -> bool {
        self.proven.len().saturating_add(1) >= usize::from(self.needed)
    }

    /// Ids of factors that no answer of this login may be of.
    pub(super) fn barred(
        &self,
        read: &Read<'_>,
        account: &Account,
        factors: &[Factor],
    ) -> Result<Vec<i64>, StoreError> {
        let other = |factor: &&Factor| self.only.is_some_and(|FactorId(only)| factor.id != only);
        let kind =
            factors.iter().filter(|factor| !self.kinds.contains(factor.params.kind()) || other(factor));
        let mut barred: Vec<i64> = kind.map(|factor| factor.id).collect();
        for proven in factors.iter().filter(|factor| self.proven.contains(&FactorId(factor.id))) {
            barred.push(proven.id);
            barred.extend(twins(read, account, (proven, factors))?.into_iter().map(|FactorId(id)| id));
        }
        Ok(barred)
    }
}

/// The other factors of a user that have the secret of one of them, in whatever state.
pub(super) fn twins(
    read: &Read<'_>,
    account: &Account,
    (one, factors): (&Factor, &[Factor]),
) -> Result<Vec<FactorId>, StoreError> {
    let own = one.open_secret(read, account)?;
    let mut twins = Vec::new();
    for other in factors.iter().filter(|other| other.id != one.id && other.state != FactorState::Pending) {
        if own.is_of_one_holder(&other.open_secret(read, account)?) {
            twins.push(FactorId(other.id));
        }
    }
    Ok(twins)
}
