//! `userlist`: the people whom core knows, which are those who hold tokens.
//!
//! Refuses to search by what is not known of people: that would find all of them, or nobody, for the wrong reason.

use mfa_proto::{name::UserId, pattern::fits};
use serde_json::{Map, Value, json};

use super::{
    super::envelope::Fault,
    Order,
    owners::holders,
    rows::resolver,
    said::{Said, unusable},
    show::MOST_USERS,
    token::detail,
};

/// What LinOTP knows of people beside their names.
const UNKNOWN: [&str; 6] = ["description", "email", "givenname", "surname", "phone", "mobile"];
/// People on a page, where that is not said.
const PAGE: usize = 15;

/// Answers `userlist`.
pub(super) async fn userlist(order: Order<'_>) -> Result<Said, Fault> {
    for field in UNKNOWN {
        if order.asked.get(field).is_some_and(|pattern| pattern != "*") {
            return Err(unusable(field, "it is not known here: search by username, userid and realm"));
        }
    }
    let asked = |name| order.asked.get(name).filter(|pattern| *pattern != "*");
    let (name, realm, id) = (asked("username"), asked("realm"), asked("userid"));
    let mut users = holders(order).await?;
    users.retain(|user| {
        name.is_none_or(|name| fits(name, user.name.as_str()) || fits(name, &user.to_string()))
            && realm.is_none_or(|realm| fits(realm, user.realm.as_str()))
    });
    // Whose number it is shows only when all are looked at.
    let (before, size) = if id.is_some() { (0, users.len()) } else { page(order, users.len())? };
    let queried = users.len();
    let mut rows = Vec::new();
    for user in users.into_iter().skip(before).take(size) {
        if rows.len() >= MOST_USERS {
            return Err(Fault::other(format!(
                "more than {MOST_USERS} users hold tokens: name one, a realm, or turn pages (page, rp)"
            )));
        }
        let mut row = person(order, &user).await?;
        row.insert("resolver".to_owned(), json!(resolver(user.realm.as_str())));
        rows.push(Value::Object(row));
    }
    if let Some(id) = id {
        rows.retain(|row| row.get("userid").and_then(Value::as_str).is_some_and(|known| fits(id, known)));
        let (before, size) = page(order, rows.len())?;
        rows = rows.into_iter().skip(before).take(size).collect();
    }
    Ok(Said::List(rows, queried))
}

/// How many are passed over, and how many shown: all of them where no page is asked for.
fn page(order: Order<'_>, all: usize) -> Result<(usize, usize), Fault> {
    Ok(match (order.count("page")?, order.count("rp")?) {
        (None, None) => (0, all),
        (page, size) => {
            let size = size.unwrap_or(PAGE);
            (page.unwrap_or(1).saturating_sub(1).saturating_mul(size), size)
        }
    })
}

/// What is known of a person, in the fields that LinOTP has for it.
pub(super) async fn person(order: Order<'_>, user: &UserId) -> Result<Map<String, Value>, Fault> {
    let uid = detail(order.desk, user).await?.and_then(|detail| detail.uid);
    let name = user.name.as_str();
    let id = uid.map_or_else(|| name.to_owned(), |uid| uid.to_string());
    let known = [("username", json!(name)), ("userid", json!(id))];
    let unknown = UNKNOWN.map(|field| (field, json!("")));
    let fields = known.into_iter().chain(unknown);
    Ok(fields.map(|(field, value)| (field.to_owned(), value)).collect())
}
