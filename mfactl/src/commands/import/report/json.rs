//! The report for programs.

use mfactl::import::Params;
use serde_json::{Value, json};

use super::{
    super::{person::Person, person::Planned, skip::Place, skip::Skip},
    Report,
};
use crate::render;

/// One object for all of it.
pub(super) fn of(report: &Report) -> Value {
    let stopped = report.stopped.as_ref().map(|failure| {
        json!({
            "code": failure.word(),
            "message": failure.to_string(),
            "hint": failure.hint(),
            "exit": failure.exit(),
        })
    });
    let names: Vec<&str> = report.untried.iter().map(mfa_proto::name::UserName::as_str).collect();
    json!({
        "dry_run": report.dry_run,
        "imported": report.imported.iter().map(person).collect::<Vec<_>>(),
        "skipped": report.skipped.iter().map(skip).collect::<Vec<_>>(),
        "left_out": report.left_out,
        "untried": names,
        "in_doubt": report.in_doubt.as_ref().map(mfa_proto::name::UserName::as_str),
        "stopped": stopped,
    })
}

fn person(person: &Person) -> Value {
    let notes = person.notes.iter().map(|(place, note)| {
        json!({"note": note.word(), "text": note.text(), "file": place.path, "line": place.line})
    });
    json!({
        "user": person.name.as_str(),
        "realm": "local",
        "factors": person.factors.iter().map(factor).collect::<Vec<_>>(),
        "recovery": person.recovery.len(),
        "notes": notes.collect::<Vec<_>>(),
    })
}

fn factor(planned: &Planned) -> Value {
    let (algorithm, digits, period, counter) = match planned.factor.params {
        Params::Totp(totp) => (totp.algorithm, totp.digits, Some(totp.period), None),
        Params::Hotp(hotp) => (hotp.algorithm, hotp.digits, None, Some(hotp.counter)),
    };
    let Place { path, line } = &planned.place;
    json!({
        "kind": planned.kind(),
        "label": planned.label.as_str(),
        "algorithm": render::factor::algorithm(algorithm),
        "digits": digits,
        "period": period,
        "counter": counter,
        "file": path,
        "line": line,
    })
}

fn skip(skip: &Skip) -> Value {
    json!({
        "user": skip.user,
        "file": skip.place.path,
        "line": skip.place.line,
        "reason": skip.why,
        "hint": skip.hint,
        "present": skip.present,
    })
}
