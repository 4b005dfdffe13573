//! Tokens that a domain's application signs: whole logins of users who hold nothing yet.
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

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

use mfa_proto::{
    login::{Dialogue, Start, Verdict},
    secret::SecretText,
};
use mfad::{
    clock::UnixTime,
    factor::{
        Seed,
        token::{Jid, Signer},
    },
};
use support::{Daemon, NOW, secret, start};

const SEED: &str = "XVGR73KMZH2M4XMY";
const SIGNING: &str = "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7";

/// A daemon for which example.org signs.
async fn daemon() -> Daemon {
    let daemon = Daemon::start("").await;
    let directory = daemon.directory.path().join("token");
    std::fs::DirBuilder::new().mode(0o700).create(&directory).unwrap();
    for (name, text) in [("seed", SEED), ("signing", SIGNING)] {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let domain = "[token.\"example.org\"]\nseed = \"seed\"\nsigning_secret = \"signing\"\n";
    let files = format!("[token]\ncredentials_dir = \"{}\"\n{domain}", directory.display());
    daemon.reconfigure(&format!("[identity]\naccounts = \"any\"\n{files}")).await;
    daemon
}

fn token(user: &str, key: &str, now: UnixTime) -> SecretText {
    let (seed, signing) = (Seed::brought_along_base32(&secret(SEED)).unwrap(), secret(key));
    Signer { seed: &seed, signing: &signing }.issue(&Jid::new(user, "example.org"), now).unwrap()
}

#[tokio::test]
async fn a_token_lets_in_once_whoever_holds_nothing_yet() {
    let daemon = daemon().await;
    let right = token("jane", SIGNING, NOW);
    let first = daemon.login("jane", &[right.expose()]).await;
    assert_eq!((first.prompts.len(), first.verdict), (1, Verdict::Accept));
    let again = daemon.login("jane", &[right.expose(), "", ""]).await;
    assert!(again.prompts[1].starts_with("That token was used before."), "{again:?}");
    assert_eq!(again.verdict, Verdict::Deny);
    let others = token("john", SIGNING, NOW);
    assert_eq!(daemon.login("jane", &[others.expose(), "", ""]).await.verdict, Verdict::Deny);
    daemon.clock.advance(10);
    let next = token("jane", SIGNING, NOW);
    assert_eq!(daemon.login("jane", &[next.expose()]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn a_wrong_token_does_not_tell_who_holds_something() {
    let daemon = daemon().await;
    daemon.enroll_hotp("jane").await;
    let combined = |user| Start { dialogue: Dialogue::Combined, ..start(user) };
    for round in 0..7 {
        let (forged, other) = (token("jane", "not-the-key-of-it", NOW), token("nobody", "neither", NOW));
        let wrong = |token: &SecretText| [token.expose().to_owned(), "000000".to_owned(), String::new()];
        let (jane, nobody) = (wrong(&forged), wrong(&other));
        let (jane, nobody) = (jane.each_ref().map(String::as_str), nobody.each_ref().map(String::as_str));
        let real = daemon.login("jane", &jane).await;
        assert_eq!(real, daemon.login("nobody", &nobody).await, "round {round}");
        let real = daemon.login_as(combined("jane"), &jane).await;
        let decoy = daemon.login_as(combined("nobody"), &nobody).await;
        assert_eq!(real, decoy, "round {round}, without password");
        daemon.clock.advance(400);
    }
}
