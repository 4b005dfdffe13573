//! A challenge, and its answer in another request.

use mfa_proto::admin::{Reply, Request};
use serde_json::{Value, json};

use super::{
    common::*,
    rig::Answered,
    support::{self, egress::Egress, hotp, outside::OUTSIDE, secret},
};

#[tokio::test]
async fn a_pin_begins_a_challenge_and_goes_before_its_code() {
    let rig = rig("challenge_response = true\n", "").await;
    enroll_alice(&rig).await;
    let begin = async |pass: &str| {
        let asked = call_as(&rig, "", "check", &json!({ "user": "alice", "pass": pass })).await;
        assert_eq!(value(&asked), false);
        let detail = asked.json()["detail"].clone();
        assert!(detail["message"].as_str().is_some_and(|text| !text.is_empty()), "{detail}");
        assert_eq!((&detail["linotp_tokenserial"], &detail["linotp_tokentype"]), (&json!(""), &json!("")));
        detail["transactionid"].as_str().unwrap().to_owned()
    };
    let right = begin("1234").await;
    assert!(right.len() == 20 && right.bytes().all(|b| b.is_ascii_digit()), "{right}");
    let answer = |number: &str, by: &str, pass: &str| json!({ "user": "alice", by: number, "pass": pass });
    assert_eq!(check(&rig, answer(&right, "transactionid", "000000")).await, false);
    let mut stranger = answer(&right, "state", &hotp(0));
    stranger["user"] = json!("bob");
    assert_eq!(check(&rig, stranger).await, false, "it is about somebody else");
    assert_eq!(check(&rig, answer(&right, "state", &hotp(0))).await, true, "it was still open");
    assert_eq!(check(&rig, answer(&right, "state", &hotp(1))).await, false, "once");
    let wrong = begin("4321").await;
    assert_eq!(check(&rig, answer(&wrong, "state", &hotp(1))).await, false, "the PIN was wrong");
    rig.daemon.clock.advance(3600);
    let empty = begin("").await;
    assert_eq!(check(&rig, answer(&empty, "state", &hotp(1))).await, false, "without a PIN");
    rig.daemon.clock.advance(3600);
    assert_eq!(check(&rig, answer(&empty, "state", &format!("1234{}", hotp(1)))).await, true, "in one text");
}

#[tokio::test]
async fn challenges_of_nobody_look_like_those_of_somebody() {
    let rig = rig("challenge_response = true\n", "").await;
    enroll_alice(&rig).await;
    let mut seen = Vec::new();
    for user in ["alice", "nobody"] {
        let asked = call_as(&rig, "", "check", &json!({ "user": user, "pass": "1234" })).await;
        let number = asked.json()["detail"]["transactionid"].as_str().unwrap().to_owned();
        let answered =
            call_as(&rig, "", "check", &json!({ "transactionid": &number, "pass": "000000" })).await;
        assert_eq!(value(&answered), false);
        seen.push((asked.body.replace(&number, "N"), answered.body));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_challenge_is_of_the_client_that_began_it_and_ends() {
    let rig = rig("challenge_response = true\n", "").await;
    enroll_alice(&rig).await;
    let asked = call_as(&rig, "", "check", &json!({ "user": "alice", "pass": "1234" })).await.json();
    let number = asked["detail"]["transactionid"].as_str().unwrap().to_owned();
    let answer = json!({ "transactionid": &number, "pass": hotp(0) });
    assert_eq!(value(&call_as(&rig, AS_VPN, "check", &answer).await), false);
    let state =
        call_as(&rig, AS_VPN, "check_status", &json!({ "user": "alice", "transactionid": &number })).await;
    assert_eq!((value(&state), state.json().get("detail")), (json!(false), None));
    let state =
        call_as(&rig, "", "check_status", &json!({ "user": "alice", "transactionid": &number })).await;
    assert_eq!(value(&state), false, "it never says yes");
    let transaction = |state: &Answered| state.json()["detail"]["transactions"][&number].clone();
    let asked_for = asked["detail"]["message"].as_str().unwrap();
    let mut expected = json!({
        "received_count": 0,
        "received_tan": false,
        "valid_tan": false,
        "message": asked_for,
        "status": "open",
        "token": { "serial": "", "type": "" },
    });
    assert_eq!(transaction(&state), expected);
    let wrong = call_as(&rig, "", "check_t", &json!({ "state": &number, "pass": "000000" })).await;
    assert_eq!(value(&wrong), json!({ "value": false, "failcount": 0 }));
    let told = json!({ "value": false, "failcount": 0, "token_type": "", "serial": "" });
    assert_eq!((&wrong.json()["detail"], &wrong.json()["id"]), (&told, &json!(1)));
    let state = call_as(&rig, "", "check_status", &json!({ "state": &number })).await;
    expected["received_count"] = json!(1);
    expected["received_tan"] = json!(true);
    assert_eq!(transaction(&state), expected, "a wrong answer is told as one");
    let state = call_as(&rig, "", "check_status", &json!({ "user": "bob", "transactionid": &number })).await;
    assert_eq!((value(&state), state.json().get("detail")), (json!(false), None), "it is about alice");
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(121)).await;
    tokio::time::resume();
    assert_eq!(check(&rig, answer).await, false, "it is over");
    assert_eq!(
        check(&rig, json!({ "user": "alice", "pass": "1234755224" })).await,
        true,
        "and nothing used up"
    );
}

#[tokio::test]
async fn check_t_answers_by_number_alone() {
    let rig = rig("challenge_response = true\n", "").await;
    enroll_alice(&rig).await;
    let check_t = async |params: Value| {
        let answered = call_as(&rig, AS_VPN, "check_t", &params).await;
        let json = answered.json();
        assert_eq!((answered.status, &json["id"]), (200, &json!(1)), "{answered:?}");
        json
    };
    let unknown = check_t(json!({ "transactionid": "0000000", "pass": "1" })).await;
    assert_eq!(unknown["result"]["value"], json!({ "value": false, "failcount": 0 }));
    assert_eq!(unknown["detail"]["failure"], "No challenge for transaction '0000000' found");
    let missing = check_t(json!({ "pass": "1" })).await;
    assert_eq!(missing["result"]["error"]["message"], "ERR905: Missing parameter: 'transactionid'");
    let asked = call_as(&rig, AS_VPN, "check", &json!({ "user": "alice", "pass": "1234" })).await.json();
    let number = asked["detail"]["transactionid"].clone();
    let yes = check_t(json!({ "transactionid": &number, "pass": hotp(0) })).await;
    assert_eq!(yes["result"]["value"], json!({ "value": true, "failcount": 0 }));
    let detail = json!({ "value": true, "failcount": 0, "token_type": "HMAC", "serial": "HTEST1" });
    assert_eq!(yes["detail"], detail);
}

/// A code is sent only for a client that has proven the password, and only where that is how challenges begin.
#[tokio::test]
async fn a_sent_code_answers_its_challenge() {
    let rig = rig("challenge_response = true\n", OUTSIDE).await;
    let egress = Egress::willing(rig.daemon.directory.path());
    rig.daemon.hold_sms("jane").await;
    let empty = json!({ "user": "jane@local", "pass": "" });
    let unproven = call_as(&rig, "", "check", &empty).await;
    assert!(unproven.json()["detail"]["transactionid"].is_string(), "{unproven:?}");
    assert!(egress.taken().is_empty(), "nothing is sent for a client that has proven nothing");
    let simple = call_as(&rig, AS_VPN, "simplecheck", &empty).await;
    let words: Vec<_> = simple.body.splitn(3, ' ').collect();
    assert_eq!((words[0], words[1].len()), (":-(", 20), "{simple:?}");
    assert!(!words[2].is_empty() && !simple.body.ends_with('\n'), "{simple:?}");
    let code = egress.last_code();
    let answer = json!({ "user": "jane@local", "state": words[1], "pass": code });
    assert_eq!(call_as(&rig, AS_VPN, "simplecheck", &answer).await.body, ":-)");
    assert_eq!(call_as(&rig, AS_VPN, "simplecheck", &answer).await.body, ":-(");
}

#[tokio::test]
async fn a_pin_goes_before_a_code_that_was_sent() {
    let rig = rig("challenge_response = true\n", OUTSIDE).await;
    let egress = Egress::willing(rig.daemon.directory.path());
    rig.daemon.hold_sms("jane").await;
    let target = target(&support::user_id("jane"));
    let set = Request::SetPin { target, pin: Some(secret("1234")), code: None };
    assert!(matches!(rig.daemon.admin(set).await, Reply::Done { .. }));
    for (pin, right) in [("4321", ":-("), ("1234", ":-)")] {
        let asked = json!({ "user": "jane@local", "pass": pin });
        let begun = call_as(&rig, AS_VPN, "simplecheck", &asked).await.body;
        let number = begun.split(' ').nth(1).unwrap();
        let answer = json!({ "transactionid": number, "pass": egress.last_code() });
        assert_eq!(call_as(&rig, AS_VPN, "simplecheck", &answer).await.body, right, "{pin}");
        rig.daemon.clock.advance(3600);
    }
}

#[tokio::test]
async fn without_challenges_nothing_is_sent() {
    let rig = rig("", OUTSIDE).await;
    let egress = Egress::willing(rig.daemon.directory.path());
    rig.daemon.hold_sms("jane").await;
    for pass in ["", "1234", "sms", "?", "1234000000"] {
        let simple =
            call_as(&rig, AS_VPN, "simplecheck", &json!({ "user": "jane@local", "pass": pass })).await;
        assert_eq!(simple.body, ":-(", "{pass}");
    }
    assert!(egress.taken().is_empty());
}

#[tokio::test]
async fn two_factors_are_asked_for_one_after_the_other() {
    let rule =
        "[[policy.rule]]\nname = \"two\"\nmatch = { realm = [\"home\"] }\naction = \"require\"\ncount = 2\n";
    let rig = rig("", rule).await;
    rig.daemon.clock.set(RECORDED);
    enroll_alice(&rig).await;
    enroll(&rig, recorded_totp("abcd")).await;
    let begin = async |count: u64| {
        let pass = format!("1234{}", hotp(count));
        let first = call_as(&rig, "", "check", &json!({ "user": "alice", "pass": pass })).await;
        assert_eq!(value(&first), false, "one is not enough");
        first.json()["detail"]["transactionid"].clone()
    };
    let number = begin(0).await;
    let second = json!({ "user": "alice", "transactionid": &number, "pass": "abcd18894591" });
    assert_eq!(check(&rig, second).await, true);
    let number = begin(1).await;
    let same = json!({ "user": "alice", "transactionid": &number, "pass": format!("1234{}", hotp(2)) });
    assert_eq!(check(&rig, same).await, false, "the same factor twice is one");
}
