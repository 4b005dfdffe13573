//! Clients that take their time: none holds a place for longer than it was promised.
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

use std::time::Duration;

use mfa_proto::{
    admin::Request,
    codec,
    hello::Protocol,
    login::{ClientMessage, ServerMessage, Verdict},
};
use support::{Client, Daemon, start};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, advance, pause, resume, timeout},
};

#[tokio::test]
async fn a_login_has_one_deadline_from_its_first_byte_to_its_verdict() {
    let daemon = Daemon::start("[core]\nlogin_timeout = \"60s\"").await;
    daemon.enroll_hotp("jane").await;
    let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
    let began = Instant::now();
    pause();
    advance(Duration::from_secs(40)).await;
    resume();
    client.send(&ClientMessage::Start(start("jane"))).await;
    assert!(matches!(client.receive().await, ServerMessage::Prompt { .. }));
    // From here on time passes as soon as everyone waits.
    pause();
    let ServerMessage::Settled(verdict) = wait(&mut client).await else { panic!("no verdict") };
    assert!(matches!(verdict, Verdict::Deny | Verdict::Unavailable), "{verdict:?}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(80), "the verdict came after {took:?}");
}

/// The next message, however long it takes.
async fn wait(client: &mut Client) -> ServerMessage {
    use tokio::io::AsyncReadExt as _;
    let mut header = [0; 2];
    client.0.read_exact(&mut header).await.unwrap();
    let mut payload = vec![0; usize::from(u16::from_be_bytes(header))];
    client.0.read_exact(&mut payload).await.unwrap();
    codec::decode(&payload).unwrap()
}

#[tokio::test]
async fn a_front_end_that_reads_no_replies_is_hung_up_on() {
    let daemon = Daemon::start("").await;
    let mut client = Client::greet(&daemon.socket(), Protocol::Admin).await;
    // One that nobody outside this runtime has to answer: its clock runs on while nothing happens inside.
    let request = codec::encode(&Request::ConfigCheck).unwrap();
    pause();
    let hung_up =
        timeout(Duration::from_secs(3600), async { while client.0.write_all(&request).await.is_ok() {} });
    assert!(hung_up.await.is_ok(), "the daemon goes on waiting for a client that does not read");
}
