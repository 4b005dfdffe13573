//! `/v1/token`: tokens of machines, made and verified for applications, by rights of their own.
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

use mfa_proto::admin::{FactorRef, NewFactor, NewParams, Reply, Request, TokenParams};
use rig::{Rig, VPN, WIKI};
use serde_json::{Value, json};
use support::{hotp, new_factor, user_id};

/// An application that has tokens verified, and one that has them made.
const APPLICATIONS: &str = "\
[[web.listen]]
address = \"127.0.0.1:1\"
[[web.client]]
name = \"xmpp\"
rights = [\"token:verify\"]
token = \"vpn\"
rate = 10000
[[web.client]]
name = \"deploy\"
rights = [\"token:issue\"]
token = \"wiki\"
rate = 10000
";

async fn start(extra: &str) -> Rig {
    let rig = Rig::of(&format!("{APPLICATIONS}{extra}")).await;
    let params = NewParams::Token(TokenParams { domain: None, signing_secret: None });
    let new = NewFactor { secret: None, ..new_factor("robot", params, "machine") };
    let reply = rig.daemon.admin(Request::Enroll(Box::new(new))).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
    rig
}

async fn made(rig: &Rig) -> String {
    let target = FactorRef { user: user_id("robot"), factor: None, label: None };
    let reply = rig.daemon.admin(Request::TokenIssue { target }).await;
    let Reply::Token(token) = reply else { panic!("{reply:?}") };
    token.expose().to_owned()
}

async fn verified(rig: &Rig, user: &str, token: &str) -> Value {
    let body = json!({ "user": user, "token": token, "source": "203.0.113.9" }).to_string();
    let answered = rig.post(VPN, "/v1/token/verify", &body).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    answered.json()
}

#[tokio::test]
async fn a_token_is_a_yes_once_and_only_for_whom_it_was_made() {
    let rig = start("").await;
    rig.daemon.enroll_hotp("jane").await;
    let token = made(&rig).await;
    assert_eq!(verified(&rig, "jane", &token).await["result"], "reject");
    assert_eq!(verified(&rig, "nobody", &token).await["result"], "reject");
    assert_eq!(verified(&rig, "robot", &token).await["result"], "accept");
    assert_eq!(verified(&rig, "robot", &token).await["result"], "reject", "it is used");
    let row = rig.daemon.last_audit("robot").await;
    assert_eq!(row.client.as_deref(), Some("xmpp"), "{row:?}");
}

#[tokio::test]
async fn a_client_of_tokens_tries_no_codes() {
    let rig = start("").await;
    rig.daemon.enroll_hotp("jane").await;
    for answer in [hotp(0).as_str(), "", "jane", "12345678 x"] {
        assert_eq!(verified(&rig, "jane", answer).await["result"], "reject", "{answer}");
    }
    let body = json!({ "user": "jane", "code": hotp(0) }).to_string();
    assert_eq!(rig.post(VPN, "/v1/verify", &body).await.status, 403);
    assert_eq!(rig.post(VPN, "/v1/token/issue", &json!({ "user": "robot" }).to_string()).await.status, 403);
    let body = json!({ "user": "robot", "token": made(&rig).await }).to_string();
    assert_eq!(rig.post(WIKI, "/v1/token/verify", &body).await.status, 403);
    assert_eq!(
        rig.post(VPN, "/v1/token/verify", &body).await.json()["result"],
        "accept",
        "nothing used it up"
    );
}

#[tokio::test]
async fn a_token_is_made_for_whom_the_right_is_given() {
    let rig = start("").await;
    let made = rig.post(WIKI, "/v1/token/issue", &json!({ "user": "robot" }).to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(verified(&rig, "robot", &token).await["result"], "accept");
}

#[tokio::test]
async fn where_a_rule_wants_more_than_a_token_it_is_no_yes() {
    let rule =
        "[[policy.rule]]\nname = \"two\"\nmatch = { user = [\"robot\"] }\naction = \"require\"\ncount = 2\n";
    let rig = start(rule).await;
    rig.daemon.enroll_hotp("robot").await;
    let token = made(&rig).await;
    assert_eq!(verified(&rig, "robot", &token).await["result"], "reject");
    assert_eq!(rig.transactions.count(), 0, "nothing is left open to go on with");
}
