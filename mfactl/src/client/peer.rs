//! Whether what listens on the socket may be the daemon. The same rule as the PAM module's: the peer is
//! root or owns the socket's directory, and nobody else can put a socket there.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use mfa_proto::text::escape_for_log;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use crate::failure::Failure;

/// The user that the daemon runs as, if that is not root: who owns the socket's directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeper {
    /// Its uid.
    pub(crate) uid: u32,
}

/// Refuses a peer that may not be the daemon. Says who may be.
pub(super) fn check(stream: &UnixStream, socket: &Path) -> Result<Keeper, Failure> {
    let shown = escape_for_log(&socket.to_string_lossy());
    let peer = getsockopt(stream, PeerCredentials).map_err(|e| Failure::Untrusted {
        path: shown.clone(),
        why: format!("its owner cannot be told: {e}"),
    })?;
    let directory = match socket.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let metadata = std::fs::metadata(directory).map_err(|e| Failure::Untrusted {
        path: shown.clone(),
        why: format!("its directory cannot be looked at: {e}"),
    })?;
    trusted(peer.uid(), metadata.uid(), metadata.mode())
        .map_err(|why| Failure::Untrusted { path: shown, why })?;
    Ok(Keeper { uid: metadata.uid() })
}

/// The rule itself: who listens, who owns the directory, and the directory's mode.
fn trusted(peer: u32, owner: u32, mode: u32) -> Result<(), String> {
    if mode & 0o022 != 0 {
        return Err(format!(
            "its directory can be written by others than its owner (mode {:04o})",
            mode & 0o7777
        ));
    }
    if peer != 0 && peer != owner {
        return Err(format!(
            "uid {peer} listens, which is neither root nor the directory's owner (uid {owner})"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_the_owner_of_a_closed_directory_are_trusted() {
        assert_eq!(trusted(0, 0, 0o40755), Ok(()));
        assert_eq!(trusted(998, 998, 0o40700), Ok(()));
        // A socket that the service manager made for the daemon: the kernel names who made it.
        assert_eq!(trusted(0, 998, 0o40755), Ok(()));
        for (peer, owner, mode) in [
            (1000, 0, 0o40755),   // someone else's socket in root's directory
            (1000, 998, 0o40755), // a stranger in the daemon's directory
            (0, 0, 0o40775),      // the group may swap the socket
            (0, 0, 0o41777),      // like /tmp
            (998, 998, 0o40702),  // everyone may swap the socket
        ] {
            assert!(trusted(peer, owner, mode).is_err(), "peer {peer}, owner {owner}, mode {mode:o}");
        }
    }
}
