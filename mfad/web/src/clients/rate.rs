//! How often a client may ask: so many requests a second, and as many at once.

use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

/// When the next request would be due at the pace of a client.
#[derive(Debug)]
pub(super) struct Rate {
    pace: Duration,
    burst: Duration,
    due: Mutex<Option<Instant>>,
}

impl Rate {
    /// So many a second.
    pub(super) fn new(rate: u32) -> Self {
        let pace = Duration::from_secs(1).checked_div(rate).unwrap_or(Duration::from_secs(1));
        Self { pace, burst: Duration::from_secs(1), due: Mutex::default() }
    }

    /// Whether one more may be now; then it counts.
    pub(super) fn admits(&self) -> bool {
        let now = Instant::now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let next = due.unwrap_or(now).max(now);
        if next.duration_since(now) >= self.burst {
            return false;
        }
        *due = Some(next + self.pace);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_asks_so_often_and_no_more() {
        let rate = Rate::new(10);
        assert_eq!((0..100).filter(|_| rate.admits()).count(), 10);
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!((0..100).filter(|_| rate.admits()).count(), 1);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!((0..100).filter(|_| rate.admits()).count(), 10, "nothing is saved up");
    }
}
