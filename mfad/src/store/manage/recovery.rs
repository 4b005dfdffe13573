//! Sets of recovery codes.

use mfa_proto::{admin::FactorId, answer::RecoveryCode};

use super::{Answer, Order};
use crate::store::{Refused, tx::Tx};

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
pub(in crate::store) fn recovery_new(_tx: &mut Tx<'_>, _new: RecoveryNew) -> Answer<NewRecovery> {
    Ok(Err(Refused::Invalid("this is not known here")))
}
