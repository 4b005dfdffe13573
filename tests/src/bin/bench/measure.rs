//! Figures of many logins. Refuses averages where a few slow logins would hide or be hidden: the median and
//! the tail are kept apart.

use std::time::Duration;

use serde::Serialize;

/// Latencies of one case, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Spread {
    /// How many logins.
    pub(crate) logins: usize,
    /// Half of the logins took at most this.
    pub(crate) median_us: f64,
    /// 95 of 100 took at most this.
    pub(crate) p95_us: f64,
    /// 99 of 100 took at most this.
    pub(crate) p99_us: f64,
    /// The median of each round, to see how steady the machine was.
    pub(crate) rounds_us: Vec<f64>,
}

impl Spread {
    /// Of latencies by round.
    pub(crate) fn of(rounds: &[Vec<Duration>]) -> Self {
        let mut all: Vec<Duration> = rounds.iter().flatten().copied().collect();
        Self {
            logins: all.len(),
            median_us: quantile(&mut all, 50),
            p95_us: quantile(&mut all, 95),
            p99_us: quantile(&mut all, 99),
            rounds_us: rounds.iter().map(|round| quantile(&mut round.clone(), 50)).collect(),
        }
    }
}

fn quantile(times: &mut [Duration], percent: usize) -> f64 {
    assert!(!times.is_empty(), "nothing was measured");
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6
}

/// The middle one of a few figures.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_tail_at_the_end() {
        let rounds =
            [(1..=50).map(Duration::from_micros).collect(), (51..=100).map(Duration::from_micros).collect()];
        let spread = Spread::of(&rounds);
        assert_eq!((spread.logins, spread.median_us.round(), spread.p99_us.round()), (100, 50.0, 99.0));
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
