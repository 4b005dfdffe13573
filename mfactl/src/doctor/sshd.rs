//! sshd: whether it asks PAM at all, by a method that can ask for a code, and for every kind of login.
//!
//! Refuses to read sshd's configuration itself: sshd says what it makes of it (`sshd -T`). Only where `Match`
//! blocks are is read from the files, to have each of them told.

mod judge;
mod matches;
mod settings;

pub(crate) use self::settings::Settings;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::host::{Host, shown};
use super::pam::Asking;
use super::{Finding, Report, Severity};
use crate::cli::DoctorArgs;

const CHECK: &str = "sshd";
pub(crate) const PROGRAMS: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
const CONFIG: &str = "/etc/ssh/sshd_config";

/// Looks at the settings, and at those of each `Match` block.
pub(crate) fn check(host: &Host, arguments: &DoctorArgs, asking: &[Asking], report: &mut Report) {
    let config = arguments.sshd_config.clone().unwrap_or_else(|| host.path(CONFIG));
    if let Some(file) = &arguments.sshd_settings {
        let text = Host::text(CHECK, file).and_then(|text| {
            text.ok_or_else(|| Finding::new(CHECK, Severity::Unchecked, "it is not there").at(shown(file)))
        });
        return match text {
            Ok(text) => tell(judge::check(&Settings::read(&text), asking), &shown(file), report),
            Err(finding) => report.add(finding),
        };
    }
    let Some(program) = program(host, arguments) else {
        if config.exists() {
            report.add(
                Finding::new(CHECK, Severity::Unchecked, "the sshd of another system is not run")
                    .at(shown(&config))
                    .remedy("there: sshd -T >FILE; here: mfactl doctor --sshd-settings FILE"),
            );
        }
        return;
    };
    let ask = |spec: Option<&str>| run(program, arguments.sshd_config.as_deref(), spec);
    let usual = match ask(None) {
        Ok(settings) => judge::check(&settings, asking),
        Err(finding) => return report.add(finding.at(shown(&config))),
    };
    for block in matches::blocks(host, &config) {
        match ask(Some(&block.specification)) {
            Ok(settings) => {
                let other = judge::check(&settings, asking);
                let own = other.into_iter().filter(|finding| !usual.contains(finding));
                let what = |finding: Finding| Finding {
                    what: format!("with `{}`: {}", block.line, finding.what),
                    ..finding
                };
                tell(own.map(what).collect(), &block.place, report);
            }
            Err(finding) => report.add(finding.at(&block.place)),
        }
    }
    tell(usual, &shown(&config), report);
}

/// What this host's sshd says of a login that no `Match` block is about.
pub(crate) fn usual() -> Option<Settings> {
    let program = PROGRAMS.into_iter().find(|program| Path::new(program).exists())?;
    run(program, None, None).ok()
}

fn tell(found: Vec<Finding>, place: &str, report: &mut Report) {
    for finding in found {
        report.add(finding.at(place));
    }
}

/// The sshd to ask: this host's.
fn program(host: &Host, arguments: &DoctorArgs) -> Option<&'static str> {
    let here = host.is_this() || arguments.sshd_config.is_some();
    PROGRAMS.into_iter().find(|program| here && Path::new(program).exists())
}

fn run(program: &str, config: Option<&Path>, specification: Option<&str>) -> Result<Settings, Finding> {
    let mut command = Command::new(program);
    command.env_clear().arg("-T");
    if let Some(config) = config {
        let whole: PathBuf = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        command.arg("-f").arg(whole);
    }
    if let Some(specification) = specification {
        command.arg("-C").arg(specification);
    }
    let unchecked = |why: String| {
        Finding::new(CHECK, Severity::Unchecked, format!("sshd does not tell its settings: {why}"))
            .remedy("as root: sshd -T; with its output in a file: mfactl doctor --sshd-settings FILE")
    };
    let output = command.output().map_err(|error| unchecked(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unchecked(said.lines().next_back().unwrap_or("it fails").trim().to_owned()));
    }
    Ok(Settings::read(&String::from_utf8_lossy(&output.stdout)))
}
