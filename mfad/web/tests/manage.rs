//! What `/v1` does beside verifying: each verb by its right, and none that is root's alone.
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

use rig::{Answered, Rig, VPN, WIKI};
use serde_json::{Value, json};
use support::{NOW, hotp, totp};

/// `vpn` may do all that can be granted, `wiki` nothing but verify.
async fn rig() -> Rig {
    let all = "rights = [\"verify\", \"factors:read\", \"factors:write\", \"users:read\", \"audit:read\", \
               \"status\", \"token:verify\", \"token:issue\", \"factors:emergency\"]";
    let few = "rights = [\"verify\", \"factors:read\", \"users:read\", \"audit:read\", \"status\"]";
    Rig::of(&rig::CLIENTS.replace(few, all)).await
}

async fn get(rig: &Rig, secret: &str, path: &str) -> Answered {
    rig.http().await.get(path, &format!("Authorization: Bearer {secret}\r\n")).await
}

#[tokio::test]
async fn a_factor_is_added_proven_used_and_removed() {
    let rig = rig().await;
    let added = rig.post(VPN, "/v1/factors", r#"{"user":"jane","kind":"totp","label":"phone"}"#).await;
    assert_eq!(added.status, 201, "{added:?}");
    let added = added.json();
    assert_eq!((added["state"].as_str(), added["label"].as_str()), (Some("pending"), Some("phone")));
    assert!(added["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{added}");
    let early = rig.verify(VPN, r#"{"user":"jane","code":"000000"}"#).await;
    assert_eq!(early["result"], "reject", "a factor that is pending counts for nothing");
    let given = json!({ "user": "john", "kind": "totp", "secret": support::SECRET }).to_string();
    let factor = rig.post(VPN, "/v1/factors", &given).await.json()["factor"].clone();
    let confirm = json!({ "user": "john", "factor": factor, "code": totp(NOW) }).to_string();
    assert_eq!(rig.post(VPN, "/v1/factors/confirm", &confirm).await.json(), json!({ "factors": 1 }));
    let row = rig.daemon.last_audit("john").await;
    assert_eq!((row.event.as_str(), row.client.as_deref()), ("confirm", Some("vpn")));
    rig.daemon.clock.advance(30);
    let code = json!({ "user": "john", "code": totp(NOW.plus(30)) }).to_string();
    assert_eq!(rig.verify(VPN, &code).await["result"], "accept");
    assert_eq!(rig.post(VPN, "/v1/factors/remove", r#"{"user":"john"}"#).await.status, 200);
    assert_eq!(get(&rig, VPN, "/v1/factors?user=john").await.status, 404);
}

#[tokio::test]
async fn a_code_that_is_sent_along_is_judged_as_the_owners() {
    let rig = rig().await;
    rig.daemon.enroll_hotp("jane").await;
    let disable = |code: &str| json!({ "user": "jane", "code": code }).to_string();
    for code in ["000000", "x"] {
        let refused = rig.post(VPN, "/v1/factors/disable", &disable(code)).await;
        assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (422, Some("wrong_code")));
    }
    rig.daemon.clock.advance(60);
    assert_eq!(rig.post(VPN, "/v1/factors/disable", &disable(&hotp(0))).await.status, 200);
    assert_eq!(rig.post(VPN, "/v1/factors/enable", r#"{"user":"jane"}"#).await.status, 200);
    assert_eq!(rig.post(VPN, "/v1/factors/disable", r#"{"user":"jane"}"#).await.status, 200, "without one");
}

/// Whoever names one factor where all are meant, or what a kind has not, expects what would not happen.
#[tokio::test]
async fn what_is_no_part_of_a_call_is_not_passed_over() {
    let rig = rig().await;
    rig.daemon.enroll_hotp("jane").await;
    for (path, more) in [
        ("factors/confirm", r#""code":"000000","label":"token""#),
        ("factors/enable", r#""code":"000000""#),
        ("factors/disable", r#""codes":["000000","111111"]"#),
        ("factors/remove", r#""count":1"#),
        ("factors/resync", r#""codes":["000000","111111"],"code":"000000""#),
        ("factors/send", r#""code":"000000""#),
        ("factors/recovery", r#""label":"token""#),
        ("factors/recovery", r#""factor":1"#),
        ("users/reset", r#""label":"token""#),
        ("users/unlock", r#""factor":1"#),
        ("factors", r#""kind":"totp","counter":1"#),
        ("factors", r#""kind":"totp","address":"+491234567""#),
        ("factors", r#""kind":"hotp","period":30"#),
        ("factors", r#""kind":"sms","address":"+491234567","algorithm":"sha1""#),
        ("factors", r#""kind":"mail","address":"a@example.org","secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP""#),
        ("factors", r#""kind":"totp","digits":6.5"#),
    ] {
        let refused = rig.post(VPN, &format!("/v1/{path}"), &format!(r#"{{"user":"jane",{more}}}"#)).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].as_str()),
            (400, Some("bad_request")),
            "{path} {more}"
        );
    }
    let shown = get(&rig, VPN, "/v1/factors?user=jane").await.json();
    let factors = shown["factors"].as_array().unwrap();
    assert_eq!((factors.len(), factors[0]["state"].as_str()), (1, Some("active")), "{shown}");
    let whole = r#"{"user":"jane","kind":"totp","digits":6.0,"period":60.0}"#;
    assert_eq!(rig.post(VPN, "/v1/factors", whole).await.status, 201, "a whole number however it is written");
    for query in
        ["after=-1", "since=-1", "until=253402300800", "last=-1", "verdict=Accept", "event=a-b", "verdict="]
    {
        assert_eq!(get(&rig, VPN, &format!("/v1/audit?{query}")).await.status, 400, "{query}");
    }
    assert_eq!(get(&rig, VPN, "/v1/audit?after=0&since=0&until=253402300799&verdict=deny").await.status, 200);
}

#[tokio::test]
async fn each_verb_takes_its_right() {
    let rig = rig().await;
    rig.daemon.enroll_hotp("jane").await;
    for path in ["/v1/status", "/v1/users", "/v1/audit?last=5", "/v1/factors?user=jane"] {
        let (may, may_not) = (get(&rig, VPN, path).await, get(&rig, WIKI, path).await);
        assert_eq!((may.status, may_not.status), (200, 403), "{path} {may:?}");
        assert_eq!(may_not.json()["error"]["code"], "forbidden");
        assert_eq!(rig.http().await.get(path, "").await.status, 401, "{path}");
    }
    let jane = r#"{"user":"jane"}"#;
    for verb in ["enable", "disable", "remove", "recovery", "send"] {
        assert_eq!(rig.post(WIKI, &format!("/v1/factors/{verb}"), jane).await.status, 403, "{verb}");
    }
    assert_eq!(rig.post(WIKI, "/v1/token/issue", jane).await.status, 403);
    for verb in ["unlock", "reset"] {
        assert_eq!(rig.post(WIKI, &format!("/v1/users/{verb}"), jane).await.status, 403, "{verb}");
        assert_eq!(rig.post(VPN, &format!("/v1/users/{verb}"), jane).await.status, 200, "{verb}");
    }
    let shown = get(&rig, VPN, "/v1/factors?user=jane").await.json();
    assert_eq!(
        (shown["factors"][0]["kind"].as_str(), shown["user"]["name"].as_str()),
        (Some("hotp"), Some("jane"))
    );
    let rows = get(&rig, VPN, "/v1/audit?user=jane").await.json();
    assert!(rows["rows"].as_array().unwrap().iter().any(|row| row["client"] == "vpn"), "{rows}");
}

#[tokio::test]
async fn what_is_roots_alone_is_no_clients() {
    let rig = rig().await;
    let desk = rig.desk("vpn");
    let (reload, verify) = (mfa_proto::admin::Request::Reload, mfa_proto::admin::Request::AuditVerify);
    let code = mfa_proto::admin::Request::BreakGlass {
        user: support::user_id("jane"),
        seconds: 600,
        reason: mfa_proto::text::ShownText::clean("none"),
    };
    let pull = mfa_proto::admin::Request::LdapPull { user: support::user_id("jane"), dry_run: true };
    for request in [reload, verify, code, pull, mfa_proto::admin::Request::Backup] {
        let reply = desk.admin(request).await.unwrap();
        let mfa_proto::admin::Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
        assert_eq!(refusal.code, mfa_proto::admin::RefusalCode::NotAllowed);
    }
}

#[tokio::test]
async fn the_status_alone_is_the_answer() {
    let rig = rig().await;
    rig.daemon.enroll_hotp("jane").await;
    let path = "/v1/verify/status";
    let by_headers = |user: &str, code: &str| {
        format!("Authorization: Bearer {WIKI}\r\nX-Mfa-User: {user}\r\nX-Mfa-Code: {code}\r\n")
    };
    let mut http = rig.http().await;
    let yes = http.get(path, &by_headers("jane", &hotp(0))).await;
    assert_eq!((yes.status, yes.body.as_str()), (204, ""));
    assert_eq!(http.get(path, &by_headers("jane", &hotp(0))).await.status, 401, "used");
    assert_eq!(http.get(path, &format!("Authorization: Bearer {WIKI}\r\n")).await.status, 401);
    assert_eq!(http.get(path, &by_headers("jane", "")).await.status, 401);
    assert_eq!(rig.transactions.count(), 0, "no challenge is begun");
    let body = |code: &str| json!({ "user": "jane", "code": code }).to_string();
    assert_eq!(rig.post(WIKI, path, &body("000000")).await.status, 401);
    assert_eq!(rig.post(WIKI, path, &body("000000")).await.status, 403, "the third locks");
    assert_eq!(rig.post(WIKI, path, &body(&hotp(1))).await.status, 403);
    let form = format!("user=jane&code={}", hotp(1));
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    assert_eq!(http.ask(&request).await.status, 204);
    rig.take_core_away();
    assert_eq!(rig.post(VPN, path, &body(&hotp(2))).await.status, 503);
}

#[tokio::test]
async fn the_document_describes_what_there_is() {
    let rig = rig().await;
    let document = rig.http().await.get("/v1/openapi.json", "").await;
    assert_eq!(document.status, 200, "anyone may read it");
    let document: Value = document.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 18);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            let answered = rig
                .http()
                .await
                .ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
                .await;
            let expected = if path == "/v1/openapi.json" { 200 } else { 401 };
            assert_eq!(answered.status, expected, "{method} {path}");
        }
    }
}
