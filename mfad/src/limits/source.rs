//! Failures by where they come from, in bounded memory. A source is a claim of the host process, so it
//! may only make limits tighter.

use std::{collections::HashMap, net::IpAddr};

use crate::clock::UnixTime;

/// Where an attempt comes from, as far as counting is concerned.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SourceKey {
    /// An IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address: what one customer usually has.
    V6([u8; 8]),
    /// A local process of this uid.
    Local(u32),
}

impl SourceKey {
    /// The key for an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => {
                let mut prefix = [0; 8];
                prefix.iter_mut().zip(v6.octets()).for_each(|(p, o)| *p = o);
                Self::V6(prefix)
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    failures: u32,
    window_began: UnixTime,
}

/// A failure that was counted before it was known to be one.
#[derive(Debug)]
pub struct Charge {
    source: SourceKey,
    window_began: UnixTime,
}

/// Failures of each source in a fixed window.
#[derive(Debug)]
pub struct Sources {
    most_failures: u32,
    window: i64,
    buckets: HashMap<SourceKey, Bucket>,
}

impl Sources {
    /// More sources than this are not told apart: about one MiB of memory.
    pub const MOST: usize = 16_384;

    /// Allows `most_failures` in `window` seconds from one source.
    pub fn new(most_failures: u32, window: i64) -> Self {
        Self { most_failures: most_failures.max(1), window: window.max(1), buckets: HashMap::new() }
    }

    /// Other limits from now on, for what has been counted as well.
    pub fn adjust(&mut self, most_failures: u32, window: i64) {
        self.most_failures = most_failures.max(1);
        self.window = window.max(1);
    }

    /// When the source may ask again; `None` when it may now.
    pub fn blocked_until(&self, source: SourceKey, now: UnixTime) -> Option<UnixTime> {
        let bucket = self.buckets.get(&source).filter(|b| self.is_live(b, now))?;
        (bucket.failures >= self.most_failures).then(|| bucket.window_began.plus(self.window))
    }

    /// Counts a failure beforehand, when the source may ask at all: of many at once, no more are let try than
    /// may fail. An error is when it may ask again.
    pub fn try_once(&mut self, source: SourceKey, now: UnixTime) -> Result<Charge, UnixTime> {
        match self.blocked_until(source, now) {
            Some(until) => Err(until),
            None => Ok(Charge { source, window_began: self.charge(source, now) }),
        }
    }

    /// Takes one back that was none. What is counted in another window by now stays.
    pub fn take_back(&mut self, charge: &Charge) {
        let Some(bucket) = self.buckets.get_mut(&charge.source) else { return };
        if bucket.window_began != charge.window_began {
            return;
        }
        bucket.failures = bucket.failures.saturating_sub(1);
        if bucket.failures == 0 {
            self.buckets.remove(&charge.source);
        }
    }

    /// Counts a failure of the source; when the window began that it counts in.
    pub fn charge(&mut self, source: SourceKey, now: UnixTime) -> UnixTime {
        if !self.buckets.contains_key(&source) && self.buckets.len() >= Self::MOST {
            self.make_room(now);
        }
        let window = self.window;
        let bucket = self.buckets.entry(source).or_insert(Bucket { failures: 0, window_began: now });
        if !within(bucket, window, now) {
            *bucket = Bucket { failures: 0, window_began: now };
        }
        bucket.failures = bucket.failures.saturating_add(1);
        bucket.window_began
    }

    fn is_live(&self, bucket: &Bucket, now: UnixTime) -> bool {
        within(bucket, self.window, now)
    }

    /// Drops what has expired; if nothing has, the half with the fewest failures: a flood of one-time
    /// sources must not push out the ones that are guessing.
    fn make_room(&mut self, now: UnixTime) {
        let window = self.window;
        self.buckets.retain(|_, bucket| within(bucket, window, now));
        if self.buckets.len() < Self::MOST {
            return;
        }
        let mut counts: Vec<u32> = self.buckets.values().map(|b| b.failures).collect();
        counts.sort_unstable();
        let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
        let mut to_drop = Self::MOST / 2;
        self.buckets.retain(|_, bucket| {
            let drop = to_drop > 0 && bucket.failures <= median;
            to_drop = to_drop.saturating_sub(usize::from(drop));
            !drop
        });
    }
}

fn within(bucket: &Bucket, window: i64, now: UnixTime) -> bool {
    (0..window).contains(&now.since(bucket.window_began))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn v4(n: u32) -> SourceKey {
        SourceKey::V4(n.to_be_bytes())
    }

    #[test]
    fn a_source_is_blocked_for_the_rest_of_its_window() {
        let mut sources = Sources::new(3, 600);
        for _ in 0..3 {
            assert_eq!(sources.blocked_until(v4(1), NOW), None);
            sources.charge(v4(1), NOW);
        }
        assert_eq!(sources.blocked_until(v4(1), NOW), Some(NOW.plus(600)));
        assert_eq!(sources.blocked_until(v4(2), NOW), None);
        assert_eq!(sources.blocked_until(v4(1), NOW.plus(600)), None);
    }

    #[test]
    fn one_customer_of_ipv6_is_one_source() {
        let a = SourceKey::of("2001:db8:1:2::1".parse().unwrap());
        let b = SourceKey::of("2001:db8:1:2:ffff::9".parse().unwrap());
        assert_eq!(a, b);
        assert_eq!(
            SourceKey::of("::ffff:192.0.2.1".parse().unwrap()),
            SourceKey::of("192.0.2.1".parse().unwrap())
        );
    }

    #[test]
    fn what_is_counted_beforehand_lets_no_more_try_than_may_fail() {
        let mut sources = Sources::new(3, 600);
        let mut let_try: Vec<_> = (0..10).filter_map(|_| sources.try_once(v4(1), NOW).ok()).collect();
        assert_eq!(let_try.len(), 3);
        assert_eq!(sources.try_once(v4(1), NOW).unwrap_err(), NOW.plus(600));
        assert!(sources.try_once(v4(2), NOW).is_ok(), "others may");
        sources.take_back(&let_try.pop().unwrap());
        assert!(sources.blocked_until(v4(1), NOW).is_none());
        sources.charge(v4(1), NOW);
        // Two were not taken back, and one failed since.
        assert!(sources.blocked_until(v4(1), NOW).is_some());
    }

    #[test]
    fn who_is_always_right_is_never_blocked() {
        let mut sources = Sources::new(1, 600);
        for _ in 0..100 {
            let charge = sources.try_once(v4(1), NOW).unwrap();
            sources.take_back(&charge);
        }
        assert!(sources.buckets.is_empty());
    }

    #[test]
    fn a_charge_of_an_earlier_window_takes_nothing_from_this_one() {
        let mut sources = Sources::new(2, 600);
        let early = sources.try_once(v4(1), NOW).unwrap();
        for _ in 0..2 {
            sources.charge(v4(1), NOW.plus(700));
        }
        sources.take_back(&early);
        assert!(sources.blocked_until(v4(1), NOW.plus(700)).is_some());
    }

    #[test]
    fn a_flood_of_sources_does_not_push_out_the_guesser() {
        let mut sources = Sources::new(3, 600);
        for _ in 0..3 {
            sources.charge(v4(0), NOW);
        }
        for n in 1..40_000 {
            sources.charge(v4(n), NOW);
        }
        assert!(sources.buckets.len() <= Sources::MOST);
        assert!(sources.blocked_until(v4(0), NOW).is_some());
    }
}
