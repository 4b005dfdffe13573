//! The JSON that programs read: our own field names, so that the wire may change without them.

use mfa_proto::admin::{
    AuditReport, AuditRow, ConfigReport, DeviceDetail, DirectoryState, Enrolled, FactorDetail, FactorId,
    FactorKind, LockState, Restored, Status, UserDetail, UserSummary,
};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::tag::{Description, Serial};
use mfa_proto::text::ShownText;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{factor, hex, time::rfc3339};
use crate::cli::Link;

/// A new factor. Not a [`Value`], which would copy the secret.
#[derive(serde::Serialize)]
pub(crate) struct EnrolledView<'a> {
    user: &'a str,
    realm: &'a str,
    factor: i64,
    kind: &'static str,
    label: &'a str,
    state: &'static str,
    secret: Option<&'a SecretText>,
    uri: Option<&'a SecretText>,
    signing_secret: Option<&'a SecretText>,
    sent_to: Option<&'a str>,
}

/// A new factor of `user`.
pub(crate) fn enrolled<'a>(user: &'a UserId, kind: FactorKind, new: &'a Enrolled) -> EnrolledView<'a> {
    EnrolledView {
        user: user.name.as_str(),
        realm: user.realm.as_str(),
        factor: new.factor.0,
        kind: factor::kind(kind),
        label: new.label.as_str(),
        state: factor::state(new.state),
        secret: new.secret.as_ref(),
        uri: new.uri.as_ref(),
        signing_secret: new.signing_secret.as_ref(),
        sent_to: new.sent_to.as_ref().map(ShownText::as_str),
    }
}

/// A new set of recovery codes. Not a [`Value`], which would copy them.
#[derive(serde::Serialize)]
pub(crate) struct RecoveryView<'a> {
    user: &'a str,
    realm: &'a str,
    factor: i64,
    count: usize,
    output: Option<&'a str>,
    codes: Option<Vec<Grouped>>,
}

/// A code as it is shown, wiped when dropped.
struct Grouped(Zeroizing<String>);

impl serde::Serialize for Grouped {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A new set of recovery codes of `user`; without the codes when they are in the file `output`.
pub(crate) fn recovery_codes<'a>(
    user: &'a UserId,
    factor: FactorId,
    codes: &[RecoveryCode],
    output: Option<&'a str>,
) -> RecoveryView<'a> {
    RecoveryView {
        user: user.name.as_str(),
        realm: user.realm.as_str(),
        factor: factor.0,
        count: codes.len(),
        output,
        codes: output.is_none().then(|| codes.iter().map(RecoveryCode::grouped).map(Grouped).collect()),
    }
}

/// An emergency code. Not a [`Value`], which would copy it.
#[derive(serde::Serialize)]
pub(crate) struct EmergencyView<'a> {
    user: &'a str,
    realm: &'a str,
    factor: i64,
    output: Option<&'a str>,
    code: Option<Grouped>,
    until: i64,
    until_rfc3339: Option<String>,
}

/// A new emergency code of `user`; without it when it is in the file `output`.
pub(crate) fn emergency_code<'a>(
    user: &'a UserId,
    factor: FactorId,
    (code, until): (&RecoveryCode, i64),
    output: Option<&'a str>,
) -> EmergencyView<'a> {
    EmergencyView {
        user: user.name.as_str(),
        realm: user.realm.as_str(),
        factor: factor.0,
        output,
        code: output.is_none().then(|| Grouped(code.grouped())),
        until,
        until_rfc3339: rfc3339(until),
    }
}

/// An invitation. Not a [`Value`], which would copy it.
#[derive(serde::Serialize)]
pub(crate) struct InvitedView<'a> {
    user: &'a str,
    realm: &'a str,
    invitation: Option<&'a SecretText>,
    until: Option<i64>,
    until_rfc3339: Option<String>,
    withdrawn: bool,
}

/// An invitation of `user`.
pub(crate) fn invited<'a>(user: &'a UserId, code: &'a SecretText, until: i64) -> InvitedView<'a> {
    InvitedView {
        invitation: Some(code),
        until: Some(until),
        until_rfc3339: rfc3339(until),
        withdrawn: false,
        ..uninvited(user)
    }
}

/// The invitation of `user` was taken back.
pub(crate) fn uninvited(user: &UserId) -> InvitedView<'_> {
    InvitedView {
        user: user.name.as_str(),
        realm: user.realm.as_str(),
        invitation: None,
        until: None,
        until_rfc3339: None,
        withdrawn: true,
    }
}

/// How many codes of the set of `user` are left.
pub(crate) fn recovery_left(user: &UserId, set: &FactorDetail) -> Value {
    object([
        ("user", json!(user.name.as_str())),
        ("realm", json!(user.realm.as_str())),
        ("factor", json!(set.factor.0)),
        ("left", json!(set.left.unwrap_or(0))),
        ("state", json!(factor::state(set.state))),
    ])
    .time("created", Some(set.created))
    .into()
}

/// A code was sent.
pub(crate) fn sent(user: &UserId, to: &ShownText, digits: u8, until: i64) -> Value {
    object([
        ("user", json!(user.name.as_str())),
        ("realm", json!(user.realm.as_str())),
        ("to", json!(to.as_str())),
        ("digits", json!(digits)),
    ])
    .time("until", Some(until))
    .into()
}

/// A signed token. Not a [`Value`], which would copy it.
#[derive(serde::Serialize)]
pub(crate) struct TokenView<'a> {
    user: &'a str,
    realm: &'a str,
    token: &'a SecretText,
}

/// A signed token of `user`.
pub(crate) fn token<'a>(user: &'a UserId, token: &'a SecretText) -> TokenView<'a> {
    TokenView { user: user.name.as_str(), realm: user.realm.as_str(), token }
}

/// A backup.
pub(crate) fn backup(file: &str, users: u64, bytes: u64, keys: &[String]) -> Value {
    json!({"file": file, "users": users, "bytes": bytes, "keys": keys})
}

/// A restored database.
pub(crate) fn restored(restored: &Restored) -> Value {
    json!({
        "users": restored.users,
        "carried_over": restored.carried_over,
        "need_resync": restored.need_resync,
        "recovery_void": restored.recovery_void,
    })
}

/// What a verb did.
pub(crate) fn done(user: &UserId, verb: &str, factors: u32) -> Value {
    json!({"user": user.name.as_str(), "realm": user.realm.as_str(), "verb": verb, "factors": factors})
}

/// A list of users.
pub(crate) fn users(users: &[UserSummary]) -> Value {
    json!({"users": users.iter().map(summary).collect::<Vec<_>>()})
}

fn summary(user: &UserSummary) -> Value {
    let factors: Vec<Value> = user
        .factors
        .iter()
        .map(|(kind, state)| json!({"kind": factor::kind(*kind), "state": factor::state(*state)}))
        .collect();
    object([
        ("user", json!(user.user.name.as_str())),
        ("realm", json!(user.user.realm.as_str())),
        ("factors", json!(factors)),
        ("lock", lock(user.lock)),
        ("tampered", json!(user.tampered)),
    ])
    .time("last_used", user.last_used)
    .time("emergency_until", user.emergency_until)
    .into()
}

/// One user.
pub(crate) fn user(detail: &UserDetail, devices: &[DeviceDetail]) -> Value {
    object([
        ("user", json!(detail.user.name.as_str())),
        ("realm", json!(detail.user.realm.as_str())),
        ("uid", json!(detail.uid)),
        ("orphaned", json!(detail.orphaned)),
        ("failures_30_days", json!(detail.failures_30_days)),
        ("lock", lock(detail.lock)),
        ("unproven_lock", lock(detail.unproven_lock)),
        ("remembered", json!(detail.remembered)),
        ("graced", json!(detail.graced)),
        (
            "factors",
            json!(detail.factors.iter().map(|factor| one_factor(factor, devices)).collect::<Vec<_>>()),
        ),
    ])
    .time("invited_until", detail.invited_until)
    .into()
}

/// What has a serial number; the user is null when nobody has it.
pub(crate) fn found(user: Option<&UserId>, factor: &FactorDetail, device: &DeviceDetail) -> Value {
    object([
        ("user", json!(user.map(|user| user.name.as_str()))),
        ("realm", json!(user.map(|user| user.realm.as_str()))),
        ("factor", one_factor(factor, std::slice::from_ref(device))),
    ])
    .into()
}

fn one_factor(detail: &FactorDetail, devices: &[DeviceDetail]) -> Value {
    let device = devices.iter().find(|device| device.factor == detail.factor);
    object([
        ("factor", json!(detail.factor.0)),
        ("kind", json!(factor::kind(detail.kind))),
        ("label", json!(detail.label.as_str())),
        ("state", json!(factor::state(detail.state))),
        ("algorithm", json!(detail.algorithm.map(factor::algorithm))),
        ("digits", json!(detail.digits)),
        ("period", json!(detail.period)),
        ("left", json!(detail.left)),
        ("target", json!(detail.target.as_ref().map(ToString::to_string))),
        ("failures", json!(detail.failures)),
        ("lock", lock(detail.lock)),
        ("drift", json!(detail.drift)),
        ("serial", json!(device.and_then(|d| d.serial.as_ref()).map(Serial::as_str))),
        ("description", json!(device.and_then(|d| d.description.as_ref()).map(Description::as_str))),
        ("pin", json!(device.is_some_and(|d| d.pin))),
        ("locks_at", json!(device.map(|d| d.locks_at))),
        ("position", json!(device.and_then(|d| d.position))),
    ])
    .time("used_up_to", device.and_then(|d| factor::used_up_to(detail, d)))
    .time("last_failed", device.and_then(|d| d.last_failed))
    .time("created", Some(detail.created))
    .time("last_used", detail.last_used)
    .time("until", detail.until)
    .into()
}

/// How the daemon is.
pub(crate) fn status(status: &Status) -> Value {
    let (directory_ok, directory_problem, directory_since) = match &status.directory {
        None | Some(DirectoryState::NotAsked) => (None, None, None),
        Some(DirectoryState::Answers { .. }) => (Some(true), None, None),
        Some(DirectoryState::Fails { since, why }) => (Some(false), Some(why.as_str()), Some(since)),
    };
    json!({
        "version": status.version,
        "uptime": status.uptime,
        "users": status.users,
        "active_factors": status.active_factors,
        "audit_rows": status.audit_rows,
        "connections": status.connections,
        "accepted": status.accepted,
        "denied": status.denied,
        "skipped": status.skipped,
        "locked": status.locked,
        "store_errors": status.store_errors,
        "waiting": status.waiting,
        "notices": status.notices,
        "egress_ok": status.egress.as_ref().map(Result::is_ok),
        "egress_problem": status.egress.as_ref().and_then(|egress| egress.as_ref().err()).map(ShownText::as_str),
        "directory_ok": directory_ok,
        "directory_problem": directory_problem,
        "directory_since": directory_since,
        "store_ok": status.store.is_ok(),
        "store_problem": status.store.as_ref().err().map(ShownText::as_str),
        "database": status.database,
        "key": status.key,
        "rows_with_old_key": status.rows_with_old_key,
        "profile": status.profile,
    })
}

/// One audit row.
pub(crate) fn audit_row(row: &AuditRow) -> Value {
    object([
        ("seq", json!(row.seq)),
        ("event", json!(row.event)),
        ("user", json!(row.user.as_ref().map(|user| user.name.as_str()))),
        ("realm", json!(row.user.as_ref().map(|user| user.realm.as_str()))),
        ("service", json!(row.service)),
        ("source", json!(row.source)),
        ("factor", json!(row.factor.map(|id| id.0))),
        ("rule", json!(row.rule)),
        ("verdict", json!(row.verdict)),
        ("reason", json!(row.reason)),
        ("session", json!(row.session)),
        ("actor", json!(row.actor)),
        ("client", json!(row.client)),
        ("chain", json!(hex(&row.chain))),
    ])
    .time("time", Some(row.time))
    .into()
}

/// How the audit trail is; `unlike` are links that were expected and are not there.
pub(crate) fn audit_report(report: &AuditReport, unlike: &[Link]) -> Value {
    json!({
        "whole": report.broken_at.is_none() && unlike.is_empty(),
        "rows": report.rows,
        "first": report.first,
        "cut_chain": hex(&report.cut_chain),
        "last": report.last,
        "chain": hex(&report.chain),
        "broken_at": report.broken_at,
        "problem": report.problem.as_ref().map(ShownText::as_str),
        "unlike": unlike.iter().map(|link| json!({"seq": link.seq, "chain": hex(&link.chain)})).collect::<Vec<_>>(),
    })
}

/// What became of a look at the configuration.
pub(crate) fn config(report: &ConfigReport) -> Value {
    json!({"valid": report.valid, "problems": report.problems, "notes": report.notes})
}

/// A lock.
pub(super) fn lock(state: LockState) -> Value {
    let (name, until, reason) = match state {
        LockState::Open => ("open", None, None),
        LockState::Until { until, reason } => ("until", Some(until), Some(factor::reason(reason))),
        LockState::UntilAdmin { reason } => ("until_admin", None, Some(factor::reason(reason))),
    };
    object([("state", json!(name)), ("reason", json!(reason))]).time("until", until).into()
}

/// An object that is still growing.
pub(super) struct Object(Map<String, Value>);

/// An object of `fields`.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Object {
    Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Object {
    /// Adds a time twice: in Unix seconds, and as RFC 3339.
    pub(super) fn time(mut self, name: &str, unix: Option<i64>) -> Self {
        self.0.insert(name.to_owned(), json!(unix));
        self.0.insert(format!("{name}_rfc3339"), json!(unix.and_then(rfc3339)));
        self
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
