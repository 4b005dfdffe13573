//! Whether a copy is a database of this program's that nobody but this program wrote: file, schema, keys,
//! each row's code, the ring, the counts, the trail.
//!
//! Refuses what differs in one row: a restored database is believed from then on.

use std::path::{Path, PathBuf};

use mfa_proto::admin::FactorState;
use rusqlite::{Connection, OpenFlags};

use super::unusable;
use crate::{
    clock::UnixTime,
    factor::Params,
    seal::{KeyId, Keyring},
    store::{
        StoreError,
        account::Account,
        audit_check, challenge, factor_row,
        head::Head,
        migrations, nonce, open, sent,
        tx::Read,
        vault::{Slot, Vault},
        waiting,
    },
};

/// Accounts looked at before the next are fetched.
const PAGE: u32 = 1_000;

/// A copy that was checked whole, open, and changed by nobody else since.
#[derive(Debug)]
pub(in crate::store) struct Checked {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) vault: Vault,
    pub(super) head: Head,
    /// Users in it.
    pub(super) users: u64,
    /// The ids of the keys that its rows are sealed with.
    pub(super) keys: Vec<String>,
}

/// What is asked of the audit trail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trail {
    /// Each row follows the one before.
    Whole,
    /// What is wrong with it is told in the log: a copy of a database whose trail was changed shows that.
    MayBeBroken,
}

/// Checks the copy at `path`.
pub(super) fn whole(path: &Path, keyring: &Keyring, trail: Trail) -> Result<Checked, StoreError> {
    open::examine(path)?;
    open::check_identity(path).map_err(|_| unusable(path, &"it is no copy of a database of mfad"))?;
    contents(path, keyring, trail)
}

fn contents(path: &Path, keyring: &Keyring, trail: Trail) -> Result<Checked, StoreError> {
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // A file by itself: nothing of it may lie in a log beside it.
    connection
        .pragma_update_and_check(None, "journal_mode", "delete", |row| row.get::<_, String>(0))
        .map_err(|e| unusable(path, &e))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    open::check_sound(path, &connection, "integrity_check")?;
    check_length(path, &connection)?;
    check_schema(path, &connection)?;
    open::migrate(&connection)?;
    let keys = keys(&connection)?;
    if let Some(missing) = keys.iter().find(|id| !keyring.ids().contains(id)) {
        return Err(StoreError::KeyMissing(*missing));
    }
    let vault = Vault::load(&connection, keyring.clone())?;
    let head = Head::load(&connection, &vault)?;
    let read = Read { connection: &connection, vault: &vault, head: &head, now: UnixTime::default() };
    let users = check_users(&read)?;
    waiting::check(&read)?;
    if !sent::is_whole(&read)? {
        return Err(StoreError::Tampered("rows that count the codes sent were changed".to_owned()));
    }
    check_trail(&read, trail)?;
    let keys = keys.iter().map(ToString::to_string).collect();
    Ok(Checked { path: path.to_owned(), connection, vault, head, users, keys })
}

/// All pages are there: SQLite does not miss a page at the end that holds nothing at present.
fn check_length(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let length = std::fs::metadata(path).map_err(|e| unusable(path, &e))?.len();
    if u64::try_from(pages.saturating_mul(size)) == Ok(length) {
        return Ok(());
    }
    Err(unusable(path, &"the file was cut short"))
}

/// Tables and indexes as the steps up to its version make them, and nothing else: a trigger of someone else's
/// could undo each code that is used up.
fn check_schema(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = migrations::newest();
    if version > known {
        return Err(StoreError::Newer { found: version, known });
    }
    let fresh = Connection::open_in_memory()?;
    migrations::apply_up_to(&fresh, version)?;
    if schema(connection)? == schema(&fresh)? {
        return Ok(());
    }
    Err(unusable(path, &"its tables are not those of mfad: something else changed it"))
}

type Described = (String, String, String, Option<String>);

fn schema(connection: &Connection) -> Result<Vec<Described>, StoreError> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The keys that any row, of whatever table, is sealed with.
fn keys(connection: &Connection) -> Result<Vec<KeyId>, StoreError> {
    let tables = "SELECT tables.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns \
                  WHERE tables.type = 'table' AND columns.name = 'key_id'";
    let mut statement = connection.prepare(tables)?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    // The schema is known by now: these names are ours.
    let each = tables.iter().map(|table| match table.as_str() {
        // What is kept of factors that are gone is forgotten soon, and not sealed anew before.
        "nonce" => "SELECT key_id FROM nonce WHERE factor_id IN (SELECT id FROM factor)".to_owned(),
        table => format!("SELECT key_id FROM {table}"),
    });
    let mut statement = connection.prepare(&each.collect::<Vec<_>>().join(" UNION "))?;
    let rows = statement.query_map([], |row| Ok(KeyId::from_bytes(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All accounts in the order of the ring, which closes, each with its factors and nothing else. How many
/// users.
fn check_users(read: &Read<'_>) -> Result<u64, StoreError> {
    let mut ring = Ring::default();
    loop {
        let page = Account::after_slot(read, ring.last, PAGE)?;
        let Some(last) = page.last().map(|account| account.slot) else { break };
        for account in page {
            ring.add(read, account)?;
        }
        ring.last = Some(last);
    }
    ring.close(read)
}

/// What was seen of the ring so far.
#[derive(Debug, Default)]
struct Ring {
    last: Option<Slot>,
    /// The slot that has to follow.
    expected: Slot,
    accounts: i64,
    factors: i64,
    active: i64,
}

impl Ring {
    fn add(&mut self, read: &Read<'_>, account: Account) -> Result<(), StoreError> {
        let account = account.verified(read)?;
        let first = self.accounts == 0;
        let slot = if first { Slot::default() } else { read.vault.slot(&account.realm, &account.name) };
        if account.slot != slot || account.slot != self.expected || account.name.is_empty() != first {
            return Err(StoreError::Tampered(format!(
                "{account} stands where another should, or one is missing"
            )));
        }
        self.expected = account.next;
        self.accounts = self.accounts.saturating_add(1);
        for factor in factor_row::load_all(read, &account)? {
            drop(factor.open_secret(read, &account)?);
            if factor.keeps_challenges() {
                drop(challenge::of(read, &factor)?);
            }
            if factor.params == Params::Token {
                drop(nonce::Memory::of(read, &factor)?);
            }
            self.factors = self.factors.saturating_add(1);
            self.active = self.active.saturating_add(i64::from(factor.state == FactorState::Active));
        }
        Ok(())
    }

    fn close(self, read: &Read<'_>) -> Result<u64, StoreError> {
        let users = self.accounts.saturating_sub(1);
        let rows: i64 = read.connection.query_row("SELECT count(*) FROM factor", [], |row| row.get(0))?;
        if self.accounts == 0 || self.expected != Slot::default() || rows != self.factors {
            return Err(StoreError::Tampered("accounts or factors were removed or added".to_owned()));
        }
        if (users, self.active) != (read.head.accounts, read.head.active_factors) {
            return Err(StoreError::Tampered("the counts in the head are not those of the rows".to_owned()));
        }
        u64::try_from(users).map_err(|_| StoreError::Internal)
    }
}

fn check_trail(read: &Read<'_>, trail: Trail) -> Result<(), StoreError> {
    let verdict = audit_check::whole(read)?;
    let Some(row) = verdict.broken_at else { return Ok(()) };
    let broken = format!("the audit trail was changed or cut at row {row}");
    if trail == Trail::Whole {
        return Err(StoreError::Tampered(broken));
    }
    tracing::warn!("{broken}: a copy with it can only be restored by `mfad restore --accept-broken-trail`");
    Ok(())
}
