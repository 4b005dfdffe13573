//! The first token that a domain signs for a user: it makes the factor that it is used up with.
//!
//! Refuses a domain that the user has a factor of already, in whatever state.

use std::sync::Arc;

use mfa_proto::name::FactorLabel;

use super::trial::Trial;
use crate::{
    factor::{Params, Secret, TokenSecret},
    store::{
        StoreError,
        attempt::Attempt,
        bench::Bench,
        manage::{self, Authority, NewFactor, Order},
        nonce::{self, Memory},
        proof::Proof,
        roster,
        tx::Tx,
    },
};

/// Enrolls a user whom a domain has signed a token for, when the user has no factor of that domain yet, so
/// that nonces and limits have a home. The token is used up with it.
pub(super) fn newcomer(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    trial: &Trial<'_>,
    known: &[FactorLabel],
) -> Result<Option<Proof>, StoreError> {
    let settings = Arc::clone(&tx.settings.token);
    let mut signed = None;
    for domain in settings.domains.iter().filter(|domain| !known.contains(&domain.name)) {
        // No early exit, as for factors.
        let step = trial.signed_by(domain, tx.now);
        signed = signed.or(step.map(|step| (domain, step)));
    }
    let Some((domain, step)) = signed else { return Ok(None) };
    if nonce::is_known(tx, &trial.hash)? {
        return Ok(None);
    }
    let order = Order { context: attempt.context.clone(), uid: attempt.uid, authority: Authority::Admin };
    let new = NewFactor {
        order,
        label: domain.name.clone(),
        params: Params::Token,
        start: Params::Token.start(0),
        secret: Secret::Token(TokenSecret::Domain(domain.name.clone())),
        activate: true,
        replace: false,
    };
    let added = match manage::enroll(tx, new)? {
        Ok(added) => added,
        Err(refused) => {
            tracing::warn!(
                "{} has signed for {}, but no factor can be added: {refused}",
                domain.name,
                trial.user
            );
            return Ok(None);
        }
    };
    let Some(account) = roster::find(&tx.read(), trial.user)? else { return Err(StoreError::Internal) };
    let session = attempt.context.session.as_str();
    let mut bench = Bench::counting(&tx.read(), account, session, &attempt.counting)?;
    let index = bench.factors.iter().position(|factor| factor.id == added.factor.0);
    let index = index.ok_or(StoreError::Internal)?;
    let factor = bench.factors.get(index).ok_or(StoreError::Internal)?;
    let moved = Memory::of(&tx.read(), factor)?.remember(tx, factor, trial.hash, step)?;
    bench.consume(tx, trial.user, index, moved).map(Some)
}
