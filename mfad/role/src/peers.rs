//! Which processes may be at the other end of a role's socket, by the accounts that they run as; and which
//! addresses are counted as one.
//!
//! Refuses to guess: an account that cannot be looked up is nobody's.

use std::net::IpAddr;

use nix::unistd::{User, geteuid};
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

/// What is counted as one peer of the network: an address of IPv4, however it is written, and of IPv6 the network of
/// 64 bits that a host or a customer has.
pub fn grouped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) & !u128::from(u64::MAX)).into()),
        four @ IpAddr::V4(_) => four,
    }
}
