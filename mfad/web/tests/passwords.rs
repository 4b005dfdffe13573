//! Passwords at the login page: core knows of each guess, and none is made that it would not know of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod rig;
#[expect(unreachable_pub, reason = "it is the tests' of core")]
#[path = "../../tests/support/mod.rs"]
mod support;

use mfa_proto::{
    admin::{AuditFilter, AuditRow, Reply, Request},
    front::{Ask, PasswordMessage, PasswordOutcome},
    hello::{Hello, Welcome},
};
use mfa_role::wire::Wire;
use rig::{
    Rig,
    page::{CONFIG, Page, is_fault},
    prover::{NEXT, PASSWORD, Prover},
};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::{UnixListener, UnixStream},
};

async fn start(extra: &str) -> (Rig, Prover) {
    let rig = Rig::of(&format!("{CONFIG}{extra}")).await;
    let prover = Prover::start(rig.daemon.directory.path());
    (rig, prover)
}

/// The rows about passwords.
async fn rows(rig: &Rig) -> Vec<AuditRow> {
    let filter = AuditFilter { event: Some("password".into()), last: Some(100), ..Default::default() };
    let reply = rig.daemon.admin(Request::Audit(Box::new(filter))).await;
    let Reply::Audit(page) = reply else { panic!("{reply:?}") };
    page.rows
}

/// Takes the place of core, and says these words to each question about a password, one after the other.
fn imposed_core(rig: &Rig, says: &'static [PasswordMessage]) {
    let socket = UnixListener::bind(rig.daemon.directory.path().join("imposed.sock")).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let mut wire = Wire::<UnixStream>::new(stream);
            let _hello: Hello = wire.read().await.unwrap();
            wire.write(&Welcome::Version(1)).await.unwrap();
            let _ask: Ask = wire.read().await.unwrap();
            for word in says {
                wire.write(word).await.unwrap();
                drop(wire.read::<PasswordOutcome>().await);
            }
        }
    });
    rig.lead_to("imposed.sock");
}

#[tokio::test]
async fn wrong_passwords_are_rows_and_block_their_source() {
    let (rig, prover) = start("[limits]\nsource_failures = 4\n").await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    for user in ["jane", "nobody-there"] {
        is_fault(&page.password(user, "wrong").await, 401, 1);
    }
    let known = |row: &AuditRow| {
        (row.verdict == "deny" && row.reason == "wrong_password")
            && (row.client.as_deref(), row.source.as_deref()) == (Some("portal"), Some("127.0.0.1"))
    };
    let of_both = rows(&rig).await;
    assert!(of_both.len() == 2 && of_both.iter().all(known), "{of_both:?}");
    // Right ones cost nothing.
    for _ in 0..5 {
        is_fault(&page.password("jane", PASSWORD).await, 401, 15);
    }
    for _ in 0..2 {
        is_fault(&page.password("jane", "wrong").await, 401, 1);
    }
    let asked = prover.asked();
    for password in ["wrong", PASSWORD] {
        let mut page = Page::of(&rig);
        let told = page.password("jane", password).await;
        is_fault(&told, 401, 3);
        assert!(told.body.contains("too many"), "{told:?}");
        assert!(page.cookie.is_none());
    }
    assert_eq!(prover.asked(), asked, "it was not tried");
    assert_eq!(rows(&rig).await.len(), 4);
}

#[tokio::test]
async fn old_passwords_of_changes_and_registrations_are_guesses_as_well() {
    let (rig, _prover) = start("").await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    page.login().await;
    let change = |old: &str, new: &str| Some(json!({ "password": old, "newpassword": new }));
    is_fault(&page.call("POST", "/auth/changepw", change("wrong", NEXT)).await, 400, 7);
    assert_eq!(rows(&rig).await.len(), 1);
    is_fault(&page.call("POST", "/auth/changepw", change(PASSWORD, "weak")).await, 400, 7);
    assert_eq!(rows(&rig).await.len(), 1, "a new password that is not taken is no guess");
    is_fault(&page.call("POST", "/totp/qr", Some(json!({ "password": "wrong" }))).await, 400, 1);
    assert_eq!(rows(&rig).await.len(), 2);
    assert_eq!(page.call("POST", "/auth/changepw", change(PASSWORD, NEXT)).await.status, 201);
    assert_eq!(rows(&rig).await.len(), 2);
}

#[tokio::test]
async fn what_the_prover_does_not_judge_is_no_failure() {
    let (rig, _prover) = start("[limits]\nsource_failures = 1\n").await;
    let mut page = Page::of(&rig);
    for _ in 0..3 {
        is_fault(&page.password("tried", PASSWORD).await, 401, 3);
        is_fault(&page.password("away", PASSWORD).await, 500, 4);
        is_fault(&page.password("aged", PASSWORD).await, 401, 6);
    }
    assert!(rows(&rig).await.is_empty());
}

#[tokio::test]
async fn without_core_no_password_is_tried() {
    let (rig, prover) = start("").await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    page.login().await;
    let asked = prover.asked();
    rig.take_core_away();
    let change = json!({ "password": PASSWORD, "newpassword": NEXT });
    is_fault(&page.call("POST", "/auth/changepw", Some(change)).await, 500, 4);
    is_fault(&page.call("POST", "/totp/qr", Some(json!({ "password": PASSWORD }))).await, 500, 4);
    for password in [PASSWORD, "wrong"] {
        is_fault(&Page::of(&rig).password("jane", password).await, 500, 4);
    }
    assert_eq!(prover.asked(), asked);
}

#[tokio::test]
async fn a_core_that_refuses_or_talks_nonsense_has_no_password_tried() {
    let (rig, prover) = start("").await;
    for says in [&[PasswordMessage::Unavailable][..], &[PasswordMessage::Noted], &[]] {
        let _gone = std::fs::remove_file(rig.daemon.directory.path().join("imposed.sock"));
        imposed_core(&rig, says);
        is_fault(&Page::of(&rig).password("jane", PASSWORD).await, 500, 4);
    }
    assert_eq!(prover.asked(), 0);
}

#[tokio::test]
async fn nobody_is_told_what_came_of_a_password_that_core_has_not_noted() {
    let (rig, prover) = start("").await;
    for says in [
        &[PasswordMessage::Try][..],
        &[PasswordMessage::Try, PasswordMessage::Unavailable],
        &[PasswordMessage::Try, PasswordMessage::Try],
    ] {
        let _gone = std::fs::remove_file(rig.daemon.directory.path().join("imposed.sock"));
        imposed_core(&rig, says);
        for password in [PASSWORD, "wrong"] {
            let mut page = Page::of(&rig);
            is_fault(&page.password("jane", password).await, 500, 4);
            assert!(page.cookie.is_none());
        }
    }
    assert_eq!(prover.asked(), 6);
}

#[tokio::test]
async fn who_hangs_up_has_guessed_all_the_same() {
    let (rig, prover) = start("").await;
    let body = json!({ "userid": "slow", "credentials": "wrong" }).to_string();
    let mut gone = rig.http().await;
    let request = format!(
        "POST /ceptorauthenticateldap/1/auth/uidpw HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    gone.0.write_all(request.as_bytes()).await.unwrap();
    prover.begun().await;
    // The end of the connection says that web has given the request up.
    gone.0.shutdown().await.unwrap();
    assert!(gone.answer().await.is_none());
    prover.go_on();
    let row = loop {
        if let Some(row) = rows(&rig).await.pop() {
            break row;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((row.verdict.as_str(), row.reason.as_str()), ("deny", "wrong_password"));
}
