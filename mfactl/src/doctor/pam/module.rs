//! The module's file: where libpam looks for it, and such that nobody but root can change it.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use mfactl::pam::{Kind, Run, Stack};

use super::read::Files;
use super::{Asking, CHECK, OURS, known};
use crate::doctor::host::{Host, shown};
use crate::doctor::{Finding, Report, Severity};

/// Looks for the file of each line that names the module.
pub(super) fn check(host: &Host, files: &Files<'_>, asking: &[Asking], report: &mut Report) {
    let mut names: Vec<String> = Vec::new();
    for service in asking {
        let Ok(stack) = Stack::read(&service.service, Kind::Auth, &|name| files.open(name)) else { continue };
        for entry in stack.entries.iter().filter(|entry| known::is_ours(entry)) {
            if let Run::Module(path) = &entry.run
                && !names.contains(path)
            {
                names.push(path.clone());
            }
        }
    }
    for name in names {
        match look(host, &name) {
            Ok(what) => report.ok(CHECK, what),
            Err(finding) => report.add(finding),
        }
    }
}

/// Looks for the module's file, and at who can change it.
pub(crate) fn look(host: &Host, name: &str) -> Result<String, Finding> {
    let places = if name.starts_with('/') { vec![host.path(name)] } else { places(host)? };
    for place in &places {
        // Links are followed: some distributions have /lib for /usr/lib, and modules that are links.
        let Ok(found) = std::fs::metadata(place) else { continue };
        if found.uid() != 0 || found.mode() & 0o022 != 0 {
            return Err(Finding::new(CHECK, Severity::Problem, "others than root can change the module")
                .at(shown(place))
                .remedy(format!("chown root:root {0}; chmod 644 {0}", shown(place))));
        }
        if !found.is_file() || found.mode() & 0o444 != 0o444 {
            return Err(Finding::new(
                CHECK,
                Severity::Problem,
                "the module cannot be read by all programs that log in",
            )
            .at(shown(place))
            .remedy(format!("chmod 644 {}", shown(place))));
        }
        return Ok(format!("the module is {}", shown(place)));
    }
    let what = format!("{name} is not there: every login that reaches its line is denied (module_unknown)");
    let place = places.first().map_or_else(|| name.to_owned(), |place| shown(place));
    Err(Finding::new(CHECK, Severity::Problem, what)
        .at(place)
        .remedy("install it (make install, or the package), or take the line away"))
}

/// Where libpam looks, as distributions have it.
fn places(host: &Host) -> Result<Vec<PathBuf>, Finding> {
    let mut places = Vec::new();
    for library in ["/usr/lib64", "/lib64", "/usr/lib", "/lib"] {
        let library = host.path(library);
        for name in Host::names(CHECK, &library)? {
            if name.contains("-linux-") {
                places.push(library.join(name).join("security").join(OURS));
            }
        }
        places.push(library.join("security").join(OURS));
    }
    Ok(places)
}
