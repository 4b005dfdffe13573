//! Codes that confirm a pending factor, or prove its owner before a change.

use mfa_proto::{admin::FactorId, secret::SecretText};

use super::{Answer, Order, Target};
use crate::store::{Issued, Judgment, MadeCode, Refused, Ticket, tx::Tx};

const NOT_YET: Refused = Refused::Invalid("this is not known here");

/// Makes a code.
pub(in crate::store) fn send(
    _tx: &mut Tx<'_>,
    _order: &Order,
    _target: &Target,
    _made: Option<MadeCode>,
) -> Answer<Issued> {
    Ok(Err(NOT_YET))
}

/// It could not be sent.
pub(in crate::store) fn unsent(_tx: &mut Tx<'_>, _order: &Order, _factor: FactorId) -> Answer<()> {
    Ok(Err(NOT_YET))
}

/// A pending factor is to be proven by an outside service.
pub(in crate::store) fn consult_pending(
    _tx: &mut Tx<'_>,
    _order: &Order,
    _factor: Option<FactorId>,
) -> Answer<Ticket> {
    Ok(Err(NOT_YET))
}

/// It was judged.
pub(in crate::store) fn settle_pending(
    _tx: &mut Tx<'_>,
    _ticket: Ticket,
    _judgment: Judgment,
) -> Answer<FactorId> {
    Ok(Err(NOT_YET))
}

/// Makes a token.
pub(in crate::store) fn token_issue(
    _tx: &mut Tx<'_>,
    _order: &Order,
    _target: &Target,
) -> Answer<SecretText> {
    Ok(Err(NOT_YET))
}
