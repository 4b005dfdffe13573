//! Replies as a daemon gives them.

use mfa_proto::admin::{
    Algorithm, AuditPage, AuditReport, AuditRow, DirectoryState, Enrolled, FactorDetail, FactorId,
    FactorKind, FactorState, LockReason, LockState, Refusal, RefusalCode, RememberedPage, RememberedRow,
    Reply, Status, UserDetail, UserPage, UserSummary,
};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::{FactorLabel, RealmName, UserId, UserName};
use mfa_proto::secret::SecretText;
use mfa_proto::text::ShownText;

use crate::run::NOW;

pub(crate) const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
pub(crate) const URI: &str =
    "otpauth://totp/host.example:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=host.example";

pub(crate) fn user(name: &str) -> UserId {
    UserId::local(UserName::new(name).unwrap())
}

pub(crate) fn label(text: &str) -> FactorLabel {
    FactorLabel::new(text).unwrap()
}

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

/// So many recovery codes, alike but for their number.
pub(crate) fn recovery_codes(count: u8) -> Vec<SecretText> {
    let code = |number| RecoveryCode::new(number, b"0123456789").unwrap();
    (1..=count).map(|number| secret(&code(number).grouped())).collect()
}

pub(crate) fn refused(code: RefusalCode, message: &str) -> Reply {
    Reply::Refused(Refusal { code, message: ShownText::clean(message) })
}

pub(crate) fn enrolled(state: FactorState) -> Reply {
    let secret = |text: &str| Some(SecretText::new(text.to_owned()).unwrap());
    let (secret, uri) = (secret(SECRET), secret(URI));
    Reply::Enrolled(Box::new(Enrolled {
        factor: FactorId(3),
        label: label("totp"),
        state,
        secret,
        uri,
        signing_secret: None,
        sent_to: None,
    }))
}

pub(crate) fn enrolled_with_own_key(name: &str, state: FactorState) -> Reply {
    Reply::Enrolled(Box::new(Enrolled {
        factor: FactorId(4),
        label: label(name),
        state,
        secret: None,
        uri: None,
        signing_secret: None,
        sent_to: None,
    }))
}

pub(crate) fn factor(id: i64, name: &str, state: FactorState) -> FactorDetail {
    FactorDetail {
        factor: FactorId(id),
        kind: FactorKind::Totp,
        label: label(name),
        state,
        algorithm: Some(Algorithm::Sha1),
        digits: Some(6),
        left: None,
        target: None,
        period: Some(30),
        created: NOW - 86_400 * 21,
        last_used: Some(NOW - 185),
        failures: 0,
        lock: LockState::Open,
        drift: 0,
        until: None,
    }
}

pub(crate) fn detail(factors: Vec<FactorDetail>) -> Reply {
    Reply::User(Box::new(UserDetail {
        user: user("alice"),
        uid: Some(1000),
        orphaned: false,
        failures_30_days: 2,
        lock: LockState::Open,
        unproven_lock: LockState::Open,
        devices: false,
        remembered: 0,
        invited_until: None,
        graced: None,
        factors,
    }))
}

/// Somebody without a factor, invited, whom the time of grace has let in.
pub(crate) fn waiting() -> Reply {
    let Reply::User(detail) = detail(Vec::new()) else { panic!("it is a user") };
    let (invited_until, graced) = (Some(NOW + 86_400), Some(2));
    Reply::User(Box::new(UserDetail { uid: None, failures_30_days: 0, invited_until, graced, ..*detail }))
}

pub(crate) fn invited() -> Reply {
    let code = SecretText::new("01-GAYT-EMZU-GU3D-OOBZ".to_owned()).unwrap();
    Reply::Invited { code, until: NOW + 86_400 }
}

/// All that may be wrong with one user at once.
pub(crate) fn troubled() -> Reply {
    let until = |until| LockState::Until { until, reason: LockReason::Failures };
    let hotp = FactorDetail {
        kind: FactorKind::Hotp,
        algorithm: Some(Algorithm::Sha256),
        digits: Some(8),
        left: None,
        target: None,
        period: None,
        last_used: None,
        failures: 100,
        ..factor(4, "key \u{202e}gpj", FactorState::Exhausted)
    };
    let phone = FactorDetail {
        failures: 6,
        lock: until(NOW + 860),
        drift: -1,
        ..factor(3, "phone", FactorState::Active)
    };
    Reply::User(Box::new(UserDetail {
        user: user("bob"),
        uid: Some(1001),
        orphaned: true,
        failures_30_days: 200,
        lock: LockState::UntilAdmin { reason: LockReason::LongWindow },
        unproven_lock: until(NOW + 59),
        devices: false,
        remembered: 2,
        invited_until: None,
        graced: None,
        factors: vec![phone, hotp],
    }))
}

/// Two pages of what is remembered.
pub(crate) fn remembered() -> Vec<Reply> {
    let row = |row, name: &str, source: &str, key: Option<&str>| RememberedRow {
        row,
        user: user(name),
        class: ShownText::clean("sshd"),
        source: ShownText::clean(source),
        key: key.map(ShownText::clean),
        rule: ShownText::clean("staff from the office"),
        created: NOW - 3600,
        expires: NOW + 7 * 3600,
    };
    let page = |rows, more| Reply::Remembered(RememberedPage { rows, more });
    let key = "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ";
    vec![
        page(vec![row(3, "alice", "192.0.2.7/32", None), row(4, "alice", "local", Some(key))], true),
        page(vec![row(17, "bob", "2001:db8:1:2::/64", None)], false),
    ]
}

pub(crate) fn users() -> Vec<Reply> {
    let summary = |name: &str, factors, last_used, lock| UserSummary {
        user: user(name),
        factors,
        last_used,
        lock,
        tampered: false,
        emergency_until: None,
    };
    let totp = |state| vec![(FactorKind::Totp, state)];
    let locked = LockState::Until { until: NOW + 860, reason: LockReason::Failures };
    let both = vec![(FactorKind::Totp, FactorState::Active), (FactorKind::Hotp, FactorState::Pending)];
    let first = vec![
        summary("alice", both, Some(NOW - 185), LockState::Open),
        summary("bob", totp(FactorState::Active), Some(NOW - 86_400 * 3), locked),
    ];
    let elsewhere =
        UserId { realm: RealmName::new("example.org").unwrap(), name: UserName::new("dora").unwrap() };
    let second = vec![
        UserSummary { tampered: true, ..summary("carol", totp(FactorState::Active), None, LockState::Open) },
        UserSummary { user: elsewhere, ..summary("x", totp(FactorState::Disabled), None, LockState::Open) },
    ];
    vec![
        Reply::Users(UserPage { users: first, more: true }),
        Reply::Users(UserPage { users: second, more: false }),
    ]
}

pub(crate) fn audit_row(seq: i64) -> AuditRow {
    AuditRow {
        seq,
        time: NOW - 100 + seq,
        event: "login".to_owned(),
        user: Some(user("alice")),
        service: Some("sshd".to_owned()),
        source: Some("192.0.2.1".to_owned()),
        factor: Some(FactorId(3)),
        rule: None,
        verdict: "accept".to_owned(),
        reason: "code matched".to_owned(),
        session: "0f3a".to_owned(),
        actor: 0,
        client: None,
        chain: [0xc4; 32],
    }
}

pub(crate) fn audit() -> Vec<Reply> {
    let denied = AuditRow {
        source: Some("evil\u{1b}[2J\nhost".to_owned()),
        verdict: "deny".to_owned(),
        reason: "code used before".to_owned(),
        ..audit_row(2)
    };
    let skipped = AuditRow {
        user: Some(user("robot")),
        factor: None,
        rule: Some("robots".to_owned()),
        verdict: "not_applicable".to_owned(),
        reason: String::new(),
        ..audit_row(3)
    };
    let started = AuditRow {
        event: "start".to_owned(),
        user: None,
        service: None,
        source: None,
        factor: None,
        verdict: "done".to_owned(),
        reason: "mfad 0.1.0".to_owned(),
        ..audit_row(5)
    };
    vec![
        Reply::Audit(AuditPage { rows: vec![audit_row(1), denied, skipped], more: true, upto: 3 }),
        Reply::Audit(AuditPage { rows: vec![started], more: false, upto: 5 }),
    ]
}

/// A trail of rows 5 to 12, with what is wrong and where.
pub(crate) fn audit_report(problem: Option<(i64, &str)>) -> Reply {
    Reply::AuditReport(AuditReport {
        rows: problem.map_or(8, |(at, _)| u64::try_from(at - 5).unwrap()),
        first: 5,
        cut_chain: [0xc4; 32],
        last: 12,
        chain: [0xc4; 32],
        broken_at: problem.map(|(at, _)| at),
        problem: problem.map(|(_, text)| ShownText::clean(text)),
    })
}

/// The rows after a number, one page.
pub(crate) fn rows_from(seq: i64) -> Reply {
    Reply::Audit(AuditPage { rows: vec![audit_row(seq), audit_row(seq + 1)], more: true, upto: seq + 1 })
}

pub(crate) fn status(store: Result<(), ShownText>) -> Reply {
    let rows_with_old_key = if store.is_ok() { 0 } else { 7 };
    Reply::Status(Box::new(Status {
        version: "0.1.0".to_owned(),
        uptime: 12_000,
        users: 12,
        active_factors: 14,
        audit_rows: 512,
        connections: 2,
        accepted: 100,
        denied: 3,
        skipped: 7,
        store_errors: u64::from(store.is_err()),
        waiting: 3,
        locked: if store.is_ok() { 0 } else { 2 },
        notices: 1,
        egress: Some(store.clone().map_err(|_| ShownText::clean("egress did not answer in time"))),
        directory: Some(match &store {
            Ok(()) => DirectoryState::Answers { at: NOW - 120 },
            Err(_) => DirectoryState::Fails { since: NOW - 3600, why: ShownText::clean("no server answers") },
        }),
        store,
        database: "/var/lib/mfad/mfad.db".to_owned(),
        key: "k1".to_owned(),
        rows_with_old_key,
        profile: "default".to_owned(),
    }))
}
