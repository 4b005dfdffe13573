//! Files that are made new, for their owner alone, and are whole or not there.
//!
//! Refuses to write over a file, or through a symbolic link in the last part of its path.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use mfa_proto::text::escape_for_log;

use crate::failure::Failure;

/// A new file, which goes away again unless it is finished.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl NewFile {
    /// Makes the file, with mode 0600.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits())
            .open(path)
            .map_err(|error| failed("make", path, &error))?;
        Ok(Self { path: path.to_owned(), file, finished: false })
    }

    /// How it is called, fit to be shown.
    pub(crate) fn shown(&self) -> String {
        escape_for_log(&self.path.to_string_lossy())
    }

    /// Appends.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| failed("write", &self.path, &error))
    }

    /// Appends all of `from`. How many bytes.
    pub(crate) fn copy(&mut self, from: &mut impl io::Read) -> Result<u64, Failure> {
        io::copy(from, &mut self.file).map_err(|error| failed("write", &self.path, &error))
    }

    /// The open file, for what else is to be set of it.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Keeps the file: it survives a crash from here on.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let synced = self.file.sync_all().and_then(|()| sync_directory(&self.path));
        synced.map_err(|error| failed("write", &self.path, &error))?;
        self.finished = true;
        Ok(())
    }

    /// Puts the file in the place of `target`, in the same directory: after a crash there is the one or the other.
    pub(crate) fn replace(mut self, target: &Path) -> Result<(), Failure> {
        let replaced = self.file.sync_all().and_then(|()| std::fs::rename(&self.path, target));
        replaced.map_err(|error| failed("replace", target, &error))?;
        self.finished = true;
        sync_directory(target).map_err(|error| failed("replace", target, &error))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.finished {
            let _what_is_left_is_of_no_use = std::fs::remove_file(&self.path);
        }
    }
}

/// Has the directory of `path` know its names after a crash.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = escape_for_log(&path.to_string_lossy());
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failure::local(format!("{what} {path}"), &"it exists, and is not written over");
    }
    Failure::local(format!("{what} {path}"), error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_new_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("codes");
        let mut file = NewFile::create(&path).unwrap();
        file.write(b"07-GAYT").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(std::fs::read(&path).unwrap(), b"07-GAYT");
        assert!(NewFile::create(&path).is_err(), "an existing file was taken");
        assert_eq!(std::fs::read(&path).unwrap(), b"07-GAYT");
    }

    #[test]
    fn a_link_is_not_followed_and_a_file_not_finished_goes() {
        let directory = tempfile::tempdir().unwrap();
        let (link, target) = (directory.path().join("link"), directory.path().join("target"));
        symlink(&target, &link).unwrap();
        assert!(NewFile::create(&link).is_err());
        assert!(!target.exists());
        let mut file = NewFile::create(&target).unwrap();
        file.write(b"half").unwrap();
        drop(file);
        assert!(!target.exists());
    }
}
