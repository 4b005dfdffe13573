//! Clients that do not keep to the protocol: each hurts only itself.
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
    codec,
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, ServerMessage, Verdict, Withheld},
};
use support::{Client, Daemon, hotp, start};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

/// Sends `bytes` on a new connection; all that the daemon says until it ends the connection.
async fn say(daemon: &Daemon, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(daemon.socket()).await.unwrap();
    // The daemon may hang up before it has read all.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut said = Vec::new();
    drop(stream.read_to_end(&mut said).await);
    said
}

fn hello() -> Vec<u8> {
    codec::encode(&Hello::new(Protocol::Login)).unwrap().to_vec()
}

#[tokio::test]
async fn garbage_ends_its_own_connection_and_nobody_elses() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let mut honest = Client::greet(&daemon.socket(), Protocol::Login).await;
    let welcome = codec::encode(&Welcome::Version(1)).unwrap().to_vec();
    let with_hello = |rest: &[u8]| [hello(), rest.to_vec()].concat();
    let cases: [(&str, Vec<u8>); 9] = [
        ("nothing", vec![]),
        ("half a header", vec![0]),
        ("an empty frame", vec![0, 0]),
        ("an oversize frame", vec![0xff, 0xff, 1, 2, 3]),
        ("a frame that ends early", vec![0, 10, 1, 2]),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("no start", with_hello(&[0, 2, 0xff, 0xff])),
        (
            "an answer before the start",
            with_hello(&codec::encode(&ClientMessage::Withheld(Withheld::Shape)).unwrap()),
        ),
        ("trailing bytes", with_hello(&[0, 3, 2, 0, 0])),
    ];
    for (case, bytes) in cases {
        let said = say(&daemon, &bytes).await;
        assert!(said.is_empty() || said == welcome, "{case}: {said:?}");
    }
    honest.send(&ClientMessage::Start(start("jane"))).await;
    assert!(matches!(honest.receive().await, ServerMessage::Prompt { .. }));
    honest.send(&ClientMessage::Answer(support::secret(&hotp(0)))).await;
    assert_eq!(honest.receive::<ServerMessage>().await, ServerMessage::Settled(Verdict::Accept));
}

#[tokio::test]
async fn a_client_of_the_future_is_told_what_is_spoken_here() {
    let daemon = Daemon::start("").await;
    let mut client = Client(UnixStream::connect(daemon.socket()).await.unwrap());
    client.send(&Hello { min: 7, max: 9, ..Hello::new(Protocol::Login) }).await;
    assert_eq!(client.receive::<Welcome>().await, Welcome::Unsupported { min: 1, max: 1 });
    assert_eq!(client.try_receive::<ServerMessage>().await, None);
}

#[tokio::test]
async fn a_login_that_starts_twice_is_denied() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
    client.send(&ClientMessage::Start(start("jane"))).await;
    assert!(matches!(client.receive().await, ServerMessage::Prompt { .. }));
    client.send(&ClientMessage::Start(start("root"))).await;
    assert_eq!(client.receive::<ServerMessage>().await, ServerMessage::Settled(Verdict::Deny));
}

#[tokio::test]
async fn what_sshd_answers_for_refused_users_costs_no_attempt() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    for why in [Withheld::SshdRefusal, Withheld::NoAnswer, Withheld::SshdRefusal, Withheld::NoAnswer] {
        let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
        client.send(&ClientMessage::Start(start("jane"))).await;
        assert!(matches!(client.receive().await, ServerMessage::Prompt { .. }));
        client.send(&ClientMessage::Withheld(why)).await;
        assert_eq!(client.receive::<ServerMessage>().await, ServerMessage::Settled(Verdict::Deny));
    }
    let reply = daemon.admin(mfa_proto::admin::Request::Show { user: support::user_id("jane") }).await;
    let mfa_proto::admin::Reply::User(detail) = reply else { panic!("{reply:?}") };
    assert_eq!(detail.factors[0].failures, 0);
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn connections_are_bounded_and_come_free_again() {
    let daemon = Daemon::start("[core]\nmax_connections = 3\nper_uid_connections = 3").await;
    daemon.enroll_hotp("jane").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(Client::greet(&daemon.socket(), Protocol::Login).await);
    }
    let mut refused = Client(UnixStream::connect(daemon.socket()).await.unwrap());
    assert_eq!(refused.receive::<Welcome>().await, Welcome::Busy);
    drop(held);
    // The daemon learns of the ends in its own time; each try is a new connection, bounded in number.
    for _ in 0..1000 {
        let mut client = Client(UnixStream::connect(daemon.socket()).await.unwrap());
        drop(client.0.write_all(&hello()).await);
        if client.receive::<Welcome>().await == Welcome::Version(1) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("no place came free");
}

#[tokio::test]
async fn logins_of_one_account_do_not_keep_others_out() {
    let daemon = Daemon::start("[core]\nmax_connections = 64\nper_uid_connections = 4").await;
    daemon.enroll_hotp("jane").await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
        client.send(&ClientMessage::Start(start("mallory"))).await;
        assert!(matches!(client.receive().await, ServerMessage::Prompt { .. }));
        waiting.push(client);
    }
    let refused = daemon.login("mallory", &[]).await;
    assert_eq!((refused.prompts.len(), refused.verdict), (0, Verdict::Deny));
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
}
