//! The PAM stacks that hold `pam_mfa.so`: is there a way around it, and does it stand where it should?
//!
//! Refuses to guess by the look of lines: each stack is walked as libpam walks it.

mod known;
mod lines;
mod model;
mod module;
mod order;
mod read;
mod ways;

use std::path::Path;

pub(crate) use self::model::{Judged, Model, said};
pub(crate) use self::module::look as module;

use mfa_proto::module::Arguments;
use mfactl::pam::{Kind, Stack};

use self::read::Files;
use super::host::Host;
use super::{Finding, Report, Severity, sockets};

const CHECK: &str = "pam";
/// Our module.
pub(crate) const OURS: &str = "pam_mfa.so";

/// A service whose stack asks for a second factor.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    /// Its name.
    pub(crate) service: String,
    /// What the module is told there.
    pub(crate) arguments: Arguments,
    /// Some module asks for a password, or another first factor.
    pub(crate) first_factor: bool,
}

/// Looks at all services. Says which ask for a second factor.
pub(super) fn check(host: &Host, report: &mut Report) -> Vec<Asking> {
    let files = match Files::of(host) {
        Ok(files) => files,
        Err(finding) => {
            report.add(finding);
            return Vec::new();
        }
    };
    let mut asking = Vec::new();
    let mut found: Vec<(Vec<String>, Finding)> = Vec::new();
    for service in files.services() {
        let mut one = Vec::new();
        asking.extend(look(&files, service, &mut one));
        for finding in one {
            merge(&mut found, service, finding);
        }
    }
    for finding in files.take_faults() {
        report.add(finding);
    }
    for (services, mut finding) in found {
        finding.what = format!("{}: {}", services.join(", "), finding.what);
        report.add(finding);
    }
    if asking.is_empty() && !files.services().is_empty() {
        let what = "no PAM stack holds pam_mfa.so: nobody is asked for a second factor";
        let finding = Finding::new(CHECK, Severity::Warning, what);
        report.add(
            finding
                .at(files.place())
                .remedy("mfactl pam enable sshd; or by hand, as in /usr/share/doc/mfad/examples/pam.d"),
        );
    }
    module::check(host, &files, &asking, report);
    let mut named: Vec<&Path> = asking.iter().filter_map(|one| one.arguments.socket.as_deref()).collect();
    named.dedup();
    if host.is_this() {
        for socket in named {
            sockets::named(socket, report);
        }
    }
    asking
}

/// The same finding of several services is one.
fn merge(found: &mut Vec<(Vec<String>, Finding)>, service: &str, finding: Finding) {
    match found.iter_mut().find(|(_, known)| *known == finding) {
        Some((services, _)) if services.iter().any(|known| known == service) => {}
        Some((services, _)) => services.push(service.to_owned()),
        None => found.push((vec![service.to_owned()], finding)),
    }
}

fn look(files: &Files<'_>, service: &str, found: &mut Vec<Finding>) -> Option<Asking> {
    lines::other_kinds(files, service, found);
    let stack = match Stack::read(service, Kind::Auth, &|name| files.open(name)) {
        Ok(stack) => stack,
        Err(mfactl::pam::NotRead::Absent) => return None,
        Err(error @ mfactl::pam::NotRead::TooLong) => {
            found.push(Finding::new(CHECK, Severity::Unchecked, error.to_string()));
            return None;
        }
    };
    let ours = known::ours(&stack)?;
    // What falls back to `other` is told there.
    if stack.fallback && service != "other" {
        return None;
    }
    let arguments = lines::check(service, &stack, found);
    ways::check(service, &stack, found);
    order::check(service, &stack, ours, &arguments, found);
    if found.is_empty() {
        found.push(Finding::new(CHECK, Severity::Ok, "no way leads around pam_mfa.so"));
    }
    Some(Asking {
        service: service.to_owned(),
        arguments,
        first_factor: stack.entries.iter().any(known::is_first_factor),
    })
}
