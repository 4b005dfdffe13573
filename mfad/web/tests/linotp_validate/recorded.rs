//! Exchanges that were recorded with LinOTP 4.0.0.dev0, asked again.

use std::collections::BTreeMap;

use mfa_proto::{
    admin::{Reply, Request},
    name::FactorLabel,
};
use serde_json::{Value, json};

use super::{
    common::*,
    rig::{Answered, Rig},
};

/// What comes out otherwise than it did with LinOTP 4.0.0.dev0, by the title of the exchange; `docs/compat.md` says why.
const DIFFERENCES: [(&str, bool); 4] = [
    // Counters up to ten ahead count, not nine: so 21 is right here, and 20 is behind afterwards.
    ("look-ahead outside: next=11, window 10 => 21", true),
    ("edge inside: 20", false),
    ("user@realm", false),
    // One step ahead is right, nine are not.
    ("totp +9 steps (in 10*30 window)", false),
];

#[tokio::test]
async fn recorded_exchanges_come_out_the_same() {
    let text = CLIENTS
        .replace("rights = [\"verify\"]\nby_network", "rights = [\"verify\", \"factors:read\"]\nby_network");
    let rig = Rig::of(&format!("{text}version = \"4.0.0.dev0\"\n")).await;
    rig.daemon.clock.set(RECORDED);
    enroll_alice(&rig).await;
    let new = recorded_totp("tptp");
    enroll(&rig, new).await;
    let mut differences: BTreeMap<&str, bool> = DIFFERENCES.into();
    let mut replayed = 0;
    for line in include_str!("recorded.jsonl").lines() {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let title = recorded["title"].as_str().unwrap();
        prepare(&rig, title).await;
        let mut expected = recorded["body"].clone();
        if let Some(value) = differences.remove(title) {
            assert_ne!(expected["result"]["value"], value, "{title}: it is no difference any more");
            expected["result"]["value"] = json!(value);
        }
        let answered = replay(&rig, &recorded).await;
        assert_eq!(u64::from(answered.status), recorded["status"].as_u64().unwrap(), "{title}");
        match expected.as_str() {
            Some(text) => assert_eq!(answered.body, text, "{title}"),
            None => assert_eq!(answered.json(), expected, "{title}"),
        }
        replayed += 1;
    }
    assert_eq!((replayed, differences.len()), (44, 0), "{differences:?}");
}

/// What happened between the recorded exchanges.
async fn prepare(rig: &Rig, title: &str) {
    let done = match title {
        "after reset" => rig.daemon.admin(Request::Reset { user: home("alice") }).await,
        "disabled" => {
            let mut target = target(&home("alice"));
            target.label = Some(FactorLabel::new("HTEST1").unwrap());
            rig.daemon.admin(Request::Disable { target, code: None }).await
        }
        _ => Reply::Done { factors: 0 },
    };
    assert!(matches!(done, Reply::Done { .. }), "{done:?}");
    // Failures in a row were recorded as such; all else is judged, not too soon.
    if title.starts_with("totp") {
        rig.daemon.clock.set(RECORDED);
    } else if !title.starts_with("fail #") && title != "correct OTP when locked" {
        rig.daemon.clock.advance(3600);
    }
}

async fn replay(rig: &Rig, recorded: &Value) -> Answered {
    let mut params = recorded["params"].clone();
    // PINs have at least four characters here.
    if let Some(code) = params["pass"].as_str().and_then(|pass| pass.strip_prefix("tp")) {
        params["pass"] = json!(format!("tptp{code}"));
    }
    let path = recorded["path"].as_str().unwrap();
    if recorded["method"] == "GET" {
        return rig.http().await.get(&format!("{path}?{}", form(&params)), "").await;
    }
    call_as(rig, "", path.strip_prefix("/validate/").unwrap(), &params).await
}
