//! Makes a new database: whole or not at all, and never over another.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rusqlite::OpenFlags;

use super::{
    StoreError, StoreSettings,
    account::Account,
    audit_rows::{self, Event},
    error::explain,
    head::Head,
    migrations, open,
    tx::Tx,
    vault::Vault,
};
use crate::{clock::UnixTime, seal::Keyring};

/// Makes the database at `path`.
pub(super) fn create(path: &Path, keyring: &Keyring, now: UnixTime) -> Result<(), StoreError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(StoreError::Exists(path.to_owned()));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let io = |e: io::Error| StoreError::Unusable { path: path.to_owned(), problem: e.to_string() };
    // Left over by a start that was killed.
    match fs::remove_file(&temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io(e)),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(io)?;
    let filled = fill(&temporary, keyring, now);
    let linked = filled.and_then(|()| match fs::hard_link(&temporary, path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(StoreError::Exists(path.to_owned())),
        other => other.map_err(io),
    });
    let removed = fs::remove_file(&temporary).map_err(io);
    linked.and(removed)?;
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|d| d.sync_all()).map_err(io)
}

fn fill(path: &Path, keyring: &Keyring, now: UnixTime) -> Result<(), StoreError> {
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    connection.pragma_update(None, "application_id", migrations::APPLICATION_ID)?;
    migrations::apply(&connection, 0)?;
    let vault = Vault::generate(keyring.clone())?;
    vault.save(&connection)?;
    let mut head = Head::fresh(vault.current(), now);
    head.insert(&connection, &vault)?;
    let settings = StoreSettings::default();
    let mut tx =
        Tx { connection: &connection, vault: &vault, settings: &settings, head: &mut head, now, news: false };
    let id = tx.head.take_account_id();
    Account::genesis(id).insert(&tx)?;
    let event =
        Event { what: "init", context: None, factor: None, rule: None, verdict: "done", reason: "ok" };
    audit_rows::append(&mut tx, &event)?;
    head.save(&connection, &vault)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, e)| StoreError::Unavailable(explain(&e)))
}
