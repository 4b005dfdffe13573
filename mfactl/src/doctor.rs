//! `doctor`: the administrator's second pair of eyes. One check a file; each says what is wrong, where, and what
//! to do.
//!
//! Refuses to change anything, and to pass over in silence what it could not look at.

mod clock;
mod daemon;
mod directory;
mod files;
mod finding;
pub(crate) mod host;
pub(crate) mod pam;
mod sockets;
pub(crate) mod sshd;
pub(crate) mod users;

pub(crate) use self::finding::{Finding, Report, Severity};

use crate::cli::DoctorArgs;
use crate::commands::Context;
use crate::failure::Failure;
use crate::render;

use self::host::Host;

/// Exit codes, for monitoring.
const WARNINGS: u8 = 1;
const PROBLEMS: u8 = 2;
const UNCHECKED: u8 = 3;

/// All checks.
pub(crate) fn run(context: &mut Context, arguments: &DoctorArgs) -> Result<u8, Failure> {
    let host = Host::of(arguments);
    let mut report = Report::default();
    let told = daemon::check(context, arguments.deep, &mut report);
    sockets::check(context, &host, &mut report);
    files::check(&host, &mut report);
    let asking = pam::check(&host, &mut report);
    sshd::check(&host, arguments, &asking, &mut report);
    let here = host.is_this() || context.target.socket.is_some();
    let drifts = if told && here { users::check(context, &host, &asking, &mut report) } else { Vec::new() };
    clock::check(&host, &drifts, &mut report);
    context.out.json(&render::doctor::json(&report))?;
    context.out.text(&render::doctor::text(&report, arguments.verbose, context.out.style))?;
    Ok(exit_code(&report))
}

fn exit_code(report: &Report) -> u8 {
    let worst =
        [(Severity::Problem, PROBLEMS), (Severity::Warning, WARNINGS), (Severity::Unchecked, UNCHECKED)];
    let found = worst.into_iter().find(|(severity, _)| report.count(*severity) > 0);
    found.map_or(crate::failure::exit::OK, |(_, code)| code)
}
