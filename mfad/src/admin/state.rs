//! Changes of what exists: switch off and on, remove, unlock, reset.

use mfa_proto::{
    admin::{FactorRef, Refusal, Reply},
    name::UserId,
    secret::SecretText,
};

use super::{Desk, refusal::change_refused};

impl Desk<'_> {
    pub(super) async fn disable(
        &self,
        target: FactorRef,
        code: Option<SecretText>,
    ) -> Result<Reply, Refusal> {
        let uid = self.root_or_self(&target.user).await?;
        self.proven(&target.user, uid, code).await?;
        let user = target.user.clone();
        let done = self.core.store().disable(self.context(&user), target).await;
        let factors = done.map_err(|e| change_refused(&user, "disable the factor", e))?;
        self.log_change("disable", &user);
        Ok(Reply::Done { factors })
    }

    pub(super) async fn enable(&self, target: FactorRef) -> Result<Reply, Refusal> {
        self.root_only("enable a factor")?;
        let user = target.user.clone();
        let done = self.core.store().enable(self.context(&user), target).await;
        let factors = done.map_err(|e| change_refused(&user, "enable the factor", e))?;
        self.log_change("enable", &user);
        Ok(Reply::Done { factors })
    }

    /// Root may remove the factors of accounts that are gone; no look-up stands in the way.
    pub(super) async fn remove(&self, target: FactorRef, code: Option<SecretText>) -> Result<Reply, Refusal> {
        if !self.peer.is_root() {
            let uid = self.root_or_self(&target.user).await?;
            self.proven(&target.user, uid, code).await?;
        }
        let user = target.user.clone();
        let done = self.core.store().remove(self.context(&user), target).await;
        let factors = done.map_err(|e| change_refused(&user, "remove the factor", e))?;
        self.log_change("remove", &user);
        Ok(Reply::Done { factors })
    }

    pub(super) async fn unlock(&self, user: UserId) -> Result<Reply, Refusal> {
        self.root_only("unlock an account")?;
        let done = self.core.store().unlock(self.context(&user)).await;
        let factors = done.map_err(|e| change_refused(&user, "unlock the account", e))?;
        self.log_change("unlock", &user);
        Ok(Reply::Done { factors })
    }

    pub(super) async fn reset(&self, user: UserId) -> Result<Reply, Refusal> {
        self.root_only("reset an account")?;
        let done = self.core.store().reset(self.context(&user)).await;
        let factors = done.map_err(|e| change_refused(&user, "reset the account", e))?;
        self.log_change("reset", &user);
        Ok(Reply::Done { factors })
    }
}
