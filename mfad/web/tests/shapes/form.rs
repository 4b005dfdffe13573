//! What an answer of each dialect has to look like.

use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::Value;

use super::{request::Shape, rig::Answered};

/// What is compared of an answer: numbers of challenges are never the same, and what was sent may be repeated.
pub(crate) fn without_numbers(answered: Answered, user: &str) -> (u16, String, String) {
    let kind = header(&answered, "content-type");
    let body = answered.body.split(|letter: char| !letter.is_ascii_digit());
    let numbers: Vec<_> = body.filter(|digits| digits.len() == 20).map(str::to_owned).collect();
    let body = numbers.iter().fold(answered.body, |body, number| body.replace(number, "N"));
    (answered.status, kind, body.replace(user, "U"))
}

fn header(answered: &Answered, name: &str) -> String {
    let head = answered.head.to_lowercase();
    let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
    found.unwrap_or_default()
}

/// Whether it is one of the forms that the dialect of the path has.
pub(crate) fn check(shape: &Shape, answered: &Answered) -> Result<(), TestCaseError> {
    let seen = format!("{answered:?}");
    let pages = shape.path.starts_with("/admin")
        || shape.path.starts_with("/audit")
        || shape.path.starts_with("/system");
    if !(pages && shape.names_a_status()) {
        prop_assert!(answered.status < 500, "{}", seen);
    }
    let kind = header(answered, "content-type");
    // HTTP itself could not be read.
    let unread =
        answered.body.is_empty() && kind.is_empty() && [400, 405, 414, 431].contains(&answered.status);
    if shape.method == "HEAD" || unread {
        return Ok(());
    }
    let fits = match shape.path {
        "/v1/verify/status" => answered.body.is_empty() || is_problem(answered),
        path if path.starts_with("/v1/") => is_v1(answered),
        // Begins something or not, and lets nobody in.
        "/rest2f/init" => json(answered).is_some_and(|json| json["result"].is_boolean()),
        path if path.starts_with("/rest2f/") => {
            json(answered) == Some(serde_json::json!({ "result": false }))
        }
        path if path.starts_with("/lua/") => json(answered).is_some_and(|json| json["result"].is_i64()),
        path if path.starts_with("/ceptor") => is_ceptor(answered),
        "/validate/simplecheck" if answered.status == 200 => {
            kind.starts_with("text/plain") && answered.body.starts_with(":-(")
        }
        "/validate/ok" => is_envelope(answered),
        path if path.starts_with("/validate/") && !path.contains('%') => {
            is_envelope(answered) && !json(answered).is_some_and(|json| says_yes(&json))
        }
        _ if pages => is_management(answered, &kind),
        _ => answered.status == 404 && is_problem(answered),
    };
    prop_assert!(fits, "{} {}: {}", shape.method, shape.path, seen);
    Ok(())
}

fn json(answered: &Answered) -> Option<Value> {
    serde_json::from_str(&answered.body).ok()
}

fn is_problem(answered: &Answered) -> bool {
    let error = json(answered).map(|json| json["error"].clone()).unwrap_or_default();
    answered.status >= 400 && error["code"].is_string() && error["message"].is_string()
}

fn is_v1(answered: &Answered) -> bool {
    let accepted = json(answered).is_some_and(|json| json["result"] == "accept");
    match answered.status {
        200 | 201 => json(answered).is_some_and(|json| json.is_object()) && !accepted,
        _ => is_problem(answered),
    }
}

fn is_envelope(answered: &Answered) -> bool {
    json(answered).is_some_and(|json| {
        json["version"].is_string()
            && json["jsonrpc"] == "2.0802"
            && json["result"]["status"].is_boolean()
            && json["id"].is_u64()
            && (json["result"]["status"] == true || json["result"]["value"] != true)
    })
}

/// What a client takes for a yes.
fn says_yes(json: &Value) -> bool {
    json["result"]["value"] == true || json["result"]["value"]["value"] == true
}

fn is_management(answered: &Answered, kind: &str) -> bool {
    match kind {
        "text/csv; charset=utf-8" => answered.status == 200,
        "text/html; charset=utf-8" => answered.status >= 400 && answered.body.contains("[LinOTP 2.11.2]"),
        "text/plain; charset=utf-8" => {
            answered.status == 401 && answered.body == "You have no valid session!"
        }
        _ => is_envelope(answered) || json(answered).is_some_and(|json| json["rows"].is_array()),
    }
}

fn is_ceptor(answered: &Answered) -> bool {
    match answered.status {
        200 => json(answered).is_some_and(|json| json["logged_on"] == false),
        201 => answered.body.is_empty(),
        _ => json(answered).is_some_and(|json| json["code"].is_i64() && json["message"].is_string()),
    }
}
