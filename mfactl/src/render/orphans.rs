//! Users whose account is gone or has another uid: found, and removed.

use mfa_proto::admin::{LeftAlone, OrphanPage, UserSummary};
use serde_json::{Value, json};

use super::{style::Style, time::Now, user, view};

/// The list; what it means when it is empty.
pub(crate) fn list(users: &[UserSummary], now: &Now, style: Style) -> String {
    if users.is_empty() {
        return "No user is orphaned: the accounts of all are there, with the uids of then.\n".to_owned();
    }
    user::list(users, now, style)
}

/// What was removed.
pub(crate) fn pruned(page: &OrphanPage) -> String {
    format!("Removed: {}.\n", users(page.orphaned.len()))
}

/// `1 user`.
pub(crate) fn users(count: usize) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{count} users") }
}

/// The list, for programs.
pub(crate) fn json(page: &OrphanPage) -> Value {
    let Value::Object(mut fields) = view::users(&page.orphaned) else { return Value::Null };
    fields.insert("left_alone".to_owned(), page.left_alone.iter().map(left_alone).collect());
    fields.into()
}

/// What was removed, or would be.
pub(crate) fn pruned_json(dry_run: bool, page: &OrphanPage) -> Value {
    let Value::Object(mut fields) = json(page) else { return Value::Null };
    fields.insert("dry_run".to_owned(), json!(dry_run));
    fields.into()
}

fn left_alone(left: &LeftAlone) -> Value {
    json!({
        "user": left.user.name.as_str(),
        "realm": left.user.realm.as_str(),
        "why": left.why.as_str(),
    })
}
