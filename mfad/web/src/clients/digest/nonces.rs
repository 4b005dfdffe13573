//! Nonces, and which of the requests that count up over one (`nc`) have come: each proves once (RFC 7616 section 3.3
//! and 5.12).
//!
//! Bounded in number and time. Refuses to forget a request while its nonce would still count: what makes room, or is
//! over, counts no more, and neither does what was given out before it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::hex;

/// How long a nonce counts, in seconds.
pub(super) const LIFETIME: u64 = 300;
/// The most nonces of which requests are remembered: a few hundred KiB. Only who knows a secret makes one remembered.
const MOST: usize = 4096;

/// Gives nonces out, and takes requests by them.
pub(super) struct Nonces {
    key: [u8; 32],
    /// What the last one was given.
    last: AtomicU64,
    used: Mutex<Used>,
}

/// By which nonces requests have come.
#[derive(Debug, Default)]
struct Used {
    of: BTreeMap<u64, Window>,
    /// Of nonces up to this number none counts but those above.
    floor: u64,
}

/// A nonce of this process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Nonce {
    /// Counted up from 1.
    number: u64,
    /// When it was given out, Unix seconds.
    time: u64,
}

/// Which requests have come over one nonce.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    time: u64,
    /// The highest.
    highest: u32,
    /// Which of those before it, the next lower one as the lowest bit: what is sent at once may arrive in any order.
    before: u64,
}

impl Window {
    fn has(self, nc: u32) -> bool {
        match self.highest.checked_sub(nc) {
            None => false,
            Some(0) => true,
            // What is further back than can be told counts as seen.
            Some(back) => self.before.checked_shr(back.saturating_sub(1)).is_none_or(|bits| bits & 1 == 1),
        }
    }

    fn note(&mut self, nc: u32) {
        if let Some(ahead) = nc.checked_sub(self.highest) {
            // The highest until now becomes one of those before.
            let moved = self.before.checked_shl(ahead).unwrap_or(0);
            let was =
                if self.highest == 0 { 0 } else { 1_u64.checked_shl(ahead.saturating_sub(1)).unwrap_or(0) };
            self.before = moved | was;
            self.highest = nc;
        } else {
            let back = self.highest.saturating_sub(nc).saturating_sub(1);
            self.before |= 1_u64.checked_shl(back).unwrap_or(0);
        }
    }
}

impl Nonces {
    /// With a key of this process.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, last: AtomicU64::new(0), used: Mutex::default() })
    }

    /// One that nobody was given before.
    pub(super) fn give(&self, now: u64) -> String {
        let number = self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        self.text(Nonce { number, time: now })
    }

    /// What is one of ours; whether it still counts is another matter.
    pub(super) fn read(&self, text: &str) -> Option<Nonce> {
        let mut parts = text.split('-');
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let nonce = Nonce { time: number()?, number: number()? };
        let ours = self.text(nonce);
        bool::from(ours.as_bytes().ct_eq(text.as_bytes())).then_some(nonce)
    }

    /// Whether a request by it would prove something now.
    pub(super) fn takes(&self, nonce: Nonce, nc: u32, now: u64) -> bool {
        self.used().takes(nonce, nc, now)
    }

    /// Takes a request; false when it would prove nothing. Of many at once with one number, one is taken.
    pub(super) fn take(&self, nonce: Nonce, nc: u32, now: u64) -> bool {
        let mut used = self.used();
        let takes = used.takes(nonce, nc, now);
        if takes {
            used.note(nonce, nc, now);
        }
        takes
    }

    fn text(&self, nonce: Nonce) -> String {
        // All of it has a fixed length, so what is hashed can be read in one way, and not be made longer.
        let hash = Sha256::new().chain_update(self.key).chain_update(nonce.time.to_be_bytes());
        let hash = hash.chain_update(nonce.number.to_be_bytes()).finalize();
        format!("{:x}-{:x}-{}", nonce.time, nonce.number, hex(&hash))
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn takes(&self, nonce: Nonce, nc: u32, now: u64) -> bool {
        let fresh = (now.saturating_sub(LIFETIME)..=now).contains(&nonce.time);
        // They count from 1.
        let counts = match self.of.get(&nonce.number) {
            Some(window) => !window.has(nc),
            None => nonce.number > self.floor,
        };
        fresh && counts && nc > 0
    }

    fn note(&mut self, nonce: Nonce, nc: u32, now: u64) {
        self.of.entry(nonce.number).or_insert(Window { time: nonce.time, ..Window::default() }).note(nc);
        let over = |time: u64| time < now.saturating_sub(LIFETIME);
        while let Some(oldest) = self.of.first_entry() {
            if !over(oldest.get().time) && self.of.len() <= MOST {
                return;
            }
            if let Some((number, _)) = self.of.pop_first() {
                self.floor = self.floor.max(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn given(nonces: &Nonces, now: u64) -> Nonce {
        nonces.read(&nonces.give(now)).unwrap()
    }

    #[test]
    fn a_nonce_is_ours_and_nobody_is_given_it_twice() {
        let nonces = Nonces::new().unwrap();
        let (one, other) = (nonces.give(NOW), nonces.give(NOW));
        assert_ne!(one, other);
        assert_eq!(nonces.read(&one).unwrap(), Nonce { number: 1, time: NOW });
        let foreign = Nonces::new().unwrap().give(NOW);
        let longer = format!("{one}-0");
        let later = one.replacen(&format!("{NOW:x}"), &format!("{:x}", NOW + 1), 1);
        for wrong in
            [foreign.as_str(), "", "-", "1-1-", &longer, &later, &one.to_uppercase(), &format!("+{one}")]
        {
            assert_eq!(nonces.read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_nonce_counts_for_minutes() {
        let nonces = Nonces::new().unwrap();
        let nonce = given(&nonces, NOW);
        for (now, good) in [(NOW - 1, false), (NOW, true), (NOW + 300, true), (NOW + 301, false)] {
            assert_eq!(nonces.takes(nonce, 1, now), good, "{now}");
        }
    }

    #[test]
    fn each_request_is_taken_once_in_whatever_order() {
        let nonces = Nonces::new().unwrap();
        let nonce = given(&nonces, NOW);
        assert!(!nonces.take(nonce, 0, NOW), "they count from 1");
        for nc in [2, 1, 5, 3, 4, 60, 7, 6] {
            assert!(nonces.take(nonce, nc, NOW), "{nc}");
            assert!(!nonces.take(nonce, nc, NOW) && !nonces.takes(nonce, nc, NOW), "{nc} again");
        }
        assert!([1, 2, 3, 4, 5, 6, 7, 60].iter().all(|nc| !nonces.takes(nonce, *nc, NOW)));
        assert!((8..60).all(|nc| nonces.take(nonce, nc, NOW)));
        assert!((1..=60).all(|nc| !nonces.take(nonce, nc, NOW)));
    }

    #[test]
    fn what_is_too_far_back_to_tell_counts_as_seen() {
        let nonces = Nonces::new().unwrap();
        let nonce = given(&nonces, NOW);
        assert!(nonces.take(nonce, 1, NOW) && nonces.take(nonce, 66, NOW));
        assert!(!nonces.takes(nonce, 1, NOW), "65 back");
        assert!(nonces.take(nonce, 2, NOW), "64 back");
        for highest in [200, u32::MAX] {
            assert!(nonces.take(nonce, highest, NOW));
            assert!([1, 2, 66, highest].iter().all(|nc| !nonces.takes(nonce, *nc, NOW)), "{highest}");
        }
        assert!(nonces.take(nonce, u32::MAX - 1, NOW));
    }

    #[test]
    fn what_made_room_counts_no_more() {
        let nonces = Nonces::new().unwrap();
        let unused = given(&nonces, NOW);
        let all: Vec<_> = (0..=MOST).map(|_| given(&nonces, NOW)).collect();
        assert!(all.iter().all(|nonce| nonces.take(*nonce, 1, NOW)));
        assert_eq!(nonces.used().of.len(), MOST);
        assert!(!nonces.takes(all[0], 1, NOW) && !nonces.takes(all[0], 2, NOW), "the oldest went");
        assert!(!nonces.takes(unused, 1, NOW), "and what is older still");
        assert!(!nonces.takes(all[1], 1, NOW) && nonces.take(all[1], 2, NOW));
        assert!(nonces.take(given(&nonces, NOW), 1, NOW), "new ones do");
    }

    #[test]
    fn a_clock_that_goes_back_brings_nothing_back() {
        let nonces = Nonces::new().unwrap();
        let nonce = given(&nonces, NOW);
        assert!(nonces.take(nonce, 1, NOW));
        assert!(nonces.take(given(&nonces, NOW + 1000), 1, NOW + 1000));
        assert_eq!(nonces.used().of.len(), 1, "what is over is forgotten");
        assert!(!nonces.takes(nonce, 1, NOW) && !nonces.takes(nonce, 2, NOW));
    }
}
