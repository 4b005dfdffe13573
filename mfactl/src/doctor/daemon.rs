//! Whether the daemon answers, and what it says of itself: store, key, egress, configuration, trail.

use mfa_proto::admin::{AuditReport, ConfigReport, RefusalCode, Reply, Request, Status};
use mfa_proto::hello::Protocol;

use super::{Finding, Report, Severity, directory};
use crate::client::{self, Wire};
use crate::commands::Context;
use crate::failure::Failure;

const CHECK: &str = "daemon";
/// Notices that wait: more, and they are not being sent.
const BACKLOG: u64 = 100;

/// Asks the daemon. Says whether it answers who asks: other checks ask it, too.
pub(super) fn check(context: &Context, deep: bool, report: &mut Report) -> bool {
    let mut wire = match context.target.open(Protocol::Admin) {
        Ok(wire) => wire,
        Err(failure) => {
            report.add(unreachable(&failure));
            return false;
        }
    };
    match client::ask(&mut wire, &Request::Status) {
        Ok(Reply::Status(told)) => {
            status(&told, report);
            if let Some(state) = &told.directory {
                directory::check(state, &context.now, report);
            }
        }
        Ok(_) => report.add(problem(&wire.unexpected().to_string())),
        Err(failure) => {
            report.add(refused(CHECK, &failure));
            return false;
        }
    }
    configuration(&mut wire, report);
    if deep {
        trail(&mut wire, report);
    }
    true
}

/// The daemon said no, or what it said makes no sense.
pub(super) fn refused(check: &'static str, failure: &Failure) -> Finding {
    if failure.refused_with(RefusalCode::NotAllowed) {
        return Finding::new(check, Severity::Unchecked, "mfad tells this to root alone")
            .remedy("run it as root: sudo mfactl doctor");
    }
    let what = format!("mfad does not answer: {failure}");
    let said_no = matches!(failure, Failure::Refused { .. });
    let severity = if said_no { Severity::Unchecked } else { Severity::Problem };
    Finding::new(check, severity, what).remedy("journalctl -t mfad says more")
}

fn problem(what: &str) -> Finding {
    Finding::new(CHECK, Severity::Problem, what)
}

fn unreachable(failure: &Failure) -> Finding {
    let denied = matches!(failure, Failure::Unreachable { why, .. } if why == "permission denied");
    let (severity, what) = if denied {
        (Severity::Unchecked, failure.to_string())
    } else {
        (Severity::Problem, format!("{failure}: logins that need a second factor are denied"))
    };
    let finding = Finding::new(CHECK, severity, what);
    match failure.hint() {
        Some(hint) => finding.remedy(hint),
        None => finding,
    }
}

fn status(status: &Status, report: &mut Report) {
    match &status.store {
        Ok(()) => report.ok(CHECK, "the store takes writes"),
        Err(why) => report.add(
            problem(&format!("the store takes no writes, so that all logins are denied: {}", why.as_str()))
                .at(&status.database)
                .remedy("make room on the disk, or put right what it says; journalctl -t mfad"),
        ),
    }
    match &status.egress {
        Some(Err(why)) => report.add(
            problem(&format!(
                "egress does not answer, so that no code is sent and no service asked: {}",
                why.as_str()
            ))
            .remedy("systemctl status mfad-egress; journalctl -t mfad-egress"),
        ),
        Some(Ok(())) => report.ok(CHECK, "egress answers"),
        None => {}
    }
    if status.store_errors > 0 {
        let what = format!("the store failed {} times since the start of mfad", status.store_errors);
        report.add(Finding::new(CHECK, Severity::Warning, what).remedy("journalctl -t mfad -p warning"));
    }
    if status.rows_with_old_key > 0 {
        let what = format!("{} rows are still sealed with an older key", status.rows_with_old_key);
        report.add(
            Finding::new(CHECK, Severity::Note, what)
                .remedy("mfactl reload; keep that key until there are none"),
        );
    }
    if status.notices > BACKLOG {
        let what = format!("{} notices have not been sent", status.notices);
        report.add(Finding::new(CHECK, Severity::Warning, what).remedy("journalctl -t mfad-egress"));
    }
    if status.locked > 0 {
        let what = format!("users that are locked out now: {}", status.locked);
        report.add(Finding::new(CHECK, Severity::Note, what).remedy("who: mfactl list; mfactl unlock USER"));
    }
    let own = env!("CARGO_PKG_VERSION");
    if status.version != own {
        let what = format!("mfad is version {}, this mfactl {own}", status.version);
        report.add(
            Finding::new(CHECK, Severity::Note, what)
                .remedy("systemctl restart mfad, when both are installed anew"),
        );
    }
}

fn configuration(wire: &mut Wire, report: &mut Report) {
    const CHECK: &str = "configuration";
    let told = match client::ask(wire, &Request::ConfigCheck) {
        Ok(Reply::Config(told)) => told,
        Ok(_) => return report.add(Finding::new(CHECK, Severity::Problem, wire.unexpected().to_string())),
        Err(failure) => return report.add(refused(CHECK, &failure)),
    };
    let ConfigReport { valid, problems, notes } = told;
    if valid {
        report.ok(CHECK, "the configuration is valid");
    } else if problems.is_empty() {
        report.add(Finding::new(CHECK, Severity::Problem, "the configuration is not valid"));
    }
    for (severity, texts) in [(Severity::Problem, problems), (Severity::Note, notes)] {
        for text in texts {
            report
                .add(Finding::new(CHECK, severity, text).remedy("edit it, mfad check-config, mfactl reload"));
        }
    }
}

fn trail(wire: &mut Wire, report: &mut Report) {
    const CHECK: &str = "audit";
    match client::ask(wire, &Request::AuditVerify) {
        Ok(Reply::AuditReport(AuditReport { rows, broken_at: None, .. })) => {
            report.ok(CHECK, format!("{rows} rows are as they were written"));
        }
        Ok(Reply::AuditReport(AuditReport { broken_at: Some(row), problem, .. })) => {
            let why = problem.map_or_else(|| "it is not what was written".to_owned(), |why| why.to_string());
            report.add(
                Finding::new(CHECK, Severity::Problem, format!("the trail is broken at row {row}: {why}"))
                    .remedy("mfactl audit verify; who could write to the database?"),
            );
        }
        Ok(_) => report.add(Finding::new(CHECK, Severity::Problem, wire.unexpected().to_string())),
        Err(failure) => report.add(refused(CHECK, &failure)),
    }
}
