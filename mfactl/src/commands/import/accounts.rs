//! The host's accounts, as far as an import asks for them.

use std::os::unix::fs::MetadataExt;

use mfa_proto::name::UserName;
use nix::unistd::{Uid, User, geteuid};

/// Who there is.
pub(super) trait Accounts {
    /// Whether there is an account of this name. What cannot be looked up counts as one: the daemon is asked too.
    fn exists(&self, name: &UserName) -> bool;
    /// The account of `uid`.
    fn of_uid(&self, uid: u32) -> Option<UserName>;
    /// Whether the directory of this device and inode is the home of `name`.
    fn is_home(&self, name: &UserName, directory: (u64, u64)) -> bool;
}

/// This host's (NSS).
#[derive(Clone, Copy, Debug)]
pub(super) struct Host;

impl Accounts for Host {
    fn exists(&self, name: &UserName) -> bool {
        crate::commands::user::exists(name)
    }

    fn of_uid(&self, uid: u32) -> Option<UserName> {
        let account = User::from_uid(Uid::from_raw(uid)).ok()??;
        UserName::new(account.name).ok()
    }

    fn is_home(&self, name: &UserName, directory: (u64, u64)) -> bool {
        let home = User::from_name(name.as_str()).ok().flatten().map(|account| account.dir);
        let about = home.and_then(|home| std::fs::metadata(home).ok());
        about.is_some_and(|about| (about.dev(), about.ino()) == directory)
    }
}

/// Whether a file of `uid` may bring factors for everyone: root's, and that of who runs this.
pub(super) fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

/// Accounts of tests: root, alice (1000, whose home is file 7 of device 1) and bob (1001).
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Few;

#[cfg(test)]
impl Accounts for Few {
    fn exists(&self, name: &UserName) -> bool {
        ["root", "alice", "bob"].contains(&name.as_str())
    }

    fn of_uid(&self, uid: u32) -> Option<UserName> {
        let name = [(0, "root"), (1000, "alice"), (1001, "bob")].into_iter().find(|(id, _)| *id == uid)?.1;
        Some(UserName::new(name).unwrap())
    }

    fn is_home(&self, name: &UserName, directory: (u64, u64)) -> bool {
        name.as_str() == "alice" && directory == (1, 7)
    }
}
