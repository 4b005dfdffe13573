//! Making signed tokens for machines that do not sign for themselves.

use mfa_proto::{
    admin::{FactorKind, FactorState},
    secret::SecretText,
};

use super::{Answer, Holding, Order, Target, authorize};
use crate::store::{Refused, audit_rows, token, tx::Tx};

/// Makes a fresh token for an active factor; without a target, the user's only one of this kind.
///
/// An owner needs a current code for it, as for every change: whoever came to an account without a second
/// factor must not get one here.
pub(in crate::store) fn token_issue(
    tx: &mut Tx<'_>,
    mut order: Order,
    target: &Target,
) -> Answer<SecretText> {
    let user = order.context.user.clone();
    let Some(held) = Holding::of(tx, &user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if held.account.uid != order.uid {
        return Ok(Err(Refused::Orphaned));
    }
    let index = match held.find_kind(target, &[FactorState::Active], FactorKind::Token) {
        Ok(index) => index,
        Err(refused) => return Ok(Err(refused)),
    };
    if tx.now.is_unset() {
        return Ok(Err(Refused::ClockUnusable));
    }
    if let Err(refused) = authorize(tx, &mut order, Some(&held))? {
        return Ok(Err(refused));
    }
    let Some(factor) = held.factors.get(index) else { return Ok(Err(Refused::NoSuchFactor)) };
    let Some(made) = token::issue(tx, &user, &held.account, factor)? else {
        return Ok(Err(Refused::Invalid("the factor's domain is not in the configuration: see [token]")));
    };
    audit_rows::append_change(tx, &order.context, "token_issue", Some(factor.id))?;
    Ok(Ok(made))
}
