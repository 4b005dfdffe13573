//! The audit trail as a whole: checked beside everything else.
//!
//! On a thread and a connection of its own, so that no login waits for it; one at a time, and never while the
//! database is copied or replaced. It ends early when nobody waits for it any more, or the store shuts down.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::OpenFlags;

use super::Store;
use crate::{
    clock::Clock,
    seal::Keyring,
    store::{
        AuditCheck, StoreError,
        audit_check::{Check, Known},
        backup,
        head::Head,
        open,
        tx::Read,
        vault::Vault,
    },
};

impl Store {
    /// Checks that the audit trail is whole: each row, and its end against what was written by this process.
    /// Its memory does not grow with the trail.
    pub async fn check_audit(&self) -> Result<AuditCheck, StoreError> {
        let copying = Arc::clone(&self.copying).lock_owned().await;
        let checking = Arc::clone(&self.checking).lock_owned().await;
        let (path, keyring) = self.place().await?;
        let known = self.read(|read| Ok((read.head.audit_last, read.head.audit_chain))).await?;
        let wanted = Wanted::default();
        let (ended, clock) = (Arc::clone(&self.ended), self.reader.clock());
        let unwanted = Arc::clone(&wanted.0);
        let stop = move || ended.load(Ordering::Relaxed) || unwanted.load(Ordering::Relaxed);
        backup::apart(move || {
            // Kept until the thread is done, whether or not anyone waits for it.
            let _one_at_a_time = (copying, checking);
            check(&path, keyring, known, (&*clock, &stop))
        })
        .await
    }

    /// Ends a check that is under way, and waits until its connection is closed: the last one to close has
    /// to be the one that takes the log away.
    pub(super) async fn end_checks(&self) {
        self.ended.store(true, Ordering::Relaxed);
        drop(self.checking.lock().await);
    }
}

/// While it lives, someone waits for the check.
#[derive(Debug, Default)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn check(
    path: &Path,
    keyring: Keyring,
    known: Known,
    (clock, stop): (&dyn Clock, &dyn Fn() -> bool),
) -> Result<AuditCheck, StoreError> {
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    open::guard(&connection)?;
    let vault = Vault::load(&connection, keyring)?;
    let mut check = Check::new(Some(known));
    loop {
        if stop() {
            return Err(StoreError::Stopped);
        }
        let within = connection.unchecked_transaction()?;
        let head = Head::load(&connection, &vault)?;
        let read = Read { connection: &connection, vault: &vault, head: &head, now: clock.now() };
        let done = check.step(&read)?;
        drop(within);
        if let Some(report) = done {
            return Ok(report);
        }
    }
}
