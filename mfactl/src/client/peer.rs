//! Whether what listens on the socket may be the daemon, by the PAM module's own rule ([`mfa_proto::place`]).
//!
//! Looks after connecting, so that a daemon that is not there is told as that; nothing was sent by then.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, absolute};

use mfa_proto::{
    place::{Flaw, Keeper, Seen},
    text::escape_for_log,
};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::geteuid;

use crate::failure::Failure;

/// Refuses a peer that may not be the daemon. Says who may be.
pub(super) fn check(stream: &UnixStream, socket: &Path) -> Result<Keeper, Failure> {
    let untrusted = |why| Failure::Untrusted { path: escape_for_log(&socket.to_string_lossy()), why };
    let keeper = keeper_of(socket).map_err(untrusted)?;
    let peer = getsockopt(stream, PeerCredentials)
        .map_err(|e| untrusted(format!("its owner cannot be told: {e}")))?
        .uid();
    if keeper.may_be(peer) {
        return Ok(keeper);
    }
    let owner = keeper.uid();
    Err(untrusted(format!(
        "uid {peer} listens, which is neither root nor the directory's owner (uid {owner})"
    )))
}

fn keeper_of(socket: &Path) -> Result<Keeper, String> {
    let socket = absolute(socket).map_err(|e| format!("its path cannot be told: {e}"))?;
    let directory = socket.parent().unwrap_or(Path::new("/"));
    let mut way: Vec<&Path> = directory.ancestors().collect();
    way.reverse();
    let seen = way.iter().map(|place| look_at(place)).collect::<Result<Vec<_>, _>>()?;
    let keeper = Keeper::of(&seen, geteuid().as_raw())
        .map_err(|(place, flaw)| distrusted(way.get(place).unwrap_or(&directory), flaw))?;
    keeper.check_socket(look_at(&socket)?).map_err(|flaw| distrusted(&socket, flaw))?;
    Ok(keeper)
}

fn look_at(place: &Path) -> Result<Seen, String> {
    let found = std::fs::symlink_metadata(place)
        .map_err(|e| format!("{} cannot be looked at: {e}", escape_for_log(&place.to_string_lossy())))?;
    Ok(Seen { uid: found.uid(), mode: found.mode() })
}

fn distrusted(place: &Path, flaw: Flaw) -> String {
    format!("{} is not to be trusted: {flaw}", escape_for_log(&place.to_string_lossy()))
}
