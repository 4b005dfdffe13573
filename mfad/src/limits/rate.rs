//! The whole daemon's rate of failures. On overflow answers come later; nobody is locked, because a
//! global lock would be a lever for whoever wants to keep everyone out.

use crate::clock::UnixTime;

/// A leaky bucket over failures, in thousandths of a second of wall-clock time.
#[derive(Debug)]
pub struct GlobalRate {
    per_second: u32,
    /// When the failures charged so far will have leaked out, in milliseconds.
    busy_until: i64,
}

impl GlobalRate {
    /// The longest delay in milliseconds: well below any client's patience.
    pub const LONGEST: i64 = 5_000;

    /// Lets `per_second` failures a second pass without delay (at least one).
    pub fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1), busy_until: 0 }
    }

    /// Another rate from now on.
    pub fn adjust(&mut self, per_second: u32) {
        self.per_second = per_second.max(1);
    }

    /// Counts a failure; the milliseconds by which its answer is to be delayed.
    pub fn delay_after_failure(&mut self, now: UnixTime) -> u64 {
        let now = now.0.saturating_mul(1_000);
        let cost = 1_000 / i64::from(self.per_second);
        // One second of burst is free; a clock set back starts anew rather than delay for ever.
        let start = if self.busy_until > now.saturating_add(60_000) { now } else { self.busy_until.max(now) };
        self.busy_until = start.saturating_add(cost.max(1));
        let delay = self.busy_until.saturating_sub(now).saturating_sub(1_000);
        u64::try_from(delay.clamp(0, Self::LONGEST)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_failures_is_answered_later_and_later_up_to_a_bound() {
        let now = UnixTime(1_800_000_000);
        let mut rate = GlobalRate::new(100);
        let delays: Vec<u64> = (0..2000).map(|_| rate.delay_after_failure(now)).collect();
        assert_eq!(delays.first(), Some(&0));
        assert_eq!(delays.get(99), Some(&0));
        assert!(delays.is_sorted() && delays.last() == Some(&5_000));
        assert_eq!(rate.delay_after_failure(now.plus(60)), 0);
        assert_eq!(rate.delay_after_failure(now.plus(-86_400)), 0, "a clock set back delays nobody");
    }
}
