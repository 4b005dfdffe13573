//! The sockets: there, and in a place that `pam_mfa.so` trusts, by the module's own rule ([`mfa_proto::place`]).

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mfa_proto::place::{Flaw, Keeper, Seen};
use nix::unistd::geteuid;

use super::host::{Host, shown};
use super::{Finding, Report, Severity};
use crate::commands::Context;

const CHECK: &str = "sockets";
const ADMIN: &str = "/run/mfad/mfad.sock";
const USER: &str = "/run/mfad/user.sock";

/// Looks at the socket asked for, else at the usual ones.
pub(super) fn check(context: &Context, host: &Host, report: &mut Report) {
    if let Some(path) = &context.target.socket {
        return one(path, None, report);
    }
    if host.is_this() {
        one(Path::new(ADMIN), Some(0o600), report);
        if Path::new(USER).symlink_metadata().is_ok() {
            one(Path::new(USER), Some(0o666), report);
        }
    }
}

/// A socket that the argument of a module names.
pub(super) fn named(path: &Path, report: &mut Report) {
    one(path, None, report);
}

fn one(path: &Path, mode: Option<u32>, report: &mut Report) {
    match look(path, mode) {
        Ok(()) => report.ok(CHECK, format!("{} is where pam_mfa.so trusts it", shown(path))),
        Err(finding) => report.add(finding),
    }
}

fn look(path: &Path, mode: Option<u32>) -> Result<(), Finding> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let directory = absolute.parent().unwrap_or(Path::new("/"));
    let mut way: Vec<&Path> = directory.ancestors().collect();
    way.reverse();
    let seen = way.iter().map(|place| there(place)).collect::<Result<Vec<_>, _>>()?;
    let keeper = Keeper::of(&seen, geteuid().as_raw())
        .map_err(|(place, flaw)| distrust(way.get(place).unwrap_or(&directory), flaw))?;
    let found = there(&absolute)?;
    keeper.check_socket(found).map_err(|flaw| distrust(&absolute, flaw))?;
    let actual = found.mode & 0o777;
    if mode.is_some_and(|mode| mode != actual) {
        let what = format!("it has mode {actual:04o}, not {:04o}", mode.unwrap_or_default());
        return Err(Finding::new(CHECK, Severity::Warning, what)
            .at(shown(path))
            .remedy("restart mfad, or correct SocketMode= of its unit"));
    }
    Ok(())
}

fn there(place: &Path) -> Result<Seen, Finding> {
    let found = Host::look(CHECK, place)?.ok_or_else(|| {
        Finding::new(CHECK, Severity::Problem, "it is not there: pam_mfa.so finds no daemon")
            .at(shown(place))
            .remedy("systemctl status mfad.socket mfad; `socket` in [core]")
    })?;
    Ok(Seen { uid: found.uid(), mode: found.mode() })
}

fn distrust(place: &Path, flaw: Flaw) -> Finding {
    let command = match flaw {
        Flaw::NotADirectory => "name the real path instead of",
        Flaw::Foreign | Flaw::Planted => "chown root",
        Flaw::Writable | Flaw::Shared => "chmod go-w",
        Flaw::NotASocket => "rm",
    };
    Finding::new(CHECK, Severity::Problem, format!("pam_mfa.so refuses the socket: {flaw}"))
        .at(shown(place))
        .remedy(format!("{command} {}", shown(place)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn fault(path: &Path, mode: Option<u32>) -> String {
        look(path, mode).map_or_else(|finding| finding.what, |()| String::new())
    }

    #[test]
    fn what_the_module_refuses_is_told() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("mfad");
        fs::create_dir(&directory).unwrap();
        let path = directory.join("mfad.sock");
        assert!(fault(&path, None).contains("not there"));
        let _listener = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(fault(&path, None), "");
        assert!(fault(&path, Some(0o600)).contains("0666"));
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(fault(&path, None).contains("can write to it"));
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        symlink(&directory, place.path().join("link")).unwrap();
        assert!(fault(&place.path().join("link/mfad.sock"), None).contains("links are refused"));
        assert!(fault(&directory, None).contains("not a socket"));
    }
}
