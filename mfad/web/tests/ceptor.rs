//! The dialect of Ceptor from HTTP to the store and back: the login page's calls, and that each of them denies
//! what it should.
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

use rig::{
    Rig,
    page::{CONFIG, Page, is_fault},
    prover::{NEXT, PASSWORD, Prover},
};
use serde_json::json;
use support::{
    NOW,
    egress::{Egress, Taken},
    outside::OUTSIDE,
    totp,
};

async fn start() -> (Rig, Prover) {
    let rig = Rig::of(&format!("{CONFIG}{OUTSIDE}")).await;
    let prover = Prover::start(rig.daemon.directory.path());
    (rig, prover)
}

/// The properties of a schema of the contract.
fn keys_of(schema: &str) -> Vec<String> {
    let text = include_str!("ceptor/openapi.yaml");
    let of_schema = text.lines().skip_while(|line| *line != format!("    {schema}:")).skip(1);
    let properties = of_schema.skip_while(|line| *line != "      properties:").skip(1);
    let properties = properties.take_while(|line| line.starts_with("        "));
    let keys = properties.filter_map(|line| line.strip_prefix("        ")?.strip_suffix(':'));
    let mut keys: Vec<String> = keys.filter(|key| !key.starts_with(' ')).map(str::to_owned).collect();
    assert!(!keys.is_empty(), "{schema} is in the contract");
    keys.sort();
    keys
}

#[tokio::test]
async fn the_paths_and_methods_are_those_of_the_contract() {
    let (rig, _prover) = start().await;
    let text = include_str!("ceptor/openapi.yaml");
    let paths = text.lines().skip_while(|line| *line != "paths:").take_while(|line| *line != "components:");
    let (mut path, mut seen) = (String::new(), 0);
    for line in paths {
        if let Some(found) = line.strip_prefix("  /") {
            path = format!("/{}", found.trim_end_matches(':'));
        }
        let Some(method) = line.strip_prefix("    ").and_then(|line| line.strip_suffix(':')) else {
            continue;
        };
        if method.starts_with(' ') {
            continue;
        }
        seen += 1;
        for asked in ["GET", "POST", "PUT", "DELETE"] {
            let answered = Page::of(&rig).call(asked, &path, None).await;
            assert_eq!(
                answered.status != 405,
                asked == method.to_uppercase(),
                "{asked} {path}: {answered:?}"
            );
            assert_ne!(answered.status, 404);
        }
    }
    assert_eq!(seen, 8);
    assert_eq!(Page::of(&rig).call("GET", "/other", None).await.status, 404);
}

#[tokio::test]
async fn a_session_is_told_with_the_keys_of_the_contract() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    let nobody = page.call("GET", "/info", None).await;
    assert_eq!(nobody.status, 200);
    assert!(page.cookie.is_none(), "who has proven nothing has no session");
    page.login().await;
    let jane = page.call("GET", "/info", None).await.json();
    for told in [&nobody.json(), &jane] {
        let mut known: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
        known.sort();
        assert_eq!(known, keys_of("Session"));
    }
    let nobody = nobody.json();
    assert_eq!(nobody["logged_on"], false);
    for key in ["customer_id", "agreement_id", "internal"] {
        assert!(nobody[key].is_null() && !jane[key].is_null(), "{key}");
    }
    assert_eq!((&jane["user_id"], &jane["ip"]), (&json!("jane"), &json!("127.0.0.1")));
    assert_eq!(jane["authentication_method"], 59);
}

#[tokio::test]
async fn password_and_code_log_in_and_each_proves_once() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    let first = page.password("jane", PASSWORD).await;
    is_fault(&first, 401, 15);
    assert_eq!(first.json()["otpmethods"], json!(["totp"]));
    assert!(!page.is_logged_on().await, "a password alone is no login");
    let before = page.cookie.clone().unwrap();
    is_fault(&page.totp("000000").await, 400, 2);
    assert!(!page.is_logged_on().await);
    assert_eq!(page.totp(&totp(NOW)).await.status, 201);
    assert!(page.is_logged_on().await);
    assert_ne!(page.cookie.as_ref(), Some(&before), "the cookie of before is worth nothing");
    let mut old = Page { cookie: Some(before), ..Page::of(&rig) };
    assert!(!old.is_logged_on().await);
    let mut other = Page::of(&rig);
    other.password("jane", PASSWORD).await;
    is_fault(&other.totp(&totp(NOW)).await, 400, 2);
    assert!(!other.is_logged_on().await, "a code works once");
    let row = rig.daemon.last_audit("jane").await;
    assert_eq!((row.client.as_deref(), row.source.as_deref()), (Some("portal"), Some("127.0.0.1")));
    assert_eq!(page.call("PUT", "/auth/logoff", None).await.status, 201);
    assert!(page.cookie.is_none() && !page.is_logged_on().await);
}

#[tokio::test]
async fn without_the_right_password_there_is_no_session() {
    let (rig, prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let mut seen = Vec::new();
    for (user, password) in
        [("jane", "wrong"), ("nobody-there", "wrong"), ("a/b", PASSWORD), ("", PASSWORD), ("jane", "")]
    {
        let mut page = Page::of(&rig);
        let answered = page.password(user, password).await;
        is_fault(&answered, 401, 1);
        assert!(page.cookie.is_none());
        seen.push(answered.body);
    }
    assert!(seen.iter().all(|body| *body == seen[0]), "{seen:?}");
    let mut page = Page::of(&rig);
    let bare = page.call("POST", "/auth/uidpw", Some(json!({ "userid": "jane" }))).await;
    is_fault(&bare, 401, 1);
    for body in [
        json!({}),
        json!([]),
        json!({ "userid": 7 }),
        json!({ "userid": "jane", "credentials": "x".repeat(600) }),
    ] {
        is_fault(&page.call("POST", "/auth/uidpw", Some(body)).await, 400, 5);
    }
    let tried = page.password("tried", PASSWORD).await;
    is_fault(&tried, 401, 3);
    assert!(tried.body.contains("too many"), "the page goes by these words: {tried:?}");
    is_fault(&page.password("away", PASSWORD).await, 500, 4);
    drop(prover);
    std::fs::remove_file(rig.daemon.directory.path().join("password.sock")).unwrap();
    is_fault(&page.password("jane", PASSWORD).await, 500, 4);
    assert!(page.cookie.is_none() && !page.is_logged_on().await);
}

#[tokio::test]
async fn codes_of_who_has_proven_no_password_are_not_even_tried() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    for cookie in [None, Some("__Host-mfad-ceptor=AAAA".to_owned())] {
        let mut page = Page { cookie, ..Page::of(&rig) };
        let code = totp(NOW);
        is_fault(&page.totp(&code).await, 400, -1);
        is_fault(&page.call("POST", &format!("/auth/verifysmsotp?code={code}"), None).await, 400, -1);
        is_fault(&page.call("PUT", "/auth/sendsms", None).await, 400, -1);
        let change = json!({ "password": PASSWORD, "newpassword": NEXT });
        let refused = page.call("POST", "/auth/changepw", Some(change)).await;
        is_fault(&refused, 400, -1);
        assert_eq!(refused.json()["message"], "Missing previous login, or timeout - please relogin");
        let register = page.call("POST", "/totp/qr", Some(json!({ "password": PASSWORD }))).await;
        is_fault(&register, 403, 18);
        assert_eq!(register.json()["message"], "Requires authentication");
    }
    // The code is as good as before: nobody has used it up.
    Page::of(&rig).login().await;
}

#[tokio::test]
async fn a_login_tries_a_few_codes_and_is_over() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    page.password("jane", PASSWORD).await;
    let mut told = Vec::new();
    for _ in 0..10 {
        told.push(page.totp("000000").await);
    }
    assert!(told.iter().all(|answered| answered.status == 400), "{told:?}");
    assert!(told.iter().any(|answered| answered.body.contains("too many")), "{told:?}");
    is_fault(told.last().unwrap(), 400, -1);
    assert!(!page.is_logged_on().await);
    // Core keeps its own count: another login does not get around it.
    page.password("jane", PASSWORD).await;
    let locked = page.totp(&totp(NOW)).await;
    assert!(locked.status == 400 && locked.body.contains("too many"), "{locked:?}");
    assert!(!page.is_logged_on().await);
}

#[tokio::test]
async fn a_code_that_was_sent_logs_in() {
    let (rig, _prover) = start().await;
    let egress = Egress::willing(rig.daemon.directory.path());
    rig.daemon.hold_sms("john").await;
    let sent = |egress: &Egress| egress.taken().iter().filter(|t| matches!(t, Taken::Deliver { .. })).count();
    let before = sent(&egress);
    // What confirmed it was sent a moment ago.
    rig.daemon.clock.advance(60);
    let mut page = Page::of(&rig);
    let first = page.password("john", PASSWORD).await;
    is_fault(&first, 401, 15);
    assert_eq!(first.json()["otpmethods"], json!(["sms"]));
    assert_eq!(sent(&egress), before, "nothing is sent before it is asked for");
    is_fault(&page.call("POST", "/auth/verifysmsotp?code=000000", None).await, 400, -1);
    let asked = page.call("PUT", "/auth/sendsms", None).await;
    assert_eq!((asked.status, asked.body.as_str()), (201, ""), "{asked:?}");
    assert_eq!(sent(&egress), before + 1);
    is_fault(&page.call("POST", "/auth/verifysmsotp?code=x", None).await, 400, 2);
    let code = egress.last_code();
    let done = page.call("POST", &format!("/auth/verifysmsotp?code={code}"), None).await;
    assert_eq!((done.status, done.body.as_str()), (201, ""), "{done:?}");
    assert!(page.is_logged_on().await);
}

#[tokio::test]
async fn who_holds_nothing_gets_in_by_a_rule_alone() {
    let (rig, _prover) = start().await;
    let mut page = Page::of(&rig);
    let answered = page.password("carl", PASSWORD).await;
    is_fault(&answered, 401, 15);
    assert_eq!(answered.json()["otpmethods"], json!([]));
    is_fault(&page.totp("000000").await, 400, 2);
    assert!(!page.is_logged_on().await);
    let rig = Rig::of(&format!("{CONFIG}[policy]\nunenrolled = \"skip\"\n")).await;
    let _prover = Prover::start(rig.daemon.directory.path());
    let mut page = Page::of(&rig);
    let answered = page.password("carl", PASSWORD).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!((&answered.json()["logged_on"], &answered.json()["otpmethods"]), (&json!(true), &json!([])));
    assert!(page.is_logged_on().await);
}

#[tokio::test]
async fn a_registration_counts_from_its_first_code_and_the_one_before_until_then() {
    let (rig, _prover) = start().await;
    rig.daemon
        .enroll("jane", mfa_proto::admin::NewParams::Totp(mfa_proto::admin::TotpParams::default()), "totp")
        .await;
    let mut page = Page::of(&rig);
    page.password("jane", PASSWORD).await;
    let register = |password: &str| Some(json!({ "password": password }));
    is_fault(&page.call("POST", "/totp/qr", register(PASSWORD)).await, 403, 18);
    page.login().await;
    is_fault(&page.call("POST", "/totp/qr", register("wrong")).await, 400, 1);
    let shown = page.call("POST", "/totp/qr", register(PASSWORD)).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let mut keys: Vec<_> = shown.json().as_object().unwrap().keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, keys_of("TOTPQRResponse"));
    let secret = shown.json()["secret"].as_str().unwrap().to_owned();
    let code = |at: u64| {
        let secret = totp_rs::Secret::try_from_base32(&secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        totp.generate(at).to_string()
    };
    let now = u64::try_from(NOW.0).unwrap();
    // It counts for nothing yet; what was there before does.
    let mut other = Page::of(&rig);
    other.password("jane", PASSWORD).await;
    is_fault(&other.totp(&code(now)).await, 400, 2);
    rig.daemon.clock.advance(30);
    assert_eq!(other.totp(&totp(mfad::clock::UnixTime(NOW.0 + 30))).await.status, 201);
    is_fault(&page.totp("000000").await, 400, 2);
    let done = page.totp(&code(now + 30)).await;
    assert_eq!((done.status, done.body.as_str()), (201, ""), "{done:?}");
    rig.daemon.clock.advance(60);
    let mut other = Page::of(&rig);
    other.password("jane", PASSWORD).await;
    is_fault(&other.totp(&totp(mfad::clock::UnixTime(NOW.0 + 90))).await, 400, 2);
    assert_eq!(other.totp(&code(now + 90)).await.status, 201, "it took the place of the one before");
}

#[tokio::test]
async fn a_password_is_changed_by_who_is_logged_on_or_has_to() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let change = |old: &str, new: &str| Some(json!({ "password": old, "newpassword": new }));
    let mut page = Page::of(&rig);
    page.password("jane", PASSWORD).await;
    is_fault(&page.call("POST", "/auth/changepw", change(PASSWORD, NEXT)).await, 403, 18);
    page.login().await;
    is_fault(&page.call("POST", "/auth/changepw", change("wrong", NEXT)).await, 400, 7);
    is_fault(&page.call("POST", "/auth/changepw", change(PASSWORD, "weak")).await, 400, 7);
    assert!(page.is_logged_on().await);
    let done = page.call("POST", "/auth/changepw", change(PASSWORD, NEXT)).await;
    assert_eq!((done.status, done.body.as_str()), (201, ""));
    assert!(page.cookie.is_none() && !page.is_logged_on().await, "and is logged off");
    let mut page = Page::of(&rig);
    let aged = page.password("aged", PASSWORD).await;
    is_fault(&aged, 401, 6);
    assert_eq!(aged.json()["newpasswordrequired"], true);
    assert!(!page.is_logged_on().await);
    is_fault(&page.totp("000000").await, 400, -1);
    assert_eq!(page.call("POST", "/auth/changepw", change(PASSWORD, NEXT)).await.status, 201);
}

#[tokio::test]
async fn pages_of_others_may_not_ask() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let mut page = Page::of(&rig);
    for foreign in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: https://portal.example.evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        page.extra = foreign.to_owned();
        is_fault(&page.password("jane", PASSWORD).await, 403, 10);
        is_fault(&page.call("PUT", "/auth/logoff", None).await, 403, 10);
    }
    page.extra = "Origin: https://portal.example\r\nSec-Fetch-Site: same-origin\r\n".to_owned();
    page.login().await;
}

#[tokio::test]
async fn a_core_that_is_away_lets_nobody_in() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    rig.take_core_away();
    let mut page = Page::of(&rig);
    is_fault(&page.password("jane", PASSWORD).await, 500, 4);
    assert!(page.cookie.is_none() && !page.is_logged_on().await);
}

#[tokio::test]
async fn the_rights_of_the_page_are_nobody_elses() {
    let (rig, _prover) = start().await;
    rig.daemon.enroll_totp("jane").await;
    let body = json!({ "user": "jane", "code": totp(NOW) }).to_string();
    for secret in ["", "portal"] {
        let answered = rig.post(secret, "/v1/verify", &body).await;
        assert_eq!(answered.status, 401, "{answered:?}");
    }
}
