//! The socket of front ends, by its frames: who may speak there, and who its account is elsewhere.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod support;

use mfa_proto::{
    admin::{FactorRef, Reply, Request},
    front::{Ended, FrontMessage, Verify, VerifyDevice, What},
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, ServerMessage, Verdict},
    tag::Serial,
};
use nix::unistd::geteuid;
use support::{
    Client, Daemon,
    fronts::{ask, open},
    hotp, secret, user_id,
};
use tokio::net::UnixStream;

const VPN: &str = "[[web.listen]]\naddress = \"127.0.0.1:1\"\n[[web.client]]\nname = \"vpn\"\n\
                   rights = [\"verify\"]\ntoken = \"vpn\"\npassword_proven = true\n";

fn verify(user: &str, answer: Option<&str>) -> What {
    let (user, answer) = (user_id(user), answer.map(secret));
    What::Verify(Box::new(Verify { user, choose: None, only: None, answer, patience: 60 }))
}

async fn ended(client: &mut Client) -> Ended {
    loop {
        match client.receive().await {
            FrontMessage::Ended(ended) => return ended,
            FrontMessage::Turn { message: ServerMessage::Info(_), .. } => {}
            FrontMessage::Turn { message, .. } => panic!("{message:?}"),
        }
    }
}

#[tokio::test]
async fn a_front_end_is_nobody_elsewhere() {
    let daemon = Daemon::start(VPN).await;
    daemon.core.set_front_end(geteuid().as_raw());
    for protocol in [Protocol::Login, Protocol::Admin, Protocol::Front] {
        let mut client = Client(UnixStream::connect(daemon.socket()).await.unwrap());
        client.send(&Hello::new(protocol)).await;
        assert_eq!(client.try_receive::<Welcome>().await, None, "{protocol:?}");
    }
}

#[tokio::test]
async fn nobody_else_is_a_front_end() {
    let daemon = Daemon::start(VPN).await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw().wrapping_add(1)]);
    let mut client = Client(UnixStream::connect(path).await.unwrap());
    client.send(&Hello::new(Protocol::Front)).await;
    assert_eq!(client.try_receive::<Welcome>().await, None);
}

#[tokio::test]
async fn the_socket_of_front_ends_takes_no_login_and_no_administration() {
    let daemon = Daemon::start(VPN).await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw()]);
    for protocol in [Protocol::Login, Protocol::Admin, Protocol::Egress] {
        let mut client = Client::greet(&path, protocol).await;
        assert_eq!(client.try_receive::<Reply>().await.map(drop), None, "{protocol:?}");
    }
}

#[tokio::test]
async fn one_connection_serves_one_question_after_the_other() {
    let daemon = Daemon::start(VPN).await;
    daemon.enroll_hotp("jane").await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw()]);
    let mut client = Client::greet(&path, Protocol::Front).await;
    client.send(&ask("vpn", verify("jane", Some(&hotp(0))))).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Accept);
    client.send(&ask("vpn", verify("jane", None))).await;
    let first = client.receive::<FrontMessage>().await;
    let prompted = |refused: bool, message: &FrontMessage| {
        let prompt = |message: &ServerMessage| matches!(message, ServerMessage::Prompt { .. });
        matches!(message, FrontMessage::Turn { message, refused: was } if prompt(message) && *was == refused)
    };
    assert!(prompted(false, &first), "{first:?}");
    client.send(&ClientMessage::Answer(secret("000000"))).await;
    let second = client.receive::<FrontMessage>().await;
    assert!(prompted(true, &second), "{second:?}");
    client.send(&ClientMessage::Answer(secret(&hotp(1)))).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Accept);
    client.send(&ask("vpn", What::Admin(Box::new(Request::Status)))).await;
    assert!(matches!(client.receive::<Reply>().await, Reply::Refused(_)), "it has not the right");
}

#[tokio::test]
async fn a_client_that_the_configuration_does_not_know_may_nothing() {
    let daemon = Daemon::start(VPN).await;
    daemon.enroll_hotp("jane").await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw()]);
    let mut client = Client::greet(&path, Protocol::Front).await;
    client.send(&ask("stranger", verify("jane", Some(&hotp(0))))).await;
    let refused = ended(&mut client).await;
    assert_eq!((refused.verdict, refused.unjudged), (Verdict::Unavailable, true));
    client.send(&ask("stranger", What::Admin(Box::new(Request::Show { user: user_id("jane") })))).await;
    assert!(matches!(client.receive::<Reply>().await, Reply::Refused(_)));
    client.send(&ask("vpn", verify("jane", Some(&hotp(0))))).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Accept, "the code was not judged");
}

#[tokio::test]
async fn only_the_factor_that_is_named_counts() {
    let daemon = Daemon::start(VPN).await;
    daemon.enroll_hotp("jane").await;
    let codes = daemon.hold_recovery("jane", 5).await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw()]);
    let mut client = Client::greet(&path, Protocol::Front).await;
    client.send(&ask("vpn", verify("jane", Some(&hotp(0))))).await;
    let device = ended(&mut client).await.factor;
    let with_device = |answer: &str| {
        let What::Verify(mut verify) = verify("jane", Some(answer)) else { panic!("it is one") };
        verify.only = device;
        ask("vpn", What::Verify(verify))
    };
    client.send(&with_device(&codes[0])).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Deny, "right, and of another factor");
    client.send(&with_device(&hotp(1))).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Accept);
    client.send(&ask("vpn", verify("jane", Some(&codes[0])))).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Accept, "it was not used up");
}

#[tokio::test]
async fn a_device_is_verified_by_its_serial_number_alone() {
    let daemon = Daemon::start(VPN).await;
    daemon.enroll_hotp("jane").await;
    let serial = Serial::new("HTEST1").unwrap();
    let target = FactorRef { user: user_id("jane"), factor: None, label: None };
    let describe = Request::Describe { target, serial: Some(serial.clone()), description: None };
    assert!(matches!(daemon.admin(describe).await, Reply::Done { .. }));
    let codes = daemon.hold_recovery("jane", 5).await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw()]);
    let mut client = Client::greet(&path, Protocol::Front).await;
    let by_device = |serial: &str, user: Option<&str>, answer: &str| {
        let (serial, user, answer) = (Serial::new(serial).unwrap(), user.map(user_id), Some(secret(answer)));
        What::VerifyDevice(Box::new(VerifyDevice { serial, user, answer, patience: 60 }))
    };
    for (client_name, question, verdict, why) in [
        ("stranger", by_device("HTEST1", None, &hotp(0)), Verdict::Unavailable, "no such client"),
        ("vpn", by_device("NOPE", None, &hotp(0)), Verdict::Deny, "no such device"),
        ("vpn", by_device("NOPE", Some("jane"), &hotp(0)), Verdict::Deny, "no such device of a user"),
        ("vpn", by_device("HTEST1", Some("john"), &hotp(0)), Verdict::Deny, "another user's"),
        ("vpn", by_device("HTEST1", None, &codes[0]), Verdict::Deny, "right, and of another factor"),
        ("vpn", by_device("htest1", None, &hotp(0)), Verdict::Accept, "whoever has it"),
        ("vpn", by_device("HTEST1", Some("jane"), &hotp(1)), Verdict::Accept, "whom it belongs to"),
    ] {
        client.send(&ask(client_name, question)).await;
        assert_eq!(ended(&mut client).await.verdict, verdict, "{why}");
    }
    assert!(matches!(daemon.admin(Request::Unassign { serial }).await, Reply::Done { .. }));
    client.send(&ask("vpn", by_device("HTEST1", None, &hotp(2)))).await;
    assert_eq!(ended(&mut client).await.verdict, Verdict::Deny, "nobody has it");
}
