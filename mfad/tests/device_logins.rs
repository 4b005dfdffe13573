//! Whole logins with PINs, and who is somebody: users of other realms and devices that nobody has log in nowhere.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use mfa_proto::{
    admin::{Algorithm, FactorRef, HotpParams, NewFactor, NewParams, NewTag, RefusalCode, Reply, Request},
    hello::Protocol,
    login::{ClientMessage, ServerMessage, Verdict},
    name::{RealmName, UserId, UserName},
    tag::Serial,
};
use support::{Client, Daemon, hotp, new_factor, secret, start, user_id};

const SERIAL: &str = "OATH00019E8B";

fn hotp_params() -> NewParams {
    NewParams::Hotp(HotpParams { algorithm: Algorithm::Sha1, digits: 6, counter: 0 })
}

fn tag(serial: Option<&str>, pin: Option<&str>) -> NewTag {
    let serial = serial.map(|text| Serial::new(text).unwrap());
    NewTag { serial, description: None, pin: pin.map(secret) }
}

fn tagged(user: UserId, label: &str, tag: NewTag) -> Request {
    Request::Enroll(Box::new(NewFactor { user, tag, ..new_factor("x", hotp_params(), label) }))
}

fn of(realm: &str, name: &str) -> UserId {
    UserId { realm: RealmName::new(realm).unwrap(), name: UserName::new(name).unwrap() }
}

fn refused(reply: Reply) -> RefusalCode {
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    refusal.code
}

async fn with_pin(daemon: &Daemon) {
    let reply = daemon.admin(tagged(user_id("jane"), "key", tag(None, Some("1234")))).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
}

#[tokio::test]
async fn a_login_asks_for_pin_and_code_unseen() {
    let daemon = Daemon::start("").await;
    with_pin(&daemon).await;
    let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
    client.send(&ClientMessage::Start(start("jane"))).await;
    let ServerMessage::Prompt { text, echo, .. } = client.receive().await else { panic!("no prompt") };
    assert_eq!((text.as_str(), echo), ("PIN and code: ", false));
    client.send(&ClientMessage::Answer(secret(&format!("1234{}", hotp(0))))).await;
    assert_eq!(client.receive::<ServerMessage>().await, ServerMessage::Settled(Verdict::Accept));
}

#[tokio::test]
async fn without_the_pin_or_with_another_the_code_is_wrong() {
    let daemon = Daemon::start("[prompt]\nattempts = 1\n").await;
    with_pin(&daemon).await;
    for answer in [hotp(0), format!("4321{}", hotp(0)), "1234000000".to_owned()] {
        assert_eq!(daemon.login("jane", &[&answer]).await.verdict, Verdict::Deny, "{answer}");
        assert_eq!(daemon.last_audit("jane").await.reason, "wrong_code");
        daemon.clock.advance(10);
    }
    assert_eq!(daemon.login("jane", &[&format!("1234{}", hotp(0))]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn who_holds_both_kinds_is_told_so_and_what_is_neither_costs_nothing() {
    let daemon = Daemon::start("").await;
    with_pin(&daemon).await;
    daemon.enroll_totp("jane").await;
    let seen = daemon.login("jane", &["12 PIN", &format!("1234{}", hotp(0))]).await;
    assert_eq!(seen.verdict, Verdict::Accept);
    assert!(seen.prompts[0].starts_with("Code, or PIN and code"), "{:?}", seen.prompts);
}

#[tokio::test]
async fn users_of_another_realm_are_somebody_else_and_log_in_nowhere() {
    let daemon = Daemon::start("[realm.vpn]\n[prompt]\nattempts = 1\n").await;
    let unknown = daemon.admin(tagged(of("portal", "jane"), "key", NewTag::default())).await;
    assert_eq!(refused(unknown), RefusalCode::UnknownUser);
    let reply = daemon.admin(tagged(of("vpn", "jane"), "key", NewTag::default())).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
    for name in ["jane", "jane@vpn"] {
        assert_eq!(daemon.login(name, &[&hotp(0)]).await.verdict, Verdict::Deny, "{name}");
    }
    let Reply::User(detail) = daemon.admin(Request::Show { user: of("vpn", "jane") }).await else { panic!() };
    assert_eq!((detail.factors.len(), detail.orphaned, detail.factors[0].failures), (1, false, 0));
    daemon.reconfigure("[identity]\naccounts = \"any\"\n").await;
    let Reply::User(detail) = daemon.admin(Request::Show { user: of("vpn", "jane") }).await else { panic!() };
    assert!(detail.orphaned, "the realm is gone");
}

#[tokio::test]
async fn a_device_is_nobodys_until_it_is_given_to_somebody() {
    let daemon = Daemon::start("[prompt]\nattempts = 1\n").await;
    let keeper = || of("unassigned", SERIAL);
    let pending = NewFactor {
        activate: false,
        user: keeper(),
        tag: tag(Some(SERIAL), None),
        ..new_factor("x", hotp_params(), "key")
    };
    assert_eq!(refused(daemon.admin(Request::Enroll(Box::new(pending))).await), RefusalCode::Invalid);
    let reply = daemon.admin(tagged(keeper(), "key", tag(Some(SERIAL), None))).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
    let find = || Request::Find { serial: Serial::new(SERIAL).unwrap() };
    let Reply::Found { user: None, device, .. } = daemon.admin(find()).await else { panic!("not found") };
    assert_eq!((device.locks_at, device.pin), (5, false));
    for wrong in [
        Request::RecoveryNew { user: keeper(), count: 10, code: None },
        Request::SetPin {
            target: FactorRef { user: keeper(), factor: None, label: None },
            pin: Some(secret("1234")),
            code: None,
        },
        Request::Assign { serial: Serial::new(SERIAL).unwrap(), user: of("unassigned", "OTHER") },
        Request::Reassign { user: keeper(), to: Some(user_id("jane")) },
    ] {
        let told = format!("{wrong:?}");
        let reply = daemon.admin(wrong).await;
        assert!(matches!(reply, Reply::Refused(_)), "{told}: {reply:?}");
    }
    assert_eq!(daemon.login(SERIAL, &[&hotp(0)]).await.verdict, Verdict::Deny);
    let doubled = daemon.admin(tagged(user_id("john"), "key", tag(Some("oath00019e8b"), None))).await;
    assert_eq!(refused(doubled), RefusalCode::WrongState);
    let assign = Request::Assign { serial: Serial::new(SERIAL).unwrap(), user: user_id("jane") };
    assert!(matches!(daemon.admin(assign).await, Reply::Done { factors: 1 }));
    let Reply::Found { user: Some(user), .. } = daemon.admin(find()).await else { panic!("not found") };
    assert_eq!(user, user_id("jane"));
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
    let Reply::User(detail) = daemon.admin(Request::Show { user: user_id("jane") }).await else { panic!() };
    assert!(detail.devices);
    let unassign = Request::Unassign { serial: Serial::new(SERIAL).unwrap() };
    assert!(matches!(daemon.admin(unassign).await, Reply::Done { factors: 1 }));
    assert_eq!(daemon.login("jane", &[&hotp(1)]).await.verdict, Verdict::Deny);
}

#[tokio::test]
async fn show_says_that_there_is_more_and_devices_where_a_factor_stands() {
    let daemon = Daemon::start("[prompt]\nattempts = 1\n").await;
    let reply = daemon.admin(tagged(user_id("jane"), "key", NewTag::default())).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
    let stands = || async {
        let Reply::User(detail) = daemon.admin(Request::Show { user: user_id("jane") }).await else {
            panic!()
        };
        assert!(detail.devices, "a device without name and PIN has a counter");
        let Reply::Devices(devices) = daemon.admin(Request::Devices { user: user_id("jane") }).await else {
            panic!("no devices")
        };
        (devices[0].position, detail.factors[0].failures, devices[0].last_failed)
    };
    assert_eq!(stands().await, (Some(0), 0, None));
    assert_eq!(daemon.login("jane", &["000000"]).await.verdict, Verdict::Deny);
    let (position, failures, last) = stands().await;
    assert_eq!((position, failures), (Some(0), 1));
    assert_eq!(last, Some(daemon.last_audit("jane").await.time));
    assert_eq!(daemon.login("jane", &[&hotp(3)]).await.verdict, Verdict::Accept);
    assert_eq!(stands().await, (Some(4), 0, None));
}
