//! `show`: tokens in pages, of all or of some, sorted.
//!
//! A page of what is known by its owners costs what is on it; what is looked for in the tokens themselves costs all of
//! them. Refuses to go through more users than one request may take: whoever wants them all turns pages.

use mfa_proto::{name::UserId, pattern::fits};
use serde_json::{Map, Value, json};

use super::{
    super::{
        csv::{self, Sheet},
        envelope::Fault,
    },
    Order,
    owners::{Candidate, Owners},
    rows::{Holder, row},
    said::{Done, Said, unusable},
    token::{by_serial, detail, of_detail},
};

/// Users whose tokens are looked at for one answer.
pub(super) const MOST_USERS: usize = 1000;
/// Tokens on a page, where that is not said.
const PAGE: usize = 50;
/// Properties of users that may be asked for beside, at most.
const MOST_FIELDS: usize = 20;
/// What tokens as CSV are stored under.
const FILE: &str = "linotp-tokendata.csv";
type Row = Map<String, Value>;

/// Answers `show`.
pub(super) async fn show(order: Order<'_>) -> Result<Said, Fault> {
    let (delimiter, fields) = (csv::wanted(order.asked)?, user_fields(order)?);
    let (mut rows, page, total) = found(order).await?;
    for row in &mut rows {
        for field in &fields {
            // What is not known of people is empty.
            row.entry(format!("User.{field}")).or_insert_with(|| json!(""));
        }
    }
    Ok(match delimiter {
        Some(delimiter) => Said::Sheet(sheet(&rows, delimiter)),
        None => Said::Value(page.answer(&rows, total)),
    })
}

/// The rows on the page that is asked for, and how many there are in all.
async fn found(order: Order<'_>) -> Result<(Vec<Row>, Page, usize), Fault> {
    let page = Page::of(order)?;
    let (owners, wanted) = (Owners::of(order), Wanted::of(order));
    let serial = order.asked.get("serial").filter(|serial| *serial != "*");
    let exact = serial.filter(|serial| !serial.contains('*'));
    let candidates = match exact {
        // One row of the index instead of all users.
        Some(serial) => match by_serial(order.desk, serial).await? {
            Some(token) if owners.may_be(&token.owner) => vec![(token.owner, 1)],
            Some(_) | None => Vec::new(),
        },
        None => owners.candidates(order).await?,
    };
    if exact.is_none() && wanted.takes_all() {
        let (rows, total) = page.of_candidates(order, candidates).await?;
        return Ok((rows, page, total));
    }
    let mut rows = rows_of(order, candidates.iter().map(|(user, _)| user)).await?;
    rows.retain(|row| owners.take(row) && wanted.takes(row));
    wanted.sort(&mut rows);
    let total = rows.len();
    let rows: Vec<_> = rows.into_iter().skip(page.skipped(total)).take(page.size(total)).collect();
    Ok((rows, page, total))
}

/// Properties of users that are shown beside (`user_fields`).
fn user_fields(order: Order<'_>) -> Result<Vec<&str>, Fault> {
    let names = order.asked.get("user_fields").unwrap_or_default().split(',').map(str::trim);
    let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
    let is_name =
        |name: &&str| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if names.len() > MOST_FIELDS || !names.iter().all(is_name) {
        return Err(unusable("user_fields", "it is names with commas between, 20 of them at most"));
    }
    Ok(names)
}

/// The rows as a file, with a line of names before them.
fn sheet(rows: &[Row], delimiter: char) -> Sheet {
    let mut sheet = Sheet::new(FILE, delimiter);
    if let Some(first) = rows.first() {
        sheet.head(first.keys().map(String::as_str));
    }
    for row in rows {
        sheet.row(row.values());
    }
    sheet
}

/// All rows of some users.
async fn rows_of(order: Order<'_>, users: impl Iterator<Item = &UserId>) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    for (seen, user) in users.enumerate() {
        if seen >= MOST_USERS {
            return Err(Fault::other(format!(
                "more than {MOST_USERS} users hold tokens that this could mean: name a user or a serial, or turn pages (page, pagesize) without filter, sortby and *"
            )));
        }
        let Some(detail) = detail(order.desk, user).await? else { continue };
        let holder = Holder { uid: detail.uid, orphaned: detail.orphaned };
        rows.extend(of_detail(order.desk, &detail).await?.iter().map(|token| row(token, holder)));
    }
    Ok(rows)
}

/// Which rows are wanted beside what is known by their owners, and in which order.
struct Wanted {
    serial: Option<String>,
    /// In any field.
    filter: Option<String>,
    sort: Option<String>,
    descending: bool,
}

impl Wanted {
    fn of(order: Order<'_>) -> Self {
        let asked = order.asked;
        let named = |name: &str| asked.get(name).map(str::to_owned);
        let sort = named("sortby").map(|by| if by.contains('.') { by } else { format!("LinOtp.{by}") });
        let descending = asked.get("sortdir").is_some_and(|way| way.eq_ignore_ascii_case("desc"));
        let filter = named("filter").map(|filter| format!("*{filter}*"));
        Self { serial: named("serial").filter(|serial| serial != "*"), filter, sort, descending }
    }

    fn takes_all(&self) -> bool {
        self.serial.is_none() && self.filter.is_none() && self.sort.is_none()
    }

    fn takes(&self, row: &Row) -> bool {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        self.serial.as_ref().is_none_or(|pattern| fits(pattern, text("LinOtp.TokenSerialnumber")))
            && self
                .filter
                .as_ref()
                .is_none_or(|filter| row.values().filter_map(Value::as_str).any(|text| fits(filter, text)))
    }

    fn sort(&self, rows: &mut [Row]) {
        let Some(by) = &self.sort else { return };
        let key = |row: &Row| {
            let value = row.get(by);
            (value.and_then(Value::as_i64), value.and_then(Value::as_str).map(str::to_lowercase))
        };
        rows.sort_by_cached_key(key);
        if self.descending {
            rows.reverse();
        }
    }
}

/// Which page, of how many tokens; all of them on one where neither is said.
#[derive(Clone, Copy)]
struct Page(Option<(usize, usize)>);

impl Page {
    fn of(order: Order<'_>) -> Result<Self, Fault> {
        let number = |name| {
            let given = order.asked.get(name).map(str::parse::<usize>);
            given.transpose().map_err(|_| unusable(name, "it is a number"))
        };
        let (page, size) = (number("page")?, number("pagesize")?.filter(|size| *size > 0));
        let paged = page.is_some() || size.is_some();
        Ok(Self(paged.then_some((page.unwrap_or(1).max(1), size.unwrap_or(PAGE)))))
    }

    fn size(self, total: usize) -> usize {
        self.0.map_or(total, |(_, size)| size)
    }

    fn skipped(self, total: usize) -> usize {
        self.0.map_or(0, |(page, _)| page.saturating_sub(1).saturating_mul(self.size(total)))
    }

    /// Only the users are asked about whose tokens are on the page.
    async fn of_candidates(
        self,
        order: Order<'_>,
        candidates: Vec<Candidate>,
    ) -> Result<(Vec<Row>, usize), Fault> {
        let total = candidates.iter().map(|(_, held)| held).sum();
        let (mut before, mut users, mut passed) = (self.skipped(total), Vec::new(), 0);
        let end = before.saturating_add(self.size(total));
        for (user, held) in candidates {
            let behind = passed + held;
            if behind > before && passed < end {
                if users.is_empty() {
                    before -= passed;
                }
                users.push(user);
            }
            passed = behind;
        }
        let rows = rows_of(order, users.iter()).await?;
        Ok((rows.into_iter().skip(before).take(self.size(total)).collect(), total))
    }

    fn answer(self, rows: &[Row], total: usize) -> Done {
        let pages = total.div_ceil(self.size(total).max(1)).max(1);
        let page = self.0.map_or(1, |(page, _)| page);
        let resultset =
            json!({ "pages": pages, "pagesize": self.size(total), "tokens": total, "page": page });
        json!({ "data": rows, "resultset": resultset }).into()
    }
}
