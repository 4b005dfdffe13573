//! `/audit/search`: the trail as rows of LinOTP's, newest or oldest first, in pages.
//!
//! Looks at the latest rows of a user, or of all, as many as one request may take. Refuses to say of a row that it is
//! sound: what links them is core's secret (`mfactl audit verify`), so that field is empty.

use std::collections::HashMap;

use jiff::Timestamp;
use mfa_proto::{
    admin::{AuditFilter, AuditRow, FactorId, Reply, Request},
    name::UserId,
    pattern::fits,
    tag::Serial,
};
use mfa_role::config::Right;
use serde_json::{Value, json};

use super::{
    admin::{Order, Said, asked, refused, senseless, serials_of},
    csv::{self, Sheet},
    envelope::Fault,
};

/// Rows that are looked at for one answer.
const LATEST: u32 = 2000;
/// Rows on a page, where that is not said.
const PAGE: usize = 15;
/// The most rows on a page.
const MOST: usize = 500;
/// What rows as CSV are stored under.
const FILE: &str = "linotp-audit.csv";
/// What the fields of a row are called, in their order.
const FIELDS: [&str; 17] = [
    "number",
    "date",
    "sig_check",
    "missing_line",
    "action",
    "success",
    "serial",
    "token_type",
    "user",
    "realm",
    "administrator",
    "action_detail",
    "info",
    "linotp_server",
    "client",
    "log_level",
    "clearance_level",
];

/// Answers `search`: what it says stands in no envelope. As CSV it is all rows where no page is asked for.
pub(super) async fn search(order: Order<'_>) -> Result<Said, Fault> {
    let delimiter = csv::wanted(order.asked)?;
    let turned = ["page", "rp"].into_iter().any(|name| order.asked.get(name).is_some());
    let (page, size) = match delimiter {
        Some(_) if !turned => (1, usize::MAX),
        Some(_) | None => (order.count("page")?.unwrap_or(1), order.count("rp")?.unwrap_or(PAGE).min(MOST)),
    };
    let wanted = Wanted::of(order);
    let mut rows = latest(order).await?;
    rows.retain(|row| wanted.takes(row));
    sort(order, &mut rows);
    let total = rows.len();
    let before = page.saturating_sub(1).saturating_mul(size);
    let mut serials = Serials { order, known: HashMap::new() };
    let mut shown = Vec::new();
    for row in rows.into_iter().skip(before).take(size) {
        let serial = serials.of(&row).await;
        shown.push((row.seq, cell(&row, &serial)));
    }
    if let Some(delimiter) = delimiter {
        return Ok(Said::Sheet(sheet(order, &shown, delimiter)));
    }
    let rows: Vec<_> = shown.iter().map(|(id, cell)| json!({ "id": id, "cell": cell })).collect();
    Ok(Said::Bare(json!({ "page": page, "rows": rows, "total": total })))
}

/// The rows as a file, behind a line of names where that is asked for (`headers`, whatever it says).
fn sheet(order: Order<'_>, rows: &[(i64, [Value; 17])], delimiter: char) -> Sheet {
    let mut sheet = Sheet::new(FILE, delimiter);
    if order.asked.raw("headers").is_some() {
        sheet.head(FIELDS);
    }
    for (_, cell) in rows {
        sheet.row(cell);
    }
    sheet
}

/// The latest rows of the user that is named, or of all, oldest first.
async fn latest(order: Order<'_>) -> Result<Vec<AuditRow>, Fault> {
    let named = order.asked.get("user").filter(|user| !is_pattern(user));
    let user = named.and_then(|name| super::asked::user(name, order.asked.get("realm"), order.terms).ok());
    let whose = user.as_ref().map_or_else(|| "everybody".to_owned(), UserId::to_string);
    let mut filter = AuditFilter { user, last: Some(LATEST), ..AuditFilter::default() };
    let mut rows = Vec::new();
    loop {
        let page = match asked(order.desk, Request::Audit(Box::new(filter.clone()))).await? {
            Ok(Reply::Audit(page)) => page,
            Ok(reply) => return Err(senseless(&reply)),
            Err(refusal) => return Err(refused(&refusal, &whose)),
        };
        let last = page.rows.last().map(|row| row.seq);
        rows.extend(page.rows);
        match last {
            Some(last) if page.more && last > filter.after => {
                filter = AuditFilter { after: last, last: None, ..filter }
            }
            Some(_) | None => break,
        }
    }
    Ok(rows)
}

/// Which rows are wanted. SQL's `%` and a star stand for anything.
struct Wanted {
    fields: Vec<(&'static str, String)>,
    /// One of them is enough.
    any: bool,
}

impl Wanted {
    fn of(order: Order<'_>) -> Self {
        let query = order.asked.get("query").map(str::to_owned).unwrap_or_default();
        let mut fields: Vec<_> =
            FIELDS.iter().filter_map(|name| Some((*name, order.asked.get(name)?.to_owned()))).collect();
        match order.asked.get("qtype") {
            Some("extsearch") => {
                let pairs = query.split(';').filter_map(|pair| pair.split_once('='));
                fields
                    .extend(pairs.filter_map(|(name, value)| Some((known(name.trim())?, value.to_owned()))));
            }
            Some(name) if !query.is_empty() => {
                fields.extend(known(name).map(|name| (name, query)));
            }
            Some(_) | None => {}
        }
        fields.retain(|(_, pattern)| !pattern.is_empty());
        Self { fields, any: order.asked.is_true("or") }
    }

    fn takes(&self, row: &AuditRow) -> bool {
        let mut fit = self.fields.iter().map(|(name, pattern)| {
            let pattern = pattern.replace('%', "*");
            let text = text(row, name);
            fits(&pattern, &text)
                || (*name == "user" && row.user.as_ref().is_some_and(|u| fits(&pattern, &u.to_string())))
        });
        if self.any { self.fields.is_empty() || fit.any(|fit| fit) } else { fit.all(|fit| fit) }
    }
}

/// As `sortname` and `sortorder` say: by number where nothing is said.
fn sort(order: Order<'_>, rows: &mut [AuditRow]) {
    match order.asked.get("sortname").and_then(known) {
        None | Some("number" | "date") => {}
        Some(name) => rows.sort_by_cached_key(|row| text(row, name)),
    }
    if order.asked.get("sortorder").is_some_and(|way| way.eq_ignore_ascii_case("desc")) {
        rows.reverse();
    }
}

fn known(name: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|known| *known == name)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['%', '*'])
}

/// A field that can be searched: what is looked up elsewhere is empty.
fn text(row: &AuditRow, name: &str) -> String {
    let place = FIELDS.iter().position(|known| *known == name);
    let cells = cell(row, "");
    match place.and_then(|place| cells.get(place)) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// The fields of a row, in their order.
fn cell(row: &AuditRow, serial: &str) -> [Value; 17] {
    let user = row.user.as_ref();
    let (uid, client) = (row.actor, row.client.as_deref());
    let administrator = match client {
        Some(client) => client.to_owned(),
        None if row.event == "login" => String::new(),
        None => format!("uid {uid}"),
    };
    let success = matches!(row.verdict.as_str(), "accept" | "skip" | "done");
    let date =
        Timestamp::from_second(row.time).map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00").to_string());
    [
        json!(row.seq),
        json!(date.unwrap_or_default()),
        json!(""),
        json!(""),
        json!(action(&row.event)),
        json!(if success { "1" } else { "0" }),
        json!(serial),
        json!(""),
        json!(user.map_or("", |user| user.name.as_str())),
        json!(user.map_or("", |user| user.realm.as_str())),
        json!(administrator),
        json!(row.rule.as_deref().unwrap_or_default()),
        json!(if row.reason.is_empty() { row.verdict.clone() } else { row.reason.clone() }),
        json!("mfad"),
        json!(row.source.as_deref().unwrap_or_default()),
        json!("INFO"),
        json!(0),
    ]
}

/// What LinOTP calls it; what it does not have keeps its own name.
fn action(event: &str) -> String {
    match event {
        "login" => "validate/check".to_owned(),
        "enroll" | "enroll_replace" => "admin/init".to_owned(),
        "pin_set" | "pin_clear" | "describe" => "admin/set".to_owned(),
        "identify" => "admin/getSerialByOtp".to_owned(),
        "enable" | "disable" | "remove" | "assign" | "unassign" | "resync" | "reset" => {
            format!("admin/{event}")
        }
        _ => format!("mfad/{event}"),
    }
}

/// The serial numbers of tokens, for clients that may read them. Each user is asked about once.
struct Serials<'a> {
    order: Order<'a>,
    known: HashMap<UserId, HashMap<FactorId, Serial>>,
}

impl Serials<'_> {
    /// Of the token of a row; empty for one that is gone.
    async fn of(&mut self, row: &AuditRow) -> String {
        let Some((user, factor)) = row.user.as_ref().zip(row.factor) else { return String::new() };
        if !self.order.desk.client().rights.include(Right::FactorsRead) {
            return String::new();
        }
        if !self.known.contains_key(user) {
            self.known.insert(user.clone(), serials_of(self.order.desk, user).await);
        }
        let serial = self.known.get(user).and_then(|serials| serials.get(&FactorId(factor.0)));
        serial.map(Serial::to_string).unwrap_or_default()
    }
}
