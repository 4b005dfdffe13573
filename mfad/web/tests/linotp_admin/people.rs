//! Users who hold tokens, as `userlist` has them; the realm of a token; how many users one answer goes through.

use mfa_proto::admin::{Reply, Request};
use serde_json::{Value, json};

use super::{
    all, as_client, call, fault, init, linotp,
    rig::{Rig, WIKI},
    rows, value,
};

async fn people(rig: &Rig, form: &str) -> Vec<String> {
    let answer = call(rig, "/admin/userlist", form).await;
    let name = |person: &Value| person["username"].as_str().unwrap().to_owned();
    value(&answer).as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn users_who_hold_tokens_are_listed() {
    let rig = linotp().await;
    for (serial, more) in [
        ("AA1", "&user=jane"),
        ("AB1", "&user=jane"),
        ("BA1", "&user=john"),
        ("CA1", "&user=mary@vpn"),
        ("DA1", ""),
    ] {
        init(&rig, serial, more).await;
    }
    let listed = call(&rig, "/admin/userlist", "username=*").await;
    assert_eq!(listed["result"]["queried"], 3, "{listed}");
    assert_eq!(
        value(&listed)[2],
        json!({
            "username": "mary",
            "userid": "mary",
            "description": "",
            "email": "",
            "givenname": "",
            "surname": "",
            "phone": "",
            "mobile": "",
            "resolver": "useridresolver.PasswdIdResolver.IdResolver.vpn",
        })
    );
    for (form, expected) in [
        ("", &["jane", "john", "mary"][..]),
        ("username=j*", &["jane", "john"]),
        ("username=JOHN", &["john"]),
        ("username=mary@vpn", &["mary"]),
        ("username=nobody", &[]),
        ("realm=vpn", &["mary"]),
        ("realm=local&username=*n*", &["jane", "john"]),
        ("userid=john", &["john"]),
        ("userid=j*&page=2&rp=1", &["john"]),
        ("page=2&rp=2", &["mary"]),
        ("page=9&rp=2", &[]),
        ("email=*", &["jane", "john", "mary"]),
    ] {
        assert_eq!(people(&rig, form).await, expected, "{form}");
    }
    for wrong in ["email=jane@example.org", "phone=1*", "page=0", "rp=x"] {
        assert_eq!(fault(&call(&rig, "/admin/userlist", wrong).await).0, 905, "{wrong}");
    }
    let refused = as_client(&rig, WIKI, "/admin/userlist", "username=*").await.json();
    assert_eq!(fault(&refused).0, 410, "to see all users is a right of its own");
}

#[tokio::test]
async fn a_token_stays_in_the_realm_of_its_owner() {
    let rig = linotp().await;
    init(&rig, "AA1", "&user=mary@vpn").await;
    init(&rig, "BB1", "").await;
    let before = all(&rig).await;
    for same in ["serial=AA1&realms=vpn", "serial=AA1&realms=VPN,", "serial=BB1&realms="] {
        assert_eq!(value(&call(&rig, "/admin/tokenrealm", same).await), 1, "{same}");
    }
    for (wrong, code) in [
        ("serial=AA1&realms=local", -311),
        ("serial=AA1&realms=vpn,local", -311),
        ("serial=AA1&realms=", -311),
        ("serial=BB1&realms=unassigned", -311),
        ("serial=NOPE&realms=vpn", 1102),
        ("serial=AA1", 905),
        ("realms=vpn", 905),
    ] {
        assert_eq!(fault(&call(&rig, "/admin/tokenrealm", wrong).await).0, code, "{wrong}");
    }
    assert_eq!(all(&rig).await, before);
}

/// More users than one answer goes through: none of them is left out in silence.
#[tokio::test]
async fn more_than_a_thousand_users_are_turned_through() {
    let rig = linotp().await;
    for number in 0..1000 {
        rig.daemon.enroll_hotp(&format!("user{number:04}")).await;
    }
    assert_eq!(rows(&rig, "").await.len(), 1000, "as many as may be");
    assert_eq!(people(&rig, "").await.len(), 1000);
    init(&rig, "LAST1", "&user=zoe").await;
    for (path, form) in [
        ("/admin/show", ""),
        ("/admin/show", "serial=LAST*"),
        ("/admin/show", "outform=csv"),
        ("/admin/show", "sortby=TokenSerialnumber&page=1&pagesize=10"),
        ("/admin/userlist", ""),
        ("/admin/userlist", "userid=zoe"),
    ] {
        let answer = call(&rig, path, form).await;
        let (code, text) = fault(&answer);
        assert!(code == -311 && text.starts_with("more than 1000 users"), "{path} {form}: {text}");
    }
    let last = rows(&rig, "page=101&pagesize=10").await;
    assert_eq!((last.len(), &last[0]["LinOtp.TokenSerialnumber"]), (1, &json!("LAST1")));
    assert_eq!(rows(&rig, "user=zoe").await.len(), 1);
    assert_eq!(people(&rig, "username=zoe").await, ["zoe"]);
    assert_eq!(people(&rig, "page=101&rp=10").await, ["zoe"]);
    let listed = rig.daemon.admin(Request::List { after: None, orphaned: false }).await;
    assert!(matches!(listed, Reply::Users(page) if page.more), "core names them in pages");
}
