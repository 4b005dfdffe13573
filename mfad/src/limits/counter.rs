//! Consecutive failures and the wait they earned. The expiry of a wait forgets nothing.

use super::Profile;
use crate::clock::UnixTime;

/// Failures since the last success.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counter {
    /// How many.
    pub failures: u32,
    /// When the present wait began.
    pub since: UnixTime,
    /// Nothing is judged before this time.
    pub not_before: UnixTime,
    /// Nothing is judged until an administrator says so.
    pub until_admin: bool,
}

/// Whether an attempt may be judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gate {
    /// It may.
    Open,
    /// Not before a time.
    Wait {
        /// The first second at which it may.
        until: UnixTime,
    },
    /// Not before an administrator unlocks.
    UntilAdmin,
    /// Never again: the factor must be enrolled anew.
    Exhausted,
}

impl Gate {
    /// Whether an attempt may be judged.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }

    /// The more lenient of two gates.
    #[must_use]
    pub fn more_lenient(self, other: Self) -> Self {
        if self.and(other) == self { other } else { self }
    }

    /// The stricter of two gates.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exhausted, _) | (_, Self::Exhausted) => Self::Exhausted,
            (Self::UntilAdmin, _) | (_, Self::UntilAdmin) => Self::UntilAdmin,
            (Self::Wait { until: a }, Self::Wait { until: b }) => Self::Wait { until: a.max(b) },
            (wait @ Self::Wait { .. }, Self::Open) | (Self::Open, wait @ Self::Wait { .. }) => wait,
            (Self::Open, Self::Open) => Self::Open,
        }
    }
}

impl Counter {
    /// Whether an attempt may be judged at `now`.
    ///
    /// A clock that was set back behind the start of a wait would stretch the wait without bound; the
    /// wait is begun again at `now` instead, so it lasts at most as long as it was meant to.
    pub fn gate(&mut self, now: UnixTime) -> Gate {
        if self.until_admin {
            return Gate::UntilAdmin;
        }
        if self.not_before > now && now < self.since {
            let length = self.not_before.since(self.since);
            self.since = now;
            self.not_before = now.plus(length);
        }
        if self.not_before > now { Gate::Wait { until: self.not_before } } else { Gate::Open }
    }

    /// Counts a failure at `now`, and says when the next attempt may be judged.
    pub fn fail(&mut self, profile: &Profile, now: UnixTime) -> Gate {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= profile.disable_at {
            self.until_admin = true;
            return Gate::Exhausted;
        }
        self.since = now;
        self.not_before = now.plus(profile.wait_after(self.failures));
        self.until_admin = profile.unlock_by_admin && self.failures >= profile.burst;
        self.gate(now)
    }

    /// A success: the failures before it no longer count.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }

    /// What is worse of two: the higher count, the longer wait.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let waits = if other.not_before > self.not_before { other } else { self };
        Self {
            failures: self.failures.max(other.failures),
            until_admin: self.until_admin || other.until_admin,
            ..waits
        }
    }

    /// An administrator ends the wait; the count stays.
    pub fn unlock(&mut self) {
        self.since = UnixTime::default();
        self.not_before = UnixTime::default();
        self.until_admin = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::ProfileName, *};

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn failed(times: u32, profile: &Profile) -> Counter {
        let mut counter = Counter::default();
        for _ in 0..times {
            counter.fail(profile, NOW);
        }
        counter
    }

    #[test]
    fn the_end_of_a_wait_does_not_forget_the_failures() {
        let profile = Profile::named(ProfileName::Default);
        let mut counter = failed(5, &profile);
        assert_eq!(counter.gate(NOW), Gate::Wait { until: NOW.plus(900) });
        assert_eq!(counter.gate(NOW.plus(900)), Gate::Open);
        assert_eq!(counter.fail(&profile, NOW.plus(900)), Gate::Wait { until: NOW.plus(900 + 1800) });
    }

    #[test]
    fn the_hundredth_failure_ends_it() {
        let profile = Profile::named(ProfileName::Default);
        let mut counter = failed(99, &profile);
        assert_eq!(counter.fail(&profile, NOW), Gate::Exhausted);
        assert_eq!(counter.gate(NOW.plus(1_000_000)), Gate::UntilAdmin);
    }

    #[test]
    fn a_clock_set_back_does_not_stretch_a_wait() {
        let profile = Profile::named(ProfileName::Default);
        let mut counter = failed(5, &profile);
        let back = NOW.plus(-86_400);
        assert_eq!(counter.gate(back), Gate::Wait { until: back.plus(900) });
        assert_eq!(counter.gate(back.plus(900)), Gate::Open);
    }

    #[test]
    fn stig_waits_for_an_administrator() {
        let profile = Profile::named(ProfileName::Stig);
        let mut counter = failed(3, &profile);
        assert_eq!(counter.gate(NOW.plus(10_000_000)), Gate::UntilAdmin);
        counter.unlock();
        assert_eq!((counter.gate(NOW), counter.failures), (Gate::Open, 3));
    }

    #[test]
    fn of_two_counters_the_worse_counts() {
        let profile = Profile::named(ProfileName::Default);
        let (few, many) = (failed(1, &profile), failed(6, &profile));
        for worse in [few.stricter(many), many.stricter(few)] {
            assert_eq!(worse, many);
        }
        let locked = Counter { until_admin: true, ..Counter::default() };
        let both = many.stricter(locked);
        assert_eq!((both.failures, both.until_admin, both.not_before), (6, true, many.not_before));
    }

    proptest! {
        /// Whatever the attacker's timing, a day holds few judged guesses.
        #[test]
        fn a_day_of_guessing_is_bounded(pauses in proptest::collection::vec(0_i64..4000, 1..400)) {
            let profile = Profile::named(ProfileName::Default);
            let (mut counter, mut now, mut judged) = (Counter::default(), NOW, 0);
            for pause in pauses {
                now = now.plus(pause);
                if now.since(NOW) > 86_400 { break; }
                if counter.gate(now).is_open() {
                    counter.fail(&profile, now);
                    judged += 1;
                }
            }
            prop_assert!(judged <= 5 + 1 + 1 + 24, "{judged} guesses were judged");
        }
    }
}
