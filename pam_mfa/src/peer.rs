//! Who is behind the socket: looked at before a byte is sent.
//!
//! Refuses a socket in a place where somebody else than root or the daemon's user could have put one, and
//! a peer that is neither. Uses the kernel's word alone: owners, modes, `SO_PEERCRED`; no name is looked up.

use std::{
    fs::{self, Metadata},
    io::ErrorKind,
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::Path,
};

use nix::{
    errno::Errno,
    sys::socket::{getsockopt, sockopt::PeerCredentials},
    unistd::geteuid,
};

use crate::fault::Fault;

const ROOT: u32 = 0;
const STICKY: u32 = 0o1000;
const GROUP_OR_WORLD_WRITES: u32 = 0o022;

/// The user that may answer at a socket, besides root: the owner of its directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Keeper {
    uid: u32,
}

impl Keeper {
    /// Finds who keeps the directory of `socket`, when nobody but root and that user can change what the
    /// path leads to.
    ///
    /// Looks from `/` downwards, so that each name is looked at when those above it can no longer be moved
    /// by others, if what was seen of those is found right; symbolic links are refused, since they lead
    /// elsewhere than they are checked.
    pub(crate) fn of(socket: &Path) -> Result<Self, Fault> {
        let directory = socket.parent().unwrap_or(Path::new("/"));
        let way = from_the_root(directory);
        let seen = way.iter().map(|place| look_at(place, socket)).collect::<Result<Vec<_>, _>>()?;
        let keeper = seen.last().map_or(ROOT, Metadata::uid);
        let mut above_is_shared = false;
        for (place, found) in way.into_iter().zip(&seen) {
            check_directory(place, found, keeper, above_is_shared)?;
            above_is_shared = found.mode() & GROUP_OR_WORLD_WRITES != 0;
        }
        if above_is_shared {
            return untrusted(directory, "others can put files there (take away its write permission)");
        }
        check_socket(socket, &look_at(socket, socket)?)?;
        Ok(Self { uid: keeper })
    }

    /// Whether who listens at the other end of `connection` is root or the keeper.
    pub(crate) fn expect(self, connection: &impl AsFd) -> Result<(), Fault> {
        let peer = getsockopt(&connection.as_fd(), PeerCredentials)
            .map_err(|cause| Fault::System { doing: "asking who is behind the socket", cause })?
            .uid();
        if peer == ROOT || peer == self.uid {
            return Ok(());
        }
        let keeper = self.uid;
        Err(Fault::Untrusted(format!(
            "the peer at the socket has uid {peer}, neither root nor {keeper}, who owns the socket's directory"
        )))
    }
}

fn from_the_root(directory: &Path) -> Vec<&Path> {
    let mut places: Vec<_> = directory.ancestors().collect();
    places.reverse();
    places
}

fn look_at(place: &Path, socket: &Path) -> Result<Metadata, Fault> {
    fs::symlink_metadata(place).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return Fault::Absent { socket: socket.to_owned(), cause: Errno::ENOENT };
        }
        Fault::of_io("looking at the socket's place", &error)
    })
}

fn check_directory(place: &Path, found: &Metadata, keeper: u32, above_is_shared: bool) -> Result<(), Fault> {
    if !found.is_dir() {
        return untrusted(place, "it is not a directory (symbolic links are refused: give the real path)");
    }
    if found.uid() != ROOT && found.uid() != keeper {
        return untrusted(place, "it belongs neither to root nor to the owner of the socket's directory");
    }
    // In a directory like /tmp anyone can make a name and own it: there, only root and this process's own
    // user are not "anyone".
    if above_is_shared && found.uid() != ROOT && found.uid() != geteuid().as_raw() {
        return untrusted(place, "it belongs to another user, in a directory where everyone can make one");
    }
    if found.mode() & GROUP_OR_WORLD_WRITES != 0 && found.mode() & STICKY == 0 {
        return untrusted(place, "others than its owner can write to it");
    }
    Ok(())
}

fn check_socket(place: &Path, found: &Metadata) -> Result<(), Fault> {
    if found.file_type().is_socket() { Ok(()) } else { untrusted(place, "it is not a socket") }
}

fn untrusted<T>(place: &Path, why: &str) -> Result<T, Fault> {
    Err(Fault::Untrusted(format!("{} is not to be trusted: {why}", place.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_gone_from_the_root() {
        let way = from_the_root(Path::new("/run/mfad"));
        assert_eq!(way, [Path::new("/"), Path::new("/run"), Path::new("/run/mfad")]);
    }

    #[test]
    fn a_place_that_everyone_can_write_to_is_refused() {
        let fault = Keeper::of(Path::new("/tmp")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
        let fault = Keeper::of(Path::new("/tmp/mfad.sock")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
    }

    #[test]
    fn a_place_that_is_not_there_is_an_absent_daemon() {
        let fault = Keeper::of(Path::new("/nowhere/mfad/mfad.sock")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Absent { cause: Errno::ENOENT, .. }), "{fault}");
    }

    #[test]
    fn what_is_no_socket_is_refused() {
        let fault = Keeper::of(Path::new("/etc/passwd")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
    }
}
