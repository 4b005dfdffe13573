//! The look before the prompt, past the thread: a second connection, which can only read.
//!
//! In the thread's queue a look waits for the commit under way, and the attempts of those who have looked
//! already wait for the next one; past it, more attempts share each commit. Refuses to open the file by
//! itself: the thread lends the connection for as long as its own is open, so that what it does with a file
//! that ails, was replaced, or got other keys holds for looks too.

use std::sync::{Arc, Mutex, PoisonError};

use mfa_proto::name::UserId;
use rusqlite::Connection;

use super::{AccountView, Channel, StoreError, head::Head, open::Place, tx::Read, vault::Vault, view};
use crate::clock::Clock;

/// What the thread lends.
#[derive(Debug)]
pub(super) struct Loan {
    pub(super) connection: Connection,
    pub(super) vault: Vault,
    /// As it was when the file was opened: a look needs nothing of it.
    pub(super) head: Head,
    pub(super) place: Place,
}

/// The place where the thread leaves a connection for looks; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    loan: Arc<Mutex<Option<Loan>>>,
    clock: Arc<dyn Clock>,
}

impl Reader {
    /// A reader that has nothing to read with yet.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { loan: Arc::default(), clock }
    }

    /// The clock that tells whether waits are over.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Lends a connection; takes back what was lent before.
    pub(super) fn lend(&self, loan: Loan) {
        self.replace(Some(loan));
    }

    /// Takes the connection back: no look is under way afterwards.
    pub(super) fn take_back(&self) {
        self.replace(None);
    }

    fn replace(&self, loan: Option<Loan>) {
        *self.loan.lock().unwrap_or_else(PoisonError::into_inner) = loan;
        self.loan.clear_poison();
    }

    /// See [`super::Store::view`].
    pub(super) fn view(&self, user: &UserId, channel: Channel) -> Option<AccountView> {
        self.look(|read| view::view(read, user, channel))
    }

    /// Takes microseconds, unless pages have to come from the disk. `None` when it has to be asked of the
    /// store's thread, which knows what is wrong and what to do about it.
    pub(super) fn look<T>(&self, work: impl FnOnce(&Read<'_>) -> Result<T, StoreError>) -> Option<T> {
        // Poisoned by a look that ended in a panic: its transaction may still be open.
        let loan = self.loan.lock().ok()?;
        let Loan { connection, vault, head, place } = loan.as_ref()?;
        if !place.is_same() {
            return None;
        }
        let read = Read { connection, vault, head, now: self.clock.now() };
        let seen = within_transaction(connection, || work(&read));
        seen.inspect_err(|error| tracing::debug!("a look past the store's thread failed: {error}")).ok()
    }
}

/// All statements of a look see the same rows.
fn within_transaction<T>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let done = work();
    connection.prepare_cached("COMMIT")?.execute([])?;
    done
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, sync::mpsc};

    use mfa_proto::name::UserName;

    use super::*;
    use crate::{
        clock::{FakeClock, UnixTime},
        seal::Keyring,
        store::{LoginStore, Store, StoreSettings},
    };

    struct Fixture {
        directory: tempfile::TempDir,
        keyring: Keyring,
        store: Store,
    }

    impl Fixture {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let (path, keyring) = (directory.path().join("mfad.db"), Keyring::generate().unwrap());
            let clock = Arc::new(FakeClock::at(UnixTime(1_800_000_000)));
            Store::create(&path, &keyring, &*clock).unwrap();
            let store = Store::open(&path, keyring.clone(), StoreSettings::default(), clock).unwrap();
            Self { directory, keyring, store }
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("mfad.db")
        }

        /// Whether a look goes past the thread.
        fn sees(&self) -> bool {
            self.store.reader.view(&jane(), Channel::Proven).is_some_and(|view| !view.tampered)
        }
    }

    fn jane() -> UserId {
        UserId::local(UserName::new("jane").unwrap())
    }

    #[tokio::test]
    async fn a_look_does_not_wait_for_a_commit_under_way() {
        let f = Fixture::new();
        let (let_go, wait) = mpsc::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel();
        let store = f.store.clone();
        let write = tokio::spawn(async move {
            let hold = move |_: &mut crate::store::tx::Tx<'_>| {
                tell.send(()).unwrap();
                wait.recv().map_err(|_| StoreError::Internal)
            };
            store.write(hold).await
        });
        told.await.unwrap();
        assert!(f.sees());
        assert_eq!(LoginStore::of(&f.store).view(jane(), Channel::Proven).await.unwrap().shape, None);
        let_go.send(()).unwrap();
        assert_eq!(write.await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn a_file_that_was_replaced_is_not_looked_into() {
        let f = Fixture::new();
        let (here, away) = (f.path(), f.directory.path().join("away.db"));
        fs::rename(&here, &away).unwrap();
        assert!(!f.sees());
        let lost = LoginStore::of(&f.store).view(jane(), Channel::Proven).await;
        assert_eq!(lost, Err(StoreError::Missing(here.clone())));
        fs::rename(&away, &here).unwrap();
        assert!(!f.sees(), "the thread has not opened it again");
        f.store.ping().await.unwrap();
        assert!(f.sees());
    }

    #[tokio::test]
    async fn looks_go_on_with_other_keys_and_end_with_the_thread() {
        let f = Fixture::new();
        f.store.replace_keyring(f.keyring.clone()).await.unwrap();
        assert!(f.sees());
        assert!(f.store.replace_keyring(Keyring::generate().unwrap()).await.is_err());
        f.store.ping().await.unwrap();
        assert!(f.sees(), "the keys before are in force");
        f.store.shutdown().await;
        assert!(!f.sees());
        let after = LoginStore::of(&f.store).view(jane(), Channel::Proven).await;
        assert_eq!(after, Err(StoreError::Stopped));
        // The connection that can write was the last to close, which takes the log away.
        assert!(!f.directory.path().join("mfad.db-wal").exists());
    }

    #[tokio::test]
    async fn after_a_look_that_ended_in_a_panic_the_thread_is_asked() {
        let f = Fixture::new();
        let reader = f.store.reader.clone();
        let panicked = std::thread::spawn(move || {
            let _held = reader.loan.lock().unwrap();
            panic!("on purpose")
        });
        assert!(panicked.join().is_err());
        assert!(!f.sees());
        assert!(LoginStore::of(&f.store).view(jane(), Channel::Proven).await.is_ok());
        f.store.replace_keyring(f.keyring.clone()).await.unwrap();
        assert!(f.sees(), "a new connection has no such past");
    }
}
