//! `/rest2f` as a portal asks it: `result` is JSON's true for a right code, and never for anything else.
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

use rig::{Answered, Rig, VPN};
use serde_json::{Value, json};
use support::{egress::Egress, hotp, outside::OUTSIDE};

/// A portal, which asks only when the password was right, and one that may not ask.
const PORTAL: &str = "\
[[web.listen]]
address = \"127.0.0.1:1\"
dialects = { lemonldap = \"/\" }
[[web.client]]
name = \"portal\"
rights = [\"verify\"]
token = \"vpn\"
password_proven = true
rate = 10000
[[web.client]]
name = \"other\"
rights = [\"status\"]
token = \"wiki\"
rate = 10000
";

async fn portal(extra: &str) -> Rig {
    Rig::of(&format!("{PORTAL}{extra}")).await
}

async fn post(rig: &Rig, call: &str, body: &Value) -> Answered {
    rig.post(VPN, &format!("/rest2f/{call}"), &body.to_string()).await
}

/// What the portal takes it for.
async fn result(rig: &Rig, call: &str, body: &Value) -> Value {
    let answered = post(rig, call, body).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    answered.json()
}

fn wrong(right: &str) -> &'static str {
    if right == "000000" { "111111" } else { "000000" }
}

#[tokio::test]
async fn a_right_code_is_true_once_and_all_else_is_false() {
    let rig = portal("").await;
    rig.daemon.enroll_hotp("dwho").await;
    let asked = json!({ "user": "dwho", "code": hotp(0), "mail": "dwho@badwolf.org", "phone": null });
    assert_eq!(result(&rig, "verify", &asked).await, json!({ "result": true }));
    assert_eq!(result(&rig, "verify", &asked).await, json!({ "result": false }), "it is used");
    for body in [
        json!({ "user": "dwho", "code": wrong(&hotp(1)) }),
        json!({ "user": "nobody", "code": hotp(1) }),
        json!({ "user": "", "code": hotp(1) }),
        json!({ "user": null, "code": hotp(1) }),
        json!({ "user": "dwho", "code": null }),
        json!({ "user": "dwho", "code": "" }),
        json!({ "user": "dwho" }),
        json!({ "code": hotp(1) }),
        json!({ "user": "dwho", "code": hotp(1), "factor": "a\nb" }),
    ] {
        assert_eq!(result(&rig, "verify", &body).await, json!({ "result": false }), "{body}");
    }
    assert_eq!(
        result(&rig, "verify", &json!({ "user": "dwho", "code": hotp(1) })).await,
        json!({ "result": true }),
        "none of these used it up"
    );
}

#[tokio::test]
async fn what_is_no_request_of_a_portal_is_an_error_without_a_yes() {
    let rig = portal("").await;
    rig.daemon.enroll_hotp("dwho").await;
    let body = json!({ "user": "dwho", "code": hotp(0) }).to_string();
    for bad in ["", "[true]", "{", "{\"user\":[],\"code\":\"1\"}", "{\"user\":\"a\",\"user\":\"b\"}"] {
        let answered = rig.post(VPN, "/rest2f/verify", bad).await;
        assert_eq!((answered.status, answered.json()), (400, json!({ "result": false })), "{bad}");
    }
    let stranger = rig.post("no-such-secret", "/rest2f/verify", &body).await;
    assert_eq!((stranger.status, stranger.json()), (401, json!({ "result": false })));
    let without_right = rig.post(rig::WIKI, "/rest2f/verify", &body).await;
    assert_eq!((without_right.status, without_right.json()), (403, json!({ "result": false })));
    let read = rig.http().await.get("/rest2f/verify", "").await;
    assert_eq!((read.status, read.json()), (405, json!({ "result": false })));
    assert_eq!(result(&rig, "verify", &serde_json::from_str(&body).unwrap()).await["result"], true);
}

#[tokio::test]
async fn without_core_nothing_is_true() {
    let rig = portal("").await;
    rig.daemon.enroll_hotp("dwho").await;
    rig.take_core_away();
    for call in ["init", "verify"] {
        let answered = post(&rig, call, &json!({ "user": "dwho", "code": hotp(0) })).await;
        assert!(call == "init" || answered.status == 503, "{answered:?}");
        assert_eq!(answered.json(), json!({ "result": false }));
    }
}

#[tokio::test]
async fn without_core_nothing_is_delivered() {
    let (rig, egress) = portal_with_codes("[\"deliver\"]").await;
    rig.take_core_away();
    for user in ["dwho", "nobody"] {
        let answered = post(&rig, "init", &json!({ "user": user, "code": "KJU64680" })).await;
        assert_eq!((answered.status, answered.json()), (503, json!({ "result": false })));
    }
    assert!(egress.taken().is_empty());
}

#[tokio::test]
async fn who_has_an_app_is_asked_by_init_and_judged_in_the_same_conversation() {
    let rig = portal("").await;
    rig.daemon.enroll_hotp("dwho").await;
    assert_eq!(result(&rig, "init", &json!({ "user": "dwho" })).await["result"], true);
    assert_eq!(rig.transactions.count(), 1);
    let wrong = json!({ "user": "dwho", "code": wrong(&hotp(0)) });
    assert_eq!(result(&rig, "verify", &wrong).await["result"], false);
    assert_eq!(rig.transactions.count(), 1, "it can be tried again");
    let right = json!({ "user": "dwho", "code": hotp(0) });
    assert_eq!(result(&rig, "verify", &right).await["result"], true);
    assert_eq!(rig.transactions.count(), 0);
    assert_eq!(result(&rig, "verify", &right).await["result"], false);
    let nobody = result(&rig, "init", &json!({ "user": "nobody" })).await;
    assert_eq!(nobody["result"], true, "who is unknown looks like anyone");
}

#[tokio::test]
async fn a_code_is_sent_by_init_and_again_when_asked_again_later() {
    let rig = portal(OUTSIDE).await;
    let egress = Egress::willing(rig.daemon.directory.path());
    rig.daemon.hold_sms("dwho").await;
    let init = json!({ "user": "dwho", "factor": "sms", "source": "203.0.113.9" });
    assert_eq!(result(&rig, "init", &init).await["result"], true);
    let first = egress.last_code();
    assert_eq!(result(&rig, "init", &init).await["result"], true, "too soon, but the first one counts");
    assert_eq!(egress.taken().len(), 1);
    rig.daemon.clock.advance(31);
    assert_eq!(result(&rig, "init", &init).await["result"], true);
    assert_eq!(egress.taken().len(), 2);
    let second = egress.last_code();
    if first != second {
        let old = json!({ "user": "dwho", "code": first });
        assert_eq!(result(&rig, "verify", &old).await["result"], false, "the new one kills the old");
    }
    let new = json!({ "user": "dwho", "code": second });
    assert_eq!(result(&rig, "verify", &new).await["result"], true);
    let row = rig.daemon.last_audit("dwho").await;
    assert_eq!((row.client.as_deref(), row.source.as_deref()), (Some("portal"), Some("203.0.113.9")));
}

/// A portal that makes its codes itself, beside what else it may.
async fn portal_with_codes(rights: &str) -> (Rig, Egress) {
    let clients = PORTAL.replace("[\"verify\"]", rights);
    let rig = Rig::of(&format!("{clients}{OUTSIDE}")).await;
    let egress = Egress::willing(rig.daemon.directory.path());
    rig.daemon.hold_sms("dwho").await;
    rig.daemon.clock.advance(30);
    (rig, egress)
}

#[tokio::test]
async fn a_code_of_the_portals_own_is_not_delivered_without_the_right_to_it() {
    let (rig, egress) = portal_with_codes("[\"verify\", \"factors:write\"]").await;
    let own = json!({ "user": "dwho", "code": "KJU64680" });
    assert_eq!(result(&rig, "init", &own).await, json!({ "result": false }));
    assert!(egress.taken().is_empty());
}

#[tokio::test]
async fn a_code_of_the_portals_own_is_delivered_and_is_none_here() {
    let (rig, egress) = portal_with_codes("[\"verify\", \"deliver\"]").await;
    rig.daemon.enroll_hotp("dwho").await;
    let code = wrong(&hotp(0));
    let own = json!({ "user": "dwho", "code": code, "source": "203.0.113.9", "mail": null });
    assert_eq!(result(&rig, "init", &own).await, json!({ "result": true }));
    assert_eq!(egress.taken().len(), 1);
    assert_eq!(egress.last_code(), code);
    let row = rig.daemon.last_audit("dwho").await;
    assert_eq!((row.event.as_str(), row.client.as_deref()), ("deliver", Some("portal")));
    assert_eq!(row.source.as_deref(), Some("203.0.113.9"));
    // The portal sends the same again when it is asked to: the interval decides.
    assert_eq!(result(&rig, "init", &own).await, json!({ "result": true }));
    assert_eq!(egress.taken().len(), 1);
    rig.daemon.clock.advance(30);
    assert_eq!(result(&rig, "init", &own).await, json!({ "result": true }));
    assert_eq!((egress.taken().len(), egress.last_code()), (2, code.to_owned()));
    assert_eq!(rig.transactions.count(), 0, "no conversation is open");
    // It never asks here whether it is right, and would be told no.
    for body in [own, json!({ "user": "dwho", "code": code, "factor": "sms" })] {
        assert_eq!(result(&rig, "verify", &body).await, json!({ "result": false }), "{body}");
    }
    let counted = rig.daemon.core.store().show(support::user_id("dwho")).await.unwrap().failures_30_days;
    assert!(counted >= 1, "and that is counted");
    let right = json!({ "user": "dwho", "code": hotp(0) });
    rig.daemon.clock.advance(5);
    assert_eq!(result(&rig, "verify", &right).await["result"], true, "what is enrolled here goes on");
}

#[tokio::test]
async fn whoever_it_is_for_the_portal_is_told_the_same() {
    let (rig, egress) = portal_with_codes("[\"deliver\"]").await;
    rig.daemon.enroll_hotp("app").await;
    let init =
        |user: &str, factor: Option<&str>| json!({ "user": user, "code": "KJU64680", "factor": factor });
    for body in [init("nobody", None), init("app", None), init("dwho", Some("mail")), init("dwho", Some(""))]
    {
        assert_eq!(result(&rig, "init", &body).await, json!({ "result": true }), "{body}");
    }
    assert_eq!(egress.taken().len(), 1, "an attribute that is empty names nothing");
    for body in [init("", None), init("dwho", Some("a\nb")), json!({ "code": "KJU64680" })] {
        assert_eq!(result(&rig, "init", &body).await, json!({ "result": false }), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_code_is_not_delivered() {
    let (rig, egress) = portal_with_codes("[\"deliver\"]").await;
    for code in ["", "a b", "see evil.example", "1\n2", "https://a", &"1".repeat(33)] {
        let body = json!({ "user": "dwho", "code": code });
        assert_eq!(result(&rig, "init", &body).await, json!({ "result": false }), "{code:?}");
    }
    assert!(egress.taken().is_empty());
    assert_eq!(result(&rig, "init", &json!({ "user": "dwho", "code": "a-1" })).await["result"], true);
    assert_eq!(egress.last_code(), "a-1");
}

#[tokio::test]
async fn the_right_to_deliver_is_none_to_ask() {
    let (rig, egress) = portal_with_codes("[\"deliver\"]").await;
    rig.daemon.enroll_hotp("dwho").await;
    for (call, body) in [
        ("init", json!({ "user": "dwho" })),
        ("init", json!({ "user": "dwho", "code": null })),
        ("verify", json!({ "user": "dwho", "code": hotp(0) })),
    ] {
        let answered = post(&rig, call, &body).await;
        assert_eq!((answered.status, answered.json()), (403, json!({ "result": false })), "{call} {body}");
    }
    assert!(egress.taken().is_empty());
    let without =
        rig.post(rig::WIKI, "/rest2f/init", &json!({ "user": "dwho", "code": "A1" }).to_string()).await;
    assert_eq!(without.status, 403);
    assert!(egress.taken().is_empty());
}

#[tokio::test]
async fn too_many_wrong_codes_lock_also_here() {
    let rig = portal("").await;
    rig.daemon.enroll_hotp("dwho").await;
    for _ in 0..12 {
        let body = json!({ "user": "dwho", "code": wrong(&hotp(0)) });
        assert_eq!(result(&rig, "verify", &body).await["result"], false);
    }
    let right = json!({ "user": "dwho", "code": hotp(0) });
    assert_eq!(result(&rig, "verify", &right).await["result"], false);
    let row = rig.daemon.last_audit("dwho").await;
    assert_eq!(row.reason, "locked", "{row:?}");
}
