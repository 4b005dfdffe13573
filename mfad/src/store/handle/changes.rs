//! Changes by administrators and owners, and what they may look at.

use mfa_proto::{
    admin::{FactorId, UserDetail, UserPage},
    answer,
    name::UserId,
};

use super::Store;
use crate::{
    identity::Account,
    store::{
        Added, Device, Figures, Holder, NewFactor, Order, Reassign, StoreError, Target, look,
        manage::{self, Answer},
        tx::Tx,
    },
};

impl Store {
    /// Adds a factor.
    pub async fn enroll(&self, new: NewFactor) -> Result<Added, StoreError> {
        self.enroll_device(new, Device::default()).await
    }

    /// Proves a pending factor by a code, which makes it active; without an id, the only pending one.
    pub async fn confirm(
        &self,
        order: Order,
        factor: Option<FactorId>,
        code: answer::Answer,
    ) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::confirm(tx, &order, factor, &code)).await
    }

    /// Makes an active factor unusable until it is enabled again.
    pub async fn disable(&self, order: Order, target: Target) -> Result<FactorId, StoreError> {
        let order = self.proven(order).await?;
        self.manage(move |tx| manage::disable(tx, order, &target)).await
    }

    /// Makes a disabled factor usable again. Administrators only.
    pub async fn enable(&self, order: Order, target: Target) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::enable(tx, &order, &target)).await
    }

    /// Removes a factor, or all when the target names none. How many.
    pub async fn remove(&self, order: Order, target: Target) -> Result<u32, StoreError> {
        let order = self.proven(order).await?;
        self.manage(move |tx| manage::remove(tx, order, &target)).await
    }

    /// Ends all waits of a user; counts stay. Administrators only. How many factors.
    pub async fn unlock(&self, order: Order) -> Result<u32, StoreError> {
        self.manage(move |tx| manage::unlock(tx, &order)).await
    }

    /// Forgets failures, waits and drift, and brings watermarks back to now. Administrators only. How
    /// many factors.
    pub async fn reset(&self, order: Order) -> Result<u32, StoreError> {
        self.manage(move |tx| manage::reset(tx, &order)).await
    }

    /// Lets an account take over the factors of a user. Administrators only. How many factors.
    pub async fn reassign(&self, wish: Reassign) -> Result<u32, StoreError> {
        self.manage(move |tx| manage::reassign(tx, &wish)).await
    }

    /// Removes all of a user, unless `present`, which bears the name now, is the account that enrolled.
    /// Administrators only. How many factors.
    pub async fn prune(&self, order: Order, present: Account) -> Result<u32, StoreError> {
        self.manage(move |tx| manage::prune(tx, order, present)).await
    }

    /// Users in order of name, after one, with the uid at enrollment; and whether there are more.
    pub async fn holders(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<(Vec<Holder>, bool), StoreError> {
        self.read(move |read| look::holders(read, after.as_ref(), limit)).await
    }

    /// Users in order of name, after one.
    pub async fn list(&self, after: Option<UserId>, limit: u32) -> Result<UserPage, StoreError> {
        self.read(move |read| look::list(read, after.as_ref(), limit)).await
    }

    /// One user with its factors; whether it is orphaned is left open.
    pub async fn show(&self, user: UserId) -> Result<UserDetail, StoreError> {
        self.read(move |read| look::show(read, &user)).await?.map_err(StoreError::Refused)
    }

    /// Figures about the whole.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        self.read(look::figures).await
    }

    /// A change that may be refused after a code was charged: the refusal is committed with the charge.
    pub(super) async fn manage<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(work).await?.map_err(StoreError::Refused)
    }
}
