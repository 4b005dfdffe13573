//! Files that others may control: opened without following links, looked at, and read once, into memory that is
//! wiped.
//!
//! Refuses what is no regular file, what is larger than any file of the kind, and what others than its owner
//! could have written.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use zeroize::Zeroizing;

/// The most bytes read: a list of a hundred thousand tokens.
const MOST: u64 = 32 * 1024 * 1024;

/// What was read of a file.
#[derive(Debug)]
pub(super) struct Content {
    /// All of it.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Who owns it.
    pub(super) uid: u32,
    /// Whether others than the owner can read it.
    pub(super) readable: bool,
    /// What tells it from all other files.
    pub(super) identity: (u64, u64),
}

/// Why a file was not read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum NotRead {
    /// It is not there.
    #[error("there is no such file")]
    Absent,
    /// A link may lead to any file of the host.
    #[error("it is a symbolic link")]
    Link,
    /// A device, a pipe, a socket.
    #[error("it is not a regular file")]
    Irregular,
    /// Larger than [`MOST`].
    #[error("it is larger than 32 MiB")]
    TooLarge,
    /// What stands in it may be anyone's.
    #[error("others than its owner can write to it (mode {0:04o})")]
    Writable(u32),
    /// The system said no.
    #[error("it cannot be read: {0}")]
    System(String),
}

/// Opens the directory `path` below `at`. A link in place of its last part is followed only where `follow`.
pub(super) fn directory(at: impl AsFd, path: &Path, follow: bool) -> Result<OwnedFd, Errno> {
    let kind = OFlag::O_DIRECTORY | if follow { OFlag::empty() } else { OFlag::O_NOFOLLOW };
    openat(at, path, kind | OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
}

/// Reads the file `path` below `at`.
pub(super) fn file(at: impl AsFd, path: &Path) -> Result<Content, NotRead> {
    // Non-blocking: opening a pipe that someone put there must not wait for its other end.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let opened = openat(at, path, flags, Mode::empty()).map_err(not_opened)?;
    content(File::from(opened))
}

fn not_opened(errno: Errno) -> NotRead {
    if [Errno::ENOENT, Errno::ENOTDIR].contains(&errno) {
        NotRead::Absent
    } else if errno == Errno::ELOOP {
        NotRead::Link
    } else if [Errno::ENXIO, Errno::ENODEV].contains(&errno) {
        NotRead::Irregular
    } else {
        NotRead::System(errno.desc().to_owned())
    }
}

fn content(file: File) -> Result<Content, NotRead> {
    let about = file.metadata().map_err(|e| failed(&e))?;
    if !about.is_file() {
        return Err(NotRead::Irregular);
    }
    if about.mode() & 0o022 != 0 {
        return Err(NotRead::Writable(about.mode() & 0o7777));
    }
    let (uid, readable, identity) = (about.uid(), about.mode() & 0o044 != 0, (about.dev(), about.ino()));
    Ok(Content { bytes: all(file, about.len())?, uid, readable, identity })
}

/// All of standard input.
pub(super) fn stdin() -> Result<Zeroizing<Vec<u8>>, NotRead> {
    all(io::stdin().lock(), 0)
}

/// Reads to the end. The buffer does not grow behind our back, which would leave copies of keys.
fn all(from: impl Read, expected: u64) -> Result<Zeroizing<Vec<u8>>, NotRead> {
    if expected > MOST {
        return Err(NotRead::TooLarge);
    }
    let room = |bytes: u64| usize::try_from(bytes).unwrap_or(0);
    let mut from = from.take(MOST.saturating_add(1));
    let mut bytes = Zeroizing::new(Vec::with_capacity(room(expected.saturating_add(1)).max(ROOM)));
    let mut part = Zeroizing::new([0_u8; 4096]);
    loop {
        let count = match from.read(&mut *part) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(&error)),
        };
        if bytes.capacity().saturating_sub(bytes.len()) < count {
            let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity().saturating_mul(2)));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend(part.iter().take(count));
    }
    if room(MOST) < bytes.len() { Err(NotRead::TooLarge) } else { Ok(bytes) }
}

/// Bytes to begin with.
const ROOM: usize = 64 * 1024;

fn failed(error: &io::Error) -> NotRead {
    NotRead::System(Errno::from_raw(error.raw_os_error().unwrap_or(0)).desc().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use nix::fcntl::AT_FDCWD;

    use super::*;

    #[test]
    fn only_regular_files_that_nobody_else_writes_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "x".repeat(200_000)).unwrap();
        let mode =
            |mode| std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(mode)).unwrap();
        symlink(at("file"), at("link")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let why = |name: &str| file(AT_FDCWD, &at(name)).unwrap_err();
        assert_eq!(why("none"), NotRead::Absent);
        assert_eq!(why("link"), NotRead::Link);
        assert_eq!(why("pipe"), NotRead::Irregular);
        assert_eq!(why("."), NotRead::Irregular);
        mode(0o620);
        assert_eq!(why("file"), NotRead::Writable(0o620));
        mode(0o600);
        let read = file(AT_FDCWD, &at("file")).unwrap();
        assert_eq!((read.bytes.len(), read.readable), (200_000, false));
        mode(0o640);
        assert!(file(AT_FDCWD, &at("file")).unwrap().readable);
        File::options().write(true).open(at("file")).unwrap().set_len(MOST + 1).unwrap();
        assert_eq!(why("file"), NotRead::TooLarge);
    }

    #[test]
    fn more_than_was_announced_is_read_whole() {
        let text = vec![b'x'; 300_000];
        assert_eq!(*all(text.as_slice(), 10).unwrap(), text);
    }
}
