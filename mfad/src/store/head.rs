//! The one row about the whole: counts, the next ids, the end of the audit chain, the greatest time seen.
//!
//! Kept in memory by the store's thread and written once per transaction, however many jobs that holds.

use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, vault::Vault};
use crate::{
    clock::UnixTime,
    seal::{Fields, KeyId, Mac},
};

/// How far the clock may be behind the greatest time seen before it is worth a row in the trail.
const CLOCK_BACK: i64 = 120;

/// See the module.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Head {
    /// The greatest time of a committed change.
    pub(super) floor: UnixTime,
    /// Users, each with at least one factor.
    pub(super) accounts: i64,
    /// Factors in state active.
    pub(super) active_factors: i64,
    /// The id for the next account.
    pub(super) next_account: i64,
    /// The id for the next factor: ids are never given twice.
    pub(super) next_factor: i64,
    /// The last audit row that was pruned.
    pub(super) audit_cut: i64,
    /// Its link, on which the first row that is left builds.
    pub(super) audit_cut_chain: Mac,
    /// The last audit row.
    pub(super) audit_last: i64,
    /// Its link.
    pub(super) audit_chain: Mac,
    /// The key that rows are being, or were last, sealed with anew.
    pub(super) rekey_key: KeyId,
    /// Accounts up to this id are done.
    pub(super) rekey_account: i64,
    /// The last account that has to be done; later ones were made with that key.
    pub(super) rekey_end: i64,
    /// The last row of `sent` that was pruned.
    pub(super) sent_cut: i64,
    /// The last row of `sent`.
    pub(super) sent_last: i64,
    /// Rows of `waiting`.
    pub(super) waiting: i64,
    /// The sum of `serial` in them.
    pub(super) waiting_serials: i64,
    /// The last row of the trail that was looked at for what people are to be told.
    pub(super) notified: i64,
    key_id: KeyId,
    mac: Mac,
}

impl Head {
    /// The head of an empty store.
    pub(super) fn fresh(key: KeyId, now: UnixTime) -> Self {
        Self {
            floor: now,
            accounts: 0,
            active_factors: 0,
            next_account: 1,
            next_factor: 1,
            audit_cut: 0,
            audit_cut_chain: [0; 32],
            audit_last: 0,
            audit_chain: [0; 32],
            rekey_key: key,
            rekey_account: 0,
            rekey_end: 0,
            sent_cut: 0,
            sent_last: 0,
            waiting: 0,
            waiting_serials: 0,
            notified: 0,
            key_id: key,
            mac: [0; 32],
        }
    }

    /// Reads and verifies it.
    pub(super) fn load(connection: &Connection, vault: &Vault) -> Result<Self, StoreError> {
        let sql = "SELECT floor, accounts, active_factors, next_account, next_factor, audit_cut, \
                   audit_cut_chain, audit_last, audit_chain, rekey_key, rekey_account, rekey_end, \
                   key_id, mac, sent_cut, sent_last, waiting, waiting_serials, \
                   notified FROM head WHERE id = 1";
        let head = connection.prepare_cached(sql)?.query_row([], |row| {
            Ok(Self {
                floor: UnixTime(row.get(0)?),
                accounts: row.get(1)?,
                active_factors: row.get(2)?,
                next_account: row.get(3)?,
                next_factor: row.get(4)?,
                audit_cut: row.get(5)?,
                audit_cut_chain: row.get(6)?,
                audit_last: row.get(7)?,
                audit_chain: row.get(8)?,
                rekey_key: KeyId::from_bytes(row.get(9)?),
                rekey_account: row.get(10)?,
                rekey_end: row.get(11)?,
                key_id: KeyId::from_bytes(row.get(12)?),
                mac: row.get(13)?,
                sent_cut: row.get(14)?,
                sent_last: row.get(15)?,
                waiting: row.get(16)?,
                waiting_serials: row.get(17)?,
                notified: row.get(18)?,
            })
        });
        let gone = || StoreError::Tampered("the head row is gone".to_owned());
        let head = head.optional()?.ok_or_else(gone)?;
        vault.verify(head.key_id, &head.fields(), &head.mac, || "the head row".to_owned())?;
        Ok(head)
    }

    /// As in the schema before while the columns of the next say nothing: a database that was migrated keeps
    /// its row.
    fn fields(&self) -> Fields {
        let waits = self.waiting != 0 || self.waiting_serials != 0 || self.notified != 0;
        let counts = waits || self.sent_cut != 0 || self.sent_last != 0;
        let mut fields = Fields::new(match (waits, counts) {
            (true, _) => "mfad/row/head/3",
            (false, true) => "mfad/row/head/2",
            (false, false) => "mfad/row/head/1",
        });
        fields
            .int(1)
            .int(self.floor.0)
            .int(self.accounts)
            .int(self.active_factors)
            .int(self.next_account)
            .int(self.next_factor)
            .int(self.audit_cut)
            .bytes(&self.audit_cut_chain)
            .int(self.audit_last)
            .bytes(&self.audit_chain)
            .bytes(self.rekey_key.as_bytes())
            .int(self.rekey_account)
            .int(self.rekey_end)
            .bytes(self.key_id.as_bytes());
        if counts {
            fields.int(self.sent_cut).int(self.sent_last);
        }
        if waits {
            fields.int(self.waiting).int(self.waiting_serials).int(self.notified);
        }
        fields
    }

    /// Writes it for the first time.
    pub(super) fn insert(&mut self, connection: &Connection, vault: &Vault) -> Result<(), StoreError> {
        connection.execute(
            "INSERT INTO head (id, floor, accounts, active_factors, next_account, next_factor, audit_cut, \
             audit_cut_chain, audit_last, audit_chain, rekey_key, rekey_account, rekey_end, \
             key_id, mac) VALUES (1, 0, 0, 0, 0, 0, 0, x'', 0, x'', x'', 0, 0, x'', ?1)",
            [self.mac],
        )?;
        self.save(connection, vault)
    }

    /// Writes it, if it still is what was read.
    pub(super) fn save(&mut self, connection: &Connection, vault: &Vault) -> Result<(), StoreError> {
        let before = self.mac;
        self.key_id = vault.current();
        self.mac = vault.sign(self.key_id, &self.fields())?;
        let sql = "UPDATE head SET floor = ?1, accounts = ?2, active_factors = ?3, next_account = ?4, \
                   next_factor = ?5, audit_cut = ?6, audit_cut_chain = ?7, audit_last = ?8, audit_chain = ?9, \
                   rekey_key = ?10, rekey_account = ?11, rekey_end = ?12, key_id = ?13, \
                   mac = ?14, sent_cut = ?15, sent_last = ?16, waiting = ?17, waiting_serials = ?18, \
                   notified = ?19 WHERE id = 1 AND mac = ?20";
        let rows = connection.prepare_cached(sql)?.execute(params![
            self.floor.0,
            self.accounts,
            self.active_factors,
            self.next_account,
            self.next_factor,
            self.audit_cut,
            self.audit_cut_chain,
            self.audit_last,
            self.audit_chain,
            self.rekey_key.as_bytes(),
            self.rekey_account,
            self.rekey_end,
            self.key_id.as_bytes(),
            self.mac,
            self.sent_cut,
            self.sent_last,
            self.waiting,
            self.waiting_serials,
            self.notified,
            before,
        ])?;
        if rows == 1 { Ok(()) } else { Err(StoreError::Tampered("the head row was changed".to_owned())) }
    }

    /// Takes note of the time. Says by how many seconds the clock was set back when that is worth
    /// telling; the same setting back is told once.
    pub(super) fn observe(&mut self, now: UnixTime) -> Option<i64> {
        let behind = self.floor.since(now);
        if behind > CLOCK_BACK {
            self.floor = now;
            return Some(behind);
        }
        self.floor = self.floor.max(now);
        None
    }

    /// A fresh id for an account.
    pub(super) fn take_account_id(&mut self) -> i64 {
        let id = self.next_account;
        self.next_account = id.saturating_add(1);
        id
    }

    /// A fresh id for a factor.
    pub(super) fn take_factor_id(&mut self) -> i64 {
        let id = self.next_factor;
        self.next_factor = id.saturating_add(1);
        id
    }

    /// Accounts that may still be sealed with another key than `current`.
    pub(super) fn rekey_left(&self, current: KeyId) -> i64 {
        if self.rekey_key == current {
            self.rekey_end.saturating_sub(self.rekey_account)
        } else {
            self.next_account.saturating_sub(1)
        }
    }

    /// Rows of the trail.
    pub(super) fn audit_rows(&self) -> i64 {
        self.audit_last.saturating_sub(self.audit_cut)
    }
}
