//! The row of a user: where it stands in the ring, which factors it holds, how its limits stand.

use mfa_proto::name::{RealmName, UserId, UserName};
use rusqlite::{Row, ToSql, params};

use super::{
    StoreError,
    tx::{Read, Tx},
    vault::Slot,
};
use crate::{
    clock::UnixTime,
    limits::{Counter, FailureDays},
    seal::{Fields, KeyId, Mac},
};

/// A user's row. [`Account::read`] gives it only verified.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) slot: Slot,
    /// The slot that follows in the ring.
    pub(super) next: Slot,
    pub(super) realm: String,
    pub(super) name: String,
    /// The uid at enrollment.
    pub(super) uid: Option<u32>,
    /// The manifest: ids of all factors, ascending.
    pub(super) factor_ids: Vec<i64>,
    /// Failures without a proven password.
    pub(super) unproven: Counter,
    /// Failures of the last 30 days.
    pub(super) days: FailureDays,
    /// Too many of those: closed until an administrator opens it.
    pub(super) window_locked: bool,
    /// Remembered successes of other epochs are void.
    pub(super) epoch: i64,
    /// Failed attempts since the last success.
    pub(super) failed: u32,
    /// Where the last of them came from, as claimed; empty when nothing was claimed.
    pub(super) failed_from: String,
    pub(super) key_id: KeyId,
    mac: Mac,
}

/// The columns in the order that [`Account::read`] takes them.
macro_rules! columns {
    () => {
        "id, slot, next, realm, name, uid, factor_ids, unproven_failures, unproven_since, \
         unproven_not_before, unproven_until_admin, failure_days, window_locked, key_id, mac, \
         epoch, failed, failed_from"
    };
}

const BY_SLOT: &str = concat!("SELECT ", columns!(), " FROM account WHERE slot = ?1");
const BEFORE_SLOT: &str =
    concat!("SELECT ", columns!(), " FROM account WHERE slot < ?1 ORDER BY slot DESC LIMIT 1");
const AFTER_NAME: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM account WHERE (realm, name) > (?1, ?2) ORDER BY realm, name LIMIT ?3"
);
const AFTER_SLOT: &str =
    concat!("SELECT ", columns!(), " FROM account WHERE slot > ?1 ORDER BY slot LIMIT ?2");
const AFTER_ID: &str = concat!("SELECT ", columns!(), " FROM account WHERE id > ?1 ORDER BY id LIMIT ?2");

impl Account {
    /// Whose it is.
    pub(super) fn user(&self) -> Result<UserId, StoreError> {
        match (RealmName::new(self.realm.as_str()), UserName::new(self.name.as_str())) {
            (Ok(realm), Ok(name)) => Ok(UserId { realm, name }),
            (Err(_), _) | (_, Err(_)) => {
                Err(StoreError::Tampered("an account row names no valid user".to_owned()))
            }
        }
    }

    /// The row that begins the ring. Its slot is the lowest and its name is none that a user can have.
    pub(super) fn genesis(id: i64) -> Self {
        Self::new(id, Slot::default(), (String::new(), String::new()), None)
    }

    /// A row not written yet, without factors.
    pub(super) fn new(id: i64, slot: Slot, (realm, name): (String, String), uid: Option<u32>) -> Self {
        Self {
            id,
            slot,
            next: Slot::default(),
            realm,
            name,
            uid,
            factor_ids: Vec::new(),
            unproven: Counter::default(),
            days: FailureDays::default(),
            window_locked: false,
            epoch: 0,
            failed: 0,
            failed_from: String::new(),
            key_id: KeyId::from_bytes([0; 8]),
            mac: [0; 32],
        }
    }

    /// The row in a slot.
    pub(super) fn at(read: &Read<'_>, slot: &Slot) -> Result<Option<Self>, StoreError> {
        Self::one(read, BY_SLOT, slot)
    }

    /// The row in the last slot before one.
    pub(super) fn before(read: &Read<'_>, slot: &Slot) -> Result<Option<Self>, StoreError> {
        Self::one(read, BEFORE_SLOT, slot)
    }

    fn one(read: &Read<'_>, sql: &str, slot: &Slot) -> Result<Option<Self>, StoreError> {
        let mut statement = read.connection.prepare_cached(sql)?;
        let mut rows = statement.query([slot])?;
        rows.next()?.map(|row| Self::read(row)?.verified(read)).transpose()
    }

    /// Rows in order of name after one; unverified, because a list has to show the broken ones too.
    pub(super) fn after_name(
        read: &Read<'_>,
        realm: &str,
        name: &str,
        limit: u32,
    ) -> Result<Vec<Self>, StoreError> {
        let mut statement = read.connection.prepare_cached(AFTER_NAME)?;
        let mut rows = statement.query(params![realm, name, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Self::read(row)?);
        }
        Ok(found)
    }

    /// Rows in the order of the ring after a slot, or from its beginning; unverified.
    pub(super) fn after_slot(
        read: &Read<'_>,
        slot: Option<Slot>,
        limit: u32,
    ) -> Result<Vec<Self>, StoreError> {
        let slot: &[u8] = slot.as_ref().map_or(&[], |slot| slot);
        let mut statement = read.connection.prepare_cached(AFTER_SLOT)?;
        let mut rows = statement.query(params![slot, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Self::read(row)?);
        }
        Ok(found)
    }

    /// Rows in order of id after one; unverified.
    pub(super) fn after_id(read: &Read<'_>, id: i64, limit: u32) -> Result<Vec<Self>, StoreError> {
        let mut statement = read.connection.prepare_cached(AFTER_ID)?;
        let mut rows = statement.query(params![id, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Self::read(row)?);
        }
        Ok(found)
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let broken = |what: &str| StoreError::Tampered(format!("an account's {what} cannot be read"));
        let ids: Vec<u8> = row.get(6)?;
        let days: Vec<u8> = row.get(11)?;
        Ok(Self {
            id: row.get(0)?,
            slot: row.get(1)?,
            next: row.get(2)?,
            realm: row.get(3)?,
            name: row.get(4)?,
            uid: row.get(5)?,
            factor_ids: ids_from_bytes(&ids).ok_or_else(|| broken("manifest"))?,
            unproven: Counter {
                failures: row.get(7)?,
                since: UnixTime(row.get(8)?),
                not_before: UnixTime(row.get(9)?),
                until_admin: row.get(10)?,
            },
            days: FailureDays::from_bytes(&days).ok_or_else(|| broken("failure days"))?,
            window_locked: row.get(12)?,
            key_id: KeyId::from_bytes(row.get(13)?),
            mac: row.get(14)?,
            epoch: row.get(15)?,
            failed: row.get(16)?,
            failed_from: row.get(17)?,
        })
    }

    /// Itself, if it is as this program wrote it.
    pub(super) fn verified(self, read: &Read<'_>) -> Result<Self, StoreError> {
        read.vault.verify(self.key_id, &self.fields(), &self.mac, || format!("the account row of {self}"))?;
        Ok(self)
    }

    /// All columns but the code itself, in order. As in schema 1 while those of schema 3 say nothing: a
    /// database that was migrated keeps its rows.
    fn fields(&self) -> Fields {
        let more = self.epoch != 0 || self.failed != 0 || !self.failed_from.is_empty();
        let mut fields = Fields::new(if more { "mfad/row/account/2" } else { "mfad/row/account/1" });
        fields
            .int(self.id)
            .bytes(&self.slot)
            .bytes(&self.next)
            .text(&self.realm)
            .text(&self.name)
            .maybe_int(self.uid)
            .bytes(&ids_to_bytes(&self.factor_ids))
            .int(self.unproven.failures)
            .int(self.unproven.since.0)
            .int(self.unproven.not_before.0)
            .int(self.unproven.until_admin)
            .bytes(&self.days.to_bytes())
            .int(self.window_locked)
            .bytes(self.key_id.as_bytes());
        if more {
            fields.int(self.epoch).int(self.failed).text(&self.failed_from);
        }
        fields
    }

    /// Writes a new row under the current key.
    pub(super) fn insert(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.key_id = tx.vault.current();
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = concat!(
            "INSERT INTO account (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
        );
        let (ids, days) = (ids_to_bytes(&self.factor_ids), self.days.to_bytes());
        let values: [&dyn ToSql; 18] = [
            &self.id,
            &self.slot,
            &self.next,
            &self.realm,
            &self.name,
            &self.uid,
            &ids,
            &self.unproven.failures,
            &self.unproven.since.0,
            &self.unproven.not_before.0,
            &self.unproven.until_admin,
            &days,
            &self.window_locked,
            self.key_id.as_bytes(),
            &self.mac,
            &self.epoch,
            &self.failed,
            &self.failed_from,
        ];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Writes what may change, under `key`, if the row still is what was read.
    pub(super) fn update_under(&mut self, tx: &Tx<'_>, key: KeyId) -> Result<(), StoreError> {
        let before = self.mac;
        self.key_id = key;
        self.mac = tx.vault.sign(key, &self.fields())?;
        let sql = "UPDATE account SET next = ?1, factor_ids = ?2, unproven_failures = ?3, unproven_since = ?4, \
                   unproven_not_before = ?5, unproven_until_admin = ?6, failure_days = ?7, window_locked = ?8, \
                   key_id = ?9, mac = ?10, epoch = ?11, failed = ?12, failed_from = ?13 \
                   WHERE id = ?14 AND mac = ?15";
        let rows = tx.connection.prepare_cached(sql)?.execute(params![
            self.next,
            ids_to_bytes(&self.factor_ids),
            self.unproven.failures,
            self.unproven.since.0,
            self.unproven.not_before.0,
            self.unproven.until_admin,
            self.days.to_bytes(),
            self.window_locked,
            key.as_bytes(),
            self.mac,
            self.epoch,
            self.failed,
            self.failed_from,
            self.id,
            before,
        ])?;
        self.one_row(rows)
    }

    /// Writes what may change, if the row still is what was read.
    pub(super) fn update(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.update_under(tx, self.key_id)
    }

    /// Writes whose row it is, where it stands, and what may change beside: for a row that moves in the ring,
    /// or on to another uid.
    pub(super) fn update_whose(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let before = self.mac;
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = "UPDATE account SET slot = ?1, next = ?2, realm = ?3, name = ?4, uid = ?5, epoch = ?6, \
                   mac = ?7 WHERE id = ?8 AND mac = ?9";
        let rows = tx.connection.prepare_cached(sql)?.execute(params![
            self.slot, self.next, self.realm, self.name, self.uid, self.epoch, self.mac, self.id, before,
        ])?;
        self.one_row(rows)
    }

    /// Deletes the row, if it still is what was read.
    pub(super) fn delete(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut statement = tx.connection.prepare_cached("DELETE FROM account WHERE id = ?1 AND mac = ?2")?;
        let rows = statement.execute(params![self.id, self.mac])?;
        self.one_row(rows)
    }

    fn one_row(&self, rows: usize) -> Result<(), StoreError> {
        let changed = || StoreError::Tampered(format!("the account row of {self} changed meanwhile"));
        if rows == 1 { Ok(()) } else { Err(changed()) }
    }

    /// Takes a factor into the manifest.
    pub(super) fn add_factor(&mut self, id: i64) {
        self.factor_ids.push(id);
        self.factor_ids.sort_unstable();
    }

    /// Takes a factor out of the manifest.
    pub(super) fn drop_factor(&mut self, id: i64) {
        self.factor_ids.retain(|known| *known != id);
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = mfa_proto::text::escape_for_log(&self.name);
        if self.realm == "local" {
            f.write_str(&name)
        } else {
            write!(f, "{name}@{}", mfa_proto::text::escape_for_log(&self.realm))
        }
    }
}

fn ids_to_bytes(ids: &[i64]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_be_bytes()).collect()
}

fn ids_from_bytes(bytes: &[u8]) -> Option<Vec<i64>> {
    let (ids, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| ids.iter().map(|id| i64::from_be_bytes(*id)).collect())
}
