//! What callers see: a handle with one method per operation, and the way to the thread and back.

mod changes;
mod copies;
mod devices;
mod factors;
mod notices;
mod pins;
mod remembered;
mod trail;
mod upkeep;
mod waiting;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use mfa_proto::name::UserId;
use tokio::sync::{Notify, mpsc, oneshot};

pub use self::devices::Device;
use super::{
    AccountView, Attempt, Channel, Outcome, StoreError, StoreSettings, attempt, audit_rows,
    call::Call,
    create, decoy, failures,
    open::Database,
    reader::Reader,
    tx::{Read, Tx},
    view,
    worker::{Message, Worker},
};
use crate::{
    audit::Context,
    clock::{Clock, UnixTime},
    seal::Keyring,
    session::{Reason, Settled},
};

/// Jobs that may wait for the thread; more wait at their callers.
const QUEUE: usize = 1024;

/// A handle to the store; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    outbox: mpsc::Sender<Message>,
    /// The way past the thread.
    pub(super) reader: Reader,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// Held while the whole is copied or replaced: one at a time.
    copying: Arc<tokio::sync::Mutex<()>>,
    /// Told of commits with rows that people may be told of.
    news: Arc<Notify>,
    /// Held while the audit trail is checked: one at a time.
    checking: Arc<tokio::sync::Mutex<()>>,
    /// The store shuts down: what is under way beside its thread has to end.
    ended: Arc<AtomicBool>,
    /// Jobs that could not be done since the start.
    errors: Arc<AtomicU64>,
    /// Tells this opening of the database from every other.
    issuer: Arc<()>,
    /// Where PINs are stretched.
    pins: pins::Pins,
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
        let reader = Reader::new(clock);
        let news = Arc::new(Notify::new());
        let lent = (reader.clone(), Arc::clone(&news));
        let worker = Worker::new(path.to_owned(), database, keyring, settings, lent);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.work(inbox))
            .map_err(|e| StoreError::Unavailable(format!("no thread: {e}")))?;
        Ok(Self {
            outbox,
            reader,
            thread: Arc::new(Mutex::new(Some(thread))),
            news,
            copying: Arc::default(),
            checking: Arc::default(),
            ended: Arc::default(),
            errors: Arc::default(),
            issuer: Arc::default(),
            pins: pins::Pins::default(),
        })
    }

    /// What a login of `user` has to know before it asks.
    pub async fn view(&self, user: UserId, channel: Channel) -> Result<AccountView, StoreError> {
        self.read(move |read| view::view(read, &user, channel)).await
    }

    /// Judges a code. When the answer comes it is durable.
    pub async fn attempt(&self, attempt: Attempt) -> Result<Outcome, StoreError> {
        let attempt = self.prepared(attempt).await?;
        self.write(move |tx| attempt::attempt(tx, &attempt)).await
    }

    /// Writes down how a login ended that had no attempt.
    pub async fn record(&self, context: &Context, settled: &Settled) -> Result<(), StoreError> {
        let (context, settled) = (context.clone(), audit_rows::Ending::of(settled));
        self.write(move |tx| audit_rows::append_login(tx, &context, &settled)).await
    }

    /// Writes down that a password was refused which a front end had proven.
    pub async fn record_password(&self, context: &Context, reason: Reason) -> Result<(), StoreError> {
        let context = context.clone();
        self.write(move |tx| failures::append_password(tx, &context, reason)).await
    }

    /// Where failures came from since then, as they were claimed, and when: the oldest first, of the newest rows.
    pub async fn failures_since(&self, since: UnixTime) -> Result<Vec<(String, UnixTime)>, StoreError> {
        self.read(move |read| failures::since(read, since)).await
    }

    /// Costs as much as an attempt, and leaves nothing behind.
    pub async fn decoy(&self) -> Result<(), StoreError> {
        self.write(decoy::decoy).await
    }

    /// Whether the thread answers and can read.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|_| Ok(())).await
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
        self.end_checks().await;
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

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Read(Box::new(Call { work, reply }))).await?;
        self.counted(answer.await.map_err(|_| StoreError::Internal).flatten())
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Write(Box::new(Call { work, reply }))).await?;
        self.counted(answer.await.map_err(|_| StoreError::Internal).flatten())
    }

    /// Counts an error that is the store's; a refusal is none.
    fn counted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if done.as_ref().is_err_and(|error| !matches!(error, StoreError::Refused(_))) {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    /// Jobs that could not be done since the start.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Jobs that wait for the thread now.
    pub fn waiting(&self) -> u32 {
        let waiting = self.outbox.max_capacity().saturating_sub(self.outbox.capacity());
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{FakeClock, UnixTime};

    #[tokio::test]
    async fn a_job_that_panics_or_fails_takes_nothing_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let (path, keyring) = (directory.path().join("mfad.db"), Keyring::generate().unwrap());
        let clock = Arc::new(FakeClock::at(UnixTime(1_800_000_000)));
        Store::create(&path, &keyring, &*clock).unwrap();
        let store = Store::open(&path, keyring, StoreSettings::default(), clock).unwrap();
        let rows = |tx: &Tx<'_>| -> Result<i64, StoreError> {
            Ok(tx.connection.query_row("SELECT count(*) FROM audit", [], |row| row.get(0))?)
        };
        let add = |tx: &mut Tx<'_>| {
            let event = audit_rows::Event {
                what: "test",
                context: None,
                factor: None,
                rule: None,
                verdict: "done",
                reason: "ok",
            };
            audit_rows::append(tx, &event)
        };
        // Waiting together, so that they share a transaction.
        let panics = store.write::<()>(move |tx| {
            add(tx)?;
            panic!("on purpose")
        });
        let fails = store.write::<()>(move |tx| {
            add(tx)?;
            Err(StoreError::Internal)
        });
        let reads = store.read::<()>(|_| panic!("on purpose"));
        let (panicked, failed, added, read) = tokio::join!(panics, fails, store.write(add), reads);
        assert_eq!((panicked, failed), (Err(StoreError::Internal), Err(StoreError::Internal)));
        assert_eq!((added, read), (Ok(()), Err(StoreError::Internal)));
        assert_eq!(store.write(move |tx| rows(tx)).await.unwrap(), 2, "init and the one that went well");
        assert_eq!(store.check_audit().await.unwrap().broken_at, None);
    }
}
