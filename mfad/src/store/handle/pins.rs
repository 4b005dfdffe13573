//! Where PINs are stretched: on threads that may block, a few at once, before the transaction that judges or keeps
//! them.
//!
//! Refuses whoever has waited too long for a place: a flood of guesses must not pile up memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mfa_proto::{
    answer::{Answer, Pin},
    name::UserId,
};
use tokio::sync::Semaphore;

use super::Store;
use crate::store::{Attempt, Authority, NewPin, Order, StoreError, Typed, pin::Plan, tx::Read};

/// PINs that are stretched at once: each takes 19 MiB.
const AT_ONCE: usize = 2;
/// How long one may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The places, and how often one was taken.
#[derive(Clone, Debug)]
pub(super) struct Pins {
    places: Arc<Semaphore>,
    taken: Arc<AtomicU64>,
}

impl Default for Pins {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), taken: Arc::default() }
    }
}

impl Pins {
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(StoreError::Unavailable("too many PINs are being checked".to_owned()));
        };
        self.taken.fetch_add(1, Ordering::Relaxed);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // The place travels with the thread: a caller that goes away does not make room for another.
            drop(place);
            done
        });
        done.await.map_err(|_| StoreError::Internal)
    }
}

impl Store {
    /// An answer, with its PIN stretched where it has one. Rows that were changed are left to the transaction,
    /// which denies.
    async fn stretched(&self, user: &UserId, typed: Typed) -> Result<Typed, StoreError> {
        if !typed.is_raw() {
            return Ok(typed);
        }
        let plan = match self.plan(user).await {
            Err(StoreError::Tampered(_)) => Plan::of_nobody()?,
            other => other?,
        };
        self.pins.work(move || typed.stretch(&plan)).await
    }

    /// The same work for a name without factor; nothing comes of it.
    pub async fn stretch_in_vain(&self, answer: Answer) -> Result<(), StoreError> {
        let typed = Typed::from(answer);
        if typed.is_raw() {
            let plan = Plan::of_nobody()?;
            drop(self.pins.work(move || typed.stretch(&plan)).await?);
        }
        Ok(())
    }

    pub(super) async fn prepared(&self, attempt: Attempt) -> Result<Attempt, StoreError> {
        let answer = self.stretched(&attempt.context.user, attempt.answer).await?;
        Ok(Attempt { answer, ..attempt })
    }

    /// An order whose owner's code can be judged.
    pub(super) async fn proven(&self, mut order: Order) -> Result<Order, StoreError> {
        if let Authority::Owner { code, .. } = &mut order.authority
            && let Some(typed) = code.take()
        {
            *code = Some(self.stretched(&order.context.user, typed).await?);
        }
        Ok(order)
    }

    /// A PIN that is to be set for a factor of a user, stretched.
    pub(super) async fn stretch_new(&self, user: &UserId, pin: Pin) -> Result<NewPin, StoreError> {
        let plan = self.plan(user).await?;
        let made = self.pins.work(move || plan.stretch_new(&pin)).await?;
        made.ok_or_else(|| StoreError::Unavailable("there is no memory to stretch a PIN".to_owned()))
    }

    async fn plan(&self, user: &UserId) -> Result<Plan, StoreError> {
        let look = |read: &Read<'_>| Plan::of(read, user);
        if let Some(plan) = self.reader.look(look) {
            return Ok(plan);
        }
        let user = user.clone();
        self.read(move |read| Plan::of(read, &user)).await
    }

    /// How often PINs were stretched since the start.
    pub fn pins_stretched(&self) -> u64 {
        self.pins.taken.load(Ordering::Relaxed)
    }
}
