//! How long something took, as counts in fixed buckets.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper bounds of the buckets in microseconds, with the text that they have as labels, in seconds. A
/// judgment is a few hundred microseconds of work and one write that has to reach the disk.
pub(super) const BOUNDS: [(u64, &str); 11] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1.0"),
    (5_000_000, "5.0"),
];

/// Counts by duration.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Not cumulative; what is longer than all bounds counts in `beyond`.
    buckets: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    microseconds: AtomicU64,
}

impl Histogram {
    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|(bound, _)| took <= *bound);
        let bucket = place.and_then(|place| self.buckets.get(place)).unwrap_or(&self.beyond);
        bucket.fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(took, Ordering::Relaxed);
    }

    /// How many took at most so long, by label; how many there are in all; the sum of all in microseconds.
    pub(super) fn read(&self) -> (Vec<(&'static str, u64)>, u64, u64) {
        let mut sum: u64 = 0;
        let mut buckets = Vec::with_capacity(BOUNDS.len());
        for (bucket, (_, label)) in self.buckets.iter().zip(BOUNDS) {
            sum = sum.saturating_add(bucket.load(Ordering::Relaxed));
            buckets.push((label, sum));
        }
        let all = sum.saturating_add(self.beyond.load(Ordering::Relaxed));
        (buckets, all, self.microseconds.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_in_all_buckets_that_it_fits() {
        let histogram = Histogram::default();
        for took in [0, 500, 501, 4_000_000, 5_000_000, 5_000_001] {
            histogram.observe(Duration::from_micros(took));
        }
        let (buckets, all, sum) = histogram.read();
        let counts: Vec<u64> = buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5]);
        assert_eq!((all, sum), (6, 14_001_002));
        assert!(buckets.iter().zip(BOUNDS).all(|((label, _), (bound, _))| {
            (label.parse::<f64>().unwrap() * 1e6).round().to_string() == bound.to_string()
        }));
    }
}
