//! Which device shows a code: it is looked for among many, named, and the code used up.
//!
//! Refuses to be an oracle for codes. How it could be one, and what it does instead:
//!
//! - It names the owner of a code that still works: the code is used up in the transaction that answers, for every
//!   factor of that account which shows it, whether that was looked for or not.
//! - It says by "several" that two have a code, one of which is then found by elimination: it is used up for all of them.
//! - All codes are tried, one after the other: one search a second, and [`MISSES`] an hour that find nothing, of each
//!   client, counted from the trail in the transaction that judges. Neither a restart nor many at once give more; a
//!   trail that is kept for less than an hour (`[audit] max_rows`) forgets misses, and the pace holds.
//! - A device is named that was changed after it was looked at: it is looked at in that transaction alone.
//! - Devices that are locked are judged though logins with them are not: what is right is used up, so that it tells
//!   nothing which a login could use, and no state changes.
//! - What is right for a row that fails its check: that account is passed over, and told in the log.

use mfa_proto::{
    admin::{FactorId, FactorKind},
    answer::OtpCode,
    name::{Claim, ClientName, RealmName, ServiceName, UserId},
    pattern::fits,
    tag::Serial,
};
use rusqlite::{OptionalExtension as _, params};

use super::{
    Refused, StoreError,
    account::Account,
    audit_rows::{self, Event},
    factor_row::{self, Factor},
    look::{self, FoundDevice},
    roster,
    tx::{Read, Tx},
};
use crate::{
    audit::{Context, SessionId},
    clock::UnixTime,
    factor::{Check, Moving, Trial},
};

/// What the trail calls a search.
const IDENTIFY: &str = "identify";
/// Devices that one search looks at.
pub const MOST_DEVICES: usize = 1000;
/// Searches of a client in an hour that may find nothing.
pub const MISSES: i64 = 20;
const HOUR: i64 = 3600;

/// A search for the device that shows a code.
#[derive(Debug)]
pub struct Search {
    /// Who searches.
    pub asker: Asker,
    /// What the device shows.
    pub code: OtpCode,
    /// Which devices may be meant.
    pub among: Among,
}

/// Who searches, from where.
#[derive(Clone, Debug)]
pub struct Asker {
    /// What ties rows and lines together.
    pub session: SessionId,
    /// Where the search comes from.
    pub source: Option<Claim>,
    /// The uid of the peer.
    pub actor: u32,
    /// On whose behalf a front end asks.
    pub client: Option<ClientName>,
}

/// Which devices may be meant.
#[derive(Clone, Debug, Default)]
pub struct Among {
    /// Of this kind.
    pub kind: Option<FactorKind>,
    /// That somebody has, or nobody.
    pub assigned: Option<bool>,
    /// Of users of this realm.
    pub realm: Option<RealmName>,
    /// With such a serial number.
    pub serial: Option<String>,
}

/// What a search came to. By the time it is known, it is durable.
#[derive(Debug)]
pub enum Identified {
    /// One device shows the code, which is used up.
    One(Box<FoundDevice>),
    /// None does, or it was used up before.
    None,
    /// More than one does; for all of them it is used up.
    Several,
    /// More than [`MOST_DEVICES`] might be meant: none was looked at.
    TooMany,
    /// Nothing was looked at: the client has searched a moment ago, or too often in vain.
    TooSoon {
        /// When it may again.
        until: UnixTime,
    },
}

impl Asker {
    fn about(&self, user: UserId) -> Context {
        let Self { session, source, actor, client } = self.clone();
        Context { session, user, service: ServiceName::administration(), source, actor, client }
    }
}

/// Until when a client may not search; `None` when it may now.
pub(super) fn closed_until(read: &Read<'_>, asker: &Asker) -> Result<Option<UnixTime>, StoreError> {
    let (client, now) = (asker.client.as_ref().map(ClientName::as_str), read.now.0);
    // Of a clock that was set back: what is far ahead says nothing of the last hour.
    let hour = (now.saturating_sub(HOUR), now.saturating_add(HOUR));
    let missed = "SELECT time FROM audit WHERE event = 'identify' AND client IS ?1 AND time > ?2 AND time < ?3 \
                  AND verdict = 'deny' ORDER BY time DESC LIMIT 1 OFFSET ?4";
    let mut statement = read.connection.prepare_cached(missed)?;
    let values = params![client, hour.0, hour.1, MISSES.saturating_sub(1)];
    let spent: Option<i64> = statement.query_row(values, |row| row.get(0)).optional()?;
    if let Some(first) = spent {
        return Ok(Some(UnixTime(first.min(now)).plus(HOUR)));
    }
    let just_now =
        "SELECT EXISTS (SELECT 1 FROM audit WHERE event = 'identify' AND client IS ?1 AND time = ?2)";
    let mut statement = read.connection.prepare_cached(just_now)?;
    let paced: bool = statement.query_row(params![client, now], |row| row.get(0))?;
    Ok(paced.then(|| read.now.plus(1)))
}

/// Searches, uses up what was found, and writes it down.
pub(super) fn identify(tx: &mut Tx<'_>, search: &Search) -> Result<Identified, StoreError> {
    if tx.now.is_unset() {
        return Err(StoreError::Refused(Refused::ClockUnusable));
    }
    if let Some(until) = closed_until(&tx.read(), &search.asker)? {
        return Ok(Identified::TooSoon { until });
    }
    let Some(candidates) = candidates(&tx.read(), search)? else { return Ok(Identified::TooMany) };
    let mut found = Vec::new();
    // No early exit: the time tells nothing of which device it was.
    for of_account in candidates.chunk_by(|one, other| one.account == other.account) {
        let Some((account, factors)) = holding(&tx.read(), of_account)? else { continue };
        let shown = showing(tx, &account, &factors, &search.code)?;
        let meant = |factor: &Factor| of_account.iter().any(|candidate| candidate.factor == factor.id);
        if shown.iter().any(|(index, _)| factors.get(*index).is_some_and(meant)) {
            found.push((account, factors, shown));
        }
    }
    let mut devices = Vec::new();
    for (account, mut factors, shown) in found {
        for (index, moved) in shown {
            let factor = factors.get_mut(index).ok_or(StoreError::Internal)?;
            factor.moving = moved;
            factor.update(tx)?;
            let meant = candidates.iter().any(|candidate| candidate.factor == factor.id);
            if let Some(serial) = factor.tag.serial.clone().filter(|_| meant) {
                devices.push((account.user()?, FactorId(factor.id), serial));
            }
        }
    }
    written_down(tx, &search.asker, &devices)
}

/// A device that may be meant, as its row says; unverified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Candidate {
    account: i64,
    factor: i64,
}

/// The devices that may be meant, those of an account together; `None` when they are too many.
fn candidates(read: &Read<'_>, search: &Search) -> Result<Option<Vec<Candidate>>, StoreError> {
    let Among { kind, assigned, realm, serial: pattern } = &search.among;
    let sql = "SELECT factor.account_id, factor.id, factor.serial FROM factor \
               JOIN account ON account.id = factor.account_id \
               WHERE factor.serial IS NOT NULL AND factor.kind IN (?1, ?2) AND factor.digits = ?3 \
               AND (?4 IS NULL OR factor.kind = ?4) AND (?5 IS NULL OR (account.realm <> ?6) = ?5) \
               AND (?7 IS NULL OR account.realm = ?7) ORDER BY factor.account_id, factor.id";
    let (totp, hotp) = (FactorKind::Totp.word(), FactorKind::Hotp.word());
    let nobodys = RealmName::unassigned();
    let mut statement = read.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![
        totp,
        hotp,
        search.code.digits(),
        kind.map(FactorKind::word),
        assigned,
        nobodys.as_str(),
        realm.as_ref().map(RealmName::as_str),
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let serial: String = row.get(2)?;
        if pattern.as_ref().is_some_and(|pattern| !fits(pattern, &serial)) {
            continue;
        }
        if found.len() >= MOST_DEVICES {
            return Ok(None);
        }
        found.push(Candidate { account: row.get(0)?, factor: row.get(1)? });
    }
    Ok(Some(found))
}

/// An account and all it holds, verified; `None` for one that fails its check.
fn holding(read: &Read<'_>, of: &[Candidate]) -> Result<Option<(Account, Vec<Factor>)>, StoreError> {
    let Some(first) = of.first() else { return Ok(None) };
    let found = || {
        let Some(account) = roster::find_by_id(read, first.account)? else { return Ok(None) };
        let factors = factor_row::load_all(read, &account)?;
        Ok(Some((account, factors)))
    };
    passing_over(found())
}

/// The factors that show a code which was not used before, whatever their state; and where they then stand.
fn showing(
    tx: &Tx<'_>,
    account: &Account,
    factors: &[Factor],
    code: &OtpCode,
) -> Result<Vec<(usize, Moving)>, StoreError> {
    let mut shown = Vec::new();
    for (index, factor) in factors.iter().enumerate() {
        if !factor.params.kind().shows_codes() || factor.params.digits() != code.digits() {
            continue;
        }
        let Some(seed) = passing_over(factor.open_seed(&tx.read(), account).map(Some))? else { continue };
        let trial = Trial { seed: &seed, moving: factor.moving, code, now: tx.now, rules: tx.settings.rules };
        if let Check::Match(moved) = factor.params.check(&trial) {
            // A search is no login: nothing is learned of the device's clock.
            shown.push((index, Moving { position: moved.position, ..factor.moving }));
        }
    }
    Ok(shown)
}

/// What fails its check is nobody's device here; all else that fails ends the search.
fn passing_over<T>(found: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: no device of that account is found by its code");
            Ok(None)
        }
        other => other,
    }
}

/// A search stands in the trail whatever came of it; so does every device whose code it used up.
fn written_down(
    tx: &mut Tx<'_>,
    asker: &Asker,
    devices: &[(UserId, FactorId, Serial)],
) -> Result<Identified, StoreError> {
    let alone = devices.len() == 1;
    for (user, factor, serial) in devices {
        let context = asker.about(user.clone());
        let event = Event {
            what: IDENTIFY,
            context: Some(&context),
            factor: Some(*factor),
            rule: None,
            verdict: if alone { "done" } else { "noticed" },
            reason: serial.as_str(),
        };
        audit_rows::append(tx, &event)?;
    }
    if let [(_, _, serial)] = devices {
        let found = look::find(&tx.read(), serial)?.ok_or(StoreError::Internal)?;
        return Ok(Identified::One(Box::new(found)));
    }
    let reason = if devices.is_empty() { "no_device" } else { "several" };
    let event = Event { what: IDENTIFY, context: None, factor: None, rule: None, verdict: "deny", reason };
    audit_rows::append_of_nobody(tx, &event, asker)?;
    Ok(if devices.is_empty() { Identified::None } else { Identified::Several })
}
