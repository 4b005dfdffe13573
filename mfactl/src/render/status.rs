//! How the daemon is, and what is wrong with its configuration.

use mfa_proto::admin::{ConfigReport, DirectoryState, Restored, Status};
use mfa_proto::text::escape_for_log;

use super::style::{Style, Tone};
use super::table::{Cell, lines};
use super::time::{Now, span};

/// The daemon's state.
pub(crate) fn status(status: &Status, now: &Now, style: Style) -> String {
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
    let logins = format!(
        "{} accepted, {} not accepted, {} without a factor since the start",
        status.accepted, status.denied, status.skipped
    );
    let mut facts = vec![
        [Cell::new("  Store"), store],
        [Cell::new("  Database"), Cell::new(&status.database)],
        [Cell::new("  Key"), key],
        [Cell::new("  Limits"), Cell::new(&format!("profile {}", status.profile))],
        [
            Cell::new("  Users"),
            Cell::new(&format!("{}, {}", status.users, many(status.active_factors, "active factor"))),
        ],
        [Cell::new("  Locked"), count(status.locked, "user", "locked out now")],
        [Cell::new("  Logins"), Cell::new(&logins)],
        [Cell::new("  Connections"), Cell::new(&format!("{} open now", status.connections))],
        [Cell::new("  Egress"), egress(status)],
        [Cell::new("  Waiting"), waiting(status)],
        [Cell::new("  Errors"), count(status.store_errors, "job", "that the store could not do")],
        [Cell::new("  Audit"), Cell::new(&many(status.audit_rows, "row"))],
    ];
    facts.extend(status.directory.iter().map(|state| [Cell::new("  Directory"), directory(state, now)]));
    format!("{}\n{}", style.paint(Tone::Strong, &title), lines(None, facts, &mut [0, 0], style))
}

/// How many; none is as it should be.
fn count(count: u64, what: &str, how: &str) -> Cell {
    if count == 0 {
        return Cell::toned(Tone::Good, "none");
    }
    Cell::toned(Tone::Warn, &format!("{} {how}", many(count, what)))
}

fn egress(status: &Status) -> Cell {
    match &status.egress {
        None => Cell::new("not needed"),
        Some(Ok(())) => Cell::toned(Tone::Good, "answers"),
        Some(Err(why)) => Cell::toned(Tone::Bad, &format!("does not answer: {}", why.as_str())),
    }
}

fn directory(state: &DirectoryState, now: &Now) -> Cell {
    match state {
        DirectoryState::NotAsked => Cell::new("not asked yet"),
        DirectoryState::Answers { at } => Cell::toned(Tone::Good, &format!("answered {}", now.ago(*at))),
        DirectoryState::Fails { since, why } => {
            let since = now.full(Some(*since));
            Cell::toned(Tone::Bad, &format!("cannot be asked since {since}: {}", why.as_str()))
        }
    }
}

fn waiting(status: &Status) -> Cell {
    let jobs = many(u64::from(status.waiting), "job");
    Cell::new(&format!("{jobs} for the store, {} to be sent", many(status.notices, "notice")))
}

/// What is wrong with the configuration, and what deserves a second look; `in_force` is said of a valid one.
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
    for note in &report.notes {
        text.push_str(&style.paint(Tone::Warn, "note:"));
        text.push(' ');
        text.push_str(&escape_for_log(note));
        text.push('\n');
    }
    text
}

/// What a backup is, and what it needs beside it.
pub(crate) fn backup(file: &str, users: u64, keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| escape_for_log(key)).collect();
    format!(
        "Backup written to {file}: {}.\nTo use it, the key {} is needed, which is not in it: keep a copy of the key \
         somewhere else.\n",
        many(users, "user"),
        keys.join(", "),
    )
}

/// What became of a restored database, and what is left to do.
pub(crate) fn restored(file: &str, restored: &Restored) -> String {
    let Restored { users, carried_over, need_resync, recovery_void } = restored;
    let mut text = format!(
        "Restored from {file}: {}. Used codes stay used: {} were known to the database before.\n",
        many(*users, "user"),
        many(*carried_over, "factor"),
    );
    if *need_resync > 0 {
        text.push_str(&many(*need_resync, "counter-based factor"));
        text.push_str(" disabled until: mfactl resync USER, with two codes of the device.\n");
    }
    if *recovery_void > 0 {
        text.push_str(&many(*recovery_void, "set"));
        text.push_str(" of recovery codes void; to make new ones: mfactl recovery new USER\n");
    }
    text.push_str("The database before is kept beside it, as replaced.db. What happened: mfactl audit\n");
    text
}

fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
