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

    /// See [`super::Store::view`]; for threads that may block. `None` when it has to be asked of the store's
    /// thread, which knows what is wrong and what to do about it.
    pub(super) fn view(&self, user: &UserId, channel: Channel) -> Option<AccountView> {
        // Poisoned by a look that ended in a panic: its transaction may still be open.
        let loan = self.loan.lock().ok()?;
        let Loan { connection, vault, head, place } = loan.as_ref()?;
        if !place.is_same() {
            return None;
        }
        let read = Read { connection, vault, head, now: self.clock.now() };
        let seen = within_transaction(connection, || view::view(&read, user, channel));
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
