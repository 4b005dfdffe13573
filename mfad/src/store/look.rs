//! Rows as administrators see them: pages of users, one user, figures. No secret leaves by here.

use mfa_proto::{
    admin::{
        DeviceDetail, FactorDetail, FactorId, FactorKind, FactorState, LockReason, LockState, UserDetail,
        UserPage, UserSummary,
    },
    name::UserId,
    tag::Serial,
    text::ShownText,
};

use rusqlite::params;

use super::{
    Refused, StoreError,
    account::Account,
    attempt::Channel,
    factor_row::{self, Factor},
    factor_tag,
    manage::Answer,
    remembered, roster,
    tx::Read,
    view::{account_gate, most_lenient},
    waiting,
};
use crate::{
    factor::{Outside, Secret, TokenSecret},
    limits::Gate,
};

/// Figures about the whole store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Figures {
    /// Users with at least one factor.
    pub users: u64,
    /// Factors in state active.
    pub active_factors: u64,
    /// Rows of the audit trail.
    pub audit_rows: u64,
    /// Users that are locked out now, up to [`MOST_LOCKED`].
    pub locked: u64,
    /// The id of the key in use.
    pub key: String,
    /// Users whose rows may still be sealed with an older key.
    pub rows_with_old_key: u64,
}

/// Locked users beyond this number are not counted: there is work to do in any case.
const MOST_LOCKED: u32 = 10_000;

/// Users of whom a factor, or all of them, is kept from being used. By indexes that hold such rows alone.
fn locked(read: &Read<'_>) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT account_id FROM factor \
               WHERE (not_before > 0 OR until_admin <> 0) AND (not_before > ?1 OR until_admin <> 0) \
               AND state IN ('active', 'exhausted') \
               UNION SELECT id FROM account WHERE window_locked <> 0 LIMIT ?2)";
    let mut statement = read.connection.prepare_cached(sql)?;
    let count: i64 = statement.query_row(params![read.now.0, MOST_LOCKED], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Counted as changes are made, not now, but for those locked: costs the same for any number of users.
pub(super) fn figures(read: &Read<'_>) -> Result<Figures, StoreError> {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let key = read.vault.current();
    Ok(Figures {
        locked: locked(read)?,
        users: count(read.head.accounts),
        active_factors: count(read.head.active_factors),
        audit_rows: count(read.head.audit_rows()),
        key: key.to_string(),
        rows_with_old_key: count(read.head.rekey_left(key)),
    })
}

/// One user. [`UserDetail::orphaned`] is left to whoever can ask for the uid.
pub(super) fn show(read: &Read<'_>, user: &UserId) -> Answer<UserDetail> {
    let waiting = waiting::seen(read, user)?;
    let invited_until = waiting.as_ref().and_then(|row| row.invited_until(read.now)).map(|until| until.0);
    let graced = waiting.map(|row| row.graced);
    let Some(account) = roster::find(read, user)? else {
        let known = invited_until.is_some() || graced.is_some_and(|logins| logins > 0);
        return Ok(if known {
            Ok(without_factor(user, (invited_until, graced)))
        } else {
            Err(Refused::NotEnrolled)
        });
    };
    let factors = factor_row::load_all(read, &account)?;
    Ok(Ok(UserDetail {
        user: user.clone(),
        uid: account.uid,
        orphaned: false,
        failures_30_days: account.days.total(read.now),
        lock: lock_of(account_gate(&account, Channel::Proven, read.now), LockReason::LongWindow),
        remembered: remembered::live(read, &account)?,
        invited_until,
        graced: graced.filter(|_| factors.iter().all(|factor| factor.is_nothing(read.now))),
        devices: factors.iter().any(has_more),
        unproven_lock: lock_of(account.unproven.clone().gate(read.now), LockReason::Failures),
        factors: factors.iter().map(|factor| detail(read, &account, factor)).collect::<Result<_, _>>()?,
    }))
}

/// Whether its [`DeviceDetail`] says more than that it has failed never.
fn has_more(factor: &Factor) -> bool {
    factor.params.kind().shows_codes() || !factor.tag.is_plain() || factor.counter.failures > 0
}

fn device(factor: &Factor) -> DeviceDetail {
    DeviceDetail {
        factor: FactorId(factor.id),
        serial: factor.tag.serial.clone(),
        description: Some(factor.tag.description.clone()).filter(|text| !text.as_str().is_empty()),
        pin: factor.has_pin(),
        position: factor.params.kind().shows_codes().then_some(factor.moving.position),
        locks_at: 0,
        last_failed: (factor.counter.failures > 0).then_some(factor.counter.since.0),
    }
}

/// The devices of a user's factors. [`DeviceDetail::locks_at`] is left to whoever knows the limits.
pub(super) fn devices(read: &Read<'_>, user: &UserId) -> Answer<Vec<DeviceDetail>> {
    let Some(account) = roster::find(read, user)? else { return Ok(Err(Refused::NotEnrolled)) };
    Ok(Ok(factor_row::load_all(read, &account)?.iter().map(device).collect()))
}

/// What was found by a serial number: whose, which, and how its device stands.
pub type FoundDevice = (UserId, FactorDetail, DeviceDetail);

/// The factor with a serial number. As [`devices`] has it.
pub(super) fn find(read: &Read<'_>, serial: &Serial) -> Result<Option<FoundDevice>, StoreError> {
    let Some((account, factor)) = factor_tag::find(read, serial)? else { return Ok(None) };
    Ok(Some((account.user()?, detail(read, &account, &factor)?, device(&factor))))
}

/// One who is only known to wait for a first factor.
fn without_factor(user: &UserId, (invited_until, graced): (Option<i64>, Option<u32>)) -> UserDetail {
    UserDetail {
        user: user.clone(),
        uid: None,
        orphaned: false,
        failures_30_days: 0,
        lock: LockState::Open,
        remembered: 0,
        invited_until,
        graced,
        unproven_lock: LockState::Open,
        devices: false,
        factors: Vec::new(),
    }
}

fn detail(read: &Read<'_>, account: &Account, factor: &Factor) -> Result<FactorDetail, StoreError> {
    let kind = factor.params.kind();
    Ok(FactorDetail {
        factor: FactorId(factor.id),
        kind,
        label: factor.label.clone(),
        state: factor.state,
        algorithm: factor.params.algorithm(),
        digits: Some(factor.params.digits()).filter(|digits| *digits > 0),
        period: Some(factor.params.period()).filter(|period| *period > 0),
        left: factor.recovery_left(),
        target: target(factor.shown_secret(read, account)?),
        created: factor.created.0,
        last_used: factor.last_used.map(|time| time.0),
        failures: factor.counter.failures,
        lock: lock_of(factor.counter.clone().gate(read.now), LockReason::Failures),
        // What moves in other kinds is none of a person's business.
        drift: if kind == FactorKind::Totp { factor.moving.drift } else { 0 },
        until: factor.until().map(|until| until.0),
    })
}

/// Where codes go, or who judges, as it may be shown.
fn target(secret: Option<Secret>) -> Option<ShownText> {
    match secret? {
        Secret::Address(address) => Some(address.masked()),
        Secret::Outside(Outside { service, remote_user }) => {
            Some(ShownText::clean(&format!("{service}: {}", remote_user.as_str())))
        }
        Secret::Token(TokenSecret::Domain(domain)) => Some(ShownText::clean(domain.as_str())),
        Secret::Seed(_)
        | Secret::Recovery(_)
        | Secret::BreakGlass(_)
        | Secret::Token(TokenSecret::Own { .. }) => None,
    }
}

/// What an account or factor is kept from being used by, for those who ask.
pub(crate) fn lock_of(gate: Gate, reason: LockReason) -> LockState {
    match gate {
        Gate::Open => LockState::Open,
        Gate::Wait { until } => LockState::Until { until: until.0, reason },
        Gate::UntilAdmin | Gate::Exhausted => LockState::UntilAdmin { reason },
    }
}

/// A user that holds factors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// As it is listed.
    pub summary: UserSummary,
    /// The uid at enrollment. Of rows that fail their integrity check, what they say.
    pub uid: Option<u32>,
}

/// Users in order of name.
pub(super) fn list(read: &Read<'_>, after: Option<&UserId>, limit: u32) -> Result<UserPage, StoreError> {
    let (found, more) = holders(read, after, limit)?;
    Ok(UserPage { users: found.into_iter().map(|holder| holder.summary).collect(), more })
}

/// The same, with their uids; and whether there are more.
pub(super) fn holders(
    read: &Read<'_>,
    after: Option<&UserId>,
    limit: u32,
) -> Result<(Vec<Holder>, bool), StoreError> {
    let (realm, name) = after.map_or(("", ""), |user| (user.realm.as_str(), user.name.as_str()));
    let limit = limit.max(1);
    let found = Account::after_name(read, realm, name, limit.saturating_add(1))?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > shown;
    let holder = |account: Account| {
        let uid = account.uid;
        summary(read, account).map(|summary| Holder { summary, uid })
    };
    Ok((found.into_iter().take(shown).filter_map(holder).collect(), more))
}

fn summary(read: &Read<'_>, account: Account) -> Option<UserSummary> {
    let Ok(user) = account.user() else {
        tracing::error!("an account row names no valid user: {account}");
        return None;
    };
    Some(sound_summary(read, account, &user).unwrap_or_else(|error| {
        tracing::error!("{error}");
        UserSummary {
            user,
            factors: Vec::new(),
            last_used: None,
            lock: LockState::Open,
            tampered: true,
            emergency_until: None,
        }
    }))
}

fn sound_summary(read: &Read<'_>, account: Account, user: &UserId) -> Result<UserSummary, StoreError> {
    let account = account.verified(read)?;
    let factors = factor_row::load_all(read, &account)?;
    let mut counting = factors.iter().filter(|f| {
        !f.params.is_emergency() && matches!(f.state, FactorState::Active | FactorState::Exhausted)
    });
    let window = account_gate(&account, Channel::Proven, read.now);
    let lock = if window.is_open() {
        lock_of(most_lenient(&mut counting, read.now), LockReason::Failures)
    } else {
        lock_of(window, LockReason::LongWindow)
    };
    Ok(UserSummary {
        user: user.clone(),
        factors: factors.iter().map(|f| (f.params.kind(), f.state)).collect(),
        last_used: factors.iter().filter_map(|f| f.last_used).max().map(|time| time.0),
        lock,
        tampered: false,
        emergency_until: factors.iter().find_map(Factor::until).map(|until| until.0),
    })
}
