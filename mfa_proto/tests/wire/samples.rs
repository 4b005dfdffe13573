//! One message of every kind, with a different value in every field, by name.

mod directory;
mod front;
mod policy;

use std::fmt::Debug;

use mfa_proto::{
    admin::{
        Algorithm, AuditFilter, AuditPage, AuditRow, ConfigReport, DeviceDetail, DirectoryState, Enrolled,
        FactorDetail, FactorId, FactorKind, FactorRef, FactorState, HotpParams, Identify, LockReason,
        LockState, NewFactor, NewParams, NewTag, Refusal, RefusalCode, Reply, Request, RestParams, Restored,
        SentParams, Status, TokenParams, TotpParams, UserDetail, UserPage, UserSummary,
    },
    answer::AnswerShape,
    auth_info::AuthInfo,
    codec,
    egress::{Consultation, Delivery, Done, Errand, Found, Look, Medium},
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, Dialogue, ServerMessage, Start, Verdict, Withheld},
    name::{Claim, FactorLabel, RealmName, ServiceName, UserId, UserName},
    secret::SecretText,
    tag::{Description, Serial},
    text::ShownText,
};
use serde::{Serialize, de::DeserializeOwned};

/// The re-encoded frame, and the printed value.
pub(crate) type Decoded = (Vec<u8>, String);

/// A message of some type, with what can be done with its bytes.
pub(crate) struct Sample {
    /// What it is called in the golden file.
    pub(crate) name: String,
    /// As it goes over the wire, header included.
    pub(crate) frame: Vec<u8>,
    /// Decodes a payload as this type; gives the re-encoded frame and the printed value.
    pub(crate) decode: fn(&[u8]) -> Result<Decoded, codec::CodecError>,
    /// The printed value.
    pub(crate) shown: String,
}

impl Sample {
    pub(crate) fn of<T: Debug + DeserializeOwned + Serialize>(name: impl Into<String>, message: &T) -> Self {
        Self {
            name: name.into(),
            frame: codec::encode(message).unwrap().to_vec(),
            decode: |payload| {
                let message: T = codec::decode(payload)?;
                Ok((codec::encode(&message)?.to_vec(), format!("{message:?}")))
            },
            shown: format!("{message:?}"),
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.frame[mfa_proto::frame::HEADER..]
    }
}

/// One message of every kind there is in version 1.
pub(crate) fn all() -> Vec<Sample> {
    [
        greetings(),
        client_messages(),
        server_messages(),
        requests(),
        replies(),
        policy::requests(),
        policy::replies(),
        refusals(),
        states(),
        errands(),
        front::all(),
        passwords(),
        directory::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn jane() -> UserId {
    UserId::local(UserName::new("jane").unwrap())
}

fn label(text: &str) -> FactorLabel {
    FactorLabel::new(text).unwrap()
}

fn john() -> UserId {
    UserId::local(UserName::new("john").unwrap())
}

fn target() -> FactorRef {
    FactorRef { user: jane(), factor: Some(FactorId(7)), label: Some(label("phone")) }
}

fn greetings() -> Vec<Sample> {
    vec![
        Sample::of("hello/login", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Login) }),
        Sample::of("hello/egress", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Egress) }),
        Sample::of("hello/front", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Front) }),
        Sample::of("hello/admin", &Hello { min: 1, max: 300, ..Hello::new(Protocol::Admin) }),
        Sample::of("welcome/version", &Welcome::Version(1)),
        Sample::of("welcome/unsupported", &Welcome::Unsupported { min: 2, max: 3 }),
        Sample::of("welcome/busy", &Welcome::Busy),
    ]
}

fn client_messages() -> Vec<Sample> {
    let whole = Start {
        user: UserName::new("Ünal").unwrap(),
        service: "sshd".parse().unwrap(),
        dialogue: Dialogue::Interactive,
        remote_host: Some(Claim::clean("192.0.2.7")),
        remote_user: Some(Claim::clean("root")),
        terminal: Some(Claim::clean("ssh")),
        ssh_auth_info: Some(AuthInfo::clean("publickey ssh-ed25519 AAAA\n")),
    };
    let least = Start {
        user: UserName::new("jane").unwrap(),
        service: "openvpn".parse().unwrap(),
        dialogue: Dialogue::Combined,
        remote_host: None,
        remote_user: None,
        terminal: None,
        ssh_auth_info: None,
    };
    let messages = [
        ("start/whole", ClientMessage::Start(whole)),
        ("start/least", ClientMessage::Start(least)),
        ("answer", ClientMessage::Answer(secret("123 456"))),
        ("withheld/shape", ClientMessage::Withheld(Withheld::Shape)),
        ("withheld/sshd_refusal", ClientMessage::Withheld(Withheld::SshdRefusal)),
        ("withheld/no_answer", ClientMessage::Withheld(Withheld::NoAnswer)),
    ];
    messages.iter().map(|(name, message)| Sample::of(format!("client/{name}"), message)).collect()
}

fn server_messages() -> Vec<Sample> {
    let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::EIGHT_DIGITS);
    let prompt = |shape, echo| ServerMessage::Prompt { text: ShownText::clean("Code: "), echo, shape };
    let messages = [
        ("prompt/six_or_eight", prompt(shape, true)),
        ("prompt/acknowledge", prompt(AnswerShape::ACKNOWLEDGE, false)),
        ("info", ServerMessage::Info(ShownText::clean("Two lines\nof text"))),
        ("settled/accept", ServerMessage::Settled(Verdict::Accept)),
        ("settled/deny", ServerMessage::Settled(Verdict::Deny)),
        ("settled/locked", ServerMessage::Settled(Verdict::Locked)),
        ("settled/not_applicable", ServerMessage::Settled(Verdict::NotApplicable)),
        ("settled/unavailable", ServerMessage::Settled(Verdict::Unavailable)),
    ];
    messages.iter().map(|(name, message)| Sample::of(format!("server/{name}"), message)).collect()
}

fn new_factor(params: NewParams) -> Request {
    Request::Enroll(Box::new(NewFactor {
        user: UserId { realm: RealmName::new("vpn").unwrap(), name: UserName::new("jane").unwrap() },
        label: Some(label("phone")),
        params,
        secret: Some(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
        activate: true,
        replace: false,
        current_code: Some(secret("000000")),
        invitation: None,
        tag: NewTag {
            serial: Some(serial()),
            description: Some(Description::new("red key").unwrap()),
            pin: Some(secret("1234")),
        },
    }))
}

fn audit_filter() -> AuditFilter {
    AuditFilter {
        after: -1,
        user: Some(jane()),
        service: Some("sudo".parse().unwrap()),
        source: Some(Claim::clean("192.0.2.7")),
        verdict: Some("deny".into()),
        event: Some("login".into()),
        since: Some(1_767_225_600),
        until: Some(4_102_444_800),
        last: Some(50),
    }
}

fn requests() -> Vec<Sample> {
    let totp = NewParams::Totp(TotpParams { algorithm: Algorithm::Sha256, digits: 8, period: 60 });
    let hotp = NewParams::Hotp(HotpParams { algorithm: Algorithm::Sha512, digits: 6, counter: 1_000_000 });
    let requests = [
        ("enroll/totp", new_factor(totp)),
        ("enroll/hotp", new_factor(hotp)),
        ("confirm", Request::Confirm { user: jane(), factor: Some(FactorId(7)), code: secret("123456") }),
        ("list", Request::List { after: Some(jane()), orphaned: true }),
        ("list/first", Request::List { after: None, orphaned: false }),
        ("show", Request::Show { user: jane() }),
        ("disable", Request::Disable { target: target(), code: Some(secret("123456")) }),
        ("enable", Request::Enable { target: target() }),
        ("remove", Request::Remove { target: target(), code: None }),
        ("unlock", Request::Unlock { user: jane() }),
        ("reset", Request::Reset { user: jane() }),
        ("status", Request::Status),
        ("audit", Request::Audit(Box::new(audit_filter()))),
        ("config_check", Request::ConfigCheck),
        ("reload", Request::Reload),
        ("resync", Request::Resync { target: target(), codes: [secret("755224"), secret("287082")] }),
        ("recovery_new", Request::RecoveryNew { user: jane(), count: 10, code: Some(secret("755224")) }),
        ("send", Request::Send { target: target() }),
        ("token_issue", Request::TokenIssue { target: target() }),
        (
            "enroll_all",
            Request::EnrollAll {
                user: jane(),
                factors: vec![brought_along(NewParams::Hotp(HotpParams {
                    algorithm: Algorithm::Sha256,
                    digits: 8,
                    counter: 5,
                }))],
                recovery: vec![secret("12345678")],
                replace: true,
            },
        ),
        ("backup", Request::Backup),
        ("restore", Request::Restore),
    ];
    let params = [
        NewParams::Sms(SentParams { address: secret("+491701234321"), digits: Some(8) }),
        NewParams::Mail(SentParams { address: secret("a@example.org"), digits: None }),
        NewParams::Rest(RestParams { service: label("corp"), remote_user: Some(Claim::clean("j.doe")) }),
        NewParams::Token(TokenParams {
            domain: Some(label("example.org")),
            signing_secret: Some(secret("JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7")),
        }),
    ]
    .map(|params| (format!("request/enroll/{}", params.kind().word()), params))
    .map(|(name, params)| Sample::of(name, &Request::Enroll(Box::new(brought_along(params)))));
    let requests = requests.into_iter().chain(device_requests());
    let requests = requests.map(|(name, request)| Sample::of(format!("request/{name}"), &request));
    requests.chain(params).collect()
}

fn device_requests() -> [(&'static str, Request); 8] {
    [
        ("devices", Request::Devices { user: jane() }),
        ("find", Request::Find { serial: serial() }),
        ("set_pin", Request::SetPin { target: target(), pin: Some(secret("1234")), code: None }),
        (
            "describe",
            Request::Describe {
                target: target(),
                serial: Some(serial()),
                description: Some(Description::new("red key").unwrap()),
            },
        ),
        ("assign", Request::Assign { serial: serial(), user: jane() }),
        ("unassign", Request::Unassign { serial: serial() }),
        (
            "lost",
            Request::Lost { target: target(), seconds: 7200, reason: ShownText::clean("left on a train") },
        ),
        (
            "identify",
            Request::Identify(Box::new(Identify {
                code: secret("755224"),
                kind: Some(FactorKind::Hotp),
                assigned: Some(true),
                realm: Some(RealmName::new("vpn").unwrap()),
                serial: Some("OATH*".into()),
            })),
        ),
    ]
}

fn serial() -> Serial {
    Serial::new("TOTP00019E8B").unwrap()
}

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

fn brought_along(params: NewParams) -> NewFactor {
    NewFactor {
        user: jane(),
        label: None,
        params,
        secret: None,
        activate: true,
        replace: false,
        current_code: None,
        invitation: Some(secret("GAYT-EMZU-GU3D-OOBZ")),
        tag: NewTag::default(),
    }
}

/// What core asks of egress, and what it is told.
fn errands() -> Vec<Sample> {
    let service = || ServiceName::new("sshd").unwrap();
    let delivery = Delivery {
        medium: Medium::Sms,
        to: secret("+491701234321"),
        code: secret("755224"),
        user: jane(),
        service: service(),
        source: Some(Claim::clean("192.0.2.7")),
        minutes: 5,
    };
    let consultation = || {
        Box::new(Consultation {
            outside: label("corp"),
            remote_user: Claim::clean("j.doe"),
            user: jane(),
            service: service(),
            source: None,
            code: Some(secret("755224")),
        })
    };
    let errands = [
        ("deliver", Errand::Deliver(Box::new(delivery))),
        ("begin", Errand::Begin(consultation())),
        ("judge", Errand::Judge(consultation())),
        ("notify", Errand::Notify(Box::new(policy::notice()))),
        ("authorize", Errand::Authorize(Box::new(policy::authorization()))),
        ("ping", Errand::Ping),
        ("look", Errand::Look(Box::new(Look { user: jane() }))),
    ];
    let done = [
        ("delivered", Done::Delivered { via: ShownText::clean("twilio") }),
        ("yes", Done::Yes),
        ("no", Done::No),
        ("failed", Done::Failed { why: ShownText::clean("HTTP 500") }),
        ("busy", Done::Busy),
        ("found/whole", Done::Found(Box::new(found(["{1}c2VhbGVk", "{1}YW5vdGhlcg"])))),
        ("found/least", Done::Found(Box::new(Found { phone: None, mail: None, sealed: vec![] }))),
    ];
    let errands = errands.iter().map(|(name, errand)| Sample::of(format!("errand/{name}"), errand));
    let mail = Sample::of("errand/medium/mail", &Medium::Mail);
    let done = done.iter().map(|(name, done)| Sample::of(format!("done/{name}"), done));
    errands.chain([mail]).chain(done).collect()
}

/// What a directory may have of a person.
pub(crate) fn found<const N: usize>(sealed: [&str; N]) -> Found {
    Found {
        phone: Some(secret("+491701234321")),
        mail: Some(secret("jane@example.org")),
        sealed: sealed.map(secret).into(),
    }
}

/// What a front end asks the prover of passwords, and what it is told.
fn passwords() -> Vec<Sample> {
    use mfa_proto::password::{Check, Reply, Request};
    let check = |source| {
        Box::new(Check { user: UserName::new("jane").unwrap(), password: secret("Horse7 staple"), source })
    };
    let requests = [
        ("check", Request::Check(check(Some(Claim::clean("192.0.2.7"))))),
        ("change", Request::Change { check: check(None), new: secret("Battery8 horse") }),
    ];
    let replies = [
        ("yes", Reply::Yes),
        ("no", Reply::No),
        ("must_change", Reply::MustChange),
        ("busy", Reply::Busy),
        ("unavailable", Reply::Unavailable),
        ("refused", Reply::Refused),
    ];
    let hello = Sample::of("hello/password", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Password) });
    let requests = requests.iter().map(|(name, r)| Sample::of(format!("password/request/{name}"), r));
    let replies = replies.iter().map(|(name, r)| Sample::of(format!("password/reply/{name}"), r));
    [hello].into_iter().chain(requests).chain(replies).collect()
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

fn replies() -> Vec<Sample> {
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

fn refusals() -> Vec<Sample> {
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
fn states() -> Vec<Sample> {
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

/// The number of each request on the wire. A new one does not compile until it has one, and a sample.
pub(crate) fn request_tag(request: &Request) -> u8 {
    match request {
        Request::Enroll(_) => 0,
        Request::Confirm { .. } => 1,
        Request::List { .. } => 2,
        Request::Show { .. } => 3,
        Request::Disable { .. } => 4,
        Request::Enable { .. } => 5,
        Request::Remove { .. } => 6,
        Request::Unlock { .. } => 7,
        Request::Reset { .. } => 8,
        Request::Status => 9,
        Request::Audit(_) => 10,
        Request::ConfigCheck => 11,
        Request::Reload => 12,
        Request::Resync { .. } => 13,
        Request::RecoveryNew { .. } => 14,
        Request::Send { .. } => 15,
        Request::TokenIssue { .. } => 16,
        Request::EnrollAll { .. } => 17,
        Request::Backup => 18,
        Request::Restore => 19,
        Request::Invite { .. } => 20,
        Request::Uninvite { .. } => 21,
        Request::Remembered { .. } => 22,
        Request::Forget { .. } => 23,
        Request::Reassign { .. } => 24,
        Request::PruneOrphaned { .. } => 25,
        Request::AuditVerify => 26,
        Request::Explain(_) => 27,
        Request::BreakGlass { .. } => 28,
        Request::Metrics { .. } => 29,
        Request::Devices { .. } => 30,
        Request::Find { .. } => 31,
        Request::SetPin { .. } => 32,
        Request::Describe { .. } => 33,
        Request::Assign { .. } => 34,
        Request::Unassign { .. } => 35,
        Request::LdapSeal { .. } => 36,
        Request::LdapPull { .. } => 37,
        Request::ExplainClient(_) => 38,
        Request::Lost { .. } => 39,
        Request::Identify(_) => 40,
    }
}

/// The number of each reply on the wire, likewise.
pub(crate) fn reply_tag(reply: &Reply) -> u8 {
    match reply {
        Reply::Done { .. } => 0,
        Reply::Enrolled(_) => 1,
        Reply::Users(_) => 2,
        Reply::User(_) => 3,
        Reply::Status(_) => 4,
        Reply::Audit(_) => 5,
        Reply::Config(_) => 6,
        Reply::Refused(_) => 7,
        Reply::RecoveryCodes { .. } => 8,
        Reply::Sent { .. } => 9,
        Reply::Token(_) => 10,
        Reply::Copy { .. } => 11,
        Reply::Restored(_) => 12,
        Reply::Invited { .. } => 13,
        Reply::Remembered(_) => 14,
        Reply::AuditReport(_) => 15,
        Reply::Explained(_) => 16,
        Reply::BreakGlass { .. } => 17,
        Reply::Metrics { .. } => 18,
        Reply::Orphans(_) => 19,
        Reply::Found { .. } => 20,
        Reply::Devices(_) => 21,
        Reply::Sealed(_) => 22,
        Reply::Pulled(_) => 23,
    }
}

/// The number of each message of a client, likewise.
pub(crate) fn client_tag(message: &ClientMessage) -> u8 {
    match message {
        ClientMessage::Start(_) => 0,
        ClientMessage::Answer(_) => 1,
        ClientMessage::Withheld(_) => 2,
    }
}

/// The number of each message of the daemon, likewise.
pub(crate) fn server_tag(message: &ServerMessage) -> u8 {
    match message {
        ServerMessage::Prompt { .. } => 0,
        ServerMessage::Info(_) => 1,
        ServerMessage::Settled(_) => 2,
    }
}

/// The number of each verdict on the wire, likewise.
pub(crate) fn verdict_tag(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Accept => 0,
        Verdict::Deny => 1,
        Verdict::Locked => 2,
        Verdict::NotApplicable => 3,
        Verdict::Unavailable => 4,
    }
}
