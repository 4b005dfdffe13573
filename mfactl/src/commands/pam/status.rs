//! `pam status`: which services ask, who put it there, what waits.

use std::fmt::Write as _;

use serde_json::json;

use super::super::Context;
use crate::apply::{self, Record, State};
use crate::doctor::pam::{Judged, Model, said};
use crate::doctor::{Finding, Severity};
use crate::failure::{Failure, exit};
use crate::render::time::rfc3339;

/// Shows it.
pub(super) fn run(context: &mut Context) -> Result<u8, Failure> {
    let host = super::here();
    let model = Model::of(&host);
    let known: Vec<Record> = records(context)?;
    let mut rows = Vec::new();
    let mut asking = Vec::new();
    let mut bad = false;
    let mut services = model.services().map_err(|finding| apply::unanswered(&finding))?;
    services.extend(known.iter().map(|record| record.service.clone()));
    services.sort();
    services.dedup();
    for service in services {
        let judged = model.judge(&service, None).map_err(|finding| apply::unanswered(&finding))?;
        let record = known.iter().find(|record| record.service == service);
        if judged.asking.is_none() && record.is_none() {
            continue;
        }
        bad |= judged.has(Severity::Problem);
        context.out.text(&text(context, &service, &judged, record))?;
        rows.push(row(&service, &judged, record));
        asking.extend(judged.asking);
    }
    if rows.is_empty() {
        context.out.text("No service asks for a code. To begin: mfactl pam enable sshd\n")?;
    }
    let of_sshd = asking.iter().any(|one| one.service == "sshd");
    let found = if of_sshd { apply::settings_of(&host, &asking) } else { Vec::new() };
    bad |= !apply::asks_all(&found);
    for finding in &found {
        context.out.text(&line(finding))?;
    }
    context.out.json(&json!({ "services": rows, "sshd": { "findings": findings(&found) } }))?;
    Ok(if bad { exit::FAILED } else { exit::OK })
}

/// What is on record; to others than root it is closed.
fn records(context: &mut Context) -> Result<Vec<Record>, Failure> {
    if !nix::unistd::geteuid().is_root() {
        context.out.note("What waits to be confirmed is told to root alone.");
        return Ok(Vec::new());
    }
    let mut known = Vec::new();
    for record in State::of_host().records()? {
        match record {
            Ok(record) => known.push(record),
            Err(failure) => context.out.note(&failure.to_string()),
        }
    }
    Ok(known)
}

fn waits(record: &Record) -> Option<i64> {
    let state = State::of_host();
    state.pending_for(&record.service).ok().flatten().and_then(|pending| pending.until)
}

fn text(context: &Context, service: &str, judged: &Judged, record: Option<&Record>) -> String {
    let how = match &judged.asking {
        Some(asking) if asking.first_factor => "asks for a code after the password",
        Some(_) => "asks for a code alone, after what the program checks itself",
        None => "asks for no code, though it was enabled: its file was changed since",
    };
    let by = match record {
        Some(record) => format!(", since {}", context.now.full(Some(record.since))),
        None => ", put there by hand or by the distribution's profile".to_owned(),
    };
    let mut text = format!("{service}: {how}{by}\n");
    if let Some(until) = record.and_then(waits) {
        let (at, ago) = (context.now.local(until), context.now.ago(until));
        let _infallible = writeln!(text, "  waits to be confirmed: taken back at {at} ({ago})");
    }
    if record.is_some_and(|record| record.rule.is_some()) {
        text.push_str("  optional: users without a factor get in without a code\n");
    }
    for finding in judged.found.iter().filter(|finding| finding.severity != Severity::Ok) {
        text.push_str(&line(finding));
    }
    text
}

fn line(finding: &Finding) -> String {
    let what = format!("  {}: {}\n", finding.severity.word(), said(finding));
    match &finding.remedy {
        Some(remedy) => format!("{what}    do: {remedy}\n"),
        None => what,
    }
}

fn row(service: &str, judged: &Judged, record: Option<&Record>) -> serde_json::Value {
    let until = record.and_then(waits);
    let since = record.map(|record| record.since);
    json!({
        "service": service,
        "asks": judged.asking.is_some(),
        "by": if record.is_some() { "mfactl" } else { "other" },
        "since": since,
        "since_rfc3339": since.and_then(rfc3339),
        "until": until,
        "until_rfc3339": until.and_then(rfc3339),
        "optional": record.is_some_and(|record| record.rule.is_some()),
        "drop_in": record.and_then(|record| record.drop_in.as_ref()).map(|made| made.path.clone()),
        "findings": findings(&judged.found),
    })
}

fn findings(found: &[Finding]) -> Vec<serde_json::Value> {
    let worth = found.iter().filter(|finding| finding.severity != Severity::Ok);
    worth
        .map(|one| {
            json!({ "severity": one.severity.word(), "what": one.what, "where": one.place, "remedy": one.remedy })
        })
        .collect()
}
