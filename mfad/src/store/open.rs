//! Opens the database file, or refuses to: whose file it is, which program's, which schema, whether sound.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, config::DbConfig};

use super::{
    StoreError, audit_check::Known, error::explain, head::Head, migrations, reader::Loan, ready_log,
    vault::Vault,
};
use crate::seal::{KeyId, Keyring};

/// How long another process (a backup) may hold the file before jobs fail: well below the patience of a
/// login.
const BUSY: Duration = Duration::from_millis(1500);

/// Files up to this size are checked whole at each start; larger ones only after an unclean end.
const ALWAYS_CHECK: u64 = 32 << 20;

/// The part of SQLite's file header up to the application id, and where that begins.
const HEADER: usize = 72;
const APPLICATION_ID: usize = 68;

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) vault: Vault,
    pub(super) head: Head,
    /// The trail does not end as the head says: to be written down with the next change.
    pub(super) trail_cut: bool,
    place: Place,
}

/// Which file a path led to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: PathBuf,
    identity: (u64, u64),
}

impl Place {
    /// Whether the path still leads to that file: one that was removed or replaced would take in what
    /// nobody reads again.
    pub(super) fn is_same(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity)
    }
}

impl Database {
    /// Opens an existing database.
    pub(super) fn open(path: &Path, keyring: Keyring, start: bool) -> Result<Self, StoreError> {
        let found = examine(path)?;
        // A clean end takes the log away: one that is left was not ended cleanly.
        let unclean = wal_of(path).exists();
        check_identity(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let failed = |e: rusqlite::Error| unusable(path, explain(&e));
        if start && (unclean || found.len() <= ALWAYS_CHECK) {
            check_sound(path, &connection, "quick_check")?;
        }
        migrate(&connection)?;
        configure(&connection).map_err(failed)?;
        ready_log::lengthen(&wal_of(path));
        let vault = Vault::load(&connection, keyring)?;
        let mut head = Head::load(&connection, &vault)?;
        let trail_cut = !trail_ends_as_known(&connection, &mut head)?;
        let place = Place { path: path.to_owned(), identity: (found.dev(), found.ino()) };
        Ok(Self { connection, vault, head, trail_cut, place })
    }

    /// Whether the path still leads to the file that is open.
    pub(super) fn is_in_place(&self) -> bool {
        self.place.is_same()
    }

    /// Holds what was read against the end of the trail that this process has written: an older head that was
    /// put back knows less. Numbers and links go on behind what was written, so that the hole shows.
    pub(super) fn expect_trail(&mut self, known: Option<Known>) {
        let Some((last, chain)) = known.filter(|(last, _)| *last > self.head.audit_last) else { return };
        tracing::error!("the end of the audit trail was removed: `mfactl audit verify` shows where");
        (self.head.audit_last, self.head.audit_chain) = (last, chain);
        self.trail_cut = true;
    }

    /// A second connection, that can only read. It must be closed before this one: the last to close is the
    /// one that takes the log away, and while any is open nobody may open and close the file by other means,
    /// which would end the locks of this process on it.
    pub(super) fn for_reading(&self, keyring: Keyring) -> Result<Loan, StoreError> {
        let connection = connect(&self.place.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // Whoever meets a lock asks the thread, which waits.
        connection.busy_timeout(Duration::ZERO)?;
        guard(&connection)?;
        let vault = Vault::load(&connection, keyring)?;
        Ok(Loan { connection, vault, head: self.head.clone(), place: self.place.clone() })
    }
}

/// Whether any row is sealed with a key.
pub(super) fn uses_key(database: &Database, id: KeyId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM meta WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM head WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM account WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM factor WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM challenge WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM remembered WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM sent WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM waiting WHERE key_id = ?1) \
               OR EXISTS (SELECT 1 FROM nonce WHERE key_id = ?1 AND factor_id IN (SELECT id FROM factor))";
    Ok(database.connection.query_row(sql, [id.as_bytes()], |row| row.get(0))?)
}

/// Whether the last audit row is the one that the head names. Numbers go on behind whatever is there.
fn trail_ends_as_known(connection: &Connection, head: &mut Head) -> Result<bool, StoreError> {
    let last: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let known = (head.audit_rows() > 0).then(|| (head.audit_last, head.audit_chain.to_vec()));
    if last == known {
        return Ok(true);
    }
    tracing::error!("the end of the audit trail was changed or removed: `mfactl audit verify` shows where");
    head.audit_last = head.audit_last.max(last.map_or(0, |(seq, _)| seq));
    Ok(false)
}

fn unusable(path: &Path, problem: impl Into<String>) -> StoreError {
    StoreError::Unusable { path: path.to_owned(), problem: problem.into() }
}

pub(super) fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("-wal");
    path.with_file_name(name)
}

/// Refuses what is not a plain file of ours that only we can read and change.
pub(super) fn examine(path: &Path) -> Result<fs::Metadata, StoreError> {
    let found = fs::symlink_metadata(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return StoreError::Missing(path.to_owned());
        }
        unusable(path, error.to_string())
    })?;
    let own = nix::unistd::geteuid().as_raw();
    if !found.is_file() {
        return Err(unusable(path, "it is not a plain file"));
    }
    // Root looks into the daemon's own file too, before it takes a key away.
    if found.uid() != own && found.uid() != 0 && own != 0 {
        return Err(unusable(path, format!("it belongs to uid {}", found.uid())));
    }
    if found.mode() & 0o077 != 0 {
        return Err(unusable(path, "others may read or change it; run: chmod 0600 on it"));
    }
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let around = fs::metadata(directory).map_err(|e| unusable(path, e.to_string()))?;
    // With write access to the directory others could replace the file; a sticky /tmp is no exception.
    if around.mode() & 0o022 != 0 || (around.uid() != own && around.uid() != 0 && own != 0) {
        return Err(unusable(path, format!("others may change its directory {}", directory.display())));
    }
    Ok(found)
}

/// A connection with nothing set but the time to wait for locks.
pub(super) fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| unusable(path, explain(&e)))?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Whether the file is a database of this program. Looks at the file itself: merely opening something
/// else as a database may throw away the log that lies beside it.
pub(super) fn check_identity(path: &Path) -> Result<(), StoreError> {
    let mut header = [0; HEADER];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            return Err(unusable(path, error.to_string()));
        }
        Err(_) | Ok(()) => {}
    }
    let is_sqlite = header.starts_with(b"SQLite format 3\0");
    if is_sqlite && header.get(APPLICATION_ID..) == Some(&migrations::APPLICATION_ID.to_be_bytes()) {
        return Ok(());
    }
    Err(unusable(path, "it is not a database of mfad: restore a backup, or the file that was here"))
}

/// Whether the file is sound by one of SQLite's two checks: of the tables, or of the indexes as well.
pub(super) fn check_sound(path: &Path, connection: &Connection, check: &str) -> Result<(), StoreError> {
    let answer: String = connection
        .query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0))
        .map_err(|e| unusable(path, explain(&e)))?;
    if answer == "ok" {
        return Ok(());
    }
    Err(unusable(path, format!("it is damaged ({answer}): restore a backup")))
}

pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = migrations::newest();
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found < known {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        migrations::apply(connection, found)?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    // In WAL mode NORMAL may lose committed transactions on power loss: a used code would be good again.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection
        .pragma_update_and_check(None, "wal_autocheckpoint", ready_log::PAGES, |row| row.get::<_, i64>(0))?;
    connection.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |row| row.get::<_, i64>(0))?;
    guard(connection)
}

/// What holds for every connection: bounds on memory and trust.
pub(super) fn guard(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // In KiB. Memory must not grow with the number of users; the kernel caches the file anyway.
    connection.pragma_update(None, "cache_size", -2048)?;
    // Plans do not depend on the values bound: a statement is compiled once and not at each login.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}
