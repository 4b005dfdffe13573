//! Requests of administrators.

use mfa_proto::{
    admin::{
        Algorithm, AuditFilter, FactorId, FactorKind, HotpParams, Identify, NewFactor, NewParams, NewTag,
        Request, RestParams, SentParams, TokenParams, TotpParams,
    },
    name::{Claim, RealmName, UserId, UserName},
    tag::{Description, Serial},
    text::ShownText,
};

use super::{Sample, jane, label, secret, target};

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

pub(super) fn requests() -> Vec<Sample> {
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

pub(super) fn serial() -> Serial {
    Serial::new("TOTP00019E8B").unwrap()
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
