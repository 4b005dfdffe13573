//! How the daemon is, and what is wrong with its configuration.

use mfa_proto::admin::{ConfigReport, Status};
use mfa_proto::text::escape_for_log;

use super::style::{Style, Tone};
use super::table::{Cell, lines};
use super::time::span;

/// The daemon's state.
pub(crate) fn status(status: &Status, style: Style) -> String {
    let uptime = span(i64::try_from(status.uptime).unwrap_or(i64::MAX));
    let title = format!("mfad {}, up {uptime}", escape_for_log(&status.version));
    let store = match &status.store {
        Ok(()) => Cell::toned(Tone::Good, "takes writes"),
        Err(problem) => Cell::toned(Tone::Bad, &format!("DENIES ALL LOGINS: {}", problem.as_str())),
    };
    let key = if status.rows_with_old_key == 0 {
        Cell::new(&status.key)
    } else {
        let rest = status.rows_with_old_key;
        Cell::toned(Tone::Warn, &format!("{}; {rest} rows still under an older key", status.key))
    };
    let logins = format!("{} accepted, {} not accepted since the start", status.accepted, status.denied);
    let facts = vec![
        [Cell::new("  Store"), store],
        [Cell::new("  Key"), key],
        [Cell::new("  Limits"), Cell::new(&format!("profile {}", status.profile))],
        [
            Cell::new("  Users"),
            Cell::new(&format!("{}, {} active factors", status.users, status.active_factors)),
        ],
        [Cell::new("  Logins"), Cell::new(&logins)],
        [Cell::new("  Connections"), Cell::new(&format!("{} open now", status.connections))],
        [Cell::new("  Audit"), Cell::new(&format!("{} rows", status.audit_rows))],
    ];
    format!("{}\n{}", style.paint(Tone::Strong, &title), lines(None, facts, &mut [0, 0], style))
}

/// What is wrong with the configuration; `in_force` is said of a valid one.
pub(crate) fn config(report: &ConfigReport, in_force: &str, style: Style) -> String {
    let mut text = if report.valid {
        style.paint(Tone::Good, in_force)
    } else {
        style.paint(Tone::Bad, "The configuration is not valid; the daemon keeps the one it has.")
    };
    text.push('\n');
    for problem in &report.problems {
        text.push_str("  ");
        text.push_str(&escape_for_log(problem));
        text.push('\n');
    }
    text
}
