//! How many codes were sent in the last 24 hours: to whom, to which number, in all.
//!
//! Rows are numbered without gaps, and the head says from where to where, so that one that is taken away
//! shows; it then counts against everybody, for a day. Refuses addresses: a keyed hash stands for one.

use rusqlite::{Row, params};

use super::{
    StoreError,
    account::Account,
    audit_rows::{self, Event},
    issue::SentLimits,
    tx::{Read, Tx},
};
use crate::{
    clock::UnixTime,
    factor::Secret,
    seal::{Fields, KeyId, Mac},
};

/// Seconds that a code counts towards the caps.
const DAY: i64 = 86_400;

/// A code that was sent.
#[derive(Clone, Debug)]
struct Sent {
    id: i64,
    time: UnixTime,
    /// To whom; `None` for a row that was lost, which counts for everybody.
    account: Option<i64>,
    number: Mac,
    key_id: KeyId,
    mac: Mac,
}

/// A keyed hash of where a factor's codes go.
pub(super) fn number_of(read: &Read<'_>, secret: &Secret) -> Result<Mac, StoreError> {
    let mut fields = Fields::new("mfad/number/1");
    match secret {
        // One mailbox may be written in many ways; counting two as one only sends less.
        Secret::Address(address) => fields.text(&address.expose().to_ascii_lowercase()),
        Secret::Outside(outside) => fields.text(outside.service.as_str()).text(outside.remote_user.as_str()),
        Secret::Seed(_) | Secret::Token(_) | Secret::Recovery(_) | Secret::BreakGlass(_) => {
            return Err(StoreError::Internal);
        }
    };
    read.vault.digest(&fields)
}

/// Why nothing may be sent now.
pub(super) enum Pause {
    /// Something was sent there a moment ago.
    TooSoon,
    /// One of the caps holds, until then.
    Capped(UnixTime),
}

/// Counts a code to be sent now, unless there were too many: then when one may be sent again.
pub(super) fn count(
    tx: &mut Tx<'_>,
    account: &Account,
    number: Mac,
) -> Result<Result<(), UnixTime>, StoreError> {
    let rows = settle(tx)?;
    add(tx, &rows, (account.id, number))
}

/// The same for a code of which nothing else is kept, so that its row here is all that tells when it went: none
/// within `interval` seconds of any other to this number of this user, whatever became of that one.
pub(super) fn count_apart(
    tx: &mut Tx<'_>,
    account: &Account,
    (number, interval): (Mac, i64),
) -> Result<Result<(), Pause>, StoreError> {
    let rows = settle(tx)?;
    let there = |row: &&Sent| row.account.is_none_or(|id| id == account.id && row.number == number);
    if let Some(last) = rows.iter().filter(there).map(|row| row.time).max()
        && (0..interval).contains(&tx.now.since(last))
    {
        return Ok(Err(Pause::TooSoon));
    }
    Ok(add(tx, &rows, (account.id, number))?.map_err(Pause::Capped))
}

/// One more row, unless a cap holds.
fn add(
    tx: &mut Tx<'_>,
    rows: &[Sent],
    (account, number): (i64, Mac),
) -> Result<Result<(), UnixTime>, StoreError> {
    if let Some(until) = capped(rows, &tx.settings.sent, account, &number) {
        return Ok(Err(until));
    }
    let id = tx.head.sent_last.saturating_add(1);
    Sent { id, time: tx.now, account: Some(account), number, key_id: tx.vault.current(), mac: [0; 32] }
        .put(tx)?;
    tx.head.sent_last = id;
    Ok(Ok(()))
}

/// Takes out what is older than a day, and looks whether anything was changed. How many rows went.
pub(super) fn prune(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let before = tx.head.sent_cut;
    settle(tx)?;
    Ok(u64::try_from(tx.head.sent_cut.saturating_sub(before)).unwrap_or(0))
}

/// Whether all rows are there, each as it was written.
pub(super) fn is_whole(read: &Read<'_>) -> Result<bool, StoreError> {
    let rows = Sent::all(read)?;
    let expected = read.head.sent_cut.saturating_add(1)..=read.head.sent_last;
    let (count, stored): (usize, i64) =
        (rows.len(), read.connection.query_row("SELECT count(*) FROM sent", [], |row| row.get(0))?);
    let sound = rows.iter().all(|row| row.is_sound(read));
    Ok(sound && usize::try_from(stored) == Ok(count) && rows.iter().map(|row| row.id).eq(expected))
}

/// Until when one of the caps holds.
fn capped(rows: &[Sent], limits: &SentLimits, account: i64, number: &Mac) -> Option<UnixTime> {
    let of_user = |row: &&Sent| row.account.is_none_or(|id| id == account);
    let of_number = |row: &&Sent| row.account.is_none() || row.number == *number;
    let caps = [
        full(rows.iter().filter(of_user).map(|row| row.time), limits.per_user_day),
        full(rows.iter().filter(of_number).map(|row| row.time), limits.per_number_day),
        full(rows.iter().map(|row| row.time), limits.global_day),
    ];
    caps.into_iter().flatten().max()
}

/// When fewer than `most` of these rows are left.
fn full(times: impl Iterator<Item = UnixTime>, most: u32) -> Option<UnixTime> {
    let mut times: Vec<UnixTime> = times.collect();
    times.sort_unstable();
    let beyond = times.len().checked_sub(usize::try_from(most).unwrap_or(usize::MAX))?;
    // With a cap of nothing there is no such row.
    Some(times.get(beyond).or(times.last()).map_or(UnixTime(i64::MAX), |time| time.plus(DAY)))
}

/// The rows of the last 24 hours, each as it was written; what was lost is put in as lost.
fn settle(tx: &mut Tx<'_>) -> Result<Vec<Sent>, StoreError> {
    let found = Sent::all(&tx.read())?;
    let (first, last) = (tx.head.sent_cut.saturating_add(1), tx.head.sent_last);
    let mut known = found.len() == usize::try_from(last.saturating_sub(tx.head.sent_cut)).unwrap_or(0);
    let mut sound = found.into_iter().filter(|row| row.is_sound(&tx.read())).peekable();
    let mut rows = Vec::new();
    for id in first..=last {
        while sound.next_if(|row| row.id < id).is_some() {}
        let row = sound.next_if(|row| row.id == id);
        known &= row.is_some();
        rows.push(match row {
            // The clock was set back: the day begins anew, rather than last until the clock is there again.
            Some(row) if row.time > tx.now => Sent { time: tx.now, ..row }.put(tx)?,
            Some(row) => row,
            None => Sent::lost(tx, id).put(tx)?,
        });
    }
    drop(sound);
    if !known {
        tx.connection.execute("DELETE FROM sent WHERE id < ?1 OR id > ?2", [first, last])?;
        report(tx)?;
    }
    let old = rows.iter().take_while(|row| tx.now.since(row.time) >= DAY).count();
    if let Some(cut) = old.checked_sub(1).and_then(|place| rows.get(place)).map(|row| row.id) {
        tx.connection.prepare_cached("DELETE FROM sent WHERE id <= ?1")?.execute([cut])?;
        tx.head.sent_cut = cut;
        rows.drain(..old);
    }
    Ok(rows)
}

fn report(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tracing::error!(
        "rows that count the codes sent were changed or removed: each one counts for all users for a day"
    );
    let event = Event {
        what: "sent_changed",
        context: None,
        factor: None,
        rule: None,
        verdict: "noticed",
        reason: "tampered",
    };
    audit_rows::append(tx, &event)
}

/// Puts all rows under the current key: there are no more than a day's.
pub(super) fn rekey(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let key_id = tx.vault.current();
    for row in settle(tx)? {
        Sent { key_id, ..row }.put(tx)?;
    }
    Ok(())
}

impl Sent {
    fn lost(tx: &Tx<'_>, id: i64) -> Self {
        Self { id, time: tx.now, account: None, number: [0; 32], key_id: tx.vault.current(), mac: [0; 32] }
    }

    fn all(read: &Read<'_>) -> Result<Vec<Self>, StoreError> {
        let sql = "SELECT id, time, account_id, number, key_id, mac FROM sent ORDER BY id";
        let mut statement = read.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            match Self::read(row) {
                // What cannot be read is as good as lost.
                Err(StoreError::Tampered(_)) => {}
                other => found.push(other?),
            }
        }
        Ok(found)
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            time: UnixTime(row.get(1)?),
            account: row.get(2)?,
            number: row.get(3)?,
            key_id: KeyId::from_bytes(row.get(4)?),
            mac: row.get(5)?,
        })
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::new("mfad/row/sent/1");
        fields
            .int(self.id)
            .int(self.time.0)
            .maybe_int(self.account)
            .bytes(&self.number)
            .bytes(self.key_id.as_bytes());
        fields
    }

    fn is_sound(&self, read: &Read<'_>) -> bool {
        read.vault.verify(self.key_id, &self.fields(), &self.mac, String::new).is_ok()
    }

    /// Writes it, in place of whatever has its number.
    fn put(mut self, tx: &Tx<'_>) -> Result<Self, StoreError> {
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = "INSERT OR REPLACE INTO sent (id, time, account_id, number, key_id, mac) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values =
            params![self.id, self.time.0, self.account, self.number, self.key_id.as_bytes(), self.mac];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        Ok(self)
    }
}
