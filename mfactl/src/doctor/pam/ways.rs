//! Is there a way to a yes on which `pam_mfa.so` did not say yes? Found by walking the stack with every outcome.

use mfactl::pam::{Action, Code, Entry, Goal, Outcome, Stack, Step, find};

use super::{CHECK, known};
use crate::doctor::{Finding, Severity};

/// Looks for ways around our module, and for none at all.
pub(super) fn check(service: &str, stack: &Stack, found: &mut Vec<Finding>) {
    if let Some(way) = around(service, stack, Conditions::Off) {
        found.push(told(stack, &way, Severity::Problem));
        return;
    }
    if let Some(way) = around(service, stack, Conditions::On) {
        found.push(told(stack, &way, Severity::Note));
    }
    if !grants(service, stack, &[Outcome::Code(Code::SUCCESS)]) {
        let what = "nobody is let in, not even with the right code: no outcome of the other modules grants";
        found.push(at_ours(stack, Severity::Problem, what).remedy("pam.conf(5); compare etc/pam.d"));
        return;
    }
    if !grants(service, stack, &[Outcome::Code(Code::IGNORE)]) {
        let what =
            "a policy rule with `skip` denies here: pam_mfa.so answers \"ignore\", and nothing else says yes";
        found.push(
            at_ours(stack, Severity::Note, what)
                .remedy("where rules shall skip: auth required pam_permit.so as the last line, after a line that ends the stack when it fails (requisite)"),
        );
    }
    if let Some(finding) = replaces_the_password(stack) {
        found.push(finding);
    }
}

/// Whether modules that decide by a condition may have any outcome, or stand as if they were not there.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Conditions {
    Off,
    On,
}

/// A way to a yes while our module fails, or is not asked.
fn around(service: &str, stack: &Stack, conditions: Conditions) -> Option<Vec<Step>> {
    let choices = |_: usize, entry: &Entry| {
        if known::is_ours(entry) {
            return known::refusals();
        }
        // That root may do as root is no way around.
        if known::lets_root(service, entry) {
            return vec![Outcome::Absent];
        }
        let always = known::outcomes(service, entry);
        let free = always.len() > 1;
        if free && known::is_condition(entry) && conditions == Conditions::Off {
            return vec![Outcome::Absent];
        }
        always
    };
    find(stack, &choices, Goal::Grant)
}

fn grants(service: &str, stack: &Stack, ours: &[Outcome]) -> bool {
    let choices = |_: usize, entry: &Entry| {
        if known::is_ours(entry) { ours.to_vec() } else { known::outcomes(service, entry) }
    };
    find(stack, &choices, Goal::Grant).is_some()
}

/// With a right code the stack grants though every first factor failed.
fn replaces_the_password(stack: &Stack) -> Option<Finding> {
    if !stack.entries.iter().any(known::is_first_factor) {
        return None;
    }
    let choices = |_: usize, entry: &Entry| {
        if known::is_first_factor(entry) {
            return known::refusals();
        }
        if known::is_condition(entry) {
            return vec![Outcome::Absent];
        }
        known::outcomes("", entry)
    };
    let way = find(stack, &choices, Goal::Grant)?;
    let by_us = way.iter().any(|step| stack.entries.get(step.entry).is_some_and(known::is_ours));
    by_us.then(|| {
        let what = "with a right code the password may be wrong: pam_mfa.so replaces it";
        at_ours(stack, Severity::Problem, what).remedy("write `required` for pam_mfa.so, after the password")
    })
}

fn at_ours(stack: &Stack, severity: Severity, what: &str) -> Finding {
    let finding = Finding::new(CHECK, severity, what);
    match stack.entries.iter().find(|entry| known::is_ours(entry)) {
        Some(entry) => finding.at(&entry.place),
        None => finding,
    }
}

/// The way in words: what happens at the line that leads around, and what to write instead.
fn told(stack: &Stack, way: &[Step], severity: Severity) -> Finding {
    let entry = |step: &Step| stack.entries.get(step.entry);
    let failed = way.iter().find(|step| entry(step).is_some_and(known::is_ours));
    match (failed, failed.and_then(entry)) {
        (Some(step), Some(ours)) => failure_counts_for_nothing(stack, way, step, ours),
        _ => not_asked(stack, way, severity),
    }
}

fn failure_counts_for_nothing(stack: &Stack, way: &[Step], step: &Step, ours: &Entry) -> Finding {
    let Outcome::Code(code) = step.outcome else {
        return Finding::new(CHECK, Severity::Problem, "pam_mfa.so may fail");
    };
    let action = ours.control.action(code);
    if matches!(action, Action::Bad | Action::Die) {
        let reset = way.iter().filter_map(|step| stack.entries.get(step.entry)).next_back();
        let place = reset.map_or(&ours.place, |entry| &entry.place);
        let what =
            format!("pam_mfa.so may fail ({}), and a later line resets that: the stack grants", code.word());
        return Finding::new(CHECK, Severity::Problem, what)
            .at(place)
            .remedy("put pam_mfa.so after the line that resets, or write requisite");
    }
    let what = format!(
        "pam_mfa.so may fail ({}) and the stack grants all the same: `{}` passes over it",
        code.word(),
        ours.written
    );
    Finding::new(CHECK, Severity::Problem, what)
        .at(&ours.place)
        .remedy("write `required` (or `requisite`) for pam_mfa.so: auth required pam_mfa.so")
}

fn not_asked(stack: &Stack, way: &[Step], severity: Severity) -> Finding {
    let ours = known::ours(stack).unwrap_or_default();
    let passing = way.iter().rev().find(|step| step.entry < ours);
    let by = passing.and_then(|step| Some((step, stack.entries.get(step.entry)?)));
    let Some((step, entry)) = by else {
        return at_ours(stack, severity, "there is a way to a yes without pam_mfa.so")
            .remedy("put it where every way passes it");
    };
    let (does, code) = match step.outcome {
        Outcome::Code(code) => (entry.control.action(code), code.word()),
        Outcome::Absent => (Action::Ignore, "passed over"),
    };
    let how = match does {
        Action::Done => "ends the stack with yes before pam_mfa.so is asked",
        Action::Jump(_) => "jumps over pam_mfa.so",
        Action::Ignore | Action::Ok | Action::Bad | Action::Die | Action::Reset => "leads past pam_mfa.so",
    };
    let what = format!("{} ({code}, `{}`) {how}", entry.module(), entry.written);
    let remedy = if severity == Severity::Note {
        "a condition decides who is not asked: see that it is meant; a policy rule with `skip` would be in the trail"
    } else if does == Action::Done {
        "include that file by `substack` in place of `include`, or write [success=N] so that a success goes on at pam_mfa.so"
    } else {
        "count the lines of the jump again: it has to end before pam_mfa.so"
    };
    Finding::new(CHECK, severity, what).at(&entry.place).remedy(remedy)
}
