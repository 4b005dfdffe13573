//! Text messages as files of one directory, for development. Refuses a directory others can write to.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use mfa_role::config::Fact;
use nix::unistd::geteuid;
use zeroize::Zeroizing;

use super::Undelivered;
use crate::fill::Facts;

/// A directory of messages: `000001.txt`, `000002.txt`, …: number, empty line, text; mode 0600.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    last: AtomicU32,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), last: AtomicU32::new(0) }
    }

    /// Makes the directory, if it is not there. One that cannot be made is told with the first message.
    pub(super) fn make(path: &Path) {
        drop(make(path));
    }

    pub(super) async fn deliver(&self, facts: &Facts) -> Result<(), Undelivered> {
        let get = |fact| facts.get(fact).unwrap_or_default();
        let message = Zeroizing::new(format!("{}\n\n{}\n", get(Fact::Number), get(Fact::Text)));
        let path = self.path.clone();
        let first = self.last.load(Ordering::Relaxed).saturating_add(1);
        // A disk may hang; the thread that takes connections must not.
        let written = tokio::task::spawn_blocking(move || write(&path, first, &message)).await;
        let failed = |error: io::Error| Undelivered::File(format!("cannot be written to: {error}"));
        let number = written.map_err(io::Error::other).flatten().map_err(failed)?;
        self.last.fetch_max(number, Ordering::Relaxed);
        Ok(())
    }
}

fn make(directory: &Path) -> io::Result<()> {
    if directory.exists() { Ok(()) } else { fs::DirBuilder::new().mode(0o700).create(directory) }
}

/// Writes a message under the next free number from `first` on, so that it is there whole or not at all.
fn write(directory: &Path, first: u32, message: &str) -> io::Result<u32> {
    make(directory)?;
    let metadata = fs::metadata(directory)?;
    if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("the directory belongs to somebody else, or others can write to it"));
    }
    for number in first..u32::MAX {
        let unready = directory.join(format!(".{number:06}"));
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unready);
        let mut file = match opened {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        file.write_all(message.as_bytes())?;
        // Unlike renaming, a link never replaces a message that is there.
        let linked = fs::hard_link(&unready, directory.join(format!("{number:06}.txt")));
        fs::remove_file(&unready)?;
        match linked {
            Ok(()) => return Ok(number),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::StorageFull.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn messages_are_private_and_never_replaced() {
        let here = tempfile::tempdir().unwrap();
        let folder = here.path().join("sms");
        assert_eq!(write(&folder, 1, "one").unwrap(), 1);
        assert_eq!(write(&folder, 1, "two").unwrap(), 2);
        fs::write(folder.join(".000003"), "left behind").unwrap();
        assert_eq!(write(&folder, 3, "three").unwrap(), 4);
        assert_eq!(fs::read_to_string(folder.join("000001.txt")).unwrap(), "one");
        let mode = fs::metadata(folder.join("000002.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!folder.join(".000001").exists());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(write(&folder, 1, "x").is_err());
    }
}
