//! Which processes may be at the other end of a role's socket, by the accounts that they run as; and which
//! addresses are counted as one.
//!
//! Refuses to guess: an account that cannot be looked up is nobody's.

use std::{io, net::IpAddr, path::Path};

use nix::unistd::{User, geteuid};
use tokio::net::UnixStream;
use tracing::warn;

/// The uid of an account that `key` of the configuration names; `None`, and a word in the log, when there is
/// none.
pub fn uid_of(account: &str, key: &str) -> Option<u32> {
    match User::from_name(account) {
        Ok(Some(user)) => Some(user.uid.as_raw()),
        Ok(None) => {
            warn!("there is no account \"{account}\" ({key}): nobody else than root and this user counts");
            None
        }
        Err(error) => {
            warn!("account \"{account}\" ({key}) cannot be looked up: {error}");
            None
        }
    }
}

/// Root, this process's own user, and the account that `key` names.
pub fn allowed(account: &str, key: &str) -> Vec<u32> {
    [0, geteuid().as_raw()].into_iter().chain(uid_of(account, key)).collect()
}

/// Whose process has connected: its uid by the kernel's word, when that is an allowed one. `None`, and a word in the
/// log, for everybody else; `only` says there who may ask.
pub fn admitted(stream: &UnixStream, allowed: &[u32], only: &str) -> Option<u32> {
    let uid = uid_behind(stream)?;
    if allowed.contains(&uid) {
        return Some(uid);
    }
    warn!(uid, "a connection was refused: {only}");
    None
}

/// Whose process has connected, as the kernel noted it then. What it does not say is `None`, which must never be
/// taken for uid 0.
pub fn uid_behind(stream: &UnixStream) -> Option<u32> {
    let credentials = stream.peer_cred().inspect_err(|error| {
        warn!("a connection was dropped: the kernel does not say whose it is: {error}");
    });
    Some(credentials.ok()?.uid())
}

/// Connects to a role's socket. Whose process listens there is the kernel's word: where it gives none, that is an
/// error, which must never be taken for uid 0.
pub async fn connect(socket: &Path) -> io::Result<(UnixStream, u32)> {
    let stream = UnixStream::connect(socket).await?;
    let uid = stream.peer_cred()?.uid();
    Ok((stream, uid))
}

/// What is counted as one peer of the network: an address of IPv4, however it is written, and of IPv6 the network of
/// 64 bits that a host or a customer has.
pub fn grouped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) & !u128::from(u64::MAX)).into()),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_allowed_uid_is_admitted() {
        let (stream, _peer) = UnixStream::pair().unwrap();
        let own = geteuid().as_raw();
        assert_eq!(uid_behind(&stream), Some(own));
        assert_eq!(admitted(&stream, &[own.wrapping_add(1), own], "we alone"), Some(own));
        assert_eq!(admitted(&stream, &[own.wrapping_add(1)], "others"), None);
        assert_eq!(admitted(&stream, &[], "nobody"), None);
    }
}
