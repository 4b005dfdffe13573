//! The figures of the daemon, for monitoring: counted as things happen, written as OpenMetrics text.
//!
//! Labels are words of this program alone. Refuses names of users and addresses: figures are read by many, and
//! whoever tries names must not be able to grow them.

mod exposition;
mod histogram;
mod serve;
mod text;
mod textfile;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mfa_proto::{admin::FactorKind, login::Verdict};

pub(crate) use self::{exposition::exposition, textfile::keep_writing};
pub use self::{histogram::Histogram, serve::serve};
use crate::{limits::Gate, session::Settled, store::Outcome};

/// What came of a password that a front end was to have proven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Passwords {
    /// It was right.
    Right,
    /// It was wrong.
    Wrong,
    /// The prover did not judge it: too many were tried, or it is away.
    Unjudged,
    /// The front end went away before it said what came of it.
    GivenUp,
    /// It was not tried: too many failures came from its source.
    Blocked,
}

impl Passwords {
    /// All there are, by the word of the label.
    const ALL: [(Self, &'static str); 5] = [
        (Self::Right, "right"),
        (Self::Wrong, "wrong"),
        (Self::Unjudged, "unjudged"),
        (Self::GivenUp, "given_up"),
        (Self::Blocked, "blocked"),
    ];
}

/// What is counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    accepted: AtomicU64,
    denied: AtomicU64,
    locked: AtomicU64,
    skipped: AtomicU64,
    unavailable: AtomicU64,
    by_kind: [AtomicU64; FactorKind::ALL.len()],
    /// By the word of the reason.
    refused: Mutex<BTreeMap<&'static str, u64>>,
    locks: AtomicU64,
    passwords: [AtomicU64; Passwords::ALL.len()],
    judging: Histogram,
}

impl Metrics {
    /// Counts a finished login.
    pub fn login(&self, settled: &Settled) {
        self.of(settled.verdict()).fetch_add(1, Ordering::Relaxed);
        match settled.verdict() {
            Verdict::Accept | Verdict::NotApplicable => {}
            Verdict::Deny | Verdict::Locked | Verdict::Unavailable => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                let count = refused.entry(settled.reason().word()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// Counts an answer that was judged, and how long that took until it was durable.
    pub fn judged(&self, outcome: &Outcome, took: Duration) {
        self.judging.observe(took);
        match outcome {
            Outcome::Accepted(proof) => self.kind(proof.kind()).fetch_add(1, Ordering::Relaxed),
            Outcome::Wrong { gate } | Outcome::Used { gate } if *gate != Gate::Open => {
                self.locks.fetch_add(1, Ordering::Relaxed)
            }
            Outcome::Wrong { .. }
            | Outcome::Used { .. }
            | Outcome::Locked { .. }
            | Outcome::Unreachable { .. }
            | Outcome::NoFactor
            | Outcome::Orphaned
            | Outcome::Tampered
            | Outcome::ClockUnusable => 0,
        };
    }

    /// Counts a password of a login page.
    pub fn password(&self, what: Passwords) {
        let mut counts = Passwords::ALL.iter().zip(&self.passwords);
        if let Some((_, count)) = counts.find(|((known, _), _)| *known == what) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Passwords of login pages, by the word of what came of them.
    fn passwords(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Passwords::ALL.iter().zip(&self.passwords);
        counts.map(|((_, word), count)| (*word, count.load(Ordering::Relaxed)))
    }

    /// Logins that ended so.
    pub fn logins(&self, verdict: Verdict) -> u64 {
        self.of(verdict).load(Ordering::Relaxed)
    }

    fn of(&self, verdict: Verdict) -> &AtomicU64 {
        match verdict {
            Verdict::Accept => &self.accepted,
            Verdict::Deny => &self.denied,
            Verdict::Locked => &self.locked,
            Verdict::NotApplicable => &self.skipped,
            Verdict::Unavailable => &self.unavailable,
        }
    }

    fn kind(&self, kind: FactorKind) -> &AtomicU64 {
        let place = FactorKind::ALL.iter().position(|known| *known == kind);
        // All kinds are among all kinds: a test of the protocol holds them together.
        place.and_then(|place| self.by_kind.get(place)).unwrap_or(&self.locks)
    }

    fn refused(&self) -> BTreeMap<&'static str, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
