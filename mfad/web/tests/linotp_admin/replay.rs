//! What LinOTP 4.0.0.dev0 was recorded to answer, asked again here: the same, or different as is listed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Answered,
    rig::{Rig, VPN},
    with_emergency,
};

/// What comes instead of what was recorded: the number of an error, 0 for a value that is other. `docs/compat.md`
/// says why.
const DIFFERENCES: [(&str, i64); 14] = [
    // A PIN of two characters.
    ("init totp sha256 8", -311),
    // Passwords are no tokens.
    ("init pw", 1610),
    // Codes that were not used are 500 and more ahead: two in a row are looked for at most 100 ahead.
    ("resync ok", 0),
    ("set", -311),
    // The code is of a counter that is too far ahead.
    ("by otp", 0),
    // Of people nothing is known but the name.
    ("owner", 0),
    // Every name of a realm with `accounts = "any"` is a user, and the token is in somebody's hands.
    ("assign unknown user", -311),
    // A code of another form, for another time, that is called otherwise.
    ("losttoken", 0),
    // It was never there.
    ("losttoken unassigned", 1102),
    ("remove", 1102),
    // Nobody is gone from a realm with `accounts = "any"`.
    ("orphans", 0),
    // Both names of the verb are taken.
    ("delete alias?", 0),
    ("getConfig one", 0),
    // There is no realm of administrators.
    ("getRealms", 0),
];

/// The fields of a row that are the same whatever was verified in between.
const SAME: [&str; 7] = [
    "LinOtp.TokenDesc",
    "LinOtp.TokenSerialnumber",
    "LinOtp.TokenType",
    "LinOtp.OtpLen",
    "LinOtp.Isactive",
    "LinOtp.RealmNames",
    "User.username",
];

async fn asked(rig: &Rig, recorded: &Value) -> Answered {
    let mut params = recorded["params"].clone();
    params["session"] = json!("abc");
    let (path, json) = (recorded["path"].as_str().unwrap(), params.to_string());
    let length = json.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\nCookie: admin_session=abc\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
    );
    rig.http().await.ask(&request).await
}

/// What differs in any case is left out of both: keys that were brought along, what was verified in between, numbers
/// that are made.
fn compared(mut answer: Value) -> Value {
    if let Some(detail) = answer.get_mut("detail").and_then(Value::as_object_mut) {
        detail.retain(|name, _| name == "message");
    }
    let empty = answer.get("detail").is_some_and(|detail| detail == &json!({}));
    if let Some(answer) = answer.as_object_mut().filter(|_| empty) {
        answer.remove("detail");
    }
    if let Some(rows) = answer.pointer_mut("/result/value/data").and_then(Value::as_array_mut) {
        for row in rows {
            let row = row.as_object_mut().unwrap();
            row.retain(|name, _| SAME.contains(&name.as_str()));
        }
    }
    answer
}

fn keys(value: &Value) -> Vec<&String> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().collect();
    keys.sort();
    keys
}

#[track_caller]
fn assert_differs(title: &str, code: i64, answered: &Answered, recorded: &Value) {
    let json = answered.json();
    if code == 0 {
        assert_eq!(json["result"]["status"], true, "{title} {json}");
        let (ours, theirs) = (&json["result"]["value"], &recorded["body"]["result"]["value"]);
        assert_ne!(ours, theirs, "{title}");
        if ["losttoken", "by otp"].contains(&title) {
            assert_eq!(keys(ours), keys(theirs), "{title}");
        }
    } else {
        assert_eq!(json["result"]["error"]["code"], code, "{title} {answered:?}");
        assert_ne!(json["result"], recorded["body"]["result"], "{title}");
    }
}

#[tokio::test]
async fn what_was_recorded_is_answered_alike_or_as_is_listed() {
    let text = "[realm.home]\n[web.linotp]\nversion = \"4.0.0.dev0\"\ndefault_realm = \"home\"\n";
    let rig = Rig::of(&format!("{text}{}", with_emergency())).await;
    let mut differences: BTreeMap<&str, i64> = DIFFERENCES.into();
    let mut replayed = 0;
    for line in include_str!("management.jsonl").lines() {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let title = recorded["title"].as_str().unwrap();
        rig.daemon.clock.advance(3600);
        let answered = asked(&rig, &recorded).await;
        replayed += 1;
        if let Some(code) = differences.remove(title) {
            assert_differs(title, code, &answered, &recorded);
            if title == "init totp sha256 8" {
                // With a PIN that is long enough, because others ask for it.
                let mut again = recorded.clone();
                again["params"]["pin"] = json!("longer");
                assert_eq!(asked(&rig, &again).await.json()["result"]["value"], true);
            }
            continue;
        }
        assert_eq!(u64::from(answered.status), recorded["status"].as_u64().unwrap(), "{title} {answered:?}");
        match (&recorded["body"], title) {
            (Value::String(page), _) if answered.status == 404 => {
                assert!(page.contains("Not Found"), "{title}");
            }
            (Value::String(page), _) => assert_eq!(answered.body.trim(), page.trim(), "{title}"),
            // Rows of what was verified, and of who looked, are not there.
            (body, "audit") => {
                let rows = answered.json();
                assert_eq!((keys(&rows), keys(&rows["rows"][0])), (keys(body), keys(&body["rows"][0])));
                let cells = |rows: &Value| rows["rows"][0]["cell"].as_array().unwrap().len();
                assert_eq!(cells(&rows), cells(body));
            }
            // Those who hold tokens are people here, and nothing is known of them but the name.
            (body, "userlist") => {
                let list = answered.json();
                assert_eq!((keys(&list), keys(&list["result"])), (keys(body), keys(&body["result"])));
                let person = |list: &Value| list["result"]["value"][0].clone();
                assert_eq!(keys(&person(&list)), keys(&person(body)));
                assert_eq!(person(&list)["username"], person(body)["username"]);
            }
            (body, "user empty" | "realm empty") => {
                let count =
                    |answer: &Value| answer["result"]["value"]["resultset"]["tokens"].as_u64().unwrap();
                // Without the password.
                assert_eq!(count(&answered.json()), count(body) - 1, "{title}");
            }
            (body, _) => assert_eq!(compared(answered.json()), compared(body.clone()), "{title}"),
        }
    }
    assert_eq!((replayed, differences.len()), (47, 0), "{differences:?}");
}
