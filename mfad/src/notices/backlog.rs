//! How far the telling has come, what is to be tried again, and when. Pure, and bounded: what it does not
//! hold is in the trail.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// The most notices that wait to be tried again while later ones are told.
const MOST: usize = 64;
/// The first wait, doubled by each failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(300);

/// See the module.
#[derive(Debug)]
pub(super) struct Backlog {
    /// All rows up to this one are done with, and that is written down.
    written: i64,
    /// All rows up to this one were looked at.
    seen: i64,
    /// Something was told, or need not be, since that was written down.
    unwritten: bool,
    /// Rows that are to be tried again.
    again: BTreeMap<i64, Retry>,
    /// Egress itself did not work.
    stuck: Option<Retry>,
}

/// When to try again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    failures: u32,
    not_before: Instant,
}

impl Retry {
    fn after(before: Option<Self>, now: Instant) -> Self {
        let failures = before.map_or(0, |retry| retry.failures);
        let wait = FIRST.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST);
        Self { failures: failures.saturating_add(1), not_before: now + wait }
    }
}

impl Backlog {
    /// Begins after a row.
    pub(super) fn new(written: i64) -> Self {
        Self { written, seen: written, unwritten: false, again: BTreeMap::new(), stuck: None }
    }

    /// Whether it goes on from this place: what is written down is what it wrote.
    pub(super) fn is_of(&self, place: i64) -> bool {
        self.written == place
    }

    /// The trail is shorter than what was looked at: it is another one, to be looked at from what is written.
    pub(super) fn look_again(&mut self) {
        *self = Self::new(self.written);
    }

    /// The last row that was looked at.
    pub(super) fn seen(&self) -> i64 {
        self.seen
    }

    /// All rows up to `seq` were looked at.
    pub(super) fn saw(&mut self, seq: i64) {
        self.seen = self.seen.max(seq);
    }

    /// Whether egress may be asked.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.stuck.is_none_or(|retry| retry.not_before <= now)
    }

    /// Whether more rows may be looked at: each may fail.
    pub(super) fn has_room(&self) -> bool {
        self.again.len() < MOST
    }

    /// Rows that are to be tried again now, in order.
    pub(super) fn due(&self, now: Instant) -> Vec<i64> {
        self.again.iter().filter(|(_, retry)| retry.not_before <= now).map(|(seq, _)| *seq).collect()
    }

    /// When something is to be tried again; `None` when nothing is.
    pub(super) fn next(&self) -> Option<Instant> {
        let rows = self.again.values().map(|retry| retry.not_before).min();
        // While egress does not work, no row is tried.
        self.stuck.map(|retry| retry.not_before).or(rows)
    }

    /// A row was told, or need not be.
    pub(super) fn done(&mut self, seq: i64) {
        self.unwritten = true;
        self.again.remove(&seq);
    }

    /// A row was told. Whether that had failed before.
    pub(super) fn done_after_failures(&mut self, seq: i64) -> bool {
        let stuck = self.stuck.take().is_some();
        let failed = self.again.contains_key(&seq);
        self.done(seq);
        stuck || failed
    }

    /// A row could not be told. Whether that was the first time.
    pub(super) fn failed(&mut self, seq: i64, now: Instant) -> bool {
        self.stuck = None;
        let before = self.again.get(&seq).copied();
        self.again.insert(seq, Retry::after(before, now));
        before.is_none()
    }

    /// Egress does not work. Whether that is new.
    pub(super) fn stuck(&mut self, now: Instant) -> bool {
        let before = self.stuck;
        self.stuck = Some(Retry::after(before, now));
        before.is_none()
    }

    /// Everything may be tried at once: it is done in another way from now on.
    pub(super) fn begin_waits_anew(&mut self) {
        self.stuck = None;
        let now = Instant::now();
        for retry in self.again.values_mut() {
            *retry = Retry { failures: 0, not_before: now };
        }
    }

    /// Up to where all is done with, if that is worth writing down: something was told, or `far` rows were
    /// passed over.
    pub(super) fn place_to_write(&self, far: i64) -> Option<i64> {
        let place = self.again.keys().next().map_or(self.seen, |first| first.saturating_sub(1));
        let gained = place.saturating_sub(self.written);
        ((self.unwritten && gained > 0) || gained >= far).then_some(place)
    }

    /// It was written down.
    pub(super) fn wrote(&mut self, place: i64) {
        self.written = place;
        self.unwritten = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_second_to_five_minutes() {
        let (mut backlog, now) = (Backlog::new(0), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            backlog.stuck(now);
            waits.push(backlog.next().unwrap().duration_since(now).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert!(!backlog.is_open(now) && backlog.is_open(now + LONGEST));
        assert!((0..100).all(|_| !backlog.stuck(now)), "told once");
        backlog.begin_waits_anew();
        assert!(backlog.is_open(now));
    }

    #[test]
    fn what_cannot_be_told_holds_up_the_place_and_not_the_others() {
        let (mut backlog, now) = (Backlog::new(10), Instant::now());
        backlog.saw(11);
        assert!(backlog.failed(11, now));
        for seq in [12, 13] {
            backlog.done(seq);
            backlog.saw(seq);
        }
        assert_eq!(backlog.place_to_write(100), None, "row 11 is not told");
        assert_eq!((backlog.due(now), backlog.due(now + FIRST)), (vec![], vec![11]));
        assert!(!backlog.failed(11, now + FIRST), "told once");
        assert!(backlog.done_after_failures(11));
        assert_eq!(backlog.place_to_write(100), Some(13));
        backlog.wrote(13);
        assert_eq!((backlog.place_to_write(100), backlog.next()), (None, None));
    }

    #[test]
    fn so_many_fail_and_no_more_are_looked_at() {
        let (mut backlog, now) = (Backlog::new(0), Instant::now());
        let mut seq = 0;
        while backlog.has_room() {
            seq += 1;
            backlog.failed(seq, now);
        }
        assert_eq!(usize::try_from(seq).unwrap(), MOST);
    }

    #[test]
    fn rows_without_news_are_written_down_now_and_then() {
        let mut backlog = Backlog::new(0);
        backlog.saw(99);
        assert_eq!(backlog.place_to_write(100), None);
        backlog.saw(100);
        assert_eq!(backlog.place_to_write(100), Some(100));
    }
}
