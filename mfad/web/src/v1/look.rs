//! Questions that change nothing: who is enrolled, what somebody holds, what happened, how mfad is.

use hyper::StatusCode;
use mfa_proto::{
    admin::{AuditFilter, AuditRow, Reply, Request, Status},
    name::{RealmName, ServiceName, UserId, UserName},
};
use serde_json::{Value, json};

use super::problem;
use crate::{
    answer::Answer,
    call::{BadBody, Call, Params},
    verify::Desk,
};

/// The most rows that are asked for at once.
const MOST_ROWS: u32 = 1000;
/// The largest number that every reader of JSON has exactly.
const MOST_EXACT: i64 = 9_007_199_254_740_991;
/// The end of the year 9999.
const LATEST: i64 = 253_402_300_799;
/// How long the names of verdicts and events may be.
const MAX_WORD: usize = 64;

/// `GET /v1/users`: a page of users, after one.
pub(super) fn users(call: &Call) -> Result<Request, BadBody> {
    let query = call.query();
    // Also where nobody is named in it, lest it be taken for a filter that fits.
    realm(query.get("realm").map(str::to_owned))?;
    let after = query.get("after").map(|_| user(&query, "after")).transpose()?;
    let orphaned = match query.get("orphaned") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(BadBody::Content("`orphaned` is true or false")),
    };
    Ok(Request::List { after, orphaned })
}

/// `GET /v1/factors`: what a user holds.
pub(super) fn factors(call: &Call) -> Result<Request, BadBody> {
    Ok(Request::Show { user: user(&call.query(), "user")? })
}

/// `GET /v1/audit`: rows of the trail.
pub(super) fn audit(call: &Call) -> Result<Request, BadBody> {
    let query = call.query();
    // Also where nobody is named in it, lest it be taken for a filter that fits.
    realm(query.get("realm").map(str::to_owned))?;
    let bad = || BadBody::Content("`after`, `since`, `until` and `last` are whole numbers");
    let number = |name: &str, most: i64| match query.get(name).map(str::parse::<i64>) {
        None => Ok(None),
        Some(Ok(number)) if (0..=most).contains(&number) => Ok(Some(number)),
        Some(_) => Err(bad()),
    };
    let last = query.get("last").map(str::parse::<u32>).transpose().map_err(|_| bad())?;
    let service = query.get("service").map(ServiceName::new).transpose();
    let word = |name: &str| match query.get(name) {
        Some(word) if is_word(word) => Ok(Some(word.to_owned())),
        Some(_) => Err(BadBody::Content("`verdict` and `event` are words of small letters and _")),
        None => Ok(None),
    };
    Ok(Request::Audit(Box::new(AuditFilter {
        after: number("after", MOST_EXACT)?.unwrap_or(0),
        user: query.get("user").map(|_| user(&query, "user")).transpose()?,
        service: service.map_err(|_| BadBody::Content("`service` is no name"))?,
        source: query.get("source").map(mfa_proto::name::Claim::clean),
        verdict: word("verdict")?,
        event: word("event")?,
        since: number("since", LATEST)?,
        until: number("until", LATEST)?,
        last: last.map(|last| last.min(MOST_ROWS)),
    })))
}

fn is_word(text: &str) -> bool {
    (1..=MAX_WORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The user that a parameter names, in the realm that `realm` names.
fn user(query: &Params, name: &str) -> Result<UserId, BadBody> {
    let user = query.get(name).ok_or(BadBody::Content("`user` is missing"))?;
    named(user.to_owned(), query.get("realm").map(str::to_owned))
}

/// A user by name and realm.
pub(super) fn named(user: String, realm: Option<String>) -> Result<UserId, BadBody> {
    let name = UserName::new(user).map_err(|_| BadBody::Content("`user` is no name"))?;
    Ok(UserId { realm: self::realm(realm)?, name })
}

fn realm(name: Option<String>) -> Result<RealmName, BadBody> {
    let realm = name.map_or_else(|| Ok(RealmName::local()), RealmName::new);
    realm.map_err(|_| BadBody::Content("`realm` is no name"))
}

/// Has core answer, and says it in JSON.
pub(super) async fn ask(desk: &Desk, request: Request) -> Answer {
    match desk.admin(request).await {
        Ok(reply) => said(&reply),
        Err(_) => super::unavailable(),
    }
}

fn said(reply: &Reply) -> Answer {
    let ok = |value: &Value| Answer::json(StatusCode::OK, value);
    match reply {
        Reply::Users(page) => Answer::json(StatusCode::OK, page),
        Reply::Orphans(page) => Answer::json(StatusCode::OK, page),
        Reply::User(detail) => Answer::json(StatusCode::OK, detail),
        Reply::Audit(page) => {
            let rows: Vec<Value> = page.rows.iter().map(row).collect();
            ok(&json!({ "rows": rows, "more": page.more, "upto": page.upto }))
        }
        Reply::Status(status) => ok(&how(status)),
        Reply::Enrolled(new) => Answer::json(StatusCode::CREATED, new),
        Reply::Done { factors } => ok(&json!({ "factors": factors })),
        Reply::RecoveryCodes { factor, codes } => {
            Answer::json(StatusCode::CREATED, &super::change::Made { factor: *factor, codes })
        }
        Reply::Sent { to, digits, until } => ok(&json!({ "to": to, "digits": digits, "until": until })),
        Reply::Token(token) => Answer::json(StatusCode::CREATED, &super::change::Token { token }),
        Reply::Refused(refusal) => super::change::refused(refusal),
        Reply::Config(_)
        | Reply::Found { .. }
        | Reply::Devices(_)
        | Reply::Copy { .. }
        | Reply::Restored(_)
        | Reply::Invited { .. }
        | Reply::Remembered(_)
        | Reply::AuditReport(_)
        | Reply::Explained(_)
        | Reply::BreakGlass { .. }
        | Reply::Metrics { .. }
        | Reply::Sealed(_)
        | Reply::Pulled(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "core answered something else than was asked",
        ),
    }
}

fn row(row: &AuditRow) -> Value {
    json!({
        "seq": row.seq,
        "time": row.time,
        "event": row.event,
        "user": row.user,
        "service": row.service,
        "source": row.source,
        "factor": row.factor,
        "rule": row.rule,
        "verdict": row.verdict,
        "reason": row.reason,
        "session": row.session,
        "actor": row.actor,
        "client": row.client,
    })
}

fn how(status: &Status) -> Value {
    json!({
        "version": status.version,
        "uptime": status.uptime,
        "users": status.users,
        "active_factors": status.active_factors,
        "locked": status.locked,
        "accepted": status.accepted,
        "denied": status.denied,
        "skipped": status.skipped,
        "store_ok": status.store.is_ok(),
        "egress_ok": status.egress.as_ref().map(Result::is_ok),
        "profile": status.profile,
    })
}
