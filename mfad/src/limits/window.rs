//! Failures of the last 30 days, day by day, which no success resets: 99 wrong guesses between two
//! honest logins would otherwise go on for years (`docs/threat-model.md`, T8).

use crate::clock::UnixTime;

const DAY: i64 = 86_400;

/// Failures per day, newest last; at most [`FailureDays::DAYS`] days.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FailureDays(Vec<(u32, u16)>);

impl FailureDays {
    /// How many days are kept.
    pub const DAYS: u32 = 30;

    /// Counts one failure.
    pub fn add(&mut self, now: UnixTime) {
        let today = day(now);
        self.0.retain(|(day, _)| day.saturating_add(Self::DAYS) > today);
        match self.0.iter_mut().find(|(day, _)| *day == today) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.0.push((today, 1)),
        }
        self.shorten();
    }

    /// A clock that jumps about cannot grow the list: the smallest days go first.
    fn shorten(&mut self) {
        self.0.sort_unstable();
        let most = usize::try_from(Self::DAYS).unwrap_or(usize::MAX);
        if self.0.len() > most {
            self.0.drain(..self.0.len().saturating_sub(most));
        }
    }

    /// Takes one failure of a day back: it was counted in advance, and then turned out to be none.
    pub fn take_back(&mut self, counted: UnixTime) {
        let that = day(counted);
        if let Some((_, count)) = self.0.iter_mut().find(|(day, _)| *day == that) {
            *count = count.saturating_sub(1);
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    /// Failures in the window that ends at `now`. Days in the future (the clock was set back) count.
    pub fn total(&self, now: UnixTime) -> u32 {
        let today = day(now);
        self.0
            .iter()
            .filter(|(day, _)| day.saturating_add(Self::DAYS) > today)
            .fold(0, |sum, (_, count)| sum.saturating_add(u32::from(*count)))
    }

    /// Of each day the higher count of the two.
    pub fn take_higher(&mut self, other: &Self) {
        for (day, count) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| known == day) {
                Some((_, known)) => *known = (*known).max(*count),
                None => self.0.push((*day, *count)),
            }
        }
        self.shorten();
    }

    /// Forgets all, at an administrator's word.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Six bytes a day, big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|(day, count)| [&day.to_be_bytes()[..], &count.to_be_bytes()[..]].concat())
            .collect()
    }

    /// The reverse of [`Self::to_bytes`]; `None` when the bytes are not such a list.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let days = bytes.as_chunks::<6>();
        let most = usize::try_from(Self::DAYS).unwrap_or(usize::MAX);
        if !days.1.is_empty() || days.0.len() > most {
            return None;
        }
        Some(Self(
            days.0
                .iter()
                .map(|[a, b, c, d, e, f]| {
                    (u32::from_be_bytes([*a, *b, *c, *d]), u16::from_be_bytes([*e, *f]))
                })
                .collect(),
        ))
    }
}

fn day(now: UnixTime) -> u32 {
    u32::try_from(now.0.max(0) / DAY).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn a_failure_counts_for_thirty_days() {
        let mut days = FailureDays::default();
        days.add(NOW);
        days.add(NOW);
        days.add(NOW.plus(10 * DAY));
        assert_eq!(days.total(NOW.plus(29 * DAY)), 3);
        assert_eq!(days.total(NOW.plus(30 * DAY)), 1);
        assert_eq!(days.total(NOW.plus(40 * DAY)), 0);
    }

    #[test]
    fn of_two_windows_each_day_counts_as_the_higher() {
        let (mut a, mut b) = (FailureDays::default(), FailureDays::default());
        a.add(NOW);
        for day in [0, 0, 1] {
            b.add(NOW.plus(day * DAY));
        }
        a.take_higher(&b);
        assert_eq!(a.total(NOW.plus(DAY)), 3);
        let before = a.clone();
        a.take_higher(&FailureDays::default());
        assert_eq!(a, before);
    }

    #[test]
    fn what_was_counted_in_advance_is_taken_back_from_its_day() {
        let mut days = FailureDays::default();
        days.add(NOW);
        days.add(NOW.plus(DAY));
        days.take_back(NOW);
        days.take_back(NOW.plus(5 * DAY));
        assert_eq!(days.total(NOW.plus(DAY)), 1);
        days.take_back(NOW.plus(DAY));
        assert_eq!(days, FailureDays::default());
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_stay_small(times in proptest::collection::vec(0_i64..10_000_000_000, 0..200)) {
            let mut days = FailureDays::default();
            for time in times {
                days.add(UnixTime(time));
            }
            let bytes = days.to_bytes();
            prop_assert!(bytes.len() <= 180);
            prop_assert_eq!(FailureDays::from_bytes(&bytes), Some(days));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = FailureDays::from_bytes(&bytes).map(|days| days.total(NOW));
        }
    }
}
