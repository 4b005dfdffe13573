//! One absolute deadline for a whole login. Refuses to be extended.

use std::time::{Duration, Instant};

/// When a login ends at the latest, asked anew before each system call, so that neither a peer that sends
/// byte after byte nor a signal that interrupts prolongs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    start: Instant,
    total: Duration,
}

impl Deadline {
    /// The deadline that lies `total` ahead.
    pub(crate) fn after(total: Duration) -> Self {
        Self { start: Instant::now(), total }
    }

    /// The time left; zero when it has passed.
    pub(crate) fn left(&self) -> Duration {
        self.total.saturating_sub(self.start.elapsed())
    }

    /// Whether a peer that was asked at `since` has had its fair share of the time: half of the whole.
    ///
    /// A person at a terminal can stop a setuid program and let the deadline pass before anything was
    /// asked of the daemon. That must not look like a daemon that does not answer.
    pub(crate) fn was_fair_since(&self, since: Instant) -> bool {
        since.elapsed() >= self.total / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_deadline_that_has_passed() {
        let past = Deadline { start: Instant::now(), total: Duration::ZERO };
        assert_eq!(past.left(), Duration::ZERO);
        assert!(Deadline::after(Duration::from_secs(600)).left() > Duration::from_secs(500));
    }

    #[test]
    fn a_question_just_asked_has_not_had_its_share() {
        let deadline = Deadline::after(Duration::from_secs(600));
        assert!(!deadline.was_fair_since(Instant::now()));
        let asked = Instant::now().checked_sub(Duration::from_secs(300)).unwrap();
        assert!(deadline.was_fair_since(asked));
    }
}
