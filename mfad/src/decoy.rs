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
    store::{Channel, Outcome, StoreSettings},
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
    pub fn gate(&self, user: &UserId, channel: Channel, settings: &StoreSettings, now: UnixTime) -> Gate {
        let factor = self.with(user, Channel::Proven, |counter| stand(counter, &settings.profile, now));
        match channel {
            Channel::Proven => factor,
            // As for an account: its factors' limits and the smaller budget hold together.
            Channel::Unproven => {
                factor.and(self.with(user, channel, |counter| stand(counter, &settings.unproven, now)))
            }
        }
    }

    /// Judges a code for such a name: wrong, and counted.
    pub fn judge(&self, user: &UserId, channel: Channel, settings: &StoreSettings, now: UnixTime) -> Outcome {
        let gate = self.gate(user, channel, settings, now);
        if !gate.is_open() {
            return Outcome::Locked { gate };
        }
        let profile = match channel {
            Channel::Proven => &settings.profile,
            Channel::Unproven => &settings.unproven,
        };
        Outcome::Wrong { gate: self.with(user, channel, |counter| counter.fail(profile, now)) }
    }

    fn with<T>(&self, user: &UserId, channel: Channel, then: impl FnOnce(&mut Counter) -> T) -> T {
        let slot = self.hasher.hash_one((user, channel == Channel::Proven))
            % u64::try_from(SLOTS).unwrap_or(u64::MAX);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outside = Counter::default();
        let counter = usize::try_from(slot).ok().and_then(|slot| slots.get_mut(slot)).unwrap_or(&mut outside);
        then(counter)
    }
}

/// A factor that failed too often is exhausted, not only locked.
fn stand(counter: &mut Counter, profile: &Profile, now: UnixTime) -> Gate {
    if counter.failures >= profile.disable_at { Gate::Exhausted } else { counter.gate(now) }
}

#[cfg(test)]
mod tests {
    use mfa_proto::name::UserName;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn nobody() -> UserId {
        UserId::local(UserName::new("nobody-here").unwrap())
    }

    #[test]
    fn a_name_without_account_is_refused_as_one_with() {
        let (decoys, settings, user) = (Decoys::default(), StoreSettings::default(), nobody());
        let mut now = NOW;
        let mut real = Counter::default();
        for _ in 0..5 {
            let Outcome::Wrong { gate } = decoys.judge(&user, Channel::Proven, &settings, now) else {
                panic!("an open gate judges");
            };
            assert_eq!(gate, real.fail(&settings.profile, now));
            now = now.plus(10);
        }
        assert!(matches!(decoys.judge(&user, Channel::Proven, &settings, now), Outcome::Locked { .. }));
        assert_eq!(decoys.gate(&user, Channel::Proven, &settings, now), real.gate(now));
    }

    #[test]
    fn without_a_proven_password_the_smaller_budget_counts_and_locks_no_other_channel() {
        let (decoys, settings, user) = (Decoys::default(), StoreSettings::default(), nobody());
        for _ in 0..settings.unproven.burst {
            assert!(matches!(decoys.judge(&user, Channel::Unproven, &settings, NOW), Outcome::Wrong { .. }));
        }
        assert!(!decoys.gate(&user, Channel::Unproven, &settings, NOW).is_open());
        assert!(decoys.gate(&user, Channel::Proven, &settings, NOW).is_open());
    }

    #[test]
    fn too_many_failures_exhaust_what_is_not_there_as_well() {
        let (decoys, settings, user) = (Decoys::default(), StoreSettings::default(), nobody());
        let mut now = NOW;
        for _ in 0..settings.profile.disable_at {
            drop(decoys.judge(&user, Channel::Proven, &settings, now));
            now = now.plus(7200);
        }
        assert_eq!(decoys.gate(&user, Channel::Proven, &settings, now), Gate::Exhausted);
    }
}
