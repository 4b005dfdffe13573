//! Users without a factor: the invitation by which one may enroll the first, and how often the time of grace
//! has let one in.
//!
//! Such users have no row in the ring, which goes on proving that they are not enrolled. Rows here are never
//! deleted, also when a factor is enrolled: so their number and the sum of their serials, which the head
//! knows, show every one that is taken away, put back or added. Refuses to look past one: then all users
//! without a factor are denied.

mod fence;
mod grace;
mod invitation;

use mfa_proto::name::UserId;
use rusqlite::{Row as Columns, params};

pub(super) use self::{
    fence::fence,
    grace::grace,
    invitation::{check_invitation, invite, is_invited, settled, uninvite},
};
pub use self::{
    grace::{GraceLeft, GraceLogin, GraceTerms, Graced},
    invitation::{CheckInvitation, Invitation, InvitationCheck},
};
use super::{
    StoreError,
    head::Head,
    tx::{Read, Tx},
    vault::Slot,
};
use crate::{
    clock::UnixTime,
    seal::{Fields, KeyId, Mac},
};

/// A user's row.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    id: i64,
    slot: Slot,
    realm: String,
    name: String,
    /// Goes up with each change.
    serial: i64,
    /// Logins that were let in without a factor. Never goes down.
    pub(super) graced: u32,
    /// The invitation; empty when there is none.
    invite_hash: Vec<u8>,
    invite_until: UnixTime,
    /// Wrong invitations that were typed.
    invite_tries: u32,
    key_id: KeyId,
    mac: Mac,
}

const COLUMNS: &str =
    "id, slot, realm, name, serial, graced, invite_hash, invite_until, invite_tries, key_id, mac";

/// The row of a user, if there is one. Outside of a transaction that writes, `head` has to be one that was
/// just read.
pub(super) fn of(read: &Read<'_>, head: &Head, user: &UserId) -> Result<Option<Waiting>, StoreError> {
    let totals = read
        .connection
        .prepare_cached("SELECT count(*), coalesce(sum(serial), 0) FROM waiting")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if totals != (head.waiting, head.waiting_serials) {
        return Err(tampered());
    }
    let (realm, name) = (user.realm.as_str(), user.name.as_str());
    let sql = format!("SELECT {COLUMNS} FROM waiting WHERE slot = ?1");
    let mut statement = read.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([read.vault.slot(realm, name)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let row = Waiting::read(row)?.verified(read)?;
    if (row.realm.as_str(), row.name.as_str()) == (realm, name) { Ok(Some(row)) } else { Err(tampered()) }
}

/// [`of`], for a look: with the head as it stands in the file now.
pub(super) fn seen(read: &Read<'_>, user: &UserId) -> Result<Option<Waiting>, StoreError> {
    of(read, &Head::load(read.connection, read.vault)?, user)
}

/// [`of`], for what lets somebody in: all rows are looked at, so that none stands as it once was.
fn proven(tx: &Tx<'_>, user: &UserId) -> Result<Option<Waiting>, StoreError> {
    check(&tx.read())?;
    of(&tx.read(), tx.head, user)
}

/// Whether all rows are there, each as it was written last.
pub(super) fn check(read: &Read<'_>) -> Result<(), StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM waiting ORDER BY id");
    let mut statement = read.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let (mut count, mut serials) = (0_i64, 0_i64);
    while let Some(row) = rows.next()? {
        let row = Waiting::read(row)?.verified(read)?;
        count = count.saturating_add(1);
        serials = serials.saturating_add(row.serial);
        if row.id != count || row.slot != read.vault.slot(&row.realm, &row.name) {
            return Err(tampered());
        }
    }
    if (count, serials) == (read.head.waiting, read.head.waiting_serials) { Ok(()) } else { Err(tampered()) }
}

fn tampered() -> StoreError {
    StoreError::Tampered("a row of users without a factor is missing, was added or put back".to_owned())
}

/// Puts rows under the current key, at most `limit`. How many.
pub(super) fn rekey(tx: &Tx<'_>, limit: u32) -> Result<u32, StoreError> {
    let current = tx.vault.current();
    let sql = format!("SELECT {COLUMNS} FROM waiting WHERE key_id != ?1 ORDER BY id");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([current.as_bytes()])?;
    let (mut found, mut done) = (Vec::new(), 0_u32);
    while let Some(row) = rows.next()? {
        match Waiting::read(row).and_then(|row| row.verified(&tx.read())) {
            // Nobody can vouch for it: it keeps its key, and denies with it or without.
            Err(StoreError::Tampered(what)) => tracing::error!("not sealed with the new key: {what}"),
            other => found.push(other?),
        }
        done = u32::try_from(found.len()).unwrap_or(u32::MAX);
        if done >= limit {
            break;
        }
    }
    for row in &mut found {
        row.write(tx)?;
    }
    Ok(done)
}

impl Waiting {
    fn read(row: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            slot: row.get(1)?,
            realm: row.get(2)?,
            name: row.get(3)?,
            serial: row.get(4)?,
            graced: row.get(5)?,
            invite_hash: row.get(6)?,
            invite_until: UnixTime(row.get(7)?),
            invite_tries: row.get(8)?,
            key_id: KeyId::from_bytes(row.get(9)?),
            mac: row.get(10)?,
        })
    }

    fn verified(self, read: &Read<'_>) -> Result<Self, StoreError> {
        let what = || "a row of a user without a factor".to_owned();
        read.vault.verify(self.key_id, &self.fields(), &self.mac, what)?;
        Ok(self)
    }

    /// All columns but the code itself, in order.
    fn fields(&self) -> Fields {
        let mut fields = Fields::new("mfad/row/waiting/1");
        fields
            .int(self.id)
            .bytes(&self.slot)
            .text(&self.realm)
            .text(&self.name)
            .int(self.serial)
            .int(self.graced)
            .bytes(&self.invite_hash)
            .int(self.invite_until.0)
            .int(self.invite_tries)
            .bytes(self.key_id.as_bytes());
        fields
    }

    /// The row of a user, which is made where there is none.
    fn of_or_new(tx: &mut Tx<'_>, user: &UserId) -> Result<Self, StoreError> {
        match proven(tx, user)? {
            Some(row) => Ok(row),
            None => Self::insert(tx, (user.realm.as_str(), user.name.as_str())),
        }
    }

    /// A new row, which says nothing yet.
    fn insert(tx: &mut Tx<'_>, (realm, name): (&str, &str)) -> Result<Self, StoreError> {
        tx.head.waiting = tx.head.waiting.saturating_add(1);
        let mut row = Self {
            id: tx.head.waiting,
            slot: tx.vault.slot(realm, name),
            realm: realm.to_owned(),
            name: name.to_owned(),
            serial: 0,
            graced: 0,
            invite_hash: Vec::new(),
            invite_until: UnixTime(0),
            invite_tries: 0,
            key_id: tx.vault.current(),
            mac: [0; 32],
        };
        row.mac = tx.vault.sign(row.key_id, &row.fields())?;
        let sql = format!("INSERT INTO waiting ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, 0, 0, x'', 0, 0, ?5, ?6)");
        let values = params![row.id, row.slot, row.realm, row.name, row.key_id.as_bytes(), row.mac];
        tx.connection.prepare_cached(&sql)?.execute(values)?;
        Ok(row)
    }

    /// Writes what has changed, which counts.
    fn change(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.serial = self.serial.saturating_add(1);
        tx.head.waiting_serials = tx.head.waiting_serials.saturating_add(1);
        self.write(tx)
    }

    /// Writes it under the current key, if it still is what was read.
    fn write(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let before = self.mac;
        self.key_id = tx.vault.current();
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = "UPDATE waiting SET serial = ?1, graced = ?2, invite_hash = ?3, invite_until = ?4, \
                   invite_tries = ?5, key_id = ?6, mac = ?7 WHERE id = ?8 AND mac = ?9";
        let rows = tx.connection.prepare_cached(sql)?.execute(params![
            self.serial,
            self.graced,
            self.invite_hash,
            self.invite_until.0,
            self.invite_tries,
            self.key_id.as_bytes(),
            self.mac,
            self.id,
            before,
        ])?;
        if rows == 1 { Ok(()) } else { Err(tampered()) }
    }

    fn forget_invitation(&mut self) {
        self.invite_hash.clear();
        self.invite_until = UnixTime(0);
        self.invite_tries = 0;
    }
}
