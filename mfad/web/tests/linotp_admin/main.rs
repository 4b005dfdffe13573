//! What manages tokens in LinOTP's words: each verb's shape, its errors that change nothing, who may.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod by_code;
mod change;
mod init;
mod look;
mod lost;
mod people;
mod replay;
#[path = "../rig/mod.rs"]
mod rig;
mod sheets;
mod way_in;

#[expect(unreachable_pub, reason = "it is the tests' of core")]
#[path = "../../../tests/support/mod.rs"]
mod support;

use mfa_proto::admin::{Reply, Request};
use rig::{Answered, Rig, VPN};
use serde_json::{Value, json};

/// A console that may do all, one that may only read tokens.
const LINOTP: &str = "\
[realm.vpn]
[[web.listen]]
address = \"127.0.0.1:1\"
dialects = { linotp = \"/\" }
[[web.client]]
name = \"console\"
rights = [\"factors:read\", \"factors:write\", \"users:read\", \"audit:read\", \"status\"]
token = \"vpn\"
rate = 10000
[[web.client]]
name = \"reader\"
rights = [\"factors:read\"]
token = \"wiki\"
rate = 10000
";
/// The key of RFC 4226's test vectors.
const KEY: &str = "3132333435363738393031323334353637383930";

async fn linotp() -> Rig {
    Rig::of(LINOTP).await
}

/// The console may have codes made in place of tokens, too, and a portal that has proven passwords verifies.
fn with_emergency() -> String {
    let verifies = "rights = [\"factors:read\", \"verify\"]\npassword_proven = true";
    LINOTP
        .replace("\"status\"]", "\"status\", \"factors:emergency\"]")
        .replace("rights = [\"factors:read\"]", verifies)
}

/// A form, with a cookie where one is given.
async fn ask(rig: &Rig, (secret, cookie): (&str, &str), path: &str, form: &str) -> Answered {
    let length = form.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{cookie}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    rig.http().await.ask(&request).await
}

/// In a session.
async fn as_client(rig: &Rig, secret: &str, path: &str, form: &str) -> Answered {
    let cookie = "Cookie: other=1; admin_session=abc\r\n";
    ask(rig, (secret, cookie), path, &format!("session=abc&{form}")).await
}

async fn call(rig: &Rig, path: &str, form: &str) -> Value {
    let answered = as_client(rig, VPN, path, form).await;
    assert_eq!(answered.status, 200, "{path} {form}: {answered:?}");
    answered.json()
}

#[track_caller]
fn value(answer: &Value) -> &Value {
    assert_eq!(answer["result"]["status"], true, "{answer}");
    assert_eq!(answer["id"], 1, "{answer}");
    &answer["result"]["value"]
}

#[track_caller]
fn fault(answer: &Value) -> (i64, &str) {
    assert_eq!(answer["result"]["status"], false, "{answer}");
    assert!(answer["result"].get("value").is_none(), "{answer}");
    let error = &answer["result"]["error"];
    (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap())
}

async fn init(rig: &Rig, serial: &str, more: &str) -> Value {
    let form = format!("type=hmac&otpkey={KEY}&serial={serial}{more}");
    let answer = call(rig, "/admin/init", &form).await;
    assert_eq!(value(&answer), &json!(true), "{answer}");
    answer
}

async fn rows(rig: &Rig, form: &str) -> Vec<Value> {
    let answer = call(rig, "/admin/show", form).await;
    value(&answer)["data"].as_array().unwrap().clone()
}

async fn serials(rig: &Rig, form: &str) -> Vec<String> {
    let serial = |row: &Value| row["LinOtp.TokenSerialnumber"].as_str().unwrap().to_owned();
    rows(rig, form).await.iter().map(serial).collect()
}

/// All that core has, as root sees it.
async fn all(rig: &Rig) -> String {
    let listed = rig.daemon.admin(Request::List { after: None, orphaned: false }).await;
    let Reply::Users(page) = &listed else { panic!("{listed:?}") };
    let mut all = format!("{listed:?}");
    for user in &page.users {
        let shown = rig.daemon.admin(Request::Show { user: user.user.clone() }).await;
        let devices = rig.daemon.admin(Request::Devices { user: user.user.clone() }).await;
        all = format!("{all}\n{shown:?} {devices:?}");
    }
    all
}

/// Calls, each with the number and the begin of the text of its error: none of them changes anything.
async fn are_faults(rig: &Rig, wrong: Vec<(&str, String, i64, &str)>) {
    let before = all(rig).await;
    for (verb, form, code, text) in wrong {
        let answer = call(rig, &format!("/admin/{verb}"), &form).await;
        let (told, message) = fault(&answer);
        assert!(told == code && message.starts_with(text), "{verb} {form}: {answer}");
        assert_eq!(answer["id"], i64::from(verb != "assign"), "{verb}");
    }
    assert_eq!(all(rig).await, before);
}
