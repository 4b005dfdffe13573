//! What is remembered.

use mfa_proto::{admin::RememberedRow, name::UserId, text::ShownText};
use serde_json::{Value, json};

use super::{
    style::Style,
    table::{Cell, lines},
    time::{Now, rfc3339},
};

/// The list for people.
pub(crate) fn list(rows: &[RememberedRow], now: &Now, style: Style) -> String {
    if rows.is_empty() {
        return "Nothing is remembered: every login is asked.\n".to_owned();
    }
    let cells = rows.iter().map(|row| {
        [
            Cell::new(&row.row.to_string()),
            Cell::new(&row.user.to_string()),
            Cell::new(row.class.as_str()),
            Cell::new(row.source.as_str()),
            Cell::new(&row.rule.to_string()),
            Cell::new(&now.local(row.expires)),
            Cell::new(row.key.as_ref().map_or("", ShownText::as_str)),
        ]
    });
    let titles = ["NUMBER", "USER", "SERVICE", "SOURCE", "RULE", "UNTIL", "KEY"];
    lines(Some(titles), cells.collect(), &mut [0; 7], style)
}

/// The list for programs.
pub(crate) fn json(rows: &[RememberedRow]) -> Value {
    let row = |row: &RememberedRow| {
        json!({
            "row": row.row,
            "user": row.user.name.as_str(),
            "realm": row.user.realm.as_str(),
            "service": row.class.as_str(),
            "source": row.source.as_str(),
            "key": row.key.as_ref().map(ShownText::as_str),
            "rule": row.rule.as_str(),
            "created": row.created,
            "created_rfc3339": rfc3339(row.created),
            "expires": row.expires,
            "expires_rfc3339": rfc3339(row.expires),
        })
    };
    json!({"remembered": rows.iter().map(row).collect::<Vec<_>>()})
}

/// What was forgotten.
pub(crate) fn revoked(user: Option<&UserId>, count: u32) -> Value {
    json!({
        "user": user.map(|user| user.name.as_str()),
        "realm": user.map(|user| user.realm.as_str()),
        "verb": "revoke",
        "revoked": count,
    })
}
