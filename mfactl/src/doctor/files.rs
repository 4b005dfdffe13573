//! Configuration, key and database: there, owned by who may own them, closed to others, and apart.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::host::{Host, shown};
use super::{Finding, Report, Severity};

const CHECK: &str = "files";
const CONFIG: &str = "/etc/mfad/mfad.toml";
const CONF_D: &str = "/etc/mfad/conf.d";
const KEY: &str = "/etc/mfad/key";
const STATE: &str = "/var/lib/mfad";

/// Looks at all of them.
pub(super) fn check(host: &Host, report: &mut Report) {
    let files = match config_files(host) {
        Ok(files) => files,
        Err(finding) => return report.add(finding),
    };
    let mut core = Core::default();
    for path in &files {
        match Host::text(CHECK, path) {
            Ok(text) => core.read(&text.unwrap_or_default()),
            Err(finding) => report.add(finding),
        }
        note(configuration(path), report);
    }
    for directory in ["/etc/mfad", CONF_D] {
        note(configuration(&host.path(directory)), report);
    }
    let state = host.path(core.state_dir.as_deref().unwrap_or(STATE));
    let owner = match state_dir(&state) {
        Ok(owner) => owner,
        Err(finding) => {
            report.add(finding);
            None
        }
    };
    if core.credential.is_none() {
        note(key(&host.path(core.key_file.as_deref().unwrap_or(KEY)), &state, owner), report);
    }
}

fn note(result: Result<(), Finding>, report: &mut Report) {
    if let Err(finding) = result {
        report.add(finding);
    }
}

/// `mfad.toml` and what lies in `conf.d`.
fn config_files(host: &Host) -> Result<Vec<PathBuf>, Finding> {
    let main = host.path(CONFIG);
    if Host::look(CHECK, &main)?.is_none() {
        return Err(Finding::new(CHECK, Severity::Note, "there is no configuration at the usual place")
            .at(shown(&main))
            .remedy("none is needed where `mfad --config FILE` names another one"));
    }
    let directory = host.path(CONF_D);
    let dropped = Host::names(CHECK, &directory)?;
    let dropped = dropped.into_iter().filter(|name| Path::new(name).extension().is_some_and(|e| e == "toml"));
    Ok(std::iter::once(main).chain(dropped.map(|name| directory.join(name))).collect())
}

/// The few keys of `[core]` that say where things are. The daemon reads the rest.
#[derive(Debug, Default)]
struct Core {
    key_file: Option<String>,
    credential: Option<String>,
    state_dir: Option<String>,
}

impl Core {
    fn read(&mut self, text: &str) {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                section = name.0.trim();
            }
            let Some((key, value)) = line.split_once('=').filter(|_| section == "core") else { continue };
            let value = value.trim().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            let Some((value, _)) = value else { continue };
            match key.trim() {
                "key_file" => self.key_file = Some(value.to_owned()),
                "credential" => self.credential = Some(value.to_owned()),
                "state_dir" => self.state_dir = Some(value.to_owned()),
                _ => {}
            }
        }
    }
}

fn configuration(path: &Path) -> Result<(), Finding> {
    let Some(found) = Host::look(CHECK, path)? else { return Ok(()) };
    let fault = if found.uid() != 0 {
        "it does not belong to root, so that mfad refuses it"
    } else if found.mode() & 0o022 != 0 && !found.is_symlink() {
        "others than root can write to it, so that mfad refuses it"
    } else {
        return Ok(());
    };
    Err(Finding::new(CHECK, Severity::Problem, fault)
        .at(shown(path))
        .remedy(format!("chown root:root {0}; chmod go-w {0}", shown(path))))
}

/// The directory of the database; who owns it.
fn state_dir(path: &Path) -> Result<Option<u32>, Finding> {
    let Some(found) = Host::look(CHECK, path)? else {
        return Err(Finding::new(
            CHECK,
            Severity::Problem,
            "there is no state directory: mfad does not start",
        )
        .at(shown(path))
        .remedy("mfad init"));
    };
    closed(path, &found, "the directory of the database")?;
    let database = path.join("mfad.db");
    match Host::look(CHECK, &database)? {
        Some(found) => closed(&database, &found, "the database")?,
        None => {
            return Err(Finding::new(CHECK, Severity::Problem, "there is no database: mfad does not start")
                .at(shown(&database))
                .remedy("mfad init for a new one; mfad restore FILE for a copy"));
        }
    }
    Ok(Some(found.uid()))
}

fn key(path: &Path, state: &Path, owner: Option<u32>) -> Result<(), Finding> {
    let Some(found) = Host::look(CHECK, path)? else {
        return Err(Finding::new(CHECK, Severity::Problem, "there is no key file: mfad does not start")
            .at(shown(path))
            .remedy("put the key's copy back (mode 0600); mfad init makes a new one, for a new database"));
    };
    if !found.is_file() {
        return Err(Finding::new(CHECK, Severity::Problem, "the key is no file")
            .at(shown(path))
            .remedy("mfad init"));
    }
    closed(path, &found, "the key file")?;
    if found.uid() != 0 && owner.is_some_and(|owner| owner != found.uid()) {
        let what = format!("the key file belongs to uid {}, neither root nor the daemon's user", found.uid());
        return Err(Finding::new(CHECK, Severity::Problem, what).at(shown(path)).remedy(format!(
            "chown --reference={} {}",
            shown(state),
            shown(path)
        )));
    }
    if path.starts_with(state) {
        return Err(Finding::new(
            CHECK,
            Severity::Warning,
            "the key lies in the directory of the database: a backup of both protects nothing",
        )
        .at(shown(path))
        .remedy("move it, and name it in [core] key_file; or leave it out of the backup"));
    }
    Ok(())
}

fn closed(path: &Path, found: &Metadata, what: &str) -> Result<(), Finding> {
    let others = found.mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    let what = format!("{what} is open to others than its owner (mode {:04o})", found.mode() & 0o7777);
    Err(Finding::new(CHECK, Severity::Problem, what)
        .at(shown(path))
        .remedy(format!("chmod go= {}", shown(path))))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn where_things_are_is_read_of_core_alone() {
        let mut core = Core::default();
        core.read(
            "[core]\n#key_file = \"/no\"\n key_file = \"/k/key\" # why\n[other]\nstate_dir = \"/no\"\n",
        );
        assert_eq!(core.key_file.as_deref(), Some("/k/key"));
        assert_eq!(core.state_dir, None);
    }

    #[test]
    fn a_key_that_others_read_or_that_lies_with_the_database_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key");
        let elsewhere = Path::new("/var/lib/mfad");
        assert!(key(&path, elsewhere, None).unwrap_err().what.contains("no key file"));
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(key(&path, elsewhere, None).unwrap_err().what.contains("0640"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(key(&path, elsewhere, None), Ok(()));
        assert_eq!(key(&path, place.path(), None).unwrap_err().severity, Severity::Warning);
    }
}
