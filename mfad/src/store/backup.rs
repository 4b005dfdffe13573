//! Copies of the whole database: made beside the running one, checked row by row, and put in its place
//! behind fences, so that what was used once stays used.
//!
//! A copy holds secrets only as they are sealed, and no key. Refuses to take a copy of which anything was
//! changed, and to change anything before all of it is checked.

mod carry;
mod check;
mod fence;
mod swap;

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use mfa_proto::admin::Restored;
use rusqlite::OpenFlags;
use tokio::sync::oneshot;

pub use self::check::Trail;
pub(super) use self::{check::Checked, swap::Broken};
use super::{
    StoreError, StoreSettings,
    error::explain,
    open::{self, Database},
};
use crate::{clock::UnixTime, seal::Keyring};

/// A copy that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copy {
    /// Where it is: beside the database, for its owner alone.
    pub path: PathBuf,
    /// Users in it.
    pub users: u64,
    /// The ids of the keys that are needed to read it.
    pub keys: Vec<String>,
}

/// Where a copy is made.
const MADE: &str = "backup.db";
/// Where a copy that is to be restored is handed over.
const HANDED_OVER: &str = "restore.db";
/// The same while it is checked and fenced: a name that only this program uses, so that nothing an
/// interrupted run has left beside it can be taken for a part of it.
const UNDER_WAY: &str = "restoring.db";

/// Makes a copy of the database at `path`, with a connection of its own: what is read is one state, and
/// writers go on meanwhile.
pub(super) fn make(path: &Path, keyring: &Keyring) -> Result<Copy, StoreError> {
    let to = path.with_file_name(MADE);
    remove_all(&to)?;
    let made = fill(path, &to).and_then(|()| check::whole(&to, keyring, Trail::MayBeBroken));
    match made {
        Ok(checked) => Ok(Copy { path: to, users: checked.users, keys: checked.keys }),
        Err(error) => {
            // Not to be found by anyone who thinks it good.
            drop(remove_all(&to));
            Err(error)
        }
    }
}

fn fill(path: &Path, to: &Path) -> Result<(), StoreError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let file = file.map_err(|e| unusable(to, &e))?;
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let name = to.to_str().ok_or_else(|| unusable(to, &"its path is not UTF-8"))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|e| unusable(to, &explain(&e)))?;
    file.sync_all().map_err(|e| unusable(to, &e))
}

/// Where a copy that is to be restored is laid.
pub(super) fn handed_over(path: &Path) -> PathBuf {
    path.with_file_name(HANDED_OVER)
}

/// Takes over what was handed over beside the database at `path`, and checks it whole.
pub(super) fn take(path: &Path, keyring: &Keyring, trail: Trail) -> Result<Checked, StoreError> {
    let (from, to) = (handed_over(path), path.with_file_name(UNDER_WAY));
    remove_all(&to)?;
    fs::rename(&from, &to).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return unusable(&from, &"nothing was laid there to be restored");
        }
        unusable(&from, &error)
    })?;
    let checked = check::whole(&to, keyring, trail);
    if checked.is_err() {
        drop(remove_all(&to));
    }
    checked
}

/// Puts a checked copy in the place of the database that is open as `running`; `None` when none can be read.
/// The database is closed then, and has to be opened anew.
///
/// Before the copy takes its place nothing is changed, whatever goes wrong.
pub(super) fn restore(
    path: &Path,
    running: Option<Database>,
    copy: Checked,
    (settings, now): (&StoreSettings, UnixTime),
) -> Result<Restored, Broken> {
    let from = copy.path.clone();
    let restored = fence::apply(running.as_ref(), copy, settings, now)
        .map_err(Broken::Before)
        .and_then(|restored| swap::swap(path, running, &from).map(|()| restored));
    if matches!(restored, Err(Broken::Before(_))) {
        drop(remove_all(&from));
    }
    restored
}

/// Waits for work that takes long, on a thread of its own: it is neither the store's nor the sockets'.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("apart".to_owned()).spawn(move || drop(reply.send(work())));
    thread.map_err(|e| StoreError::Unavailable(format!("no thread: {e}")))?;
    answer.await.map_err(|_| StoreError::Internal)?
}

/// Removes a database with all that SQLite may have left beside it.
fn remove_all(path: &Path) -> Result<(), StoreError> {
    ["", "-journal", "-wal", "-shm"].into_iter().try_for_each(|end| {
        let path = beside(path, end);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(&path, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    })
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

fn unusable(path: &Path, problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unusable { path: path.to_owned(), problem: problem.to_string() }
}
