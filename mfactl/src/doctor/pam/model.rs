//! One service's stack judged as if its file said something else: what an edit would come to, before it is made.
//!
//! Refuses to judge by other rules than the check of the stacks that are there.

use mfactl::pam::{Action, Code, Entry, Goal, Kind, Outcome, Source, Stack, find};

use super::read::Files;
use super::{Asking, known, look};
use crate::doctor::host::Host;
use crate::doctor::{Finding, Severity};

/// What becomes of a service.
#[derive(Debug)]
pub(crate) struct Judged {
    /// Its stack asks for a second factor.
    pub(crate) asking: Option<Asking>,
    /// A first factor stands before our module.
    pub(crate) after_password: bool,
    /// What is wrong with it.
    pub(crate) found: Vec<Finding>,
}

impl Judged {
    /// Whether one of the findings is as bad as that.
    pub(crate) fn has(&self, severity: Severity) -> bool {
        self.found.iter().any(|finding| finding.severity == severity)
    }
}

/// The PAM files of a host, for questions about one service.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    host: &'a Host,
}

impl<'a> Model<'a> {
    /// Of this host.
    pub(crate) const fn of(host: &'a Host) -> Self {
        Self { host }
    }

    fn files(&self, instead: Option<(&str, &str)>) -> Result<Files<'a>, Finding> {
        let files = Files::of(self.host)?;
        Ok(match instead {
            Some((service, text)) => files.with(service, text),
            None => files,
        })
    }

    /// The services there are; files that are only included are none.
    pub(crate) fn services(&self) -> Result<Vec<String>, Finding> {
        Ok(self.files(None)?.services().to_vec())
    }

    /// The file of a service, as libpam finds it.
    pub(crate) fn source(&self, service: &str) -> Result<Option<Source>, Finding> {
        let files = self.files(None)?;
        let found = files.open(service);
        match files.take_faults().pop() {
            Some(fault) => Err(fault),
            None => Ok(found),
        }
    }

    /// The service, with its file as it is or as if it said `text`.
    pub(crate) fn judge(&self, service: &str, text: Option<&str>) -> Result<Judged, Finding> {
        Ok(judged(service, &self.files(text.map(|text| (service, text)))?))
    }

    /// The service, as if another file, which it may include, said `text`.
    pub(crate) fn judge_with(&self, service: &str, file: &str, text: &str) -> Result<Judged, Finding> {
        Ok(judged(service, &self.files(Some((file, text)))?))
    }

    /// Whether a line before our module may jump over it, when the file says `text`.
    pub(crate) fn is_jumped_over(&self, service: &str, text: &str) -> Result<bool, Finding> {
        let Some(stack) = Self::stack(&self.files(Some((service, text)))?, service) else { return Ok(false) };
        let Some(ours) = known::ours(&stack) else { return Ok(false) };
        let crosses = |(at, entry): (usize, &Entry)| {
            let jumps = Code::all().into_iter().filter_map(|code| match entry.control.action(code) {
                Action::Jump(lines) => Some(lines),
                Action::Ignore | Action::Ok | Action::Done | Action::Bad | Action::Die | Action::Reset => {
                    None
                }
            });
            jumps.into_iter().any(|lines| at.saturating_add(lines) >= ours)
        };
        Ok(stack.entries.iter().enumerate().take(ours).any(crosses))
    }

    /// How many lines with a first factor the stack has when its file says `text`.
    pub(crate) fn first_factors(&self, service: &str, text: &str) -> Result<usize, Finding> {
        let stack = Self::stack(&self.files(Some((service, text)))?, service);
        // Without lines of its own it would be that of `other`.
        Ok(stack
            .filter(|stack| !stack.fallback)
            .map_or(0, |stack| stack.entries.iter().filter(|e| known::is_first_factor(e)).count()))
    }

    /// Why a stack from which our module was taken must not stay as `text` has it, where it was `before`: it lets in
    /// without a password, or nobody at all.
    pub(crate) fn unfit_without(
        &self,
        service: &str,
        before: &str,
        text: &str,
    ) -> Result<Option<&'static str>, Finding> {
        let with = |text: &str| Ok(Self::stack(&self.files(Some((service, text)))?, service));
        let (Some(before), Some(stack)) = (with(before)?, with(text)?) else { return Ok(None) };
        let with_password = |_: usize, entry: &Entry| {
            if known::is_first_factor(entry) {
                return vec![Outcome::Code(Code::SUCCESS)];
            }
            known::outcomes(service, entry)
        };
        // Whom a condition lets in without is for the administrator to say, but it may be nobody else than before.
        let more = without_password(service, &stack, false) && !without_password(service, &before, false);
        Ok(if without_password(service, &stack, true) || more {
            Some("without pam_mfa.so it lets in without a password")
        } else if find(&stack, &with_password, Goal::Grant).is_none() {
            Some("without pam_mfa.so nobody is let in, not even with the right password")
        } else {
            None
        })
    }

    fn stack(files: &Files<'_>, service: &str) -> Option<Stack> {
        Stack::read(service, Kind::Auth, &|name| files.open(name)).ok()
    }
}

fn judged(service: &str, files: &Files<'_>) -> Judged {
    let mut found = Vec::new();
    let asking = look(files, service, &mut found);
    let after_password = Model::stack(files, service).is_some_and(|stack| {
        let ours = known::ours(&stack).unwrap_or_default();
        stack.entries.iter().take(ours).any(known::is_first_factor)
    });
    found.extend(files.take_faults());
    Judged { asking, after_password, found }
}

/// Whether a stack grants though every first factor failed, with a right code where it is asked for one. Modules that
/// decide by a condition count for nothing when they are `passed`, else as it suits.
fn without_password(service: &str, stack: &Stack, passed: bool) -> bool {
    let choices = |_: usize, entry: &Entry| {
        if known::is_first_factor(entry) {
            return known::refusals();
        }
        if known::is_ours(entry) {
            return vec![Outcome::Code(Code::SUCCESS)];
        }
        if known::is_condition(entry) && (passed || known::lets_root(service, entry)) {
            return vec![Outcome::Absent];
        }
        known::outcomes(service, entry)
    };
    find(stack, &choices, Goal::Grant).is_some()
}

/// A finding as a failure's text.
pub(crate) fn said(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}{}", finding.what)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn host(name: &str) -> Host {
        let place: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor").join(name);
        Host::below(&place)
    }

    #[test]
    fn an_edit_is_judged_before_it_is_made() {
        let host = host("debian");
        let model = Model::of(&host);
        let good = "@include common-auth\nauth required pam_mfa.so\n";
        let judged = model.judge("login", Some(good)).unwrap();
        assert!(judged.asking.is_some() && judged.after_password, "{judged:?}");
        assert!(!judged.has(Severity::Problem) && !judged.has(Severity::Warning), "{judged:?}");
        let early = model.judge("login", Some("auth required pam_mfa.so\n@include common-auth\n")).unwrap();
        assert!(!early.after_password && early.has(Severity::Warning), "{early:?}");
        let ignored = model.judge("login", Some("@include common-auth\nauth optional pam_mfa.so\n")).unwrap();
        assert!(ignored.has(Severity::Problem), "{ignored:?}");
    }

    #[test]
    fn what_is_left_must_ask_for_the_password() {
        let host = host("debian");
        let model = Model::of(&host);
        assert_eq!(
            model.unfit_without("sshd", "@include common-auth\n", "@include common-auth\n").unwrap(),
            None
        );
        assert!(
            model
                .unfit_without("sshd", "@include common-auth\n", "auth required pam_permit.so\n")
                .unwrap()
                .is_some()
        );
        assert!(
            model
                .unfit_without("sshd", "@include common-auth\n", "auth required pam_deny.so\n")
                .unwrap()
                .is_some()
        );
    }
}
