//! Changes of what exists: switch off and on, remove, unlock, reset.

use mfa_proto::{
    admin::{FactorRef, Refusal, Reply},
    name::UserId,
    secret::SecretText,
};

use super::{Desk, refusal::not_done};
use crate::store::{StoreError, Target};

impl Desk<'_> {
    pub(super) async fn disable(
        &self,
        target: FactorRef,
        code: Option<SecretText>,
    ) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let uid = if self.acts_for_any() && user.realm.is_unassigned() {
            None
        } else {
            self.root_or_self(&user).await?
        };
        let done = self.core.store().disable(self.order(&user, uid, code)?, target).await;
        self.changed("disable", &user, done.map(|_| 1))
    }

    pub(super) async fn enable(&self, target: FactorRef) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let done = self.core.store().enable(self.root_order(&user, "enable a factor")?, target).await;
        self.changed("enable", &user, done.map(|_| 1))
    }

    /// Root removes factors of accounts that are gone as well: no look-up stands in the way.
    pub(super) async fn remove(&self, target: FactorRef, code: Option<SecretText>) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let uid = if self.acts_for_any() { None } else { self.root_or_self(&user).await? };
        let done = self.core.store().remove(self.order(&user, uid, code)?, target).await;
        self.changed("remove", &user, done)
    }

    pub(super) async fn unlock(&self, user: UserId) -> Result<Reply, Refusal> {
        let done = self.core.store().unlock(self.root_order(&user, "unlock an account")?).await;
        self.changed("unlock", &user, done)
    }

    pub(super) async fn reset(&self, user: UserId) -> Result<Reply, Refusal> {
        let done = self.core.store().reset(self.root_order(&user, "reset an account")?).await;
        self.changed("reset", &user, done)
    }

    pub(super) fn changed(
        &self,
        what: &str,
        user: &UserId,
        done: Result<u32, StoreError>,
    ) -> Result<Reply, Refusal> {
        let factors = done.map_err(|error| not_done(user, what, self.core.now(), &error))?;
        self.log_change(what, user);
        Ok(Reply::Done { factors })
    }
}

/// Whose and which, as the store has it.
pub(super) fn taken_apart(target: FactorRef) -> (UserId, Target) {
    (target.user, Target { factor: target.factor, label: target.label })
}
