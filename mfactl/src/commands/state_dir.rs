//! The daemon's state directory, where copies of the database are handed over.
//!
//! The daemon may be less than root and names the path, so nothing is opened, made or deleted there unless
//! the directory belongs to the daemon's user or root and nobody else can change it: then all that could
//! be had by a wrong name is what that user has anyway.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mfa_proto::text::escape_for_log;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, unlinkat};

use crate::failure::Failure;

/// The directory of one file, open.
#[derive(Debug)]
pub(super) struct StateDir {
    directory: File,
    owner: (u32, u32),
    name: OsString,
    shown: String,
}

impl StateDir {
    /// The directory in which `path` lies, of a daemon that runs as `daemon`.
    pub(super) fn of(path: &Path, daemon: u32) -> Result<Self, Failure> {
        let shown = escape_for_log(&path.to_string_lossy());
        let fault = |why: &dyn std::fmt::Display| Failure::local(format!("use {shown}"), why);
        let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), path.is_absolute()) else {
            return Err(fault(&"the daemon gave no whole path"));
        };
        let directory = File::open(parent).map_err(|error| fault(&error))?;
        let found = directory.metadata().map_err(|error| fault(&error))?;
        if !found.is_dir() || ![0, daemon].contains(&found.uid()) || found.mode() & 0o022 != 0 {
            return Err(fault(&"its directory is not the daemon's, or others may change it"));
        }
        let owner = (found.uid(), found.gid());
        Ok(Self { directory, owner, name: name.to_owned(), shown })
    }

    /// The same directory, for another name in it.
    pub(super) fn with_name(mut self, name: &str) -> Self {
        self.name = OsString::from(name);
        self
    }

    /// Opens the file for reading.
    pub(super) fn open(&self) -> Result<File, Failure> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = self.at(flags, Mode::empty()).map_err(|error| self.fault("read", &error))?;
        let found = file.metadata().map_err(|error| self.fault("read", &error))?;
        if found.is_file() && [0, self.owner.0].contains(&found.uid()) && found.nlink() == 1 {
            return Ok(file);
        }
        Err(self.fault("read", &io::Error::other("it is no plain file of the daemon's")))
    }

    /// Makes the file anew, as the daemon's own: what lay there is what another run left behind.
    pub(super) fn create(&self) -> Result<File, Failure> {
        self.remove()?;
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = self.at(flags, Mode::S_IRUSR | Mode::S_IWUSR);
        let file = file.map_err(|error| self.fault("make", &error))?;
        let (uid, gid) = self.owner;
        fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
            .map_err(|errno| self.fault("make", &errno.into()))?;
        Ok(file)
    }

    /// Deletes the file, if it is there.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        match unlinkat(self.directory.as_fd(), OsStr::new(&self.name), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(nix::errno::Errno::ENOENT) => Ok(()),
            Err(errno) => Err(self.fault("delete", &errno.into())),
        }
    }

    fn at(&self, flags: OFlag, mode: Mode) -> io::Result<File> {
        Ok(File::from(openat(self.directory.as_fd(), OsStr::new(&self.name), flags, mode)?))
    }

    fn fault(&self, what: &str, error: &io::Error) -> Failure {
        Failure::local(format!("{what} {} of {}", self.name.to_string_lossy(), self.shown), error)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn own() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    fn directory(mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
        directory
    }

    #[test]
    fn only_a_closed_directory_of_the_daemon_is_used() {
        let (closed, open) = (directory(0o700), directory(0o770));
        assert!(StateDir::of(&closed.path().join("mfad.db"), own()).is_ok());
        assert!(StateDir::of(&open.path().join("mfad.db"), own()).is_err(), "the group may change it");
        assert!(StateDir::of(Path::new("mfad.db"), own()).is_err(), "no whole path");
        if own() == 0 {
            nix::unistd::chown(closed.path(), Some(Uid::from_raw(65_534)), None).unwrap();
            assert!(StateDir::of(&closed.path().join("mfad.db"), 65_534).is_ok());
            assert!(StateDir::of(&closed.path().join("mfad.db"), 65_533).is_err(), "somebody else's");
        }
    }

    #[test]
    fn links_in_it_are_neither_read_nor_written_through() {
        let (inside, outside) = (directory(0o700), directory(0o700));
        let target = outside.path().join("shadow");
        fs::write(&target, "secret").unwrap();
        symlink(&target, inside.path().join("copy")).unwrap();
        let state = StateDir::of(&inside.path().join("copy"), own()).unwrap();
        assert!(state.open().is_err());
        drop(state.create().unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "secret");
        assert!(fs::symlink_metadata(inside.path().join("copy")).unwrap().is_file());
        fs::hard_link(&target, inside.path().join("hard")).unwrap();
        let state = StateDir::of(&inside.path().join("hard"), own()).unwrap();
        assert!(state.open().is_err(), "a second name of another file was read");
    }
}
