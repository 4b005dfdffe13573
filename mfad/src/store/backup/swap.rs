//! Puts a copy in the place of the database: at every moment the path leads to the one or the other, whole.
//!
//! Refuses while a log lies beside the old one, which SQLite would take for the new one's.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{remove_all, unusable};
use crate::store::{StoreError, error::explain, open, open::Database};

/// What the database before is called from then on.
const REPLACED: &str = "replaced.db";

/// Why a copy was not restored.
#[derive(Debug)]
pub(in crate::store) enum Broken {
    /// Nothing was changed.
    Before(StoreError),
    /// The copy may be in place, but whether it stays there after a power loss is not known.
    Within(StoreError),
}

impl Broken {
    /// The error itself.
    pub(in crate::store) fn into_error(self) -> StoreError {
        match self {
            Self::Before(error) | Self::Within(error) => error,
        }
    }
}

/// Puts `from` in the place of `path`, which is open as `running` or cannot be opened.
pub(super) fn swap(path: &Path, running: Option<Database>, from: &Path) -> Result<(), Broken> {
    let replaced = path.with_file_name(REPLACED);
    let prepared = match running {
        Some(database) => close(path, database).and_then(|()| keep(path, &replaced)),
        None => put_aside(path, &replaced),
    };
    prepared.and_then(|()| sync(path)).map_err(Broken::Before)?;
    fs::rename(from, path).map_err(|e| Broken::Before(unusable(from, &e)))?;
    sync(path).map_err(Broken::Within)
}

/// Closes the database so that all of it is in its file.
fn close(path: &Path, database: Database) -> Result<(), StoreError> {
    let busy: bool =
        database.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    database.connection.close().map_err(|(_, error)| unusable(path, &explain(&error)))?;
    if busy || open::wal_of(path).exists() {
        return Err(StoreError::Unavailable(
            "another process has the database open: end it, and try again".to_owned(),
        ));
    }
    Ok(())
}

/// Gives the database a second name, under which it stays.
fn keep(path: &Path, replaced: &Path) -> Result<(), StoreError> {
    remove_all(replaced)?;
    fs::hard_link(path, replaced).map_err(|e| unusable(replaced, &e))
}

/// Moves away what cannot be opened, its log last: a crash meanwhile leaves no database, which denies, and
/// never one without the log that goes with it.
fn put_aside(path: &Path, replaced: &Path) -> Result<(), StoreError> {
    remove_all(replaced)?;
    for end in ["", "-journal", "-wal", "-shm"] {
        let (from, to) = (super::beside(path, end), super::beside(replaced, end));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(&from, &error)),
            Ok(()) | Err(_) => {}
        }
        sync(path)?;
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| unusable(directory, &e))
}
