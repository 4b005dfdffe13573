//! Who is behind the socket: looked at before a byte is sent.
//!
//! Refuses a socket in a place where somebody else than root or the daemon's user could have put one, and
//! a peer that is neither. Uses the kernel's word alone: owners, modes, `SO_PEERCRED`; no name is looked up.

use std::{
    fs,
    io::ErrorKind,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::Path,
};

use mfa_proto::place::{Flaw, Keeper, Seen};
use nix::{
    errno::Errno,
    sys::socket::{getsockopt, sockopt::PeerCredentials},
    unistd::geteuid,
};

use crate::fault::Fault;

/// Finds who keeps the directory of `socket`, when nobody but root and that user can change what the path
/// leads to.
///
/// Looks from `/` downwards, so that each name is looked at when those above it can no longer be moved
/// by others, if what was seen of those is found right; symbolic links are refused, since they lead
/// elsewhere than they are checked.
pub(crate) fn keeper_of(socket: &Path) -> Result<Keeper, Fault> {
    let directory = socket.parent().unwrap_or(Path::new("/"));
    let way = from_the_root(directory);
    let seen = way.iter().map(|place| look_at(place, socket)).collect::<Result<Vec<_>, _>>()?;
    let keeper = Keeper::of(&seen, geteuid().as_raw())
        .map_err(|(place, flaw)| untrusted(way.get(place).unwrap_or(&directory), flaw))?;
    keeper.check_socket(look_at(socket, socket)?).map_err(|flaw| untrusted(socket, flaw))?;
    Ok(keeper)
}

/// Refuses who listens at the other end of `connection`, unless it is root or the keeper.
pub(crate) fn expect(keeper: Keeper, connection: &impl AsFd) -> Result<(), Fault> {
    let peer = getsockopt(&connection.as_fd(), PeerCredentials)
        .map_err(|cause| Fault::System { doing: "asking who is behind the socket", cause })?
        .uid();
    if keeper.may_be(peer) {
        return Ok(());
    }
    let keeper = keeper.uid();
    Err(Fault::Untrusted(format!(
        "the peer at the socket has uid {peer}, neither root nor {keeper}, who owns the socket's directory"
    )))
}

fn from_the_root(directory: &Path) -> Vec<&Path> {
    let mut places: Vec<_> = directory.ancestors().collect();
    places.reverse();
    places
}

fn look_at(place: &Path, socket: &Path) -> Result<Seen, Fault> {
    let found = fs::symlink_metadata(place).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return Fault::Absent { socket: socket.to_owned(), cause: Errno::ENOENT };
        }
        Fault::of_io("looking at the socket's place", &error)
    })?;
    Ok(Seen { uid: found.uid(), mode: found.mode() })
}

fn untrusted(place: &Path, flaw: Flaw) -> Fault {
    Fault::Untrusted(format!("{} is not to be trusted: {flaw}", place.display()))
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
        let fault = keeper_of(Path::new("/tmp")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
        let fault = keeper_of(Path::new("/tmp/mfad.sock")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
    }

    #[test]
    fn a_place_that_is_not_there_is_an_absent_daemon() {
        let fault = keeper_of(Path::new("/nowhere/mfad/mfad.sock")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Absent { cause: Errno::ENOENT, .. }), "{fault}");
    }

    #[test]
    fn what_is_no_socket_is_refused() {
        let fault = keeper_of(Path::new("/etc/passwd")).map(|_| ()).unwrap_err();
        assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
    }
}
