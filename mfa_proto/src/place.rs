//! Whether a socket lies where nobody but root and the daemon's user could have put it, and who may listen there.
//!
//! Refuses to look at anything: judges the owners and modes that its callers have seen, links not followed. The
//! module, `mfactl` and its `doctor` ask here, so that they trust the same places.

const ROOT: u32 = 0;
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;
const KIND: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const SOCKET: u32 = 0o140_000;

/// What `lstat` says of one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Whose it is: `st_uid`.
    pub uid: u32,
    /// What it is, and who may do what with it: `st_mode`, whole.
    pub mode: u32,
}

impl Seen {
    fn is(self, kind: u32) -> bool {
        self.mode & KIND == kind
    }

    fn others_write(self) -> bool {
        self.mode & OTHERS_WRITE != 0
    }
}

/// Why a place is not to be trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// Links lead elsewhere than they are looked at.
    #[error("it is not a directory (symbolic links are refused: give the real path)")]
    NotADirectory,
    /// Its owner could put another socket behind it.
    #[error("it belongs neither to root nor to the owner of the socket's directory")]
    Foreign,
    /// In a directory like `/tmp` anyone can make a name and own it.
    #[error("it belongs to another user, in a directory where everyone can make one")]
    Planted,
    /// Its group, or everyone, could put another socket behind it.
    #[error("others than its owner can write to it")]
    Writable,
    /// It is the socket's own directory, and like `/tmp`.
    #[error("others can put files there (take away its write permission)")]
    Shared,
    /// There is something else in the socket's place.
    #[error("it is not a socket")]
    NotASocket,
}

/// The user that may answer at a socket, besides root: the owner of its directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keeper {
    uid: u32,
}

impl Keeper {
    /// Who keeps the last directory of `way`, when nobody but root and that user can change what the path leads to.
    /// `way` is each directory from `/` down, looked at in that order, so that no name was looked at before those
    /// above it could no longer be moved by others; `me` is who asks.
    ///
    /// # Errors
    ///
    /// Which place of the way is not to be trusted, counted from 0, and why.
    pub fn of(way: &[Seen], me: u32) -> Result<Self, (usize, Flaw)> {
        let Some((last, directory)) = way.iter().enumerate().next_back() else {
            return Err((0, Flaw::NotADirectory));
        };
        let keeper = Self { uid: directory.uid };
        let mut above_is_shared = false;
        for (place, seen) in way.iter().enumerate() {
            keeper.check(*seen, above_is_shared, me).map_err(|flaw| (place, flaw))?;
            above_is_shared = seen.others_write();
        }
        if above_is_shared { Err((last, Flaw::Shared)) } else { Ok(keeper) }
    }

    fn check(self, seen: Seen, above_is_shared: bool, me: u32) -> Result<(), Flaw> {
        if !seen.is(DIRECTORY) {
            return Err(Flaw::NotADirectory);
        }
        if seen.uid != ROOT && seen.uid != self.uid {
            return Err(Flaw::Foreign);
        }
        // There, only root and the user who asks are not "anyone".
        if above_is_shared && seen.uid != ROOT && seen.uid != me {
            return Err(Flaw::Planted);
        }
        if seen.others_write() && seen.mode & STICKY == 0 {
            return Err(Flaw::Writable);
        }
        Ok(())
    }

    /// Whether what lies in the directory is a socket: whose it is says nothing, since a service manager may have
    /// made it.
    ///
    /// # Errors
    ///
    /// [`Flaw::NotASocket`], also for a link to one.
    pub fn check_socket(self, seen: Seen) -> Result<(), Flaw> {
        if seen.is(SOCKET) { Ok(()) } else { Err(Flaw::NotASocket) }
    }

    /// Whether a process of `peer`, as the kernel names who listens, may be the daemon.
    #[must_use]
    pub fn may_be(self, peer: u32) -> bool {
        peer == ROOT || peer == self.uid
    }

    /// Its uid.
    #[must_use]
    pub fn uid(self) -> u32 {
        self.uid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAEMON: u32 = 998;
    const ME: u32 = 1000;
    const OTHER: u32 = 1001;

    fn directory(uid: u32, mode: u32) -> Seen {
        Seen { uid, mode: DIRECTORY | mode }
    }

    /// The keeper of `/run/mfad`, where `/` and `/run` are as on every host.
    fn keeper_of(directory: Seen) -> Result<u32, (usize, Flaw)> {
        below(&[directory])
    }

    fn below(rest: &[Seen]) -> Result<u32, (usize, Flaw)> {
        let way = [&[directory(ROOT, 0o755), directory(ROOT, 0o755)], rest].concat();
        Keeper::of(&way, ME).map(Keeper::uid)
    }

    #[test]
    fn the_owner_of_a_closed_directory_keeps_it() {
        assert_eq!(keeper_of(directory(ROOT, 0o755)), Ok(ROOT));
        assert_eq!(keeper_of(directory(DAEMON, 0o700)), Ok(DAEMON));
        assert_eq!(below(&[directory(DAEMON, 0o755), directory(DAEMON, 0o755)]), Ok(DAEMON));
    }

    #[test]
    fn a_directory_that_others_write_to_has_no_keeper() {
        for mode in [0o775, 0o757, 0o777, 0o702, 0o720] {
            assert_eq!(keeper_of(directory(ROOT, mode)), Err((2, Flaw::Writable)), "{mode:o}");
            let inside = directory(ROOT, 0o755);
            assert_eq!(below(&[directory(ROOT, mode), inside]), Err((2, Flaw::Writable)), "{mode:o}");
            assert_eq!(keeper_of(directory(ROOT, mode | STICKY)), Err((2, Flaw::Shared)), "{mode:o}");
        }
    }

    #[test]
    fn what_lies_in_a_directory_like_tmp_is_roots_or_ones_own() {
        let tmp = directory(ROOT, 0o1777);
        assert_eq!(below(&[tmp, directory(ROOT, 0o700)]), Ok(ROOT));
        assert_eq!(below(&[tmp, directory(ME, 0o700)]), Ok(ME));
        assert_eq!(below(&[tmp, directory(OTHER, 0o700)]), Err((3, Flaw::Planted)));
        // Only there: what is below it is nobody else's to make.
        assert_eq!(below(&[tmp, directory(ROOT, 0o755), directory(DAEMON, 0o755)]), Ok(DAEMON));
    }

    #[test]
    fn a_stranger_on_the_way_could_lead_elsewhere() {
        let way = [directory(OTHER, 0o755), directory(DAEMON, 0o755)];
        assert_eq!(below(&way), Err((2, Flaw::Foreign)));
        assert_eq!(below(&[directory(DAEMON, 0o755), directory(ROOT, 0o755)]), Err((2, Flaw::Foreign)));
    }

    #[test]
    fn only_directories_lead_there() {
        for kind in [0o120_000, 0o100_000, SOCKET, 0] {
            let seen = Seen { uid: ROOT, mode: kind | 0o755 };
            assert_eq!(keeper_of(seen), Err((2, Flaw::NotADirectory)), "{kind:o}");
        }
        assert_eq!(Keeper::of(&[], ME), Err((0, Flaw::NotADirectory)));
    }

    #[test]
    fn only_a_socket_is_one() {
        let keeper = Keeper { uid: DAEMON };
        let check = |kind| keeper.check_socket(Seen { uid: ROOT, mode: kind | 0o666 });
        assert_eq!(check(SOCKET), Ok(()));
        for kind in [0o120_000, 0o100_000, DIRECTORY, 0] {
            assert_eq!(check(kind), Err(Flaw::NotASocket), "{kind:o}");
        }
    }

    #[test]
    fn only_root_and_the_keeper_may_listen() {
        let keeper = Keeper { uid: DAEMON };
        // A socket that the service manager made for the daemon: the kernel names who made it.
        assert!(keeper.may_be(ROOT) && keeper.may_be(DAEMON));
        assert!(!keeper.may_be(ME) && !keeper.may_be(OTHER));
        assert!(!Keeper { uid: ROOT }.may_be(DAEMON));
    }
}
