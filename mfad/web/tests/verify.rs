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

use mfa_proto::{
    admin::{FactorRef, Reply, Request},
    front::{Ask, Ended, FrontMessage, What},
    hello::{Hello, Protocol, Welcome},
    login::{ServerMessage, Verdict},
};
use rig::{Rig, VPN, WIKI};
use serde_json::json;
use support::{Client, hotp};
use tokio::{io::AsyncWriteExt as _, net::UnixListener};

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
    let unplaced = json!({ "user": "jane", "code": hotp(1) }).to_string();
    assert_eq!(rig.verify(VPN, &unplaced).await["result"], "accept");
    assert_eq!(
        rig.daemon.last_audit("jane").await.source,
        None,
        "the client's own address is not the person's"
    );
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

/// A PIN and code in one text, as LinOTP's clients send it: whoever holds no PIN looks and costs the same.
#[tokio::test]
async fn a_pin_goes_with_the_code_and_its_form_tells_nobody_who_has_one() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("bare").await;
    rig.daemon.enroll_hotp("jane").await;
    let target = FactorRef { user: support::user_id("jane"), factor: None, label: None };
    let set = Request::SetPin { target, pin: Some(support::secret("1234")), code: None };
    assert!(matches!(rig.daemon.admin(set).await, Reply::Done { factors: 1 }));
    let mut seen = Vec::new();
    for user in ["jane", "bare", "nobody-here"] {
        let before = rig.daemon.core.store().pins_stretched();
        let wrong = rig.post(VPN, "/v1/verify", &asking(user, "9999000000")).await;
        assert_eq!(rig.daemon.core.store().pins_stretched(), before + 1, "{user}");
        seen.push((wrong.status, wrong.body));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    let missing = rig.verify(VPN, &asking("jane", &hotp(0))).await;
    assert_eq!(missing["result"], "reject", "{missing}");
    rig.daemon.clock.advance(10);
    let yes = rig.verify(VPN, &asking("jane", &format!("1234{}", hotp(0)))).await;
    assert_eq!(yes["result"], "accept", "{yes}");
    let again = rig.verify(VPN, &asking("jane", &format!("1234{}", hotp(0)))).await;
    assert_eq!(again["result"], "reject", "{again}");
}

#[tokio::test]
async fn names_that_cannot_be_are_wrong_like_any() {
    let rig = Rig::start("").await;
    let wrong = rig.verify(VPN, &asking("nobody-here", "000000")).await;
    for user in ["", "a/b", "a\nb", " root", &"x".repeat(300)] {
        assert_eq!(rig.verify(VPN, &asking(user, "000000")).await["result"], wrong["result"], "{user:?}");
    }
}

#[tokio::test]
async fn nobody_asks_without_the_right_proof() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    let body = asking("jane", &hotp(0));
    let length = body.len();
    let rest = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    let token = |secret: &str| format!("Authorization: Bearer {secret}\r\n");
    let hash = std::fs::read_to_string(rig.daemon.directory.path().join("vpn")).unwrap();
    for proof in [
        String::new(),
        token("wrong"),
        token(""),
        token(&hash),
        token(&format!("{VPN} ")).replace("Bearer", "Bearer2"),
        "Authorization: Basic dnBuOnZwbi1zZWNyZXQ=\r\n".to_owned(),
        "Authorization: Basic !!!\r\n".to_owned(),
        "Authorization: Digest username=\"vpn\"\r\n".to_owned(),
        format!("Authorization: {}\r\n", "x".repeat(4000)),
    ] {
        let mut http = rig.http().await;
        let answered = http.ask(&format!("POST /v1/verify HTTP/1.1\r\nHost: x\r\n{proof}{rest}")).await;
        assert_eq!(answered.status, 401, "{proof:?} {answered:?}");
        assert!(answered.head.to_lowercase().contains("www-authenticate: bearer"), "{answered:?}");
        assert_eq!(answered.json()["error"]["code"], "unauthorized");
    }
    assert_eq!(rig.verify(VPN, &body).await["result"], "accept", "none of these was counted or used it up");
}

#[tokio::test]
async fn a_client_without_the_right_is_refused_by_web_and_by_core() {
    let text = rig::CLIENTS.replace("rights = [\"verify\"]", "rights = [\"status\"]");
    let rig = Rig::of(&text).await;
    rig.daemon.enroll_hotp("jane").await;
    let refused = rig.post(WIKI, "/v1/verify", &asking("jane", &hotp(0))).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (403, Some("forbidden")));
    // A web role that was taken over asks all the same.
    let (web, directory) = (rig.state.borrow().clone(), rig.daemon.directory.path().to_owned());
    let bold = rig::config(&text.replace("\"status\"", "\"verify\""), &directory);
    let ways = (web.link.clone(), web.transactions.clone());
    rig.state.send_replace(rig::state(&bold, &directory, ways));
    let refused = rig.post(WIKI, "/v1/verify", &asking("jane", &hotp(0))).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(rig.verify(VPN, &asking("jane", &hotp(0))).await["result"], "accept");
}

#[tokio::test]
async fn without_core_nobody_gets_in() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    assert_eq!(rig.verify(VPN, &asking("jane", &hotp(0))).await["result"], "accept");
    rig.take_core_away();
    for _ in 0..3 {
        let answered = rig.post(VPN, "/v1/verify", &asking("jane", &hotp(1))).await;
        assert_eq!(answered.status, 503, "{answered:?}");
        assert_eq!(answered.json()["error"]["code"], "unavailable");
    }
}

/// What stands where core should, and how the connection goes on after the question.
enum Said {
    Message(FrontMessage),
    Bytes(&'static [u8]),
    Nothing,
}

fn ended(verdict: Verdict) -> Said {
    let session = String::new();
    Said::Message(FrontMessage::Ended(Ended { verdict, unjudged: false, wait: 0, factor: None, session }))
}

#[tokio::test]
async fn nothing_but_cores_yes_is_a_yes() {
    let rig = Rig::start("").await;
    let settled = |verdict| {
        Said::Message(FrontMessage::Turn { message: ServerMessage::Settled(verdict), refused: false })
    };
    for (said, status, result) in [
        (ended(Verdict::Accept), 200, Some("accept")),
        (ended(Verdict::Deny), 200, Some("reject")),
        (ended(Verdict::Locked), 200, Some("locked")),
        (ended(Verdict::Unavailable), 503, None),
        (settled(Verdict::Accept), 503, None),
        (Said::Nothing, 503, None),
        (Said::Bytes(&[0, 1]), 503, None),
        (Said::Bytes(&[0, 2, 9, 9]), 503, None),
        (Said::Bytes(&[0xff, 0xff]), 503, None),
        (Said::Bytes(b"HTTP/1.1 200 OK\r\n\r\n{\"result\":\"accept\"}"), 503, None),
    ] {
        let path = rig.daemon.directory.path().join("other.sock");
        let listener = UnixListener::bind(&path).unwrap();
        rig.lead_to("other.sock");
        let core = async {
            let mut peer = Client(listener.accept().await.unwrap().0);
            assert_eq!(peer.receive::<Hello>().await.protocol, Protocol::Front);
            peer.send(&Welcome::Version(1)).await;
            assert!(matches!(peer.receive::<Ask>().await.what, What::Verify(_)));
            match said {
                Said::Message(message) => peer.send(&message).await,
                Said::Bytes(bytes) => peer.0.write_all(bytes).await.unwrap(),
                Said::Nothing => {}
            }
        };
        let question = asking("jane", "123456");
        let (answered, ()) = tokio::join!(rig.post(VPN, "/v1/verify", &question), core);
        assert_eq!(answered.status, status, "{answered:?}");
        assert_eq!(answered.json()["result"].as_str(), result, "{answered:?}");
        std::fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn a_challenge_is_answered_in_another_request() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    let challenge = rig.verify(VPN, r#"{"user":"jane"}"#).await;
    assert_eq!((challenge["result"].as_str(), rig.transactions.count()), (Some("challenge"), 1));
    assert_eq!(challenge["prompt"], "Verification code: ");
    let number = challenge["transaction"].as_str().unwrap().to_owned();
    assert!(number.len() == 20 && number.bytes().all(|b| b.is_ascii_digit()), "{number}");
    let answer = |code: &str| json!({ "transaction": number, "code": code }).to_string();
    let wrong = rig.verify(VPN, &answer("000000")).await;
    assert_eq!((wrong["result"].as_str(), wrong["transaction"].as_str()), (Some("reject"), Some(&*number)));
    let stolen = rig.verify(WIKI, &answer(&hotp(0))).await;
    assert_eq!(stolen, json!({ "result": "reject" }), "another client's");
    assert_eq!(rig.verify(VPN, &answer(&hotp(0))).await["result"], "accept");
    assert_eq!(rig.verify(VPN, &answer(&hotp(1))).await, json!({ "result": "reject" }), "it is over");
    let unknown = json!({ "transaction": "00000000000000000000", "code": hotp(1) }).to_string();
    assert_eq!(rig.verify(VPN, &unknown).await, json!({ "result": "reject" }));
    assert_eq!(rig.verify(VPN, &asking("jane", &hotp(1))).await["result"], "accept", "it was not judged");
}

#[tokio::test]
async fn a_challenge_that_is_over_accepts_nothing() {
    let rig = Rig::start("[web]\ntransaction_lifetime = \"10s\"\n").await;
    rig.daemon.enroll_hotp("jane").await;
    let challenge = rig.verify(VPN, r#"{"user":"jane"}"#).await;
    let number = challenge["transaction"].as_str().unwrap().to_owned();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    tokio::time::resume();
    let late = json!({ "transaction": number, "code": hotp(0) }).to_string();
    assert_eq!(rig.verify(VPN, &late).await, json!({ "result": "reject" }));
    assert_eq!(rig.verify(VPN, &asking("jane", &hotp(0))).await["result"], "accept");
}

#[tokio::test]
async fn one_users_challenges_are_few_and_one_clients_a_quarter() {
    let rig = Rig::start("[web]\nmax_transactions = 32\n").await;
    for _ in 0..10 {
        assert_eq!(rig.verify(VPN, r#"{"user":"jane"}"#).await["result"], "challenge");
        assert!(rig.transactions.count() <= 4, "the oldest makes room");
    }
    for user in 0..4 {
        let json = json!({ "user": format!("user{user}") }).to_string();
        assert_eq!(rig.verify(VPN, &json).await["result"], "challenge");
    }
    let answered = rig.post(VPN, "/v1/verify", r#"{"user":"one-more"}"#).await;
    assert_eq!(answered.status, 429, "{answered:?}");
    assert_eq!(rig.verify(WIKI, r#"{"user":"one-more"}"#).await["result"], "challenge", "others have room");
}

#[tokio::test]
async fn whose_password_nobody_proved_has_a_budget_of_its_own() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    let mut results = Vec::new();
    for _ in 0..4 {
        results
            .push(rig.verify(WIKI, &asking("jane", "000000")).await["result"].as_str().unwrap().to_owned());
    }
    assert_eq!(results, ["reject", "reject", "locked", "locked"]);
    let locked = rig.verify(WIKI, &asking("jane", &hotp(0))).await;
    assert_eq!((locked["result"].as_str(), locked["wait"].as_u64()), (Some("locked"), Some(900)));
    assert_eq!(rig.verify(VPN, &asking("jane", &hotp(0))).await["result"], "accept");
}

#[tokio::test]
async fn a_rule_that_skips_is_no_proof_to_whom_no_password_was_proven() {
    let rule = "[[policy.rule]]\nname = \"robots\"\nmatch = { user = [\"robot\"] }\naction = \"skip\"\n\
                [[policy.rule]]\nname = \"no wiki\"\nmatch = { client = [\"wiki\"], user = [\"john\"] }\n\
                action = \"deny\"\n";
    let rig = Rig::start(rule).await;
    for user in ["jane", "john"] {
        rig.daemon.enroll_hotp(user).await;
    }
    assert_eq!(rig.verify(WIKI, &asking("robot", "000000")).await["result"], "reject");
    assert_eq!(rig.verify(WIKI, r#"{"user":"robot"}"#).await["result"], "reject");
    let skipped = rig.verify(VPN, &asking("robot", "000000")).await;
    assert_eq!((skipped["result"].as_str(), skipped.get("factor")), (Some("accept"), None));
    assert_eq!(
        rig.verify(WIKI, &asking("john", &hotp(0))).await["result"],
        "reject",
        "by the rule on clients"
    );
    assert_eq!(rig.verify(VPN, &asking("john", &hotp(0))).await["result"], "accept");
}

#[tokio::test]
async fn two_factors_take_two_answers() {
    let rule =
        "[[policy.rule]]\nname = \"two\"\nmatch = { client = [\"vpn\"] }\naction = \"require\"\ncount = 2\n";
    let rig = Rig::start(rule).await;
    rig.daemon.enroll_hotp("jane").await;
    let recovery = rig.daemon.hold_recovery("jane", 5).await;
    let first = rig.verify(VPN, &asking("jane", &hotp(0))).await;
    assert_eq!(first["result"], "challenge", "one is not enough: {first}");
    let answer = json!({ "transaction": first["transaction"], "code": recovery[0] }).to_string();
    assert_eq!(rig.verify(VPN, &answer).await["result"], "accept");
    let half = rig.verify(VPN, &asking("jane", &hotp(1))).await;
    let same = json!({ "transaction": half["transaction"], "code": hotp(2) }).to_string();
    assert_eq!(rig.verify(VPN, &same).await["result"], "reject", "the same factor twice is one");
}

#[tokio::test]
async fn bad_requests_are_told_in_json_and_judge_nothing() {
    let rig = Rig::start("").await;
    rig.daemon.enroll_hotp("jane").await;
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        (r#"{"code":"000000"}"#, 400),
        (r#"{"user":1,"code":"000000"}"#, 400),
        (r#"{"user":"jane","code":"000000","surprise":1}"#, 400),
        (r#"{"transaction":"1"}"#, 400),
        (r#"{"user":"jane","user":"john"}"#, 400),
    ] {
        let answered = rig.post(VPN, "/v1/verify", body).await;
        assert_eq!(answered.status, status, "{body}: {answered:?}");
        assert!(answered.json()["error"]["message"].is_string(), "{body}");
    }
    let long = json!({ "user": "jane", "code": "1".repeat(600) }).to_string();
    let told = rig.verify(VPN, &long).await;
    assert_eq!(told, serde_json::json!({ "result": "reject" }), "what is too long for a code is a wrong one");
    let mut http = rig.http().await;
    let get = http.get("/v1/verify", &format!("Authorization: Bearer {VPN}\r\n")).await;
    assert_eq!((get.status, get.head.to_lowercase().contains("allow: post")), (405, true));
    assert_eq!(http.get("/nothing", "").await.json()["error"]["code"], "not_found");
    let form = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\nContent-Length: 9\r\n\r\nuser=jane"
    );
    assert_eq!(http.ask(&form).await.status, 415);
    assert_eq!(rig.verify(VPN, &asking("jane", &hotp(0))).await["result"], "accept", "and nothing is locked");
}
