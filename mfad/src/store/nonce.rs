//! The nonces of a factor's tokens: each is kept for as long as its token could be right once more.
//!
//! A factor's row says how many there are (`drift`) and the number of the last (`position`); they are
//! numbered without gaps and forgotten from the front, so that a row that is taken away, put back or added
//! shows. Refuses to keep tokens: a keyed hash stands for one.

use mfa_proto::name::UserId;
use rusqlite::{Row, params};

use super::{
    StoreError,
    factor_row::Factor,
    tx::{Read, Tx},
};
use crate::{
    clock::UnixTime,
    factor::{
        Moving,
        token::{PERIOD, WINDOW, step_at},
    },
    seal::{Fields, KeyId, Mac},
};

/// The most that are kept of one factor; beyond it, tokens wait until the first of them is forgotten.
const MOST: usize = 1024;

/// Steps that a token may be older than the newest one that was used.
const REACH: i64 = WINDOW.saturating_mul(2);

/// What stands for a token: the same for whichever factor of the user it is right for, also for one that has
/// been removed since.
pub(super) fn hash_of(tx: &Tx<'_>, user: &UserId, signed: &str) -> Result<Mac, StoreError> {
    let mut fields = Fields::new("mfad/nonce/1");
    fields.text(user.realm.as_str()).text(user.name.as_str()).text(signed);
    tx.vault.digest(&fields)
}

/// Whether a token was used, be it with a factor that is gone.
pub(super) fn is_known(tx: &Tx<'_>, hash: &Mac) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM nonce WHERE hash = ?1)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([hash.as_slice()], |row| row.get(0))?)
}

/// A row.
#[derive(Clone, Debug)]
struct Nonce {
    factor_id: i64,
    serial: i64,
    hash: Mac,
    step: i64,
    key_id: KeyId,
    mac: Mac,
}

/// All that is kept of one factor, exactly as many as its row says.
#[derive(Clone, Debug)]
pub(super) struct Memory(Vec<Nonce>);

impl Memory {
    /// Loads it, verified.
    pub(super) fn of(read: &Read<'_>, factor: &Factor) -> Result<Self, StoreError> {
        let sql = "SELECT factor_id, serial, hash, step, key_id, mac FROM nonce WHERE factor_id = ?1 ORDER BY serial";
        let mut statement = read.connection.prepare_cached(sql)?;
        let mut rows = statement.query([factor.id])?;
        let mut kept: Vec<Nonce> = Vec::new();
        let wrong =
            || StoreError::Tampered(format!("a nonce of factor {} is missing or was added", factor.id));
        let mut serial = factor.moving.position.saturating_sub(i64::from(factor.moving.drift));
        while let Some(row) = rows.next()? {
            let nonce = Nonce::read(row)?;
            serial = serial.saturating_add(1);
            if nonce.serial != serial {
                return Err(wrong());
            }
            let what = || format!("nonce {serial} of factor {}", factor.id);
            read.vault.verify(nonce.key_id, &nonce.fields(), &nonce.mac, what)?;
            kept.push(nonce);
        }
        if serial == factor.moving.position { Ok(Self(kept)) } else { Err(wrong()) }
    }

    /// The newest step that a token was used of. It never goes back, and so neither does what is accepted,
    /// whatever the clock does.
    fn newest(&self) -> Option<i64> {
        self.0.iter().map(|nonce| nonce.step).max()
    }

    /// Whether no token of now could be right, because one was used when the clock was far ahead.
    pub(super) fn is_ahead(&self, now: UnixTime) -> bool {
        self.newest().is_some_and(|newest| newest.saturating_sub(REACH) > step_at(now).saturating_add(WINDOW))
    }

    /// Whether a token of a step is older than what is remembered: it may have been used.
    pub(super) fn is_past(&self, step: i64) -> bool {
        self.newest().is_some_and(|newest| step < newest.saturating_sub(REACH))
    }

    /// Until when no further token can be remembered, if so.
    pub(super) fn full_until(&self, step: i64) -> Option<UnixTime> {
        let first = self.0.first().filter(|_| self.0.len() >= MOST)?;
        let newest = self.newest().unwrap_or(step).max(step);
        let stays = first.step >= newest.saturating_sub(REACH);
        // A token of the step after that makes it go.
        let gone = first.step.saturating_add(REACH).saturating_add(1).saturating_mul(PERIOD);
        stays.then_some(UnixTime(gone))
    }

    /// Writes down that a token was used, and forgets those that no token is as old as. Where the factor has
    /// to move to; its row has to be written after it.
    pub(super) fn remember(
        mut self,
        tx: &Tx<'_>,
        factor: &Factor,
        hash: Mac,
        step: i64,
    ) -> Result<Moving, StoreError> {
        let serial = factor.moving.position.saturating_add(1);
        self.0.push(Nonce::insert(tx, factor.id, serial, (hash, step))?);
        let oldest = self.newest().unwrap_or(step).saturating_sub(REACH);
        let past = self.0.iter().take_while(|nonce| nonce.step < oldest).count();
        for nonce in self.0.drain(..past) {
            nonce.delete(tx)?;
        }
        let drift = i32::try_from(self.0.len()).map_err(|_| StoreError::Internal)?;
        Ok(Moving { position: serial, drift })
    }

    /// Puts all rows under the current key.
    pub(super) fn rekey(self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.0.into_iter().try_for_each(|nonce| nonce.rekey(tx))
    }

    /// What an administrator's reset makes of it: nothing, unless the clock was far ahead when a token was
    /// used. Then all that was used may be forgotten, so that no token of now or before is taken any more,
    /// and those two steps later are. Where the factor has to move to.
    pub(super) fn reset(self, tx: &Tx<'_>, factor: &Factor) -> Result<Moving, StoreError> {
        let ahead = step_at(tx.now).saturating_add(WINDOW).saturating_add(1);
        if self.newest().is_none_or(|newest| newest <= ahead) {
            return Ok(factor.moving);
        }
        self.fence(tx, factor)
    }

    /// Forgets all, and takes no token of a step that a token could have been used of by now. For a database
    /// of which it is not known what was used after it was written. Where the factor has to move to.
    pub(super) fn fence(self, tx: &Tx<'_>, factor: &Factor) -> Result<Moving, StoreError> {
        for nonce in self.0 {
            nonce.delete(tx)?;
        }
        let serial = factor.moving.position.saturating_add(1);
        // The first step to be taken is the one that no clock within the window has reached.
        let step = step_at(tx.now).saturating_add(WINDOW).saturating_add(1).saturating_add(REACH);
        Nonce::insert(tx, factor.id, serial, ([0; 32], step))?;
        Ok(Moving { position: serial, drift: 1 })
    }
}

/// Forgets what was kept of factors that are gone, once no token can be as old.
pub(super) fn sweep(tx: &Tx<'_>) -> Result<(), StoreError> {
    let oldest = step_at(tx.now).saturating_sub(REACH);
    let sql = "DELETE FROM nonce WHERE step < ?1 AND factor_id NOT IN (SELECT id FROM factor)";
    tx.connection.prepare_cached(sql)?.execute([oldest])?;
    Ok(())
}

impl Nonce {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            factor_id: row.get(0)?,
            serial: row.get(1)?,
            hash: row.get(2)?,
            step: row.get(3)?,
            key_id: KeyId::from_bytes(row.get(4)?),
            mac: row.get(5)?,
        })
    }

    /// All columns but the row's own code, in order.
    fn fields(&self) -> Fields {
        let mut fields = Fields::new("mfad/row/nonce/1");
        fields
            .int(self.factor_id)
            .int(self.serial)
            .bytes(&self.hash)
            .int(self.step)
            .bytes(self.key_id.as_bytes());
        fields
    }

    fn insert(
        tx: &Tx<'_>,
        factor_id: i64,
        serial: i64,
        (hash, step): (Mac, i64),
    ) -> Result<Self, StoreError> {
        let mut nonce = Self { factor_id, serial, hash, step, key_id: tx.vault.current(), mac: [0; 32] };
        nonce.mac = tx.vault.sign(nonce.key_id, &nonce.fields())?;
        let sql =
            "INSERT INTO nonce (factor_id, serial, hash, step, key_id, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = params![factor_id, serial, hash, step, nonce.key_id.as_bytes(), nonce.mac];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        Ok(nonce)
    }

    fn rekey(mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let before = self.mac;
        self.key_id = tx.vault.current();
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = "UPDATE nonce SET key_id = ?1, mac = ?2 WHERE factor_id = ?3 AND serial = ?4 AND mac = ?5";
        let values = params![self.key_id.as_bytes(), self.mac, self.factor_id, self.serial, before];
        self.one_row(tx.connection.prepare_cached(sql)?.execute(values)?)
    }

    fn delete(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let sql = "DELETE FROM nonce WHERE factor_id = ?1 AND serial = ?2 AND mac = ?3";
        let values = params![self.factor_id, self.serial, self.mac];
        self.one_row(tx.connection.prepare_cached(sql)?.execute(values)?)
    }

    fn one_row(&self, rows: usize) -> Result<(), StoreError> {
        let changed =
            || StoreError::Tampered(format!("a nonce of factor {} changed meanwhile", self.factor_id));
        if rows == 1 { Ok(()) } else { Err(changed()) }
    }
}
