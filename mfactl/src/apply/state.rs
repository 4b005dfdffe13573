//! Where changes are remembered: `/var/lib/mfad-pam`, root's, apart from what the daemon's user may write to.
//!
//! `pending/` holds what is taken back unless it is confirmed, `active/` the rest; to confirm is to move a record from
//! the one to the other. Refuses to use a directory or record that others could have written.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::file::{self, Original};
use super::record::Record;
use crate::doctor::host::shown;
use crate::failure::Failure;
use crate::new_file::sync_directory;

/// Where it is.
const PLACE: &str = "/var/lib/mfad-pam";

/// The two kinds of record.
const PENDING: &str = "pending";
const ACTIVE: &str = "active";

/// What is remembered.
#[derive(Debug)]
pub(crate) struct State {
    place: PathBuf,
}

impl State {
    /// That of this host. Nothing is made yet.
    pub(crate) fn of_host() -> Self {
        Self { place: PathBuf::from(PLACE) }
    }

    #[cfg(test)]
    pub(super) fn at(place: &Path) -> Self {
        Self { place: place.to_owned() }
    }

    /// Makes the directories where they are not there, and keeps others from changing anything until the file that
    /// is returned is closed.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        for directory in [self.place.clone(), self.place.join(PENDING), self.place.join(ACTIVE)] {
            self.directory(&directory)?;
        }
        let directory = File::open(&self.place).map_err(|error| self.fault("open", &error))?;
        directory.lock().map_err(|error| self.fault("lock", &error))?;
        Ok(directory)
    }

    fn directory(&self, path: &Path) -> Result<(), Failure> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => sync_directory(path).map_err(|error| self.fault("make", &error)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.trusted(path),
            Err(error) => Err(self.fault("make", &error)),
        }
    }

    fn trusted(&self, path: &Path) -> Result<(), Failure> {
        let found = fs::symlink_metadata(path).map_err(|error| self.fault("look at", &error))?;
        let own = [0, nix::unistd::geteuid().as_raw()].contains(&found.uid());
        if found.is_dir() && own && found.mode() & 0o022 == 0 {
            return Ok(());
        }
        Err(Failure::withheld(
            format!("{} is not used: it is no directory of root's that others cannot write to", shown(path)),
            format!("look who made it: ls -ld {0}; then chown root:root {0}; chmod 700 {0}", shown(path)),
        ))
    }

    fn fault(&self, what: &str, error: &std::io::Error) -> Failure {
        Failure::local(format!("{what} {}", shown(&self.place)), error)
    }

    /// Where the record of a service is, pending or not.
    fn path(&self, service: &str, pending: bool) -> PathBuf {
        self.place.join(if pending { PENDING } else { ACTIVE }).join(format!("{service}.json"))
    }

    /// A file of ours that people may want to look at.
    pub(crate) fn copy_path(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Keeps a copy of a text, in place of the one before.
    pub(crate) fn keep(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.copy_path(name);
        put(&path, text)?;
        Ok(path)
    }

    /// Writes a record down for good; one that does not wait goes beside what was kept before it.
    pub(crate) fn write(&self, record: &Record) -> Result<(), Failure> {
        let path = self.path(&record.service, record.until.is_some());
        let kept = if record.until.is_none() { Self::read(&path)? } else { None };
        let text = match kept {
            Some(kept) => serde_json::to_string(&record.clone().beside(kept)),
            None => serde_json::to_string(record),
        };
        put(&path, &text.map_err(|error| Failure::local("write a record", &error))?)
    }

    /// From here on the change stays. Whether there was one to confirm. What was kept of the service before stays
    /// known beside it.
    pub(crate) fn confirm(&self, service: &str) -> Result<bool, Failure> {
        let (from, to) = (self.path(service, true), self.path(service, false));
        let Some(pending) = Self::read(&from)? else { return Ok(false) };
        if let Some(active) = Self::read(&to)? {
            let text = serde_json::to_string(&pending.beside(active));
            put(&to, &text.map_err(|error| Failure::local("write a record", &error))?)?;
            file::remove(&from)?;
            return Ok(true);
        }
        let renamed =
            fs::rename(&from, &to).and_then(|()| sync_directory(&to)).and_then(|()| sync_directory(&from));
        renamed.map(|()| true).map_err(|error| self.fault("write", &error))
    }

    /// Forgets a change, and no other of the same service.
    pub(crate) fn forget(&self, record: &Record) -> Result<(), Failure> {
        let pending = self.pending_for(&record.service)?.as_ref() == Some(record);
        file::remove(&self.path(&record.service, pending))
    }

    /// All that is pending, by name. One that cannot be read is a failure of its own.
    pub(crate) fn pending(&self) -> Result<Vec<Result<Record, Failure>>, Failure> {
        self.all(PENDING)
    }

    /// What is pending for a service.
    pub(crate) fn pending_for(&self, service: &str) -> Result<Option<Record>, Failure> {
        Self::read(&self.path(service, true))
    }

    /// What is known of a service, pending or not.
    pub(crate) fn of(&self, service: &str) -> Result<Option<Record>, Failure> {
        Ok(self.all_of(service)?.into_iter().next())
    }

    /// All that is known of a service: what is pending, then what is kept.
    pub(crate) fn all_of(&self, service: &str) -> Result<Vec<Record>, Failure> {
        let pending = self.pending_for(service)?;
        Ok(pending.into_iter().chain(Self::read(&self.path(service, false))?).collect())
    }

    /// All records, pending or not.
    pub(crate) fn records(&self) -> Result<Vec<Result<Record, Failure>>, Failure> {
        let mut all = self.all(PENDING)?;
        all.extend(self.all(ACTIVE)?);
        Ok(all)
    }

    fn all(&self, kind: &str) -> Result<Vec<Result<Record, Failure>>, Failure> {
        let place = self.place.join(kind);
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.fault("read", &error)),
        };
        self.trusted(&self.place)?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| {
            !name.starts_with('.') && Path::new(name).extension().is_some_and(|e| e == "json")
        });
        names.sort();
        let read = |name: &String| Self::read(&place.join(name)).transpose();
        Ok(names.iter().filter_map(read).collect())
    }

    fn read(path: &Path) -> Result<Option<Record>, Failure> {
        let Some(file) = Original::read(path)? else { return Ok(None) };
        serde_json::from_str(&file.text).map(Some).map_err(|error| {
            Failure::withheld(
                format!("the record {} cannot be read: {error}", shown(path)),
                "look at the PAM file by hand; its text before is in /var/lib/mfad-pam; then delete the record",
            )
        })
    }
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let original = Original::read(path)?.unwrap_or_else(Original::absent_private);
    original.replace(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(service: &str, until: Option<i64>) -> Record {
        let stack = None;
        Record {
            service: service.to_owned(),
            since: 1,
            until,
            stack,
            profile: false,
            drop_in: None,
            rule: None,
        }
    }

    #[test]
    fn to_confirm_is_to_move_the_record() {
        let place = tempfile::tempdir().unwrap();
        let state = State::at(&place.path().join("state"));
        assert!(state.records().unwrap().is_empty(), "nothing is made by looking");
        let _lock = state.lock().unwrap();
        state.write(&record("sshd", Some(9))).unwrap();
        state.write(&record("sudo", None)).unwrap();
        assert_eq!(state.pending().unwrap().len(), 1);
        assert!(state.pending_for("sudo").unwrap().is_none());
        assert!(state.confirm("sshd").unwrap() && !state.confirm("sshd").unwrap());
        assert!(state.pending().unwrap().is_empty());
        assert_eq!(state.of("sshd").unwrap(), Some(record("sshd", Some(9))));
        // A second change is confirmed beside the first, or forgotten without it.
        let made = || Some(super::super::record::DropIn { path: "/d".to_owned(), text: "x".to_owned() });
        let second = Record { since: 5, drop_in: made(), ..record("sshd", Some(20)) };
        state.write(&second).unwrap();
        assert_eq!(state.all_of("sshd").unwrap().len(), 2);
        state.forget(&second).unwrap();
        assert_eq!(state.of("sshd").unwrap(), Some(record("sshd", Some(9))));
        state.write(&second).unwrap();
        assert!(state.confirm("sshd").unwrap());
        let both = Record { since: 1, ..second };
        assert_eq!(state.all_of("sshd").unwrap(), std::slice::from_ref(&both));
        state.forget(&both).unwrap();
        assert_eq!(state.records().unwrap().len(), 1);
    }

    #[test]
    fn what_others_could_have_written_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let state = State::at(&place.path().join("state"));
        drop(state.lock().unwrap());
        state.write(&record("sshd", Some(9))).unwrap();
        let file = place.path().join("state/pending/sshd.json");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(state.pending().unwrap().remove(0).is_err());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "{}").unwrap();
        assert!(state.pending().unwrap().remove(0).is_err());
        fs::set_permissions(place.path().join("state"), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(state.pending().is_err() && state.lock().is_err());
    }
}
