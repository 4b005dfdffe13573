//! A reload puts all in force that it can, and nothing of a configuration with a fault.
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

use mfa_proto::{admin::Request, login::Verdict};
use support::{Daemon, hotp};

const ANY: &str = "[identity]\naccounts = \"any\"\n";

#[tokio::test]
async fn limits_on_sources_change_at_once() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    for user in ["a", "b", "c"] {
        drop(daemon.login(user, &["000000", "", ""]).await);
    }
    daemon.reconfigure(&format!("{ANY}[limits]\nsource_failures = 3")).await;
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Locked);
    daemon.reconfigure(&format!("{ANY}[limits]\nsource_failures = 50")).await;
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn a_fault_keeps_all_that_was_in_force() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    daemon.reconfigure(&format!("{ANY}[limits]\nburst = 1\n[prompt]\ntext = \"Code, please: \"")).await;
    let path = daemon.directory.path();
    let bad = [
        "[policy]\nunenrolled = \"skip\"\n[limits]\nburst = 0".to_owned(),
        format!("{ANY}[policy]\nunenrolled = \"skip\"\n[core]\nkey_file = \"/nowhere/key\""),
        "nonsense".to_owned(),
    ];
    for text in bad {
        std::fs::write(path.join("mfad.toml"), &text).unwrap();
        let reply = daemon.admin(Request::Reload).await;
        let mfa_proto::admin::Reply::Config(report) = reply else { panic!("{reply:?}") };
        assert!(!report.valid && !report.problems.is_empty(), "{text}");
        let refused = daemon.login("nobody", &["000000", ""]).await;
        assert_eq!(refused.prompts.first().map(String::as_str), Some("Code, please: "), "{text}");
        assert_ne!(refused.verdict, Verdict::NotApplicable, "{text}");
        daemon.clock.advance(7200);
    }
    // burst = 1 still holds in the store.
    assert_eq!(daemon.login("jane", &["000000", ""]).await.verdict, Verdict::Locked);
}

#[tokio::test]
async fn a_store_that_has_ended_is_noticed_and_denies() {
    let daemon = Daemon::start("[policy]\nunenrolled = \"skip\"").await;
    daemon.enroll_hotp("jane").await;
    daemon.core.store().shutdown().await;
    daemon.core.store().ended().await;
    for user in ["jane", "nobody"] {
        assert_eq!(daemon.login(user, &[]).await.verdict, Verdict::Unavailable);
    }
}
