//! What every connection of the core role shares: store, settings, and the limits kept in memory.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mfa_proto::login::Verdict;

use crate::{
    clock::{Clock, UnixTime},
    decoy::Decoys,
    limits::{GlobalRate, SourceKey, Sources},
    session::Settled,
    settings::Settings,
    store::Store,
};

/// Failures that one source may cause in a window, where the configuration does not say.
const SOURCE_FAILURES: u32 = 30;
/// The length of that window in seconds, where the configuration does not say.
const SOURCE_WINDOW: i64 = 600;
/// Failures a second in all, beyond which answers are delayed, where the configuration does not say.
const FAILURES_PER_SECOND: u32 = 100;

/// The shared state of the core role.
#[derive(Debug)]
pub struct Core {
    clock: Arc<dyn Clock>,
    store: Store,
    settings: RwLock<Arc<Settings>>,
    decoys: Decoys,
    sources: Mutex<Sources>,
    rate: Mutex<GlobalRate>,
    tally: Tally,
    started: UnixTime,
}

/// Logins since the start.
#[derive(Debug, Default)]
pub struct Tally {
    accepted: AtomicU64,
    denied: AtomicU64,
}

impl Core {
    /// Puts the parts together.
    pub fn new(clock: Arc<dyn Clock>, store: Store, settings: Settings) -> Self {
        let limits = settings.config().limits();
        let window = limits.source_window.map_or(SOURCE_WINDOW, |w| i64::try_from(w.as_secs()).unwrap_or(i64::MAX));
        Self {
            sources: Mutex::new(Sources::new(limits.source_failures.unwrap_or(SOURCE_FAILURES), window)),
            rate: Mutex::new(GlobalRate::new(limits.failures_per_second.unwrap_or(FAILURES_PER_SECOND))),
            started: clock.now(),
            clock,
            store,
            settings: RwLock::new(Arc::new(settings)),
            decoys: Decoys::default(),
            tally: Tally::default(),
        }
    }

    /// The time now.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// When the daemon started.
    pub fn started(&self) -> UnixTime {
        self.started
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The settings in force; a login keeps those it began with.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts new settings in force.
    pub fn replace_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// The part of accounts that do not exist.
    pub fn decoys(&self) -> &Decoys {
        &self.decoys
    }

    /// Until when nothing from `source` is judged.
    pub fn source_blocked_until(&self, source: SourceKey) -> Option<UnixTime> {
        let now = self.now();
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).blocked_until(source, now)
    }

    /// Counts a failure; how long its answer is to be delayed.
    pub fn charge_failure(&self, source: Option<SourceKey>) -> Duration {
        let now = self.now();
        if let Some(source) = source {
            self.sources.lock().unwrap_or_else(PoisonError::into_inner).charge(source, now);
        }
        let delay = self.rate.lock().unwrap_or_else(PoisonError::into_inner).delay_after_failure(now);
        Duration::from_millis(delay)
    }

    /// Counts a finished login.
    pub fn tally(&self, settled: &Settled) {
        let count = match settled.verdict() {
            Verdict::Accept => &self.tally.accepted,
            Verdict::NotApplicable => return,
            Verdict::Deny | Verdict::Locked | Verdict::Unavailable => &self.tally.denied,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Logins accepted and not accepted since the start.
    pub fn tallied(&self) -> (u64, u64) {
        (self.tally.accepted.load(Ordering::Relaxed), self.tally.denied.load(Ordering::Relaxed))
    }
}
