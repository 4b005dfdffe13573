//! Findings, the worst first, and how many there are.

use std::fmt::Write;

use serde_json::{Value, json};

use super::style::{Style, Tone};
use crate::doctor::{Finding, Report, Severity};

/// For people: what is as it should be only when `all`.
pub(crate) fn text(report: &Report, all: bool, style: Style) -> String {
    let shown = |finding: &&Finding| all || finding.severity != Severity::Ok;
    let mut text: String = report.sorted().into_iter().filter(shown).map(|one| finding(one, style)).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(report, style));
    text
}

fn finding(finding: &Finding, style: Style) -> String {
    let tone = tone(finding.severity);
    let word = finding.severity.word().to_uppercase();
    let mut text = format!("{:<9} {}: {}\n", style.paint(tone, &word), finding.check, finding.what);
    for (title, line) in [("where", &finding.place), ("do", &finding.remedy)] {
        if let Some(line) = line {
            let _infallible = writeln!(text, "          {title}: {line}");
        }
    }
    text
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Problem => Tone::Bad,
        Severity::Warning | Severity::Unchecked => Tone::Warn,
        Severity::Note => Tone::Plain,
        Severity::Ok => Tone::Good,
    }
}

fn summary(report: &Report, style: Style) -> String {
    let count = |severity, one: &str, many: &str| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {one}")),
        more => Some(format!("{more} {many}")),
    };
    let bad: Vec<String> = [
        count(Severity::Problem, "problem", "problems"),
        count(Severity::Warning, "warning", "warnings"),
        count(Severity::Unchecked, "thing not looked at", "things not looked at"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let fine = report.count(Severity::Ok);
    if bad.is_empty() {
        let notes = count(Severity::Note, "note", "notes").map(|n| format!(", {n}")).unwrap_or_default();
        return format!("{} {fine} checks passed{notes}.\n", style.paint(Tone::Good, "Nothing found:"));
    }
    format!("Found {}; {fine} checks passed.\n", bad.join(", "))
}

/// For programs: all of it.
pub(crate) fn json(report: &Report) -> Value {
    let findings: Vec<Value> = report
        .sorted()
        .into_iter()
        .map(|one| {
            json!({
                "check": one.check,
                "severity": one.severity.word(),
                "what": one.what,
                "where": one.place,
                "remedy": one.remedy,
            })
        })
        .collect();
    json!({
        "ok": report.count(Severity::Ok),
        "notes": report.count(Severity::Note),
        "warnings": report.count(Severity::Warning),
        "problems": report.count(Severity::Problem),
        "unchecked": report.count(Severity::Unchecked),
        "findings": findings,
    })
}
