//! The rows of codes that were sent and not used yet, and of answers that are with an outside service.
//!
//! A factor's row says how many it has, and at which serial, so that a row that is taken away, put back or
//! added shows. Refuses to keep codes: a keyed hash stands for one.

use rusqlite::{Row, ToSql, params};

use super::{
    StoreError,
    factor_row::Factor,
    issue::SentLimits,
    tx::{Read, Tx},
};
use crate::{
    clock::UnixTime,
    seal::{Fields, KeyId, Mac, SealError},
};
use mfa_proto::answer::{Answer, OtpCode};
use subtle::ConstantTimeEq;

/// Seconds by which the clock may have been set back since a code was made, before the code is void.
const CLOCK_BACK: i64 = 120;

/// The session of codes that confirm a factor, or that its owner needs for a change: those come over many
/// connections. No login has such a number.
pub(super) const ENROLLMENT: &str = "enroll";

/// What a row is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// A code that was sent: at most one of a factor.
    Code,
    /// An answer that is with an outside service.
    Ask,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Ask => "ask",
        }
    }
}

/// A row. [`of`] gives it only verified.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) id: i64,
    pub(super) factor_id: i64,
    pub(super) purpose: Purpose,
    pub(super) session: String,
    hash: Vec<u8>,
    /// Digits of the code; 0 for other texts, and where there is no code.
    pub(super) digits: u8,
    /// The factor's position when the row was made.
    pub(super) serial: i64,
    pub(super) sent: UnixTime,
    pub(super) expires: UnixTime,
    pub(super) tries: u32,
    pub(super) key_id: KeyId,
    mac: Mac,
}

/// The columns in the order that [`Challenge::read`] takes them.
macro_rules! columns {
    () => {
        "id, factor_id, purpose, session, hash, digits, serial, sent, expires, tries, key_id, mac"
    };
}

/// All rows of a factor, exactly as many as it says.
pub(super) fn of(read: &Read<'_>, factor: &Factor) -> Result<Vec<Challenge>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM challenge WHERE factor_id = ?1 ORDER BY id");
    let mut statement = read.connection.prepare_cached(sql)?;
    let mut rows = statement.query([factor.id])?;
    let mut found: Vec<Challenge> = Vec::new();
    let wrong = |what: &str| StoreError::Tampered(format!("a code sent for factor {} {what}", factor.id));
    while let Some(row) = rows.next()? {
        let row = Challenge::read(row)?;
        read.vault.verify(row.key_id, &row.fields(), &row.mac, || {
            format!("a code sent for factor {}", factor.id)
        })?;
        let put_back = match row.purpose {
            Purpose::Code => row.serial != factor.moving.position || found.iter().any(Challenge::is_code),
            Purpose::Ask => row.serial > factor.moving.position,
        };
        if put_back {
            return Err(wrong("was put back"));
        }
        found.push(row);
    }
    if i32::try_from(found.len()).ok() == Some(factor.moving.drift) {
        return Ok(found);
    }
    Err(wrong("is missing or was added"))
}

/// The hash of a code as it is stored.
fn hash_of(tx: &Tx<'_>, challenge: &Challenge, code: &str) -> Result<Mac, StoreError> {
    let mut fields = Fields::new("mfad/code/1");
    fields.int(challenge.factor_id).int(challenge.id).text(&challenge.session).text(code);
    tx.vault.digest(&fields)
}

/// A number that no other row has had.
fn fresh_id() -> Result<i64, StoreError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    // Positive, and not 0.
    Ok((i64::from_be_bytes(bytes) & i64::MAX).max(1))
}

/// How long a new row counts, from now.
pub(super) struct Term<'a> {
    pub(super) session: &'a str,
    pub(super) lifetime: i64,
}

impl Challenge {
    fn new(tx: &Tx<'_>, factor: &Factor, purpose: Purpose, term: &Term<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fresh_id()?,
            factor_id: factor.id,
            purpose,
            session: term.session.to_owned(),
            hash: Vec::new(),
            digits: 0,
            serial: factor.moving.position,
            sent: tx.now,
            expires: tx.now.plus(term.lifetime.clamp(1, SentLimits::LONGEST)),
            tries: 0,
            key_id: tx.vault.current(),
            mac: [0; 32],
        })
    }

    /// Writes a row for a code. The factor's row has to be written after it.
    pub(super) fn code(
        tx: &Tx<'_>,
        factor: &mut Factor,
        term: &Term<'_>,
        code: &str,
    ) -> Result<Self, StoreError> {
        let mut row = Self::new(tx, factor, Purpose::Code, term)?;
        let typed = OtpCode::parse(code);
        row.digits = typed.as_ref().map_or(0, OtpCode::digits);
        row.hash = hash_of(tx, &row, typed.as_ref().map_or(code, OtpCode::expose))?.to_vec();
        row.insert(tx, factor)?;
        Ok(row)
    }

    /// Writes a row for an answer that is being judged elsewhere. The factor's row has to be written after.
    pub(super) fn ask(tx: &Tx<'_>, factor: &mut Factor, term: &Term<'_>) -> Result<Self, StoreError> {
        let mut row = Self::new(tx, factor, Purpose::Ask, term)?;
        row.insert(tx, factor)?;
        Ok(row)
    }

    pub(super) fn is_code(&self) -> bool {
        self.purpose == Purpose::Code
    }

    /// Whether an answer of this session can still be judged by it.
    pub(super) fn is_live(&self, session: &str, now: UnixTime) -> bool {
        self.session == session
            && self.tries < SentLimits::TRIES
            && now < self.expires
            && now.since(self.sent) >= -CLOCK_BACK
    }

    /// Whether an answer has the form of the code.
    pub(super) fn takes(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Code(code) => self.digits == code.digits(),
            Answer::Text(_) => self.digits == 0,
            Answer::Acknowledged
            | Answer::Pinned(_)
            | Answer::Recovery(_)
            | Answer::Token(_)
            | Answer::Choice(_)
            | Answer::Empty => false,
        }
    }

    /// Whether an answer is the code. The time taken does not depend on where they differ.
    pub(super) fn is(&self, tx: &Tx<'_>, answer: &Answer) -> Result<bool, StoreError> {
        let typed = match answer {
            Answer::Code(code) => code.expose(),
            Answer::Text(text) => text.expose(),
            Answer::Acknowledged
            | Answer::Pinned(_)
            | Answer::Recovery(_)
            | Answer::Token(_)
            | Answer::Choice(_)
            | Answer::Empty => return Ok(false),
        };
        let hash = hash_of(tx, self, typed)?;
        Ok(self.is_code() && bool::from(hash.as_slice().ct_eq(&self.hash)))
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let purpose: String = row.get(2)?;
        let purpose = [Purpose::Code, Purpose::Ask].into_iter().find(|known| known.word() == purpose);
        let broken = || StoreError::Tampered("what a code was sent for cannot be read".to_owned());
        Ok(Self {
            id: row.get(0)?,
            factor_id: row.get(1)?,
            purpose: purpose.ok_or_else(broken)?,
            session: row.get(3)?,
            hash: row.get(4)?,
            digits: row.get(5)?,
            serial: row.get(6)?,
            sent: UnixTime(row.get(7)?),
            expires: UnixTime(row.get(8)?),
            tries: row.get(9)?,
            key_id: KeyId::from_bytes(row.get(10)?),
            mac: row.get(11)?,
        })
    }

    /// All columns but the row's own code, in order.
    fn fields(&self) -> Fields {
        let mut fields = Fields::new("mfad/row/challenge/1");
        fields
            .int(self.id)
            .int(self.factor_id)
            .text(self.purpose.word())
            .text(&self.session)
            .bytes(&self.hash)
            .int(self.digits)
            .int(self.serial)
            .int(self.sent.0)
            .int(self.expires.0)
            .int(self.tries)
            .bytes(self.key_id.as_bytes());
        fields
    }

    fn insert(&mut self, tx: &Tx<'_>, factor: &mut Factor) -> Result<(), StoreError> {
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = concat!(
            "INSERT INTO challenge (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        );
        let values: [&dyn ToSql; 12] = [
            &self.id,
            &self.factor_id,
            &self.purpose.word(),
            &self.session,
            &self.hash,
            &self.digits,
            &self.serial,
            &self.sent.0,
            &self.expires.0,
            &self.tries,
            self.key_id.as_bytes(),
            &self.mac,
        ];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        factor.moving.drift = factor.moving.drift.saturating_add(1);
        Ok(())
    }

    /// Counts a wrong answer.
    pub(super) fn fail(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.tries = self.tries.saturating_add(1);
        self.write(tx, self.key_id)
    }

    /// Puts it under the current key.
    pub(super) fn rekey(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.write(tx, tx.vault.current())
    }

    fn write(&mut self, tx: &Tx<'_>, key: KeyId) -> Result<(), StoreError> {
        let before = self.mac;
        self.key_id = key;
        self.mac = tx.vault.sign(key, &self.fields())?;
        let sql = "UPDATE challenge SET tries = ?1, key_id = ?2, mac = ?3 WHERE id = ?4 AND mac = ?5";
        let values = params![self.tries, key.as_bytes(), self.mac, self.id, before];
        self.one_row(tx.connection.prepare_cached(sql)?.execute(values)?)
    }

    /// Deletes exactly this row. The factor's row has to be written after it.
    pub(super) fn delete(&self, tx: &Tx<'_>, factor: &mut Factor) -> Result<(), StoreError> {
        let sql = "DELETE FROM challenge WHERE id = ?1 AND mac = ?2";
        self.one_row(tx.connection.prepare_cached(sql)?.execute(params![self.id, self.mac])?)?;
        factor.moving.drift = factor.moving.drift.saturating_sub(1);
        Ok(())
    }

    fn one_row(&self, rows: usize) -> Result<(), StoreError> {
        let changed =
            || StoreError::Tampered(format!("a code sent for factor {} changed meanwhile", self.factor_id));
        if rows == 1 { Ok(()) } else { Err(changed()) }
    }
}
