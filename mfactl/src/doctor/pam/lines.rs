//! Single lines: what libpam cannot read, what `pam_mfa.so` refuses, and where it does not belong.

use mfa_proto::module::Arguments;
use mfa_proto::text::escape_for_log;
use mfactl::pam::{Code, Entry, Goal, Kind, Outcome, Run, Stack, find};

use super::read::Files;
use super::{CHECK, known};
use crate::doctor::{Finding, Severity};

/// Looks at each line of a stack that holds our module. Gives the arguments of the first such line.
pub(super) fn check(service: &str, stack: &Stack, found: &mut Vec<Finding>) -> Arguments {
    for entry in &stack.entries {
        unreadable(entry, found);
    }
    let ours: Vec<(usize, &Entry)> =
        stack.entries.iter().enumerate().filter(|(_, entry)| known::is_ours(entry)).collect();
    let mut first = None;
    for (_, entry) in &ours {
        let arguments = arguments(entry, found);
        first.get_or_insert(arguments);
    }
    if let [_, (second, entry), ..] = ours.as_slice()
        && both_are_asked(service, stack, *second)
    {
        found.push(
            Finding::new(
                CHECK,
                Severity::Warning,
                "pam_mfa.so stands twice: who gives a code is asked for another one",
            )
            .at(&entry.place)
            .remedy("take one of the two lines away; an included file may hold the other"),
        );
    }
    first.unwrap_or_default()
}

fn unreadable(entry: &Entry, found: &mut Vec<Finding>) {
    let what = match &entry.run {
        Run::MustFail(why) => format!("libpam takes this line for one that always fails: {why}"),
        Run::Module(_) if !entry.control.valid => {
            format!("libpam does not understand `{}`, and takes every outcome for failure", entry.written)
        }
        Run::Module(_) | Run::Substack(_) => return,
    };
    found.push(
        Finding::new(CHECK, Severity::Problem, what).at(&entry.place).remedy("correct the line: pam.conf(5)"),
    );
}

fn arguments(entry: &Entry, found: &mut Vec<Finding>) -> Arguments {
    let mut arguments = Arguments::default();
    for argument in &entry.arguments {
        let Err(why) = arguments.take(argument) else { continue };
        let argument = escape_for_log(argument);
        found.push(
            Finding::new(
                CHECK,
                Severity::Problem,
                format!("pam_mfa.so denies every login, because of `{argument}`: {why}"),
            )
            .at(&entry.place)
            .remedy("correct the argument: pam_mfa(8)"),
        );
    }
    if arguments.ignore_unavailable {
        found.push(
            Finding::new(CHECK, Severity::Warning, "without a daemon nobody is asked for a second factor (unavailable=ignore)")
                .at(&entry.place)
                .remedy("take unavailable=ignore away; it is for a console that must never be locked, if for anything"),
        );
    }
    arguments
}

fn both_are_asked(service: &str, stack: &Stack, second: usize) -> bool {
    let choices = |_: usize, entry: &Entry| {
        if known::is_ours(entry) {
            vec![Outcome::Code(Code::SUCCESS)]
        } else {
            known::outcomes(service, entry)
        }
    };
    find(stack, &choices, Goal::Reach(second)).is_some()
}

/// Our module in stacks of other kinds than `auth`.
pub(super) fn other_kinds(files: &Files<'_>, service: &str, found: &mut Vec<Finding>) {
    for kind in [Kind::Account, Kind::Session, Kind::Password] {
        let Ok(stack) = Stack::read(service, kind, &|name| files.open(name)) else { continue };
        if stack.fallback && service != "other" {
            continue;
        }
        let Some(entry) = stack.entries.iter().find(|entry| known::is_ours(entry)) else { continue };
        let (severity, what) = if kind == Kind::Account {
            (
                Severity::Problem,
                "pam_mfa.so in `account` denies every login: nothing is asked in that phase".to_owned(),
            )
        } else {
            (Severity::Note, format!("pam_mfa.so in `{}` does nothing", kind.word()))
        };
        found.push(
            Finding::new(CHECK, severity, what)
                .at(&entry.place)
                .remedy("it belongs in `auth` alone: take the line away"),
        );
    }
}
