//! By which ways a notice was told already, so that trying again does not fill anybody's mailbox.
//!
//! In memory and bounded: after a restart a notice may be told twice.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mfa_proto::egress::Notice;

/// The most that is remembered: more than core tries again at a time, by the most ways there are.
const MOST: usize = 1024;

/// A way to tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// Mail to the user.
    User,
    /// Mail to an administrator, by place in the list.
    Admin(usize),
    /// The program.
    Hook,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("the user"),
            Self::Admin(n) => write!(f, "administrator {}", n.saturating_add(1)),
            Self::Hook => f.write_str("the hook"),
        }
    }
}

/// Number and time of a notice: after a restore, numbers are given again.
type Name = (i64, i64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<VecDeque<(Name, Way)>>);

impl Told {
    fn list(&self) -> MutexGuard<'_, VecDeque<(Name, Way)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this way has taken it.
    pub(super) fn has(&self, notice: &Notice, way: Way) -> bool {
        self.list().contains(&((notice.seq, notice.time), way))
    }

    /// This way has taken it.
    pub(super) fn note(&self, notice: &Notice, way: Way) {
        let mut list = self.list();
        if list.len() >= MOST {
            list.pop_front();
        }
        list.push_back(((notice.seq, notice.time), way));
    }

    /// All ways have.
    pub(super) fn forget(&self, notice: &Notice) {
        self.list().retain(|(name, _)| *name != (notice.seq, notice.time));
    }
}
