//! Plays the part of an enrolled account for names that have none, so that prompts, waits and locks
//! tell nobody which accounts exist. Never says yes.
//!
//! Refuses to remember names: a fixed table of counters, found by a keyed hash, so that no flood of
//! names takes memory or disk. Names that share a place in it are told apart by the rest of their hash: else whoever
//! tries many would lock names that nobody has tried, which those of accounts are not.

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

/// Places, and how many names each has room for: some 650 KB together.
const PLACES: u64 = 2048;
const NAMES: usize = 8;

/// Counters for names without account or factor.
#[derive(Debug)]
pub struct Decoys {
    hasher: RandomState,
    places: Mutex<Vec<Place>>,
}

/// The counter of a name, which is known by its hash alone. One without failures is nobody's.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    hash: u64,
    counter: Counter,
}

/// Names whose hashes lead to the same place.
#[derive(Clone, Debug, Default)]
struct Place([Named; NAMES]);

impl Default for Decoys {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| Place::default()).collect();
        Self { hasher: RandomState::new(), places: Mutex::new(places) }
    }
}

impl Decoys {
    /// How the limits of such a name stand.
    pub fn gate(&self, user: &UserId, channel: Channel, settings: &StoreSettings, now: UnixTime) -> Gate {
        let factor = self.stand(user, Channel::Proven, &settings.profile, now);
        match channel {
            Channel::Proven => factor,
            // As for an account: its factors' limits and the smaller budget hold together.
            Channel::Unproven => factor.and(self.stand(user, channel, &settings.unproven, now)),
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
        let failed = self.at(user, channel, |place, hash| Some(place.keep(hash)?.fail(profile, now)));
        Outcome::Wrong { gate: failed.unwrap_or(gate) }
    }

    fn stand(&self, user: &UserId, channel: Channel, profile: &Profile, now: UnixTime) -> Gate {
        let gate = self.at(user, channel, |place, hash| Some(stand(place.of(hash)?, profile, now)));
        gate.unwrap_or(Gate::Open)
    }

    fn at<T>(
        &self,
        user: &UserId,
        channel: Channel,
        then: impl FnOnce(&mut Place, u64) -> Option<T>,
    ) -> Option<T> {
        let hash = self.hasher.hash_one((user, channel == Channel::Proven));
        let index = usize::try_from(hash % PLACES).ok()?;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        then(places.get_mut(index)?, hash)
    }
}

impl Place {
    /// The counter of a name, where it has failures.
    fn of(&mut self, hash: u64) -> Option<&mut Counter> {
        self.0.iter_mut().find(|named| named.hash == hash).map(|named| &mut named.counter)
    }

    /// The counter of a name, from now on. A new one takes the place of the one with the fewest failures, and of
    /// those of the one that has not failed for longest.
    fn keep(&mut self, hash: u64) -> Option<&mut Counter> {
        let worth = |named: &Named| (named.hash != hash, named.counter.failures, named.counter.since);
        let named = self.0.iter_mut().min_by_key(|named| worth(named))?;
        if named.hash != hash {
            *named = Named { hash, counter: Counter::default() };
        }
        Some(&mut named.counter)
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

    #[test]
    fn whoever_tries_many_names_locks_none_that_nobody_has_tried() {
        let (decoys, settings) = (Decoys::default(), StoreSettings::default());
        let name = |number: u32| UserId::local(UserName::new(format!("name{number}")).unwrap());
        for number in 0..20_000 {
            for _ in 0..settings.unproven.burst {
                drop(decoys.judge(&name(number), Channel::Unproven, &settings, NOW));
            }
        }
        let fresh = |number: &u32| !decoys.gate(&name(*number), Channel::Unproven, &settings, NOW).is_open();
        assert_eq!((20_000..40_000).find(fresh), None);
    }

    #[test]
    fn what_failed_more_often_is_not_forgotten_for_names_that_failed_less() {
        let (decoys, settings, user) = (Decoys::default(), StoreSettings::default(), nobody());
        for _ in 0..settings.unproven.burst {
            drop(decoys.judge(&user, Channel::Unproven, &settings, NOW));
        }
        for number in 0..50_000 {
            let other = UserId::local(UserName::new(format!("name{number}")).unwrap());
            drop(decoys.judge(&other, Channel::Unproven, &settings, NOW));
        }
        assert!(!decoys.gate(&user, Channel::Unproven, &settings, NOW).is_open());
    }
}
