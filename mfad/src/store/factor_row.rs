//! The row of a factor: its parameters, its sealed seed, where it stands, how its limits stand.

use mfa_proto::{
    admin::{Algorithm, FactorState, TotpParams},
    name::FactorLabel,
};
use rusqlite::{Row, ToSql, params};

use super::{
    StoreError,
    account::Account,
    tx::{Read, Tx},
};
use crate::{
    clock::UnixTime,
    factor::{Moving, Params, Seed},
    limits::Counter,
    seal::{Binding, Fields, KeyId, Mac, RowRef},
};

/// A factor's row. [`load_all`] gives it only verified.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    pub(super) id: i64,
    pub(super) account_id: i64,
    pub(super) label: FactorLabel,
    pub(super) state: FactorState,
    pub(super) params: Params,
    pub(super) created: UnixTime,
    pub(super) last_used: Option<UnixTime>,
    pub(super) moving: Moving,
    pub(super) counter: Counter,
    pub(super) key_id: KeyId,
    sealed: Vec<u8>,
    mac: Mac,
}

/// The columns in the order that [`Factor::read`] takes them.
macro_rules! columns {
    () => {
        "id, account_id, kind, label, state, algorithm, digits, period, created, last_used, position, \
         drift, failures, since, not_before, until_admin, key_id, sealed, mac"
    };
}

const OF_ACCOUNT: &str = concat!("SELECT ", columns!(), " FROM factor WHERE account_id = ?1 ORDER BY id");

/// All factors of a user, exactly those of the manifest.
pub(super) fn load_all(read: &Read<'_>, account: &Account) -> Result<Vec<Factor>, StoreError> {
    let mut statement = read.connection.prepare_cached(OF_ACCOUNT)?;
    let mut rows = statement.query([account.id])?;
    let mut factors = Vec::new();
    while let Some(row) = rows.next()? {
        let factor = Factor::read(row)?;
        let what = || format!("factor {} of {account}", factor.id);
        read.vault.verify(factor.key_id, &factor.fields(), &factor.mac, what)?;
        factors.push(factor);
    }
    if !factors.iter().map(|factor| factor.id).eq(account.factor_ids.iter().copied()) {
        return Err(StoreError::Tampered(format!("a factor of {account} is missing or was added")));
    }
    Ok(factors)
}

/// What a new factor starts from.
#[derive(Debug)]
pub(super) struct Fresh<'a> {
    pub(super) id: i64,
    pub(super) label: FactorLabel,
    pub(super) state: FactorState,
    pub(super) params: Params,
    pub(super) moving: Moving,
    pub(super) seed: &'a Seed,
}

impl Factor {
    /// Seals and writes a new row under the current key.
    pub(super) fn insert(tx: &Tx<'_>, account: &Account, fresh: Fresh<'_>) -> Result<Self, StoreError> {
        let mut factor = Self {
            id: fresh.id,
            account_id: account.id,
            label: fresh.label,
            state: fresh.state,
            params: fresh.params,
            created: tx.now,
            last_used: None,
            moving: fresh.moving,
            counter: Counter::default(),
            key_id: tx.vault.current(),
            sealed: Vec::new(),
            mac: [0; 32],
        };
        factor.sealed = tx.vault.seal(factor.key_id, factor.binding(account)?, fresh.seed.expose())?;
        factor.mac = tx.vault.sign(factor.key_id, &factor.fields())?;
        factor.write_new(tx)?;
        Ok(factor)
    }

    fn write_new(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO factor (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
        );
        let last_used = self.last_used.map(|time| time.0);
        let (kind, algorithm) = (self.params.kind().word(), algorithm_word(self.params.algorithm()));
        let values: [&dyn ToSql; 19] = [
            &self.id,
            &self.account_id,
            &kind,
            &self.label.as_str(),
            &state_word(self.state),
            &algorithm,
            &self.params.digits(),
            &self.params.period(),
            &self.created.0,
            &last_used,
            &self.moving.position,
            &self.moving.drift,
            &self.counter.failures,
            &self.counter.since.0,
            &self.counter.not_before.0,
            &self.counter.until_admin,
            self.key_id.as_bytes(),
            &self.sealed,
            &self.mac,
        ];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let broken = |what: &str| StoreError::Tampered(format!("a factor's {what} cannot be read"));
        let (kind, label, state): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let (algorithm, digits, period): (String, u8, u16) = (row.get(5)?, row.get(6)?, row.get(7)?);
        let algorithm = algorithm_from(&algorithm).ok_or_else(|| broken("algorithm"))?;
        let params = match kind.as_str() {
            "totp" => Params::Totp(TotpParams { algorithm, digits, period }),
            "hotp" if period == 0 => Params::Hotp { algorithm, digits },
            _ => return Err(broken("kind")),
        };
        Ok(Self {
            id: row.get(0)?,
            account_id: row.get(1)?,
            label: FactorLabel::new(label).map_err(|_| broken("label"))?,
            state: state_from(&state).ok_or_else(|| broken("state"))?,
            params,
            created: UnixTime(row.get(8)?),
            last_used: row.get::<_, Option<i64>>(9)?.map(UnixTime),
            moving: Moving { position: row.get(10)?, drift: row.get(11)? },
            counter: Counter {
                failures: row.get(12)?,
                since: UnixTime(row.get(13)?),
                not_before: UnixTime(row.get(14)?),
                until_admin: row.get(15)?,
            },
            key_id: KeyId::from_bytes(row.get(16)?),
            sealed: row.get(17)?,
            mac: row.get(18)?,
        })
    }

    /// All columns but the code itself, in order.
    fn fields(&self) -> Fields {
        let mut fields = Fields::new("mfad/row/factor/1");
        fields
            .int(self.id)
            .int(self.account_id)
            .text(self.params.kind().word())
            .text(self.label.as_str())
            .text(state_word(self.state))
            .text(algorithm_word(self.params.algorithm()))
            .int(self.params.digits())
            .int(self.params.period())
            .int(self.created.0)
            .maybe_int(self.last_used.map(|time| time.0))
            .int(self.moving.position)
            .int(self.moving.drift)
            .int(self.counter.failures)
            .int(self.counter.since.0)
            .int(self.counter.not_before.0)
            .int(self.counter.until_admin)
            .bytes(self.key_id.as_bytes())
            .bytes(&self.sealed);
        fields
    }

    /// What the seed is bound to: all that never changes in the life of a factor.
    fn binding(&self, account: &Account) -> Result<Binding, StoreError> {
        let mut binding = Binding::new("factor", RowRef::Id(self.id))?;
        binding
            .fields()
            .text(&account.realm)
            .text(&account.name)
            .maybe_int(account.uid)
            .text(self.params.kind().word())
            .text(algorithm_word(self.params.algorithm()))
            .int(self.params.digits())
            .int(self.params.period())
            .int(self.created.0);
        Ok(binding)
    }

    /// The seed, opened for one judgment and wiped when dropped.
    pub(super) fn open_seed(&self, read: &Read<'_>, account: &Account) -> Result<Seed, StoreError> {
        let broken = |why: &dyn std::fmt::Display| {
            StoreError::Tampered(format!("the seed of factor {} of {account}: {why}", self.id))
        };
        let opened = read.vault.open(self.key_id, self.binding(account)?, &self.sealed);
        Seed::new(opened.map_err(|e| broken(&e))?).map_err(|e| broken(&e))
    }

    /// Seals the seed again, under the current key.
    pub(super) fn rekey(&mut self, tx: &Tx<'_>, account: &Account) -> Result<(), StoreError> {
        let seed = self.open_seed(&tx.read(), account)?;
        let before = self.mac;
        self.key_id = tx.vault.current();
        self.sealed = tx.vault.seal(self.key_id, self.binding(account)?, seed.expose())?;
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = "UPDATE factor SET key_id = ?1, sealed = ?2, mac = ?3 WHERE id = ?4 AND mac = ?5";
        let values = params![self.key_id.as_bytes(), self.sealed, self.mac, self.id, before];
        let rows = tx.connection.prepare_cached(sql)?.execute(values)?;
        self.one_row(rows)
    }

    /// Writes what may change, if the row still is what was read.
    pub(super) fn update(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let rows = self.write(
            tx,
            "UPDATE factor SET state = ?1, last_used = ?2, position = ?3, drift = ?4, \
             failures = ?5, since = ?6, not_before = ?7, until_admin = ?8, mac = ?9 \
             WHERE id = ?10 AND mac = ?11",
        )?;
        self.one_row(rows)
    }

    /// Like [`Self::update`], and only if the factor is active and has not reached the new position:
    /// the compare-and-set that makes a code work once. The number of rows that were changed.
    pub(super) fn consume(&mut self, tx: &Tx<'_>) -> Result<usize, StoreError> {
        self.write(
            tx,
            "UPDATE factor SET state = ?1, last_used = ?2, position = ?3, drift = ?4, \
             failures = ?5, since = ?6, not_before = ?7, until_admin = ?8, mac = ?9 \
             WHERE id = ?10 AND mac = ?11 AND state = 'active' AND position < ?3",
        )
    }

    fn write(&mut self, tx: &Tx<'_>, sql: &str) -> Result<usize, StoreError> {
        let before = self.mac;
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        Ok(tx.connection.prepare_cached(sql)?.execute(params![
            state_word(self.state),
            self.last_used.map(|time| time.0),
            self.moving.position,
            self.moving.drift,
            self.counter.failures,
            self.counter.since.0,
            self.counter.not_before.0,
            self.counter.until_admin,
            self.mac,
            self.id,
            before,
        ])?)
    }

    /// Deletes the row, if it still is what was read.
    pub(super) fn delete(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut statement = tx.connection.prepare_cached("DELETE FROM factor WHERE id = ?1 AND mac = ?2")?;
        let rows = statement.execute(params![self.id, self.mac])?;
        self.one_row(rows)
    }

    fn one_row(&self, rows: usize) -> Result<(), StoreError> {
        let changed = || StoreError::Tampered(format!("factor {} changed meanwhile", self.id));
        if rows == 1 { Ok(()) } else { Err(changed()) }
    }
}

const fn algorithm_word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "sha1",
        Algorithm::Sha256 => "sha256",
        Algorithm::Sha512 => "sha512",
    }
}

fn algorithm_from(word: &str) -> Option<Algorithm> {
    [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].into_iter().find(|a| algorithm_word(*a) == word)
}

/// The word for a state, in rows and in messages.
pub(super) const fn state_word(state: FactorState) -> &'static str {
    match state {
        FactorState::Pending => "pending",
        FactorState::Active => "active",
        FactorState::Disabled => "disabled",
        FactorState::Exhausted => "exhausted",
    }
}

fn state_from(word: &str) -> Option<FactorState> {
    use FactorState as S;
    [S::Pending, S::Active, S::Disabled, S::Exhausted].into_iter().find(|s| state_word(*s) == word)
}
