//! The database: who holds which factor, how far each has moved, how often it failed, and what happened.
//!
//! One thread owns it; many jobs share one durable commit, and no answer leaves before that. A login gets
//! [`Proof`] from here and nowhere else. Refuses to know sockets, policy and people.
//!
//! What the files do: `worker` the thread and its transactions · `open`, `create`, `migrations` the file ·
//! `vault` its keys · `roster` who is enrolled and who provably is not · `account`, `factor_row`, `head`,
//! `audit_rows` the rows, each with a code over all its columns · `attempt`, `proof`, `view`, `decoy` the
//! login · `manage` changes by administrators and owners.

mod account;
mod attempt;
mod audit_query;
mod audit_rows;
mod call;
mod create;
mod decoy;
mod error;
mod factor_row;
mod head;
mod look;
mod manage;
mod migrations;
mod open;
mod proof;
mod rekey;
mod roster;
mod seed;
mod tx;
mod vault;
mod view;
mod worker;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use mfa_proto::{
    admin::{AuditFilter, AuditPage, FactorId, UserDetail, UserPage},
    answer::OtpCode,
    name::UserId,
};
use tokio::sync::{mpsc, oneshot};

pub use self::{
    attempt::{Attempt, Channel, Outcome},
    audit_query::AuditCheck,
    error::{Refused, StoreError},
    look::Figures,
    manage::{Added, Authority, NewFactor, Order, Target},
    proof::Proof,
    seed::Seeded,
    view::AccountView,
};
use self::{
    call::Call,
    manage::Answer,
    open::Database,
    tx::{Read, Tx},
    worker::{Message, Worker},
};
use crate::{
    audit::Context,
    clock::{Clock, UnixTime},
    factor::Rules,
    limits::{Profile, ProfileName},
    seal::{KeyId, Keyring},
    session::Settled,
};

/// Jobs that may wait for the thread; more wait at their callers.
const QUEUE: usize = 1024;

/// What the store has to know of the configuration.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Limits on failures.
    pub profile: Profile,
    /// The same for attempts without proven password.
    pub unproven: Profile,
    /// How codes are judged.
    pub rules: Rules,
    /// The most factors of one user.
    pub max_factors: u32,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let profile = Profile::named(ProfileName::Default);
        Self { profile, unproven: profile.for_unproven(), rules: Rules::default(), max_factors: 8 }
    }
}

/// A handle to the store; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    outbox: mpsc::Sender<Message>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Makes a new database at `path`. Refuses to replace one.
    pub fn create(path: &Path, keyring: &Keyring, clock: &dyn Clock) -> Result<(), StoreError> {
        create::create(path, keyring, clock.now())
    }

    /// Opens the database at `path` and starts its thread. Refuses to make one.
    pub fn open(
        path: &Path,
        keyring: Keyring,
        settings: StoreSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let database = Database::open(path, keyring.clone(), true)?;
        let (outbox, inbox) = mpsc::channel(QUEUE);
        let worker = Worker {
            path: path.to_owned(),
            clock,
            keyring,
            settings,
            database: Some(database),
            ailing: false,
        };
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.work(inbox))
            .map_err(|e| StoreError::Unavailable(format!("no thread: {e}")))?;
        Ok(Self { outbox, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// What a login of `user` has to know before it asks.
    pub async fn view(&self, user: UserId, channel: Channel) -> Result<AccountView, StoreError> {
        self.read(move |read| view::view(read, &user, channel)).await
    }

    /// Judges a code. When the answer comes it is durable.
    pub async fn attempt(&self, attempt: Attempt) -> Result<Outcome, StoreError> {
        self.write(move |tx| attempt::attempt(tx, &attempt)).await
    }

    /// Writes down how a login ended that had no attempt.
    pub async fn record(&self, context: &Context, settled: &Settled) -> Result<(), StoreError> {
        let (context, settled) = (context.clone(), audit_rows::Ending::of(settled));
        self.write(move |tx| audit_rows::append_login(tx, &context, &settled)).await
    }

    /// Costs as much as an attempt, and leaves nothing behind.
    pub async fn decoy(&self) -> Result<(), StoreError> {
        self.write(decoy::decoy).await
    }

    /// Whether the thread answers and can read.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|_| Ok(())).await
    }

    /// Adds a factor.
    pub async fn enroll(&self, new: NewFactor) -> Result<Added, StoreError> {
        self.manage(move |tx| manage::enroll(tx, new)).await
    }

    /// Proves a pending factor by a code, which makes it active; without an id, the only pending one.
    pub async fn confirm(
        &self,
        order: Order,
        factor: Option<FactorId>,
        code: OtpCode,
    ) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::confirm(tx, &order, factor, &code)).await
    }

    /// Makes an active factor unusable until it is enabled again.
    pub async fn disable(&self, order: Order, target: Target) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::disable(tx, order, &target)).await
    }

    /// Makes a disabled factor usable again. Administrators only.
    pub async fn enable(&self, order: Order, target: Target) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::enable(tx, &order, &target)).await
    }

    /// Removes a factor, or all when the target names none. How many.
    pub async fn remove(&self, order: Order, target: Target) -> Result<u32, StoreError> {
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
        self.read(|read| Ok(look::figures(read))).await
    }

    /// Rows of the audit trail, oldest first.
    pub async fn audit(&self, filter: AuditFilter, limit: u32) -> Result<AuditPage, StoreError> {
        let limit = limit.max(1);
        let mut after = self.audit_begin(&filter).await?;
        let mut rows = Vec::new();
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        while let Some(from) = after {
            let filter = filter.clone();
            let missing =
                limit.saturating_add(1).saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let stretch = self.read(move |read| audit_query::forward(read, &filter, from, missing)).await?;
            rows.extend(stretch.found);
            after = if rows.len() > wanted { None } else { stretch.go_on };
        }
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        Ok(AuditPage { rows, more })
    }

    /// The number after which the rows that are wanted begin.
    async fn audit_begin(&self, filter: &AuditFilter) -> Result<Option<i64>, StoreError> {
        let Some(last) = filter.last else { return Ok(Some(filter.after)) };
        let (mut missing, mut upto, mut first) = (last, Some(i64::MAX), None);
        while let (Some(end), 1..) = (upto, missing) {
            let filter = filter.clone();
            let stretch = self.read(move |read| audit_query::backward(read, &filter, end, missing)).await?;
            missing = missing.saturating_sub(u32::try_from(stretch.found.len()).unwrap_or(u32::MAX));
            first = stretch.found.last().copied().or(first);
            upto = stretch.go_on;
        }
        Ok(first.map(|seq| seq.saturating_sub(1)))
    }

    /// Checks that the audit trail is whole.
    pub async fn check_audit(&self) -> Result<AuditCheck, StoreError> {
        let mut mark = None;
        loop {
            let from = mark;
            let (next, verdict) = self.read(move |read| audit_query::check(read, from)).await?;
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
            mark = next;
        }
    }

    /// Removes audit rows before a time, and the oldest beyond a number. How many.
    pub async fn prune_audit(&self, before: UnixTime, most: u64) -> Result<u64, StoreError> {
        let mut removed = 0_u64;
        loop {
            match self.write(move |tx| audit_query::prune(tx, before, most)).await? {
                0 => return Ok(removed),
                rows => removed = removed.saturating_add(rows),
            }
        }
    }

    /// Seals the rows of at most `limit` users with the current key. How many; none when all are.
    pub async fn rekey(&self, limit: u32) -> Result<u32, StoreError> {
        self.write(move |tx| rekey::step(tx, limit)).await
    }

    /// Whether the database at `path` holds anything that only key `id` opens. Looks at every row.
    pub fn uses_key(path: &Path, keyring: &Keyring, id: KeyId) -> Result<bool, StoreError> {
        open::uses_key(&Database::open(path, keyring.clone(), false)?, id)
    }

    /// Fills an empty store with users, for measurements; see [`Seeded`].
    pub async fn fill(
        &self,
        users: Vec<UserId>,
        make: impl Fn(usize) -> Seeded + Clone + Send + 'static,
    ) -> Result<(), StoreError> {
        self.read(|read| seed::room(read, 128 << 10)).await?;
        let order = self.read(move |read| Ok(seed::order(read, &users))).await?;
        let first = order.first().map_or([0; 16], |(slot, _)| *slot);
        self.write(move |tx| seed::begin(tx, first)).await?;
        let mut chunks = order.chunks(seed::CHUNK).peekable();
        while let Some(chunk) = chunks.next() {
            let next = chunks.peek().and_then(|next| next.first()).map_or([0; 16], |(slot, _)| *slot);
            let (chunk, make) = (chunk.to_vec(), make.clone());
            let filled = chunk.into_iter().map(move |(slot, n)| (slot, make(n)));
            self.write(move |tx| seed::fill(tx, filled.collect(), next)).await?;
        }
        self.read(|read| seed::room(read, 2 << 10)).await
    }

    /// Puts new settings in force for all jobs that come after.
    pub async fn replace_settings(&self, settings: StoreSettings) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Settings(settings, reply)).await?;
        answer.await.map_err(|_| StoreError::Stopped)
    }

    /// Uses the keys of another reading of the key file. Refuses one that lacks a key the database is
    /// sealed with, and goes on with those before.
    pub async fn replace_keyring(&self, keyring: Keyring) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Keyring(keyring, reply)).await?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Waits until the thread has ended, which it does by itself only in a panic.
    pub async fn ended(&self) {
        self.outbox.closed().await;
    }

    /// Finishes the jobs under way, closes the database and ends the thread.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.send(Message::Stop(reply)).await.is_ok() {
            let _ = done.await;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It has answered that it is done, or panicked; either way it ends without waiting.
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's thread ended in a panic");
        }
    }

    async fn send(&self, message: Message) -> Result<(), StoreError> {
        self.outbox.send(message).await.map_err(|_| StoreError::Stopped)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Read(Box::new(Call { work, reply }))).await?;
        answer.await.map_err(|_| StoreError::Internal)?
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Write(Box::new(Call { work, reply }))).await?;
        answer.await.map_err(|_| StoreError::Internal)?
    }

    /// A change that may be refused after a code was charged: the refusal is committed with the charge.
    async fn manage<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(work).await?.map_err(StoreError::Refused)
    }
}
