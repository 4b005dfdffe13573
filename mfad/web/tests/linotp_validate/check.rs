//! One request, and its answer.

use mfa_proto::{
    admin::{Reply, Request},
    tag::Serial,
};
use serde_json::{Value, json};

use super::{
    common::*,
    support::{hotp, secret},
};

#[tokio::test]
async fn pin_and_code_are_a_yes_once() {
    let rig = rig("", "").await;
    enroll_alice(&rig).await;
    let asked = json!({ "user": "alice", "pass": "1234755224" });
    let yes = call_as(&rig, "", "check", &asked).await;
    assert_eq!((value(&yes), yes.json()["id"].clone()), (json!(true), json!(0)));
    assert!(yes.json().get("detail").is_none(), "{yes:?}");
    assert!(yes.body.starts_with("{\n   \"version\": \"LinOTP 2.11.2\",\n   \"jsonrpc\""), "{}", yes.body);
    assert_eq!(check(&rig, asked).await, false, "it is used");
    let mut http = rig.http().await;
    let query = format!("/validate/check?user=alice%40home&realm=&pass=1234{}", hotp(1));
    assert_eq!(value(&http.get(&query, "").await), true, "by query");
    let body = json!({ "user": "alice", "realm": "HOME", "pass": format!("1234{}", hotp(2)) }).to_string();
    assert_eq!(value(&http.post("vpn-secret", "/validate/check", &body).await), true, "by JSON");
}

#[tokio::test]
async fn a_code_of_eight_digits_by_sha256_is_a_yes() {
    let rig = rig("", "").await;
    let new = recorded_totp("1234");
    rig.daemon.clock.set(RECORDED);
    enroll(&rig, new).await;
    assert_eq!(
        check(&rig, json!({ "user": "alice", "pass": "123479776038" })).await,
        false,
        "nine steps ahead"
    );
    rig.daemon.clock.advance(1);
    assert_eq!(check(&rig, json!({ "user": "alice", "pass": "123418894591" })).await, true);
    assert_eq!(check(&rig, json!({ "user": "alice", "pass": "123418894591" })).await, false, "used");
    rig.daemon.clock.advance(1);
    assert_eq!(
        check(&rig, json!({ "user": "alice", "pass": "123406341882" })).await,
        false,
        "the step before"
    );
}

/// A wrong PIN uses no code up, and is counted; whoever has no such device looks and costs the same.
#[tokio::test]
async fn who_is_unknown_looks_like_who_is_wrong() {
    let rig = rig("detail_on_fail = true\n", "").await;
    enroll_alice(&rig).await;
    enroll(&rig, device(home("bare"), hotp_params(), ("HTEST2", None))).await;
    let mut seen = Vec::new();
    for who in [
        json!({ "user": "alice" }),
        json!({ "user": "bare" }),
        json!({ "user": "nobody" }),
        json!({ "user": "alice", "realm": "nowhere" }),
        json!({ "serial": "HTEST2" }),
        json!({ "serial": "NOPE" }),
        json!({ "user": "alice", "serial": "HTEST2" }),
    ] {
        let before = rig.daemon.core.store().pins_stretched();
        let mut asked = who.clone();
        asked["pass"] = json!("9999755224");
        let no = call_as(&rig, "", "check", &asked).await;
        assert_eq!(rig.daemon.core.store().pins_stretched(), before + 1, "{who}");
        let head: Vec<_> =
            no.head.lines().filter(|line| !line.starts_with("date")).map(str::to_owned).collect();
        assert_eq!(value(&no), false, "{who}");
        seen.push((head, no.body));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
    assert!(seen[0].1.contains("wrong otp value"), "{seen:?}");
    rig.daemon.clock.advance(3600);
    assert_eq!(check(&rig, json!({ "user": "alice", "pass": "755224" })).await, false, "without the PIN");
    rig.daemon.clock.advance(3600);
    assert_eq!(
        check(&rig, json!({ "user": "alice", "pass": "1234755224" })).await,
        true,
        "it was not used up"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_no_and_counted_for_nobody() {
    let rig = rig("", "").await;
    enroll_alice(&rig).await;
    let long = "9".repeat(4000);
    for _ in 0..4 {
        for asked in [
            json!({}),
            json!({ "user": "alice" }),
            json!({ "user": "alice", "pass": "" }),
            json!({ "user": "alice", "pass": "1234" }),
            json!({ "user": "alice", "pass": &long }),
            json!({ "user": "", "pass": "1234755224" }),
            json!({ "user": "a/b\n", "pass": "1234755224" }),
            json!({ "user": "alice@a/b", "pass": "1234755224" }),
            json!({ "user": "HTEST1@unassigned", "pass": "1234755224" }),
            json!({ "user": "alice", "serial": "a b", "pass": "1234755224" }),
            json!({ "user": "alice", "transactionid": "12345678901234567890", "pass": "1234755224" }),
        ] {
            assert_eq!(check(&rig, asked.clone()).await, false, "{asked}");
        }
    }
    assert_eq!(check(&rig, json!({ "user": "alice", "pass": "1234755224" })).await, true);
}

#[tokio::test]
async fn who_is_locked_is_a_no_until_it_is_reset() {
    let rig = rig("", "").await;
    enroll_alice(&rig).await;
    for _ in 0..12 {
        assert_eq!(check(&rig, json!({ "user": "alice", "pass": "1234000000" })).await, false);
    }
    let right = json!({ "user": "alice", "pass": "1234755224" });
    assert_eq!(check(&rig, right.clone()).await, false);
    let reply = rig.daemon.admin(Request::Reset { user: home("alice") }).await;
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    assert_eq!(check(&rig, right).await, true, "it was not used up");
}

#[tokio::test]
async fn a_device_by_its_serial_number_needs_no_right_to_look_for_it() {
    let rig = rig("", "").await;
    enroll_alice(&rig).await;
    let mut other = device(home("alice"), hotp_params(), ("HTEST2", None));
    other.secret = Some(secret("KRUGKIDROVUWG2ZAMJZG653OEBTG66BA"));
    enroll(&rig, other).await;
    let serial =
        |serial: &str, count: u64| json!({ "serial": serial, "pass": format!("1234{}", hotp(count)) });
    let check_s = async |params: Value| value(&call_as(&rig, "", "check_s", &params).await);
    assert_eq!(check_s(serial("htest1", 0)).await, true, "whatever its case");
    assert_eq!(check_s(serial("HTEST2", 1)).await, false, "right, and of another device");
    let mut of_bob = serial("HTEST1", 1);
    of_bob["user"] = json!("bob");
    assert_eq!(check_s(of_bob).await, false, "another user's");
    rig.daemon.clock.advance(3600);
    assert_eq!(
        check_s(json!({ "user": "alice", "pass": format!("1234{}", hotp(1)) })).await,
        true,
        "no serial"
    );
    let neither = call_as(&rig, "", "check_s", &json!({ "pass": "1" })).await.json();
    assert_eq!(neither["result"], json!({ "status": false, "value": false }));
    let reply = rig.daemon.admin(Request::Unassign { serial: Serial::new("HTEST1").unwrap() }).await;
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    assert_eq!(check_s(json!({ "serial": "HTEST1", "pass": hotp(2) })).await, false, "nobody has it");
}

#[tokio::test]
async fn details_are_for_who_may_read_them() {
    let rig = rig("detail_on_success = true\n", "").await;
    enroll_alice(&rig).await;
    let asked =
        |count: u64| json!({ "user": "alice", "pass": format!("1234{}", hotp(count)), "auth_info": "true" });
    let little = call_as(&rig, "", "check", &asked(0)).await.json();
    let told = json!({ "user": "alice", "realm": "home", "tokentype": "", "serial": "" });
    assert_eq!(little["detail"], told);
    let much = call_as(&rig, AS_VPN, "check", &asked(1)).await.json();
    let lengths = json!([["pin_length", 4], ["otp_length", 6]]);
    let told = json!({ "user": "alice", "realm": "home", "tokentype": "HMAC", "serial": "HTEST1", "auth_info": lengths });
    assert_eq!(much["detail"], told);
    let by_serial = json!({ "serial": "HTEST1", "pass": format!("1234{}", hotp(2)) });
    let much = call_as(&rig, AS_VPN, "check_s", &by_serial).await.json();
    assert_eq!(much["detail"]["user"], "alice");
}

#[tokio::test]
async fn only_clients_with_the_right_are_served_and_only_as_linotp_takes_it() {
    let rig = rig("", "").await;
    enroll_alice(&rig).await;
    let right = json!({ "user": "alice", "pass": "1234755224" });
    let wrong_proof = call_as(&rig, "Authorization: Bearer wrong\r\n", "check", &right).await;
    let told = wrong_proof.json()["result"].clone();
    assert_eq!(
        (wrong_proof.status, &told["status"], &told["error"]["code"]),
        (401, &json!(false), &json!(-311))
    );
    assert!(wrong_proof.head.to_lowercase().contains("www-authenticate:"), "{wrong_proof:?}");
    let no_right = call_as(&rig, "Authorization: Bearer wiki-secret\r\n", "check", &right).await;
    assert_eq!((no_right.status, no_right.json()["result"]["error"]["code"].clone()), (403, json!(510)));
    let put =
        "PUT /validate/check?user=alice&pass=1234755224 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(rig.http().await.ask(put).await.status, 405);
    for (kind, body, status) in [
        ("text/plain", "user=alice&pass=1234755224", 415),
        ("application/json", "{\"user\":[\"alice\"]}", 400),
        ("application/json", "{", 400),
    ] {
        let length = body.len();
        let head = "POST /validate/check HTTP/1.1\r\nHost: x\r\n";
        let asked = format!("{head}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
        let refused = rig.http().await.ask(&asked).await;
        assert_eq!(
            (refused.status, refused.json()["result"]["status"].clone()),
            (status, json!(false)),
            "{body}"
        );
    }
    for path in ["/validate/", "/validate/nothing", "/validate/check/", "/other/check"] {
        assert_eq!(rig.http().await.get(path, "").await.status, 404, "{path}");
    }
    assert_eq!(check(&rig, right).await, true, "none of these used it up");
}

#[tokio::test]
async fn while_core_is_away_it_is_a_no() {
    let rig = rig("", "").await;
    enroll_alice(&rig).await;
    rig.take_core_away();
    let right = json!({ "user": "alice", "pass": "1234755224" });
    assert_eq!(check(&rig, right.clone()).await, false);
    assert_eq!(call_as(&rig, "", "simplecheck", &right).await.body, ":-(");
    assert_eq!(value(&rig.http().await.get("/validate/ok", "").await), true, "web itself is there");
}
