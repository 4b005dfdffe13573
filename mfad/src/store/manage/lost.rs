//! A factor that was lost: it is switched off, and its owner gets a code for an emergency; both or neither.
//!
//! Refuses what would be more than that: accounts that failures of 30 days lock, factors that failures ended, those
//! that were never proven, what a directory keeps, and devices that nobody has. Where root on the host wants it all the
//! same, it makes a code by itself ([`super::breakglass`]).

use mfa_proto::admin::FactorState;

use super::{
    Answer, Holding, Target,
    breakglass::{BreakGlass, NewBreakGlass, break_glass},
    change,
};
use crate::{
    limits::Gate,
    store::{Refused, StoreError, factor_row::Factor, tx::Tx},
};

/// A factor that was lost.
#[derive(Debug)]
pub struct Lost {
    /// The code that its owner is to get.
    pub code: BreakGlass,
    /// Which factor.
    pub target: Target,
}

/// Switches the factor off and makes the code.
pub(in crate::store) fn lost(tx: &mut Tx<'_>, wanted: &Lost) -> Answer<NewBreakGlass> {
    let Lost { code, target } = wanted;
    let user = &code.order.context.user;
    if user.realm.is_unassigned() {
        return Ok(Err(Refused::Invalid("nobody has this device, so nobody has lost it")));
    }
    let Some(held) = Holding::of(tx, user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let factor = match factor_of(&held, code, target) {
        Ok(factor) => factor,
        Err(refused) => return Ok(Err(refused)),
    };
    if held.account.window_locked {
        return Ok(Err(Refused::Locked { gate: Gate::UntilAdmin }));
    }
    // From here on a refusal takes back what was done before it: errors do.
    if factor.state == FactorState::Active {
        let states = (FactorState::Active, FactorState::Disabled);
        change::switch(tx, &code.order, target, states)?.map_err(StoreError::Refused)?;
    }
    break_glass(tx, code)?.map_err(StoreError::Refused).map(Ok)
}

/// The factor meant, which counts, or was switched off by somebody already.
fn factor_of<'h>(held: &'h Holding, code: &BreakGlass, target: &Target) -> Result<&'h Factor, Refused> {
    let lasting = |factor: &Factor| !factor.params.is_emergency();
    let index = held.find_among(target, &[FactorState::Active, FactorState::Disabled], lasting)?;
    let factor = held.factors.get(index).ok_or(Refused::NoSuchFactor)?;
    code.order.may_touch(factor)?;
    // Nobody has lost what the directory has taken back.
    if factor.tag.origin.is_withheld() { Err(Refused::GoneFromDirectory) } else { Ok(factor) }
}
