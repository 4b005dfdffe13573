//! Logins with signed tokens through the daemon: domains that come and go with the configuration, and
//! people whom none has signed for.
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

use std::{fs, os::unix::fs::PermissionsExt as _};

use mfa_proto::{
    admin::{Reply, Request},
    login::{Dialogue, Start, Verdict},
};
use mfad::{
    clock::Clock as _,
    factor::{
        Seed,
        token::{Jid, Signer},
    },
};
use support::{Daemon, hotp, secret, start};

const SEED: &str = "XVGR73KMZH2M4XMY";
const SIGNING: &str = "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7";
const BASE: &str = "[identity]\naccounts = \"any\"\n";

fn credential(daemon: &Daemon, name: &str, text: &str) {
    let path = daemon.directory.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// example.org signs, from a reload on.
fn config(daemon: &Daemon) -> String {
    format!(
        "{BASE}[token]\ncredentials_dir = \"{}\"\n[token.\"example.org\"]\nseed = \"seed\"\nsigning_secret = \"signing\"\n",
        daemon.directory.path().display()
    )
}

async fn with_domain() -> Daemon {
    let daemon = Daemon::start("").await;
    credential(&daemon, "seed", SEED);
    credential(&daemon, "signing", SIGNING);
    daemon.reconfigure(&config(&daemon)).await;
    daemon
}

/// A fresh token that the domain signs for a name.
fn token(daemon: &Daemon, name: &str) -> String {
    let (seed, signing) = (Seed::brought_along_base32(&secret(SEED)).unwrap(), secret(SIGNING));
    let signer = Signer { seed: &seed, signing: &signing };
    let jid = Jid::new(name, "example.org");
    signer.issue(&jid, daemon.clock.now()).unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_domain_signs_for_whoever_holds_nothing_and_for_whoever_holds_an_app() {
    let daemon = with_domain().await;
    daemon.enroll_hotp("jane").await;
    for user in ["alice", "jane", "alice"] {
        let typed = token(&daemon, user);
        assert_eq!(daemon.login(user, &[&typed]).await.verdict, Verdict::Accept, "{user}");
        assert_eq!(daemon.login(user, &[&typed, "", ""]).await.verdict, Verdict::Deny, "{user}, again");
        daemon.clock.advance(30);
    }
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept, "the app goes on");
    let row = daemon.last_audit("alice").await;
    assert_eq!((row.verdict.as_str(), row.reason.as_str()), ("deny", "used_code"));
}

#[tokio::test]
async fn a_token_lets_in_once_whoever_holds_nothing_yet() {
    let daemon = with_domain().await;
    let right = token(&daemon, "jane");
    let first = daemon.login("jane", &[&right]).await;
    assert_eq!((first.prompts.len(), first.verdict), (1, Verdict::Accept));
    let again = daemon.login("jane", &[&right, "", ""]).await;
    assert!(again.prompts[1].starts_with("That token was used before."), "{again:?}");
    assert_eq!(again.verdict, Verdict::Deny);
    let others = token(&daemon, "john");
    assert_eq!(daemon.login("jane", &[&others, "", ""]).await.verdict, Verdict::Deny);
    daemon.clock.advance(10);
    assert_eq!(daemon.login("jane", &[&token(&daemon, "jane")]).await.verdict, Verdict::Accept);
}

/// Whether jane has an app or tokens, and nobody has nothing: prompts, waits and verdicts are the same.
#[tokio::test]
async fn a_wrong_token_does_not_tell_who_holds_something() {
    for holds_app in [true, false] {
        let daemon = with_domain().await;
        if holds_app {
            daemon.enroll_hotp("jane").await;
        } else {
            assert_eq!(daemon.login("jane", &[&token(&daemon, "jane")]).await.verdict, Verdict::Accept);
        }
        let combined = |user| Start { dialogue: Dialogue::Combined, ..start(user) };
        for pause in [1, 2, 10, 1, 400, 400, 900] {
            let mallory = || token(&daemon, "mallory");
            let answers = if holds_app {
                [mallory(), "000000".to_owned(), mallory()]
            } else {
                [mallory(), mallory(), mallory()]
            };
            let answers = answers.each_ref().map(String::as_str);
            let real = daemon.login("jane", &answers).await;
            assert_ne!(real.verdict, Verdict::Accept);
            assert_eq!(real, daemon.login("nobody", &answers).await, "app: {holds_app}");
            let real = daemon.login_as(combined("jane"), &answers).await;
            let decoy = daemon.login_as(combined("nobody"), &answers).await;
            assert_eq!(real, decoy, "app: {holds_app}, without password");
            daemon.clock.advance(pause);
        }
    }
}

#[tokio::test]
async fn a_faulty_credential_keeps_what_was_in_force() {
    let daemon = with_domain().await;
    for faulty in [("seed", "0189"), ("signing", "short"), ("seed", "")] {
        credential(&daemon, faulty.0, faulty.1);
        let reply = daemon.admin(Request::Reload).await;
        let Reply::Config(report) = reply else { panic!("{reply:?}") };
        assert!(!report.valid, "{faulty:?}");
        let told = report.problems.concat();
        assert!(told.starts_with("[token.\"example.org\"]: "), "{told}");
        assert_eq!(daemon.login("alice", &[&token(&daemon, "alice")]).await.verdict, Verdict::Accept);
        credential(&daemon, "seed", SEED);
        credential(&daemon, "signing", SIGNING);
    }
    credential(&daemon, "signing", "another-secret-that-can-sign-too");
    daemon.reconfigure(&config(&daemon)).await;
    assert_eq!(daemon.login("alice", &[&token(&daemon, "alice"), "", ""]).await.verdict, Verdict::Deny);
    daemon.reconfigure(BASE).await;
    assert_eq!(daemon.login("bob", &[&token(&daemon, "bob"), "", ""]).await.verdict, Verdict::Deny);
}
