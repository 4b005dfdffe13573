//! How asking the directory last ended, for administrators.
//!
//! Refuses to decide anything by it: a login asks, whatever was said before.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mfa_proto::{admin::DirectoryState, text::ShownText};

use crate::{clock::UnixTime, outgoing::Undone};

/// See the module.
#[derive(Debug, Default)]
pub struct Last(Mutex<DirectoryState>);

impl Last {
    /// Notes how asking ended. What goes on failing has failed since it began.
    pub fn note(&self, now: UnixTime, ended: Result<(), &Undone>) {
        let mut state = self.lock();
        *state = match (ended, &*state) {
            (Ok(()), _) => DirectoryState::Answers { at: now.0 },
            (Err(why), DirectoryState::Fails { since, .. }) => fails(*since, why),
            (Err(why), _) => fails(now.0, why),
        };
    }

    /// How it ended.
    pub fn state(&self) -> DirectoryState {
        self.lock().clone()
    }

    /// Begins anew: another directory may be configured now.
    pub fn forget(&self) {
        *self.lock() = DirectoryState::NotAsked;
    }

    fn lock(&self) -> MutexGuard<'_, DirectoryState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fails(since: i64, why: &Undone) -> DirectoryState {
    DirectoryState::Fails { since, why: ShownText::clean(&why.to_string()) }
}
