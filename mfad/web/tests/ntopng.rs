//! ntopng's endpoint: its checks in its order, its words, and what it let happen and is not let happen here.
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

use mfa_proto::admin::{FactorState, Reply, Request};
use mfad::clock::Clock;
use rig::{Answered, Rig, VPN, WIKI};
use serde_json::{Value, json};
use support::user_id;
use totp_rs::{Builder, Secret};

/// ntopng, and a client that may do less.
const NTOPNG: &str = "\
[[web.listen]]
address = \"127.0.0.1:1\"
dialects = { ntopng = \"/\" }
[[web.client]]
name = \"ntopng\"
rights = [\"factors:read\", \"factors:write\"]
token = \"vpn\"
rate = 10000
[[web.client]]
name = \"reader\"
rights = [\"factors:read\"]
token = \"wiki\"
rate = 10000
";

const PATH: &str = "/lua/admin/change_user_mfa.lua";

async fn ntopng() -> Rig {
    Rig::of(NTOPNG).await
}

/// Asked by an administrator, or in the session of somebody.
async fn ask(rig: &Rig, (secret, session): (&str, Option<&str>), form: &str) -> Answered {
    let session = session.map_or_else(String::new, |user| format!("X-Mfa-Session-User: {user}\r\n"));
    let length = form.len();
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{session}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    rig.http().await.ask(&request).await
}

async fn said(rig: &Rig, session: Option<&str>, form: &str) -> Value {
    let answered = ask(rig, (VPN, session), form).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    answered.json()
}

fn no(message: &str) -> Value {
    json!({ "result": -1, "message": message })
}

fn yes(message: &str) -> Value {
    json!({ "result": 0, "message": message })
}

/// The code of a secret that it has handed out, so many steps from now.
fn code(rig: &Rig, generated: &Value, steps: i64) -> String {
    let secret = Secret::try_from_base32(generated["secret"].as_str().unwrap()).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    let now = Clock::now(&*rig.daemon.clock).0 + steps * 30;
    totp.generate(u64::try_from(now).unwrap()).to_string()
}

async fn states(rig: &Rig, user: &str) -> Vec<FactorState> {
    let reply = rig.daemon.admin(Request::Show { user: user_id(user) }).await;
    let Reply::User(detail) = reply else { panic!("{reply:?}") };
    detail.factors.iter().map(|factor| factor.state).collect()
}

/// Sets an app up and switches it on; what was handed out.
async fn enable(rig: &Rig, session: Option<&str>) -> Value {
    let generated = said(rig, session, "username=jane&action=generate_secret").await;
    let form = format!("username=jane&action=enable&totp={}", code(rig, &generated, 0));
    assert_eq!(said(rig, session, &form).await, yes("MFA enabled"));
    generated
}

#[tokio::test]
async fn the_checks_come_in_the_order_of_the_original() {
    let rig = ntopng().await;
    for form in ["", "username=", "action=enable&totp=123456"] {
        assert_eq!(said(&rig, None, form).await, no("Missing username"), "{form}");
    }
    for session in ["bob", "Jane", "jane "] {
        let answer = said(&rig, Some(session), "username=jane&action=generate_secret").await;
        let trimmed = session.trim() == "jane";
        assert_eq!(answer["result"], if trimmed { 0 } else { -1 }, "{session}: {answer}");
    }
    let reader = ask(&rig, (WIKI, None), "username=jane&action=generate_secret").await;
    assert_eq!((reader.status, reader.json()), (200, no("Not authorized")));
    let stranger = ask(&rig, ("nobody", None), "username=jane&action=generate_secret").await;
    assert_eq!((stranger.status, stranger.json()), (401, no("Not authorized")));
    for action in ["", "&action=", "&action=Enable", "&action=delete"] {
        assert_eq!(said(&rig, None, &format!("username=jane{action}")).await, no("Unknown action"));
    }
    assert_eq!(said(&rig, None, "username=jane&action=enable").await, no("Missing TOTP code"));
    for bad in ["1", "12345", "1234567", "12345x", "%201234"] {
        let form = format!("username=jane&action=enable&totp={bad}");
        assert_eq!(said(&rig, None, &form).await, no("Invalid TOTP code"), "{bad}");
    }
}

#[tokio::test]
async fn an_app_is_set_up_switched_on_and_off() {
    let rig = ntopng().await;
    let generated = said(&rig, Some("jane"), "username=Jane&action=generate_secret").await;
    let secret = generated["secret"].as_str().unwrap();
    assert_eq!((generated["result"].as_i64(), secret.len()), (Some(0), 32), "{generated}");
    assert!(generated["provisioning_uri"].as_str().unwrap().contains(secret), "{generated}");
    assert_eq!(states(&rig, "jane").await, [FactorState::Pending], "it counts only once it is proven");

    let wrong = if code(&rig, &generated, 0) == "000000" { "111111" } else { "000000" };
    let form = format!("username=jane&action=enable&totp={wrong}");
    assert_eq!(said(&rig, Some("jane"), &form).await, no("Invalid TOTP code"));
    let form = format!("username=jane&action=enable&totp={}", code(&rig, &generated, 0));
    assert_eq!(said(&rig, Some("jane"), &form).await, yes("MFA enabled"));
    assert_eq!(states(&rig, "jane").await, [FactorState::Active]);

    for totp in ["", "&totp=", "&totp=abcdef"] {
        let form = format!("username=jane&action=disable{totp}");
        assert_eq!(said(&rig, Some("jane"), &form).await, no("Invalid TOTP code"));
    }
    let used = format!("username=jane&action=disable&totp={}", code(&rig, &generated, 0));
    assert_eq!(said(&rig, Some("jane"), &used).await, no("Invalid TOTP code"), "it is used");
    let next = format!("username=jane&action=disable&totp={}", code(&rig, &generated, 1));
    assert_eq!(said(&rig, Some("jane"), &next).await, yes("MFA disabled"));
    assert_eq!(states(&rig, "jane").await, [FactorState::Disabled]);
}

#[tokio::test]
async fn an_administrator_needs_no_code_to_switch_it_off() {
    let rig = ntopng().await;
    enable(&rig, None).await;
    assert_eq!(said(&rig, None, "username=jane&action=disable").await, yes("MFA disabled"));
    assert_eq!(states(&rig, "jane").await, [FactorState::Disabled]);
    assert_eq!(said(&rig, None, "username=jane&action=disable").await, yes("MFA disabled"));
}

#[tokio::test]
async fn a_session_without_a_code_cannot_replace_what_is_active() {
    let rig = ntopng().await;
    let first = enable(&rig, Some("jane")).await;
    let taken_over = said(&rig, Some("jane"), "username=jane&action=generate_secret").await;
    assert_eq!(taken_over, no("Invalid TOTP code"));
    assert_eq!(states(&rig, "jane").await, [FactorState::Active]);

    let form = format!("username=jane&action=generate_secret&totp={}", code(&rig, &first, 1));
    let second = said(&rig, Some("jane"), &form).await;
    assert_eq!(second["result"], 0, "{second}");
    let mut both = states(&rig, "jane").await;
    both.sort_by_key(|state| *state == FactorState::Pending);
    assert_eq!(both, [FactorState::Active, FactorState::Pending], "the active one goes on counting");
    let disable = format!("username=jane&action=disable&totp={}", code(&rig, &second, 0));
    assert_eq!(
        said(&rig, Some("jane"), &disable).await,
        no("Invalid TOTP code"),
        "the new one is not active"
    );
}

#[tokio::test]
async fn without_core_nothing_is_done() {
    let rig = ntopng().await;
    rig.take_core_away();
    let failed = said(&rig, None, "username=jane&action=generate_secret").await;
    assert_eq!(failed, no("Failed to generate secret"));
    let failed = said(&rig, None, "username=jane&action=enable&totp=123456").await;
    assert_eq!(failed, no("Failed to enable MFA"));
    let failed = said(&rig, None, "username=jane&action=disable").await;
    assert_eq!(failed, no("Failed to disable MFA"));
}
