//! The largest messages: what fits a frame whatever its fields hold, and where a sender has to cut.

use mfa_proto::{
    admin::{
        Algorithm, AuditPage, AuditRow, ConfigReport, DeviceDetail, DirectoryChange, DirectoryState,
        Enrolled, FactorDetail, FactorId, FactorKind, FactorState, HotpParams, LockReason, LockState,
        NewFactor, NewParams, NewTag, Pulled, PulledFactor, Refusal, RefusalCode, Reply, Request,
        SealedSecret, Status, UserDetail, UserPage, UserSummary,
    },
    answer::AnswerShape,
    auth_info::AuthInfo,
    codec,
    egress::{Done, Errand, Found, Look, MAX_SEALED},
    frame::{HEADER, MAX_PAYLOAD},
    login::{ClientMessage, Dialogue, ServerMessage, Start},
    name::{Claim, ClientName, FactorLabel, RealmName, ServiceName, UserId, UserName},
    secret::{MAX_SECRET, SecretText},
    tag::{Description, Serial},
    text::{MAX_SHOWN, ShownText},
};
use serde::Serialize;

use super::samples;

/// The most factors of one user (`[enrollment] max_factors`).
const MAX_FACTORS: usize = 16;
/// The longest words that the daemon itself puts into audit rows and status.
const OWN_WORD: usize = 64;

fn fits<T: Serialize>(message: &T) -> bool {
    codec::encode(message).is_ok()
}

fn size<T: Serialize>(message: &T) -> usize {
    codec::encode(message).unwrap().len() - HEADER
}

fn user() -> UserId {
    UserId {
        realm: RealmName::new("r".repeat(RealmName::MAX)).unwrap(),
        name: UserName::new("u".repeat(UserName::MAX)).unwrap(),
    }
}

fn label() -> FactorLabel {
    FactorLabel::new("l".repeat(FactorLabel::MAX)).unwrap()
}

fn secret() -> SecretText {
    SecretText::new("s".repeat(MAX_SECRET)).unwrap()
}

fn shown() -> ShownText {
    ShownText::clean(&"t".repeat(MAX_SHOWN))
}

fn word() -> String {
    "w".repeat(OWN_WORD)
}

const FAR: i64 = i64::MIN;
const LOCK: LockState = LockState::Until { until: FAR, reason: LockReason::LongWindow };

fn factor() -> FactorDetail {
    FactorDetail {
        factor: FactorId(FAR),
        label: label(),
        period: Some(u16::MAX),
        digits: Some(u8::MAX),
        left: Some(u32::MAX),
        target: Some(ShownText::clean(&"m".repeat(OWN_WORD))),
        created: FAR,
        last_used: Some(FAR),
        failures: u32::MAX,
        lock: LOCK,
        drift: i32::MIN,
        until: Some(FAR),
        ..samples::factor_detail()
    }
}

fn user_detail(factors: Vec<FactorDetail>) -> Reply {
    Reply::User(Box::new(UserDetail {
        user: user(),
        uid: Some(u32::MAX),
        orphaned: true,
        failures_30_days: u32::MAX,
        lock: LOCK,
        unproven_lock: LOCK,
        devices: true,
        remembered: u32::MAX,
        invited_until: Some(FAR),
        graced: Some(u32::MAX),
        factors,
    }))
}

fn user_page(users: usize) -> Reply {
    let summary = UserSummary {
        user: user(),
        factors: vec![(FactorKind::Hotp, FactorState::Exhausted); MAX_FACTORS],
        last_used: Some(FAR),
        lock: LOCK,
        tampered: true,
        emergency_until: Some(FAR),
    };
    Reply::Users(UserPage { users: vec![summary; users], more: true })
}

fn audit_page(rows: usize) -> Reply {
    let row = AuditRow {
        seq: FAR,
        time: FAR,
        event: word(),
        user: Some(user()),
        service: Some(word()),
        source: Some("s".repeat(Claim::MAX)),
        factor: Some(FactorId(FAR)),
        rule: Some(word()),
        verdict: word(),
        reason: word(),
        session: word(),
        actor: u32::MAX,
        client: Some("c".repeat(ClientName::MAX)),
        chain: [0xc4; 32],
    };
    Reply::Audit(AuditPage { rows: vec![row; rows], more: true, upto: FAR })
}

#[test]
fn replies_that_are_not_lists_fit_whatever_their_fields_hold() {
    let enrolled = Enrolled {
        factor: FactorId(FAR),
        label: label(),
        state: FactorState::Exhausted,
        secret: Some(secret()),
        uri: Some(secret()),
        signing_secret: Some(secret()),
        sent_to: Some(shown()),
    };
    let status = Status {
        version: word(),
        uptime: u64::MAX,
        users: u64::MAX,
        active_factors: u64::MAX,
        audit_rows: u64::MAX,
        connections: u32::MAX,
        accepted: u64::MAX,
        denied: u64::MAX,
        skipped: u64::MAX,
        store_errors: u64::MAX,
        waiting: u32::MAX,
        locked: u64::MAX,
        notices: u64::MAX,
        egress: Some(Err(shown())),
        directory: Some(DirectoryState::Fails { since: i64::MIN, why: shown() }),
        store: Err(shown()),
        database: word(),
        key: word(),
        rows_with_old_key: u64::MAX,
        profile: word(),
    };
    let sealed = SealedSecret { value: secret(), secret: Some(secret()), uri: Some(secret()) };
    // Each factor of before may go, two addresses and four secrets may come, and none of those may be usable.
    let (change, kind) = (DirectoryChange::Dropped, FactorKind::Totp);
    let pulled = Pulled {
        found: true,
        changes: vec![PulledFactor { change, kind, label: Some(label()) }; MAX_FACTORS + 6],
        unusable: vec![(kind, ShownText::clean(&"y".repeat(128))); 6],
    };
    for reply in [
        Reply::Done { factors: u32::MAX },
        Reply::Enrolled(Box::new(enrolled)),
        Reply::Status(Box::new(status)),
        Reply::Refused(Refusal { code: RefusalCode::Unavailable, message: shown() }),
        Reply::Sealed(Box::new(sealed)),
        Reply::Pulled(pulled),
    ] {
        assert!(fits(&reply), "{reply:?}");
    }
}

#[test]
fn a_user_with_all_factors_it_may_have_fits() {
    // Beside them a set of recovery codes and an emergency code, which have no long names.
    let plain =
        |word: &str| FactorDetail { label: FactorLabel::new(word).unwrap(), target: None, ..factor() };
    let mut factors = vec![factor(); MAX_FACTORS];
    factors.extend([plain("recovery"), plain("breakglass-99")]);
    assert!(fits(&user_detail(factors)), "a user of {MAX_FACTORS} factors does not fit");
    let device = DeviceDetail {
        factor: FactorId(FAR),
        serial: Some(Serial::new("s".repeat(Serial::MAX)).unwrap()),
        description: Some(Description::new("d".repeat(Description::MAX)).unwrap()),
        pin: true,
        position: Some(FAR),
        locks_at: u32::MAX,
        last_failed: Some(FAR),
    };
    assert!(fits(&Reply::Devices(vec![device; MAX_FACTORS + 2])));
    let many = vec![factor(); 2 * MAX_FACTORS];
    assert!(!fits(&user_detail(many)), "a reply this size has to be split: the bound is needed");
}

#[test]
fn a_page_of_a_list_holds_at_least_a_few_of_the_largest_entries() {
    assert!(fits(&user_page(10)) && fits(&audit_page(2)));
    // So senders cut pages by size, not by a fixed number of entries.
    assert!(!fits(&user_page(20)) && !fits(&audit_page(3)));
    let problem = "p".repeat(MAX_PAYLOAD);
    assert!(!fits(&Reply::Config(ConfigReport { valid: false, problems: vec![problem], notes: vec![] })));
}

#[test]
fn requests_fit_whatever_their_fields_hold() {
    let params = HotpParams { algorithm: Algorithm::Sha512, digits: 8, counter: u64::MAX };
    let new = NewFactor {
        user: user(),
        label: Some(label()),
        params: NewParams::Hotp(params),
        secret: Some(secret()),
        activate: true,
        replace: true,
        current_code: Some(secret()),
        invitation: Some(secret()),
        tag: NewTag {
            serial: Some(Serial::new("s".repeat(Serial::MAX)).unwrap()),
            description: Some(Description::new("d".repeat(Description::MAX)).unwrap()),
            pin: Some(secret()),
        },
    };
    assert!(fits(&Request::Enroll(Box::new(new))));
    assert!(fits(&Request::Confirm { user: user(), factor: Some(FactorId(FAR)), code: secret() }));
}

#[test]
fn look_ups_fit_whatever_a_directory_has() {
    let sealed = std::iter::repeat_with(secret).take(MAX_SEALED).collect();
    let found = Found { phone: Some(secret()), mail: Some(secret()), sealed };
    assert!(fits(&Done::Found(Box::new(found))));
    assert!(fits(&Errand::Look(Box::new(Look { user: user() }))));
}

#[test]
fn prompts_and_answers_fit_whatever_their_fields_hold() {
    let prompt = ServerMessage::Prompt { text: shown(), echo: true, shape: AnswerShape::SIX_DIGITS };
    assert_eq!(size(&prompt), 1 + 2 + MAX_SHOWN + 1 + 1);
    assert!(size(&ClientMessage::Answer(secret())) <= 3 + MAX_SECRET);
}

fn start(claim: usize, ssh_auth_info: usize) -> ClientMessage {
    let claim_of = |length| Some(Claim::clean(&"c".repeat(length)));
    ClientMessage::Start(Start {
        user: UserName::new("u".repeat(UserName::MAX)).unwrap(),
        service: ServiceName::new("s".repeat(ServiceName::MAX)).unwrap(),
        dialogue: Dialogue::Combined,
        remote_host: claim_of(claim),
        remote_user: claim_of(claim),
        terminal: claim_of(claim),
        ssh_auth_info: Some(AuthInfo::clean(&format!("{}\n", "k".repeat(ssh_auth_info)))),
    })
}

#[test]
fn a_login_starts_in_one_frame_when_its_short_claims_are_short() {
    assert!(fits(&start(Claim::MAX_NAME, AuthInfo::MAX - 1)));
    // Three claims of the greatest length beside it do not fit: the client must cut what is known to be short.
    assert!(!fits(&start(Claim::MAX, AuthInfo::MAX - 1)));
}
