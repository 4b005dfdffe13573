//! Plays the part of an enrolled account for names that have none, so that prompts, waits and locks
//! tell nobody which accounts exist. Never says yes.
//!
//! Refuses to remember names: a fixed table of counters, found by a keyed hash, so that no flood of
//! names takes memory or disk.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use mfa_proto::name::UserId;

use crate::{
    clock::UnixTime,
    limits::{Counter, Gate, Profile},
    store::Outcome,
};

const SLOTS: usize = 4096;

/// Counters for names without account or factor.
#[derive(Debug)]
pub struct Decoys {
    hasher: RandomState,
    slots: Mutex<Vec<Counter>>,
}

impl Default for Decoys {
    fn default() -> Self {
        Self { hasher: RandomState::new(), slots: Mutex::new(vec![Counter::default(); SLOTS]) }
    }
}

impl Decoys {
    /// How the limits of such a name stand.
    pub fn gate(&self, user: &UserId, now: UnixTime) -> Gate {
        self.with(user, |counter| counter.gate(now))
    }

    /// Judges a code for such a name: wrong, and counted.
    pub fn judge(&self, user: &UserId, profile: &Profile, now: UnixTime) -> Outcome {
        self.with(user, |counter| match counter.gate(now) {
            Gate::Open => Outcome::Wrong { gate: counter.fail(profile, now) },
            gate @ (Gate::Wait { .. } | Gate::UntilAdmin | Gate::Exhausted) => Outcome::Locked { gate },
        })
    }

    fn with<T>(&self, user: &UserId, then: impl FnOnce(&mut Counter) -> T) -> T {
        let slot = self.hasher.hash_one(user) % u64::try_from(SLOTS).unwrap_or(u64::MAX);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outside = Counter::default();
        let counter = usize::try_from(slot).ok().and_then(|slot| slots.get_mut(slot)).unwrap_or(&mut outside);
        then(counter)
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::name::UserName;

    use super::*;
    use crate::limits::ProfileName;

    #[test]
    fn a_name_without_account_is_refused_as_one_with() {
        let (decoys, profile) = (Decoys::default(), Profile::named(ProfileName::Default));
        let user = UserId::local(UserName::new("nobody-here").unwrap());
        let mut now = UnixTime(1_800_000_000);
        let mut real = Counter::default();
        for _ in 0..5 {
            let Outcome::Wrong { gate } = decoys.judge(&user, &profile, now) else {
                panic!("an open gate judges");
            };
            assert_eq!(gate, real.fail(&profile, now));
            now = now.plus(10);
        }
        assert!(matches!(decoys.judge(&user, &profile, now), Outcome::Locked { .. }));
        assert_eq!(decoys.gate(&user, now), real.gate(now));
    }
}
