//! One token, judged for one factor: who would have had to sign it, and whether it was used.

use mfa_proto::{answer::SignedToken, name::UserId};

use crate::{
    clock::UnixTime,
    factor::{
        Secret, TokenDomain, TokenSecret, TokenSettings,
        token::{Jid, Signer},
    },
    seal::Mac,
    store::{
        StoreError,
        account::Account,
        factor_row::Factor,
        nonce::{self, Memory},
        tx::{Read, Tx},
    },
};

/// What a token turned out to be for one factor.
pub(super) enum Judged {
    /// Right, and not used before.
    Right { memory: Memory, step: i64 },
    /// Right, but used before, or as old as one that has been forgotten.
    Used,
    /// Not right.
    Wrong,
    /// Right, but no more can be remembered.
    Full { until: UnixTime },
    /// A token was used when the clock was far ahead.
    ClockUnusable,
}

/// A token while it is judged for an account.
pub(super) struct Trial<'a> {
    token: &'a SignedToken,
    pub(super) user: &'a UserId,
    pub(super) hash: Mac,
}

impl<'a> Trial<'a> {
    pub(super) fn of(tx: &Tx<'_>, user: &'a UserId, token: &'a SignedToken) -> Result<Self, StoreError> {
        let hash = nonce::hash_of(tx, user, token.signed())?;
        Ok(Self { token, user, hash })
    }

    /// The step that a token is right for, if a domain signed it for this user.
    pub(super) fn signed_by(&self, domain: &TokenDomain, now: UnixTime) -> Option<i64> {
        let signer = Signer { seed: &domain.seed, signing: &domain.signing };
        let step = signer.verify(self.token, &Jid::new(self.user.name.as_str(), domain.name.as_str()), now);
        step.filter(|_| self.token.nonce().len() == usize::from(domain.nonce_digits))
    }

    fn right_step(&self, settings: &TokenSettings, secret: &TokenSecret, now: UnixTime) -> Option<i64> {
        match secret {
            TokenSecret::Domain(name) => {
                let domain = settings.domains.iter().find(|domain| domain.name == *name);
                if domain.is_none() {
                    tracing::warn!(
                        "{} holds a factor of [token.\"{name}\"], which is not in the configuration: its tokens are wrong",
                        self.user
                    );
                }
                self.signed_by(domain?, now)
            }
            TokenSecret::Own { seed, signing } => {
                let jid = Jid::new(self.user.name.as_str(), &settings.host);
                Signer { seed, signing }.verify(self.token, &jid, now)
            }
        }
    }

    /// Judges it for one factor, whatever the factor's state.
    pub(super) fn judge(
        &self,
        tx: &Tx<'_>,
        account: &Account,
        factor: &Factor,
    ) -> Result<Judged, StoreError> {
        let memory = Memory::of(&tx.read(), factor)?;
        if memory.is_ahead(tx.now) {
            return Ok(Judged::ClockUnusable);
        }
        let secret = secret_of(&tx.read(), account, factor)?;
        let Some(step) = self.right_step(&tx.settings.token, &secret, tx.now) else {
            return Ok(Judged::Wrong);
        };
        self.right(tx, memory, step)
    }

    fn right(&self, tx: &Tx<'_>, memory: Memory, step: i64) -> Result<Judged, StoreError> {
        if memory.is_past(step) || nonce::is_known(tx, &self.hash)? {
            return Ok(Judged::Used);
        }
        Ok(match memory.full_until(step) {
            Some(until) => Judged::Full { until },
            None => Judged::Right { memory, step },
        })
    }
}

pub(super) fn secret_of(
    read: &Read<'_>,
    account: &Account,
    factor: &Factor,
) -> Result<TokenSecret, StoreError> {
    match factor.open_secret(read, account)? {
        Secret::Token(secret) => Ok(secret),
        Secret::Seed(_)
        | Secret::Address(_)
        | Secret::Outside(_)
        | Secret::Recovery(_)
        | Secret::BreakGlass(_) => Err(StoreError::Tampered(format!(
            "the secret of factor {} of {account} is none of tokens",
            factor.id
        ))),
    }
}
