//! Finding the counter of a device again.

use mfa_proto::{admin::FactorId, answer::OtpCode};

use super::{Answer, Order, Target};
use crate::store::{Refused, tx::Tx};

/// Two codes of a device whose counter was lost.
#[derive(Debug)]
pub struct Resync {
    /// Who wants it, for whom.
    pub order: Order,
    /// Which factor; by default the only counter-based one.
    pub target: Target,
    /// The codes, as the device showed them one after the other.
    pub codes: [OtpCode; 2],
}

/// Moves the counter behind the two codes.
pub(in crate::store) fn resync(_tx: &mut Tx<'_>, _resync: &Resync) -> Answer<FactorId> {
    Ok(Err(Refused::Invalid("this is not known here")))
}
