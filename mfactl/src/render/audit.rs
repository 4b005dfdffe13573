//! Audit rows, one line each; columns keep their place from page to page.

use mfa_proto::admin::{AuditReport, AuditRow};
use mfa_proto::text::{ShownText, escape_for_log};

use super::hex;
use super::style::{Style, Tone};
use super::table::{Cell, lines};
use super::time::Now;
use crate::cli::Link;

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

/// How the trail is; `unlike` are links that were expected and are not there.
pub(crate) fn report(report: &AuditReport, unlike: &[Link], style: Style) -> String {
    let rows = if report.rows == 1 { "row" } else { "rows" };
    let mut text = match report.broken_at {
        None if report.rows == 0 => style.paint(Tone::Good, "The audit trail is whole: it has no rows."),
        None => {
            let whole = format!("The audit trail is whole: {} {rows},", report.rows);
            let which = if report.rows == 1 {
                format!("number {}", report.last)
            } else {
                format!("{} to {}", report.first, report.last)
            };
            format!("{} {which}.", style.paint(Tone::Good, &whole))
        }
        Some(at) => {
            let problem = report.problem.as_ref().map_or("no reason given", ShownText::as_str);
            let broken = style.paint(Tone::Bad, "The audit trail is BROKEN:");
            let sound = match report.rows {
                0 => "No row before it is sound.".to_owned(),
                sound => format!("The {sound} {rows} before row {at} are as they were written."),
            };
            format!("{broken} {}.\n{sound}", escape_for_log(problem))
        }
    };
    text.push('\n');
    for link in unlike {
        let missing = format!("Row {} is not the one that was expected, or is gone.", link.seq);
        text.push_str(&style.paint(Tone::Bad, &missing));
        text.push('\n');
    }
    if report.broken_at.is_none() && unlike.is_empty() {
        let end = format!("Its end, to be kept elsewhere: {}:{}\n", report.last, hex(&report.chain));
        text.push_str(&end);
    }
    text
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
