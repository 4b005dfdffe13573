//! The row itself, with a code over all its columns.
//!
//! Refuses rows that anything else wrote: they count for nothing, and are told in the log.

use rusqlite::{Row as SqlRow, ToSql, params};

use super::Remembrance;
use crate::{
    clock::UnixTime,
    policy::Binding,
    seal::{Fields, KeyId, Mac},
    store::{
        StoreError,
        account::Account,
        tx::{Read, Tx},
    },
};

/// A success that is remembered.
#[derive(Clone, Debug)]
pub(in crate::store) struct Row {
    pub(in crate::store) id: i64,
    pub(in crate::store) account_id: i64,
    pub(super) epoch: i64,
    pub(super) binding: Binding,
    pub(super) boot: String,
    pub(super) created: UnixTime,
    pub(super) expires: UnixTime,
    key_id: KeyId,
    mac: Mac,
}

/// The columns in the order that [`Row::read`] takes them.
macro_rules! columns {
    () => {
        "id, account_id, epoch, class, source, key, rule, need, boot, created, expires, key_id, mac"
    };
}

const OF_ACCOUNT: &str = concat!("SELECT ", columns!(), " FROM remembered WHERE account_id = ?1 ORDER BY id");
const AFTER: &str = concat!("SELECT ", columns!(), " FROM remembered WHERE id > ?1 ORDER BY id LIMIT ?2");

impl Row {
    /// All rows of an account that are as this program wrote them.
    pub(super) fn of(read: &Read<'_>, account: &Account) -> Result<Vec<Self>, StoreError> {
        let mut statement = read.connection.prepare_cached(OF_ACCOUNT)?;
        let mut rows = statement.query([account.id])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            match Self::read(row).and_then(|row| row.verified(read)) {
                Ok(row) => found.push(row),
                Err(StoreError::Tampered(what)) => tracing::error!("{what}: nobody is let in by it"),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Rows in order of number after one, with their numbers; `None` for what this program did not write.
    pub(super) fn after(
        read: &Read<'_>,
        id: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Option<Self>)>, StoreError> {
        let mut statement = read.connection.prepare_cached(AFTER)?;
        let mut rows = statement.query(params![id, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            match Self::read(row).and_then(|row| row.verified(read)) {
                Ok(row) => found.push((id, Some(row))),
                Err(StoreError::Tampered(_)) => found.push((id, None)),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Itself, if it is as this program wrote it.
    fn verified(self, read: &Read<'_>) -> Result<Self, StoreError> {
        let what = || format!("row {} of what is remembered", self.id);
        read.vault.verify(self.key_id, &self.fields(), &self.mac, what)?;
        Ok(self)
    }

    /// Whether it counts, as far as the account and the clock are concerned. A clock that was set back makes
    /// void what was made after that time.
    pub(super) fn is_live(&self, account: &Account, now: UnixTime) -> bool {
        self.account_id == account.id
            && self.epoch == account.epoch
            && self.created <= now
            && now < self.expires
    }

    /// Writes a new row under the current key.
    pub(super) fn insert(tx: &Tx<'_>, account: &Account, wanted: &Remembrance) -> Result<(), StoreError> {
        let next = "SELECT coalesce(max(id), 0) + 1 FROM remembered";
        let mut row = Self {
            id: tx.connection.prepare_cached(next)?.query_row([], |row| row.get(0))?,
            account_id: account.id,
            epoch: account.epoch,
            binding: wanted.binding.clone(),
            boot: wanted.boot.clone(),
            created: tx.now,
            expires: tx.now.plus(i64::from(wanted.seconds)),
            key_id: tx.vault.current(),
            mac: [0; 32],
        };
        row.mac = tx.vault.sign(row.key_id, &row.fields())?;
        let sql = concat!(
            "INSERT INTO remembered (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        );
        let Binding { class, source, key, rule, need } = &row.binding;
        let values: [&dyn ToSql; 13] = [
            &row.id,
            &row.account_id,
            &row.epoch,
            class,
            source,
            key,
            rule,
            need,
            &row.boot,
            &row.created.0,
            &row.expires.0,
            row.key_id.as_bytes(),
            &row.mac,
        ];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Writes the epoch, under `key`, if the row still is what was read.
    pub(super) fn write(&mut self, tx: &Tx<'_>, key: KeyId) -> Result<(), StoreError> {
        let before = self.mac;
        self.key_id = key;
        self.mac = tx.vault.sign(key, &self.fields())?;
        let sql = "UPDATE remembered SET epoch = ?1, key_id = ?2, mac = ?3 WHERE id = ?4 AND mac = ?5";
        let values = params![self.epoch, key.as_bytes(), self.mac, self.id, before];
        let rows = tx.connection.prepare_cached(sql)?.execute(values)?;
        if rows == 1 { Ok(()) } else { Err(StoreError::Internal) }
    }

    /// Counts for another epoch from now on.
    pub(super) fn move_to(&mut self, tx: &Tx<'_>, epoch: i64) -> Result<(), StoreError> {
        self.epoch = epoch;
        self.write(tx, self.key_id)
    }

    /// Deletes it.
    pub(super) fn delete(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
        tx.connection.prepare_cached("DELETE FROM remembered WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    fn read(row: &SqlRow<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            account_id: row.get(1)?,
            epoch: row.get(2)?,
            binding: Binding {
                class: row.get(3)?,
                source: row.get(4)?,
                key: row.get(5)?,
                rule: row.get(6)?,
                need: row.get(7)?,
            },
            boot: row.get(8)?,
            created: UnixTime(row.get(9)?),
            expires: UnixTime(row.get(10)?),
            key_id: KeyId::from_bytes(row.get(11)?),
            mac: row.get(12)?,
        })
    }

    /// All columns but the code itself, in order.
    fn fields(&self) -> Fields {
        let mut fields = Fields::new("mfad/row/remembered/1");
        fields
            .int(self.id)
            .int(self.account_id)
            .int(self.epoch)
            .text(&self.binding.class)
            .text(&self.binding.source)
            .text(&self.binding.key)
            .text(&self.binding.rule)
            .int(self.binding.need)
            .text(&self.boot)
            .int(self.created.0)
            .int(self.expires.0)
            .bytes(self.key_id.as_bytes());
        fields
    }
}
