//! The daemon's sockets: taken over from systemd, or bound here. Refuses to bind where another daemon
//! answers, and never lets a socket be world-writable before that is asked for.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::{UnixListener as StdListener, UnixStream as StdStream},
    },
    path::{Path, PathBuf},
};

use nix::{
    sys::stat::{Mode, umask},
    unistd::{Gid, chown},
};

/// Why a socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process answers there.
    #[error("{path}: another daemon already answers here; stop it, or set another socket")]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// Something that is not a socket is in the way.
    #[error("{path}: this is not a socket, and it is in the way; move it")]
    NotASocket {
        /// Where.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{path}: cannot {what}: {source}")]
    System {
        /// Where.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Who may connect, by the mode of the socket's file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// The daemon's own user and root: 0600.
    Private,
    /// Its group, too: 0660.
    Group,
    /// Every local user: 0666.
    Everyone,
}

/// A listening socket; the file is removed when dropped, if it was bound here.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: StdListener,
    bound: Option<PathBuf>,
}

impl Listener {
    /// The file, if it was made here.
    pub fn made(&self) -> Option<&Path> {
        self.bound.as_deref()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.bound {
            // Nothing is to be done about a file that cannot be removed: the next start removes it.
            drop(fs::remove_file(path));
        }
    }
}

/// A socket that systemd handed over.
pub fn taken_over(socket: StdListener, path: &Path) -> Result<Listener, ListenError> {
    let system = |what, source| ListenError::System { path: path.to_owned(), what, source };
    socket.set_nonblocking(true).map_err(|e| system("make the socket non-blocking", e))?;
    Ok(Listener { socket, bound: None })
}

/// Binds a socket at `path` for a group (0660); `None` is the process's own. It is given to the group before
/// the group may connect. Call it as [`bind`].
pub fn bind_for_group(path: &Path, group: Option<Gid>) -> Result<Listener, ListenError> {
    let listener = bind(path, Reach::Private)?;
    let system = |what, source| ListenError::System { path: path.to_owned(), what, source };
    if group.is_some() {
        // A user that is not root may only do so for a group of its own.
        chown(path, None, group)
            .map_err(|e| system("give the socket to the group (is the daemon's user in it?)", e.into()))?;
    }
    let mode = fs::Permissions::from_mode(0o660);
    fs::set_permissions(path, mode).map_err(|e| system("set the mode", e))?;
    Ok(listener)
}

/// Binds a socket at `path`. Call it before other threads run: the file mode mask is the process's.
pub fn bind(path: &Path, reach: Reach) -> Result<Listener, ListenError> {
    let system = |what, source| ListenError::System { path: path.to_owned(), what, source };
    make_directory(path)?;
    remove_stale(path)?;
    let before = umask(Mode::from_bits_truncate(0o177));
    let bound = StdListener::bind(path);
    umask(before);
    let socket = bound.map_err(|e| system("bind the socket", e))?;
    let wider = match reach {
        Reach::Private => None,
        Reach::Group => Some(0o660),
        Reach::Everyone => Some(0o666),
    };
    if let Some(mode) = wider {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| system("set the mode", e))?;
    }
    socket.set_nonblocking(true).map_err(|e| system("make the socket non-blocking", e))?;
    Ok(Listener { socket, bound: Some(path.to_owned()) })
}

fn make_directory(path: &Path) -> Result<(), ListenError> {
    let Some(parent) = path.parent().filter(|parent| !parent.exists()) else { return Ok(()) };
    let system = |what, source| ListenError::System { path: parent.to_owned(), what, source };
    fs::create_dir(parent).map_err(|e| system("make the directory of the socket", e))?;
    fs::set_permissions(parent, fs::Permissions::from_mode(0o755)).map_err(|e| system("set the mode", e))
}

fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let system = |what, source| ListenError::System { path: path.to_owned(), what, source };
    let kind = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(system("look at the socket", e)),
        Ok(metadata) => metadata.file_type(),
    };
    if !kind.is_socket() {
        return Err(ListenError::NotASocket { path: path.to_owned() });
    }
    if StdStream::connect(path).is_ok() {
        return Err(ListenError::InUse { path: path.to_owned() });
    }
    fs::remove_file(path).map_err(|e| system("remove the socket that the last run left", e))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_private_socket_is_private_and_goes_with_its_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/mfad.sock");
        let listener = bind(&path, Reach::Private).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o755);
        assert!(matches!(bind(&path, Reach::Private), Err(ListenError::InUse { .. })));
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_for_everyone_is_opened_only_when_asked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("user.sock");
        let _listener = bind(&path, Reach::Everyone).unwrap();
        assert_eq!(mode(&path), 0o666);
        let path = directory.path().join("group.sock");
        let _listener = bind(&path, Reach::Group).unwrap();
        assert_eq!(mode(&path), 0o660);
        let path = directory.path().join("figures.sock");
        let own = nix::unistd::getegid();
        let _listener = bind_for_group(&path, Some(own)).unwrap();
        assert_eq!((mode(&path), fs::metadata(&path).unwrap().gid()), (0o660, own.as_raw()));
    }

    #[test]
    fn what_the_last_run_left_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mfad.sock");
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists(), "a socket outlives its process");
        drop(bind(&path, Reach::Private).unwrap());
        fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&path, Reach::Private), Err(ListenError::NotASocket { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
