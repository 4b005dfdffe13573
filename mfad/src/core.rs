//! What every connection of the core role shares: store, settings, and the limits kept in memory.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use mfa_role::sandbox::{Sandbox, out_of_reach};
use tokio::sync::Notify;
use tracing::warn;

use crate::{
    boot,
    clock::{Clock, UnixTime},
    config::{Config, ConfigErrors},
    confinement,
    decoy::Decoys,
    keys,
    ldap::{self, Last, Recent},
    limits::{Charge, GlobalRate, SourceKey, Sources},
    metrics::Metrics,
    notices,
    outgoing::Outgoing,
    policy::Source,
    server::admission::{Admission, Logins},
    settings::Settings,
    signers,
    store::{LoginStore, Store, StoreError},
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
    login_store: LoginStore,
    boot: Option<String>,
    settings: RwLock<Arc<Settings>>,
    decoys: Decoys,
    sources: Mutex<Sources>,
    rate: Mutex<GlobalRate>,
    metrics: Metrics,
    started: UnixTime,
    /// Where the configuration is read from again.
    path: PathBuf,
    admissions: Mutex<Vec<Admission>>,
    logins: Logins,
    front_logins: Logins,
    front_end: OnceLock<u32>,
    outgoing: Outgoing,
    looked_up: Recent,
    last_look_up: Last,
    chores: Notify,
    /// Held during a reload: of two at once, the older reading must not win.
    reloading: tokio::sync::Mutex<()>,
    sandbox: Option<Sandbox>,
}

/// Failures of one source in how many seconds.
fn source_limits(settings: &Settings) -> (u32, i64) {
    let limits = settings.config().limits();
    let window =
        limits.source_window.map_or(SOURCE_WINDOW, |w| i64::try_from(w.as_secs()).unwrap_or(i64::MAX));
    (limits.source_failures.unwrap_or(SOURCE_FAILURES), window)
}

fn rate_limit(settings: &Settings) -> u32 {
    settings.config().limits().failures_per_second.unwrap_or(FAILURES_PER_SECOND)
}

impl Core {
    /// Puts the parts together.
    pub fn new(clock: Arc<dyn Clock>, store: Store, settings: Settings, path: PathBuf) -> Self {
        let (failures, window) = source_limits(&settings);
        Self {
            sources: Mutex::new(Sources::new(failures, window)),
            rate: Mutex::new(GlobalRate::new(rate_limit(&settings))),
            started: clock.now(),
            boot: boot::current(),
            clock,
            login_store: LoginStore::of(&store),
            store,
            settings: RwLock::new(Arc::new(settings)),
            decoys: Decoys::default(),
            metrics: Metrics::default(),
            path,
            admissions: Mutex::default(),
            logins: Logins::default(),
            front_logins: Logins::default(),
            front_end: OnceLock::new(),
            outgoing: Outgoing::default(),
            looked_up: Recent::default(),
            last_look_up: Last::default(),
            chores: Notify::new(),
            reloading: tokio::sync::Mutex::default(),
            sandbox: None,
        }
    }

    /// The same within a sandbox, which a reload cannot make wider.
    #[must_use]
    pub fn within(self, sandbox: Sandbox) -> Self {
        Self { sandbox: Some(sandbox), ..self }
    }

    /// The sandbox around it.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// The time now.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// When the daemon started.
    pub fn started(&self) -> UnixTime {
        self.started
    }

    /// Which start of the machine this is, if that can be told.
    pub fn boot(&self) -> Option<&str> {
        self.boot.as_deref()
    }

    /// What logins may use of the store.
    pub fn login_store(&self) -> &LoginStore {
        &self.login_store
    }

    /// The whole store: for administration and chores.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The settings in force; a login keeps those it began with.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads configuration and keys again, and says what deserves a second look in them. With one fault in
    /// them, all that was in force stays.
    pub async fn reload(&self) -> Result<Vec<String>, Vec<String>> {
        let _one_at_a_time = self.reloading.lock().await;
        let config = self.read_config()?;
        let keyring = keys::load(&config).map_err(|error| vec![error.to_string()])?;
        let token = signers::load(&config).map_err(|error| vec![error.to_string()])?;
        let value_key = ldap::load_key(&config).map_err(|error| vec![error.to_string()])?;
        let settings = Settings::resolved(config).await?.with_signers(token).with_value_key(value_key);
        self.store.replace_keyring(keyring).await.map_err(|error| vec![error.to_string()])?;
        self.store.replace_settings(settings.for_store()).await.map_err(|error| vec![error.to_string()])?;
        for key in settings.only_at_start(&self.settings()) {
            warn!("reload: {key} was changed, which takes effect at the next start");
        }
        let (failures, window) = source_limits(&settings);
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).adjust(failures, window);
        self.rate.lock().unwrap_or_else(PoisonError::into_inner).adjust(rate_limit(&settings));
        let notes = settings.notes().to_vec();
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.looked_up.forget_all();
        self.last_look_up.forget();
        self.chores.notify_one();
        // What people are told of, and how, may be another matter now.
        self.store.news().notify_one();
        Ok(notes)
    }

    /// What the sandbox of this run keeps out of reach would only be told as a file that cannot be read.
    fn within_reach(&self, config: &Config) -> Result<(), Vec<String>> {
        let lacking = self.sandbox.as_ref().map(|sandbox| sandbox.lacks(&confinement::of_config(config)));
        let told: Vec<_> = lacking.into_iter().flatten().map(|what| out_of_reach(&what)).collect();
        if told.is_empty() { Ok(()) } else { Err(told) }
    }

    /// The configuration as it is on disk now, or all that keeps it from being put in force.
    pub fn read_config(&self) -> Result<Config, Vec<String>> {
        let told = |errors: ConfigErrors| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        let config = Config::load(&self.path).map_err(told)?;
        self.within_reach(&config)?;
        Ok(config)
    }

    /// Counts the connections of a socket from now on.
    pub fn watch(&self, admission: Admission) {
        self.admissions.lock().unwrap_or_else(PoisonError::into_inner).push(admission);
    }

    /// Logins under way, on all sockets.
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Verifications of front ends under way: a bound of their own, so that they keep no login out.
    pub fn front_logins(&self) -> &Logins {
        &self.front_logins
    }

    /// Notes the uid of the role that speaks HTTP, once: it is neither root nor a plain user.
    pub fn set_front_end(&self, uid: u32) {
        // The first word holds: the account is read at the start alone.
        let _first: u32 = *self.front_end.get_or_init(|| uid);
    }

    /// Whether a peer is the role that speaks HTTP.
    pub fn is_front_end(&self, uid: u32) -> bool {
        self.front_end.get() == Some(&uid)
    }

    /// Errands under way, and the way to have one done.
    pub fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// Whom the directory was asked about.
    pub fn looked_up(&self) -> &Recent {
        &self.looked_up
    }

    /// How asking the directory last ended.
    pub fn last_look_up(&self) -> &Last {
        &self.last_look_up
    }

    /// Connections open now, on all sockets.
    pub fn connections(&self) -> u32 {
        let admissions = self.admissions.lock().unwrap_or_else(PoisonError::into_inner);
        admissions.iter().fold(0, |sum, admission| sum.saturating_add(admission.open()))
    }

    /// Waits until there may be chores: at most `at_most`.
    pub async fn wait_for_chores(&self, at_most: Duration) {
        // Being called early and running out of time mean the same.
        drop(tokio::time::timeout(at_most, self.chores.notified()).await);
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

    /// Counts a failure of a source beforehand; an error is until when nothing from it is judged.
    pub fn try_source(&self, source: SourceKey) -> Result<Charge, UnixTime> {
        let now = self.now();
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).try_once(source, now)
    }

    /// Takes a failure back that was none.
    pub fn take_back(&self, charge: &Charge) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).take_back(charge);
    }

    /// Counts what the trail says of sources: a restart forgives nobody.
    pub async fn recall_failures(&self) {
        let (_, window) = source_limits(&self.settings());
        let failures = match self.store.failures_since(self.now().plus(window.saturating_neg())).await {
            Ok(failures) => failures,
            Err(problem) => {
                warn!("sources begin anew: their failures cannot be read: {problem}");
                return;
            }
        };
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, at) in failures {
            if let Some(address) = Source::named(&source).address() {
                sources.charge(SourceKey::of(address), at);
            }
        }
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

    /// How many notices people have not been given yet; 0 where nobody is told of anything.
    pub async fn notices_waiting(&self) -> Result<u64, StoreError> {
        self.store.news_waiting(self.now().plus(-notices::OLDEST)).await
    }

    /// What is counted since the start.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
