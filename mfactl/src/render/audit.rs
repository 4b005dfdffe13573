//! Audit rows, one line each; columns keep their place from page to page.

use mfa_proto::admin::AuditRow;

use super::style::{Style, Tone};
use super::table::{Cell, lines};
use super::time::Now;

const TITLES: [&str; 7] = ["TIME", "EVENT", "USER", "SERVICE", "SOURCE", "VERDICT", "REASON"];

/// The widths of columns so far.
#[derive(Debug)]
pub(crate) struct Widths([usize; 7]);

impl Widths {
    /// Those that most rows keep to, so narrow that these fit 80 columns.
    pub(crate) fn usual() -> Self {
        Self([19, 7, 6, 6, 9, 6, 0])
    }
}

/// One page; with titles when it is the `first`.
pub(crate) fn page(rows: &[AuditRow], first: bool, widths: &mut Widths, now: &Now, style: Style) -> String {
    let cells = rows.iter().map(|row| cells(row, now)).collect();
    lines(first.then_some(TITLES), cells, &mut widths.0, style)
}

fn cells(row: &AuditRow, now: &Now) -> [Cell; 7] {
    let user = row.user.as_ref().map(ToString::to_string).unwrap_or_default();
    let factor = row.factor.map(|id| format!(" (factor {})", id.0)).unwrap_or_default();
    let rule = row.rule.as_ref().map(|rule| format!(" [rule {rule}]")).unwrap_or_default();
    let reason = format!("{}{factor}{rule}", row.reason);
    [
        Cell::new(&now.local(row.time)),
        Cell::new(&row.event),
        Cell::new(&user),
        Cell::new(row.service.as_deref().unwrap_or_default()),
        Cell::new(row.source.as_deref().unwrap_or_default()),
        Cell::toned(tone(&row.verdict), &row.verdict),
        Cell::new(reason.trim()),
    ]
}

fn tone(verdict: &str) -> Tone {
    match verdict {
        "accept" => Tone::Good,
        "deny" | "locked" => Tone::Bad,
        _ => Tone::Plain,
    }
}
