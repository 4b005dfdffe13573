//! The row of a factor: its parameters, its sealed secret, where it stands, how its limits stand.

use mfa_proto::{
    admin::{Algorithm, FactorKind, FactorState, TotpParams},
    name::FactorLabel,
};
use rusqlite::{Row, ToSql, params};

use super::{
    StoreError,
    account::Account,
    factor_tag::Tag,
    tx::{Read, Tx},
};
use crate::{
    clock::UnixTime,
    factor::{CodeHash, Moving, Params, RecoverySet, Secret, Seed},
    limits::Counter,
    seal::{self, Binding, Fields, KeyId, Mac, RowRef},
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
    pub(super) tag: Tag,
    pub(super) key_id: KeyId,
    sealed: Vec<u8>,
    mac: Mac,
}

/// The columns in the order that [`Factor::read`] takes them.
macro_rules! columns {
    () => {
        "id, account_id, kind, label, state, algorithm, digits, period, created, last_used, position, \
         drift, failures, since, not_before, until_admin, key_id, sealed, mac, \
         serial, description, pin"
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
    pub(super) secret: &'a Secret,
    /// The PIN is sealed when the row is written.
    pub(super) tag: Tag,
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
            tag: fresh.tag,
            key_id: tx.vault.current(),
            sealed: Vec::new(),
            mac: [0; 32],
        };
        factor.sealed = tx.vault.seal(factor.key_id, factor.binding(account)?, &fresh.secret.to_bytes())?;
        factor.mac = tx.vault.sign(factor.key_id, &factor.fields())?;
        factor.write_new(tx)?;
        Ok(factor)
    }

    fn write_new(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO factor (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
             ?20, ?21, ?22)"
        );
        let last_used = self.last_used.map(|time| time.0);
        let (kind, algorithm) = (self.params.kind().word(), algorithm_word(self.params.algorithm()));
        let values: [&dyn ToSql; 22] = [
            &self.id,
            &self.account_id,
            &kind,
            &self.label.as_str(),
            &state_word(self.state),
            &algorithm,
            &self.params.digits(),
            &period_column(self.params),
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
            &self.tag.serial_column(),
            &self.tag.description.as_str(),
            &self.tag.pin_column(),
        ];
        tx.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let broken = |what: &str| StoreError::Tampered(format!("a factor's {what} cannot be read"));
        let (kind, label, state): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let (algorithm, digits, period): (String, u8, u16) = (row.get(5)?, row.get(6)?, row.get(7)?);
        let params =
            params_from(&kind, &algorithm, digits, period).ok_or_else(|| broken("kind or parameters"))?;
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
            tag: Tag::read(row, 19)?.ok_or_else(|| broken("serial number or description"))?,
            key_id: KeyId::from_bytes(row.get(16)?),
            sealed: row.get(17)?,
            mac: row.get(18)?,
        })
    }

    /// All columns but the code itself, in order. As in schema 1 while those of schema 5 say nothing: a database
    /// that was migrated keeps its rows.
    fn fields(&self) -> Fields {
        let plain = self.tag.is_plain();
        let mut fields = Fields::new(if plain { "mfad/row/factor/1" } else { "mfad/row/factor/2" });
        fields
            .int(self.id)
            .int(self.account_id)
            .text(self.params.kind().word())
            .text(self.label.as_str())
            .text(state_word(self.state))
            .text(algorithm_word(self.params.algorithm()))
            .int(self.params.digits())
            .int(period_column(self.params))
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
        if !plain {
            self.tag.add_to(&mut fields);
        }
        fields
    }

    /// What the secret is bound to: all that never changes in the life of a factor.
    fn binding(&self, account: &Account) -> Result<Binding, StoreError> {
        self.bound("factor", account)
    }

    /// The same for another column of the row.
    pub(super) fn bound(&self, column: &str, account: &Account) -> Result<Binding, StoreError> {
        let mut binding = Binding::new(column, RowRef::Id(self.id))?;
        binding
            .fields()
            .text(&account.realm)
            .text(&account.name)
            .maybe_int(account.uid)
            .text(self.params.kind().word())
            .text(algorithm_word(self.params.algorithm()))
            .int(self.params.digits())
            .int(period_column(self.params))
            .int(self.created.0);
        Ok(binding)
    }

    /// The secret, opened for one judgment and wiped when dropped.
    pub(super) fn open_secret(&self, read: &Read<'_>, account: &Account) -> Result<Secret, StoreError> {
        let opened = read.vault.open(self.key_id, self.binding(account)?, &self.sealed);
        let opened = opened.map_err(|error| self.broken(account, &error))?;
        Secret::from_bytes(self.params.kind(), opened).map_err(|error| self.broken(account, &error))
    }

    /// The seed of a factor whose codes are made of one.
    pub(super) fn open_seed(&self, read: &Read<'_>, account: &Account) -> Result<Seed, StoreError> {
        match self.open_secret(read, account)? {
            Secret::Seed(seed) => Ok(seed),
            Secret::Address(_)
            | Secret::Outside(_)
            | Secret::Token(_)
            | Secret::Recovery(_)
            | Secret::BreakGlass(_) => Err(self.broken(account, &"there is none")),
        }
    }

    pub(super) fn broken(&self, account: &Account, why: &dyn std::fmt::Display) -> StoreError {
        StoreError::Tampered(format!("the secret of factor {} of {account}: {why}", self.id))
    }

    /// The secret, of kinds that show a part of it. What costs nothing is all that others cost.
    pub(super) fn shown_secret(
        &self,
        read: &Read<'_>,
        account: &Account,
    ) -> Result<Option<Secret>, StoreError> {
        match self.params.kind() {
            FactorKind::Totp | FactorKind::Hotp | FactorKind::Recovery | FactorKind::BreakGlass => Ok(None),
            FactorKind::Sms | FactorKind::Mail | FactorKind::Rest | FactorKind::Token => {
                self.open_secret(read, account).map(Some)
            }
        }
    }

    /// Whether codes are sent for it, or its answers judged elsewhere: it may have rows in `challenge`, and
    /// says in `drift` how many.
    pub(super) fn keeps_challenges(&self) -> bool {
        self.params.is_sent() || self.params == Params::Rest
    }

    /// Whether it counts towards the most that a user may hold.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.params.kind(), FactorKind::Recovery | FactorKind::BreakGlass)
    }

    /// Until when it counts; `None` for kinds without an end.
    pub(super) fn until(&self) -> Option<UnixTime> {
        self.params.minutes().map(|minutes| self.created.plus(i64::from(minutes).saturating_mul(60)))
    }

    /// Whether its end has come. It is as good as gone from then on, though its row stays until it is swept.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        self.until().is_some_and(|until| now >= until)
    }

    /// Whether it is nothing that counts, or ever did: only waits to be proven, or its end has come.
    pub(super) fn is_nothing(&self, now: UnixTime) -> bool {
        self.state == FactorState::Pending || self.is_over(now)
    }

    /// Whether its time is over. A clock that was set back to before it was made must not give it more than
    /// it had.
    pub(super) fn is_void(&self, now: UnixTime) -> bool {
        self.is_over(now) || (self.until().is_some() && now < self.created)
    }

    /// Whether it is in a state now, its time not over.
    pub(super) fn is(&self, state: FactorState, now: UnixTime) -> bool {
        self.state == state && !self.is_void(now)
    }

    /// Where such a factor stands after a success, or after a new code: what was sent before is void.
    pub(super) fn moved_on(&self) -> Moving {
        Moving { position: self.moving.position.saturating_add(1), ..self.moving }
    }

    /// Recovery codes that are left; `None` for other kinds. Their number stands in the length of what is
    /// sealed, which the row's code covers.
    pub(super) fn recovery_left(&self) -> Option<u32> {
        let hashes = self.sealed.len().checked_sub(seal::OVERHEAD)? / size_of::<CodeHash>();
        let recovery = self.params.kind() == FactorKind::Recovery;
        recovery.then(|| RecoverySet::left(hashes, self.moving))
    }

    /// Seals the secret again, under the current key.
    pub(super) fn rekey(&mut self, tx: &Tx<'_>, account: &Account) -> Result<(), StoreError> {
        self.reseal(tx, (account, account))
    }

    /// Seals the secret again, under the current key, for what the account is from now on.
    pub(super) fn reseal(&mut self, tx: &Tx<'_>, (from, to): (&Account, &Account)) -> Result<(), StoreError> {
        let secret = self.open_secret(&tx.read(), from)?;
        let pin = self.open_pin(&tx.read(), from)?;
        self.key_id = tx.vault.current();
        self.account_id = to.id;
        self.sealed = tx.vault.seal(self.key_id, self.binding(to)?, &secret.to_bytes())?;
        if let Some(pin) = pin {
            self.seal_pin(tx, to, &pin)?;
        }
        self.update_tag(tx)
    }

    /// Writes whose row it is, what is sealed in it, and what its device is called, if the row still is what was
    /// read.
    pub(super) fn update_tag(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let before = self.mac;
        self.mac = tx.vault.sign(self.key_id, &self.fields())?;
        let sql = "UPDATE factor SET account_id = ?1, key_id = ?2, sealed = ?3, serial = ?4, description = ?5, \
                   pin = ?6, label = ?7, mac = ?8 WHERE id = ?9 AND mac = ?10";
        let values = params![
            self.account_id,
            self.key_id.as_bytes(),
            self.sealed,
            self.tag.serial_column(),
            self.tag.description.as_str(),
            self.tag.pin_column(),
            self.label.as_str(),
            self.mac,
            self.id,
            before,
        ];
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

    /// Deletes the row, if it still is what was read, and active: what makes an emergency code work once. The
    /// number of rows.
    pub(super) fn delete_active(&self, tx: &Tx<'_>) -> Result<usize, StoreError> {
        let sql = "DELETE FROM factor WHERE id = ?1 AND mac = ?2 AND state = 'active'";
        Ok(tx.connection.prepare_cached(sql)?.execute(params![self.id, self.mac])?)
    }

    fn one_row(&self, rows: usize) -> Result<(), StoreError> {
        let changed = || StoreError::Tampered(format!("factor {} changed meanwhile", self.id));
        if rows == 1 { Ok(()) } else { Err(changed()) }
    }
}

/// The parameters that a row's columns mean: exactly those that are written for them.
fn params_from(kind: &str, algorithm: &str, digits: u8, period: u16) -> Option<Params> {
    let kind = FactorKind::ALL.into_iter().find(|known| known.word() == kind)?;
    let algorithm = [None, Some(Algorithm::Sha1), Some(Algorithm::Sha256), Some(Algorithm::Sha512)]
        .into_iter()
        .find(|known| algorithm_word(*known) == algorithm)?;
    let params = match (kind, algorithm) {
        (FactorKind::Totp, Some(algorithm)) => Params::Totp(TotpParams { algorithm, digits, period }),
        (FactorKind::Hotp, Some(algorithm)) => Params::Hotp { algorithm, digits },
        (FactorKind::Recovery, None) => Params::Recovery { digits },
        (FactorKind::Sms, None) => Params::Sms { digits },
        (FactorKind::Mail, None) => Params::Mail { digits },
        (FactorKind::Rest, None) => Params::Rest,
        (FactorKind::Token, None) => Params::Token,
        (FactorKind::BreakGlass, None) => Params::BreakGlass { minutes: period },
        (FactorKind::Totp | FactorKind::Hotp, None)
        | (
            FactorKind::Recovery
            | FactorKind::Sms
            | FactorKind::Mail
            | FactorKind::Rest
            | FactorKind::Token
            | FactorKind::BreakGlass,
            Some(_),
        ) => return None,
    };
    ((params.digits(), period_column(params)) == (digits, period)).then_some(params)
}

/// The column `period`: seconds of a step, or the minutes that an emergency code counts.
fn period_column(params: Params) -> u16 {
    params.minutes().unwrap_or(params.period())
}

const fn algorithm_word(algorithm: Option<Algorithm>) -> &'static str {
    match algorithm {
        None => "none",
        Some(Algorithm::Sha1) => "sha1",
        Some(Algorithm::Sha256) => "sha256",
        Some(Algorithm::Sha512) => "sha512",
    }
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
