//! The thread that owns the database. Takes all jobs that wait, runs them in one transaction, commits
//! once, and only then answers.
//!
//! Each job has a savepoint of its own, so one that fails takes nothing with it. A commit that fails
//! fails all of them, and the connection is closed: after a failed fsync nothing it remembers can be
//! relied on. Each later batch tries to open the file again, so the store recovers by itself.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

use mfa_proto::admin::Restored;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{error, info, warn};

use super::{
    StoreError, StoreSettings,
    audit_rows::{self, Event},
    backup::{self, Broken, Checked},
    error::explain,
    open::Database,
    reader::Reader,
    tx::{Read, Tx},
};
use crate::{clock::Clock, seal::Keyring};

/// The most jobs in one transaction: bounds how long the first of them waits.
const BATCH: usize = 256;

/// A job that reads.
pub(super) trait ReadJob: Send {
    /// Runs and answers; or answers with the error.
    fn run(self: Box<Self>, read: Result<Read<'_>, StoreError>);
}

/// A job that writes.
pub(super) trait WriteJob: Send {
    /// Runs inside the transaction.
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> Box<dyn Ran>;
    /// Answers that it did not run.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// A job that has run and waits for the commit.
pub(super) trait Ran {
    /// The error it ended with: its changes are taken back.
    fn error(&self) -> Option<&StoreError>;
    /// Answers; with its own result when the transaction is durable.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

/// What the thread is sent.
pub(super) enum Message {
    Read(Box<dyn ReadJob>),
    Write(Box<dyn WriteJob>),
    Settings(StoreSettings, oneshot::Sender<()>),
    Keyring(Keyring, oneshot::Sender<Result<(), StoreError>>),
    /// Where the database is, and the keys that open it.
    Place(oneshot::Sender<(PathBuf, Keyring)>),
    Restore(Box<Checked>, oneshot::Sender<Result<Restored, StoreError>>),
    Stop(oneshot::Sender<()>),
}

/// The state of the thread.
pub(super) struct Worker {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    keyring: Keyring,
    settings: StoreSettings,
    /// Only changed together with what `reader` is lent.
    database: Option<Database>,
    reader: Reader,
    /// Told of commits with rows that people may be told of.
    news: Arc<Notify>,
    /// The last batch failed, and that was logged.
    ailing: bool,
}

impl Worker {
    /// A worker with an open database, which lends to `reader`.
    pub(super) fn new(
        path: PathBuf,
        database: Database,
        keyring: Keyring,
        settings: StoreSettings,
        (reader, news): (Reader, Arc<Notify>),
    ) -> Self {
        let clock = reader.clock();
        let mut worker = Self { path, clock, keyring, settings, database: None, reader, news, ailing: false };
        worker.take(database);
        worker
    }

    /// Works until told to stop, or until nobody can send any more.
    pub(super) fn work(mut self, mut inbox: mpsc::Receiver<Message>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut reads = Vec::new();
            let mut writes = Vec::new();
            let mut message = Some(first);
            let mut stop = None;
            while let Some(taken) = message.take() {
                match taken {
                    Message::Read(job) => reads.push(job),
                    Message::Write(job) => writes.push(job),
                    Message::Settings(settings, reply) => {
                        self.settings = settings;
                        let _ = reply.send(());
                    }
                    Message::Keyring(keyring, reply) => {
                        drop(reply.send(self.replace_keyring(keyring)));
                    }
                    Message::Place(reply) => drop(reply.send((self.path.clone(), self.keyring.clone()))),
                    Message::Restore(copy, reply) => drop(reply.send(self.restore(*copy))),
                    Message::Stop(reply) => {
                        stop = Some(reply);
                        break;
                    }
                }
                if reads.len().saturating_add(writes.len()) < BATCH {
                    message = inbox.try_recv().ok();
                }
            }
            self.read_all(reads);
            self.write_all(writes);
            if let Some(reply) = stop {
                self.close();
                let _ = reply.send(());
                return;
            }
        }
        self.close();
    }

    /// The open database; opens it again after a failure.
    fn ensure(&mut self) -> Result<&mut Database, StoreError> {
        if self.database.as_ref().is_some_and(|database| !database.is_in_place()) {
            error!("{}: the database file was removed or replaced while in use", self.path.display());
            self.give_up();
        }
        if self.database.is_none() {
            let database = Database::open(&self.path, self.keyring.clone(), false)?;
            self.take(database);
        }
        self.database.as_mut().ok_or(StoreError::Internal)
    }

    /// Uses an open database, and lends a connection to it for looks. Without one, looks come here.
    fn take(&mut self, database: Database) {
        match database.for_reading(self.keyring.clone()) {
            Ok(loan) => self.reader.lend(loan),
            Err(error) => warn!("{}: no second connection: {error}; logins wait longer", self.path.display()),
        }
        self.database = Some(database);
    }

    /// Lets go of the database, whatever state it is in.
    fn give_up(&mut self) {
        self.reader.take_back();
        self.database = None;
    }

    fn read_all(&mut self, jobs: Vec<Box<dyn ReadJob>>) {
        if jobs.is_empty() {
            return;
        }
        let now = self.clock.now();
        let database = match self.ensure() {
            Ok(database) => database,
            Err(error) => {
                for job in jobs {
                    job.run(Err(error.clone()));
                }
                return self.fell_ill(&error);
            }
        };
        let connection = &database.connection;
        let began = connection.prepare_cached("BEGIN").and_then(|mut s| s.execute([]));
        for job in jobs {
            let read = match &began {
                Ok(_) => Ok(Read { connection, vault: &database.vault, head: &database.head, now }),
                Err(error) => Err(StoreError::Unavailable(explain(error))),
            };
            // A panic drops the job with its reply, which tells the caller.
            if catch_unwind(AssertUnwindSafe(|| job.run(read))).is_err() {
                error!("a job that reads ended in a panic");
            }
        }
        let ended = connection.prepare_cached("COMMIT").and_then(|mut s| s.execute([]));
        if let Err(error) = began.and(ended) {
            self.give_up();
            self.fell_ill(&StoreError::from(error));
        }
    }

    fn write_all(&mut self, jobs: Vec<Box<dyn WriteJob>>) {
        if jobs.is_empty() {
            return;
        }
        let (now, settings) = (self.clock.now(), self.settings.clone());
        let database = match self.ensure() {
            Ok(database) => database,
            Err(error) => {
                for job in jobs {
                    job.refuse(error.clone());
                }
                return self.fell_ill(&error);
            }
        };
        let before = database.head.clone();
        let Database { connection, vault, head, trail_cut, .. } = database;
        let mut tx = Tx { connection, vault, settings: &settings, head, now, news: false };
        let mut batch = Batch { ran: Vec::new(), suspect: None, trail_cut: std::mem::take(trail_cut) };
        let committed = batch.run(&mut tx, jobs).and_then(|()| {
            if *tx.head != before {
                tx.head.save(tx.connection, tx.vault)?;
            }
            tx.connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        });
        let news = tx.news && committed.is_ok();
        let suspect = committed.clone().err().or(batch.suspect);
        let committed = committed.map_err(|error| StoreError::NotDurable(error.to_string()));
        // Closed before anyone is answered: whoever asks again meets a fresh connection.
        if suspect.is_some() {
            self.give_up();
        }
        batch.ran.into_iter().for_each(|ran| ran.answer(committed.clone()));
        if news {
            self.news.notify_one();
        }
        match suspect {
            Some(error) => self.fell_ill(&error),
            None => self.got_well(),
        }
    }

    fn replace_keyring(&mut self, keyring: Keyring) -> Result<(), StoreError> {
        let before = std::mem::replace(&mut self.keyring, keyring);
        self.close();
        let opened = self.ensure().map(|_| ());
        if opened.is_err() {
            self.keyring = before;
            self.give_up();
        }
        opened
    }

    /// Puts a checked copy in the place of the database. One that cannot be read is not replaced here: what
    /// was used according to it may be readable again later.
    fn restore(&mut self, copy: Checked) -> Result<Restored, StoreError> {
        self.ensure()?;
        self.reader.take_back();
        let (running, now) = (self.database.take(), self.clock.now());
        let restored = backup::restore(&self.path, running, copy, (&self.settings, now));
        let opened = self.ensure().map(|_| ());
        let restored = restored.map_err(Broken::into_error)?;
        opened?;
        // The trail is another one now.
        self.news.notify_one();
        warn!("{}: replaced by a copy; the database before is replaced.db beside it", self.path.display());
        Ok(restored)
    }

    fn close(&mut self) {
        self.reader.take_back();
        if let Some(database) = self.database.take()
            && let Err((_, error)) = database.connection.close()
        {
            warn!("{}: the database was not closed cleanly: {error}", self.path.display());
        }
    }

    /// Tells the log once, not at each login.
    fn fell_ill(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.ailing, true) {
            error!("{}: {error}; logins are denied until this ends", self.path.display());
        }
    }

    fn got_well(&mut self) {
        if std::mem::replace(&mut self.ailing, false) {
            info!("{}: the database takes writes again", self.path.display());
        }
    }
}

impl Drop for Worker {
    /// Looks end with the thread, however it ends.
    fn drop(&mut self) {
        self.reader.take_back();
    }
}

/// The jobs of one transaction.
struct Batch {
    ran: Vec<Box<dyn Ran>>,
    /// A job met an error of the database itself.
    suspect: Option<StoreError>,
    /// The trail was found cut, which is yet to be written down.
    trail_cut: bool,
}

impl Batch {
    /// Runs all jobs up to the commit. An error is one of the whole transaction.
    fn run(&mut self, tx: &mut Tx<'_>, jobs: Vec<Box<dyn WriteJob>>) -> Result<(), StoreError> {
        let mut jobs = jobs.into_iter();
        let outcome = begin(tx, self.trail_cut).and_then(|()| jobs.try_for_each(|job| self.run_one(tx, job)));
        if let Err(error) = &outcome {
            let error = StoreError::NotDurable(error.to_string());
            jobs.for_each(|job| job.refuse(error.clone()));
        }
        outcome
    }

    fn run_one(&mut self, tx: &mut Tx<'_>, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        execute(tx, "SAVEPOINT job")?;
        let before = tx.head.clone();
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(tx)));
        let failed = if let Ok(ran) = &ran {
            ran.error().cloned()
        } else {
            error!("a job that writes ended in a panic");
            Some(StoreError::Internal)
        };
        self.ran.extend(ran.ok());
        if let Some(error) = failed {
            *tx.head = before;
            if matches!(error, StoreError::Unavailable(_)) {
                self.suspect = Some(error);
            }
            execute(tx, "ROLLBACK TO job")?;
        }
        execute(tx, "RELEASE job")?;
        // Some errors (disk full) make SQLite take the whole transaction back by itself.
        if tx.connection.is_autocommit() {
            return Err(StoreError::Unavailable("the transaction was taken back".to_owned()));
        }
        Ok(())
    }
}

fn begin(tx: &mut Tx<'_>, trail_cut: bool) -> Result<(), StoreError> {
    execute(tx, "BEGIN IMMEDIATE")?;
    if trail_cut {
        notice(tx, "audit_cut", "the end of the trail was changed or removed")?;
    }
    let Some(behind) = tx.head.observe(tx.now) else { return Ok(()) };
    warn!("the clock is {behind} s behind the last change in the database: was it set back?");
    notice(tx, "clock_back", &format!("{behind} s"))
}

/// Writes down what the daemon noticed by itself.
fn notice(tx: &mut Tx<'_>, what: &str, reason: &str) -> Result<(), StoreError> {
    let event = Event { what, context: None, factor: None, rule: None, verdict: "noticed", reason };
    audit_rows::append(tx, &event)
}

fn execute(tx: &Tx<'_>, sql: &str) -> Result<(), StoreError> {
    tx.connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
