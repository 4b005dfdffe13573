//! Replies to administrators, with what stands in them.

use mfa_proto::{
    admin::{
        Algorithm, AuditPage, AuditRow, ConfigReport, DeviceDetail, DirectoryState, Enrolled, FactorDetail,
        FactorId, FactorKind, FactorState, LockReason, LockState, Refusal, RefusalCode, Reply, Restored,
        Status, UserDetail, UserPage, UserSummary,
    },
    tag::Description,
    text::ShownText,
};

use super::{Sample, jane, label, requests::serial, secret};

pub(crate) fn device_detail() -> DeviceDetail {
    DeviceDetail {
        factor: FactorId(7),
        serial: Some(serial()),
        description: Some(Description::new("red key").unwrap()),
        pin: true,
        position: Some(58_907_520),
        locks_at: 5,
        last_failed: Some(1_767_225_599),
    }
}

pub(crate) fn factor_detail() -> FactorDetail {
    FactorDetail {
        factor: FactorId(7),
        kind: FactorKind::Totp,
        label: label("phone"),
        state: FactorState::Active,
        algorithm: Some(Algorithm::Sha1),
        digits: Some(6),
        period: Some(30),
        left: Some(9),
        target: Some(ShownText::clean("+49 *** **321")),
        created: 1_767_225_600,
        last_used: Some(1_767_225_601),
        failures: 3,
        lock: LockState::Until { until: 1_767_226_500, reason: LockReason::Failures },
        drift: -1,
        until: Some(1_767_232_800),
    }
}

fn audit_row() -> AuditRow {
    AuditRow {
        seq: 1,
        time: 1_767_225_600,
        event: "login".into(),
        user: Some(jane()),
        service: Some("sshd".into()),
        source: Some("192.0.2.7".into()),
        factor: Some(FactorId(7)),
        rule: Some("robots".into()),
        verdict: "accept".into(),
        reason: "ok".into(),
        session: "0011223344556677".into(),
        actor: 0,
        client: Some("vpn".into()),
        chain: [0xc4; 32],
    }
}

fn status() -> Status {
    Status {
        version: "0.1.0".into(),
        uptime: 1,
        users: 2,
        active_factors: 3,
        audit_rows: 4,
        connections: 5,
        accepted: 6,
        denied: 7,
        skipped: 9,
        store_errors: 10,
        waiting: 11,
        locked: 12,
        notices: 13,
        egress: Some(Err(ShownText::clean("nobody listens"))),
        directory: Some(DirectoryState::Fails { since: 14, why: ShownText::clean("no server") }),
        store: Err(ShownText::clean("the disk is full")),
        database: "/d".into(),
        key: "1".into(),
        rows_with_old_key: 8,
        profile: "default".into(),
    }
}

fn with_directory(state: DirectoryState) -> Reply {
    Reply::Status(Box::new(Status { directory: Some(state), ..status() }))
}

fn users() -> (UserDetail, UserPage) {
    let detail = UserDetail {
        user: jane(),
        uid: Some(1000),
        orphaned: true,
        failures_30_days: 9,
        lock: LockState::UntilAdmin { reason: LockReason::LongWindow },
        unproven_lock: LockState::Open,
        devices: false,
        remembered: 2,
        invited_until: Some(1_767_226_500),
        graced: Some(3),
        factors: vec![factor_detail()],
    };
    let summary = UserSummary {
        user: jane(),
        factors: vec![(FactorKind::Totp, FactorState::Pending), (FactorKind::Hotp, FactorState::Exhausted)],
        last_used: None,
        lock: LockState::Open,
        tampered: true,
        emergency_until: Some(1_767_233_700),
    };
    (detail, UserPage { users: vec![summary], more: true })
}

pub(super) fn replies() -> Vec<Sample> {
    let enrolled = Enrolled {
        factor: FactorId(7),
        label: label("phone"),
        state: FactorState::Pending,
        secret: Some(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
        uri: Some(secret("otpauth://totp/jane?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
        signing_secret: Some(secret("JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7")),
        sent_to: Some(ShownText::clean("a***@example.org")),
    };
    let (detail, page) = users();
    let problems = vec!["/etc/mfad/mfad.toml:1:1: `x` is not a section".to_owned()];
    let replies = [
        ("done", Reply::Done { factors: 2 }),
        ("enrolled", Reply::Enrolled(Box::new(enrolled))),
        ("users", Reply::Users(page)),
        ("user", Reply::User(Box::new(detail))),
        ("status", Reply::Status(Box::new(status()))),
        ("status/store_well", Reply::Status(Box::new(Status { store: Ok(()), ..status() }))),
        ("status/directory_answers", with_directory(DirectoryState::Answers { at: 15 })),
        ("status/directory_not_asked", with_directory(DirectoryState::NotAsked)),
        ("audit", Reply::Audit(AuditPage { rows: vec![audit_row()], more: false, upto: 7 })),
        (
            "config",
            Reply::Config(ConfigReport { valid: false, problems, notes: vec!["/m:2:1: x".to_owned()] }),
        ),
        (
            "recovery_codes",
            Reply::RecoveryCodes { factor: FactorId(8), codes: vec![secret("07-GAYT-EMZU-GU3D-OOBZ")] },
        ),
        ("sent", Reply::Sent { to: ShownText::clean("+49 *** **321"), digits: 6, until: 1_767_225_900 }),
        ("token", Reply::Token(secret("1234567890123456 c2ln"))),
        (
            "copy",
            Reply::Copy { path: "/var/lib/mfad/copy.db".into(), users: 2, keys: vec!["00112233".into()] },
        ),
        (
            "restored",
            Reply::Restored(Restored { users: 1, carried_over: 2, need_resync: 3, recovery_void: 4 }),
        ),
    ];
    replies.iter().map(|(name, reply)| Sample::of(format!("reply/{name}"), reply)).collect()
}

pub(super) fn refusals() -> Vec<Sample> {
    [
        RefusalCode::NotAllowed,
        RefusalCode::UnknownUser,
        RefusalCode::NoSuchFactor,
        RefusalCode::Ambiguous,
        RefusalCode::WrongCode,
        RefusalCode::Locked,
        RefusalCode::WrongState,
        RefusalCode::Invalid,
        RefusalCode::TooMany,
        RefusalCode::Tampered,
        RefusalCode::Unavailable,
        RefusalCode::TooSoon,
        RefusalCode::NotSent,
        RefusalCode::Invitation,
    ]
    .into_iter()
    .map(|code| {
        let refusal = Refusal { code, message: ShownText::clean("no") };
        Sample::of(format!("reply/refused/{code:?}"), &Reply::Refused(refusal))
    })
    .collect()
}

/// The values of the small enumerations that the samples above leave out.
pub(super) fn states() -> Vec<Sample> {
    let states = [FactorState::Pending, FactorState::Active, FactorState::Disabled, FactorState::Exhausted];
    let states = states.iter().map(|state| Sample::of(format!("state/{state:?}"), state));
    let kinds = FactorKind::ALL;
    let kinds = kinds.iter().map(|kind| Sample::of(format!("kind/{kind:?}"), kind));
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let algorithms =
        algorithms.iter().map(|algorithm| Sample::of(format!("algorithm/{algorithm:?}"), algorithm));
    let reasons = [LockReason::Failures, LockReason::LongWindow];
    let reasons = reasons.iter().map(|reason| Sample::of(format!("lock_reason/{reason:?}"), reason));
    states.chain(kinds).chain(algorithms).chain(reasons).collect()
}
