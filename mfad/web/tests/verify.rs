//! `/v1/verify` from HTTP to the store and back: what is a yes, and that everything else is none.
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

use rig::{Rig, VPN, WIKI};
use serde_json::json;
use support::hotp;

fn asking(user: &str, code: &str) -> String {
    json!({ "user": user, "code": code, "source": "203.0.113.9" }).to_string()
}

#[tokio::test]
async fn a_right_code_is_a_yes_once() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    let yes = rig.verify(VPN, &asking("jane", &hotp(0))).await;
    assert_eq!(yes["result"], "accept", "{yes}");
    assert!(yes["factor"].is_number(), "{yes}");
    let row = rig.daemon.last_audit("jane").await;
    assert_eq!((row.verdict.as_str(), row.client.as_deref()), ("accept", Some("vpn")));
    assert_eq!((row.service.as_deref(), row.source.as_deref()), (Some("vpn"), Some("203.0.113.9")));
    let again = rig.verify(VPN, &asking("jane", &hotp(0))).await;
    assert_eq!(again["result"], "reject", "it is used: {again}");
}

#[tokio::test]
async fn who_is_unknown_looks_like_who_is_wrong() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    let mut seen = Vec::new();
    for user in ["jane", "nobody-here"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            let answered = rig.post(WIKI, "/v1/verify", &asking(user, "000000")).await;
            let head: Vec<_> = answered.head.lines().filter(|line| !line.starts_with("date")).collect();
            answers.push((answered.status, head.join("\n"), answered.body.clone()));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].last().unwrap().2.contains("locked"), "{seen:?}");
}
