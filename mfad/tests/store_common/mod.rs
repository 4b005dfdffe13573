//! What the tests of the store share: a store in a temporary directory, users, and their codes.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where; not every test uses every helper"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use mfa_proto::{
    admin::{Algorithm, FactorId, TotpParams},
    answer::{Answer, OtpCode},
    name::{FactorLabel, ServiceName, UserId, UserName},
};
use mfad::{
    audit::{Context, SessionId},
    clock::{FakeClock, UnixTime},
    factor::{Params, Seed},
    seal::Keyring,
    store::{Attempt, Authority, Channel, NewFactor, Order, Outcome, Store, StoreError, StoreSettings},
};
use zeroize::Zeroizing;

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const TOTP: Params =
    Params::Totp(TotpParams { algorithm: Algorithm::Sha256, digits: 6, period: 30 });
pub(crate) const HOTP: Params = Params::Hotp { algorithm: Algorithm::Sha256, digits: 6 };

/// A store with its files and a clock that stands still.
pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) keyring: Keyring,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Store,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(StoreSettings::default())
    }

    pub(crate) fn with(settings: StoreSettings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let keyring = Keyring::create(&directory.path().join("key")).unwrap();
        let clock = Arc::new(FakeClock::at(NOW));
        let path = directory.path().join("mfad.db");
        Store::create(&path, &keyring, &*clock).unwrap();
        let store = Store::open(&path, keyring.clone(), settings, Arc::<FakeClock>::clone(&clock)).unwrap();
        Self { directory, keyring, clock, store }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("mfad.db")
    }

    /// Ends the thread, lets `change` work on the file, and opens it again.
    pub(crate) async fn reopen_after(&mut self, change: impl FnOnce(&rusqlite::Connection)) {
        self.try_reopen_after(change).await.unwrap();
    }

    pub(crate) async fn try_reopen_after(
        &mut self,
        change: impl FnOnce(&rusqlite::Connection),
    ) -> Result<(), StoreError> {
        self.store.shutdown().await;
        change(&rusqlite::Connection::open(self.database()).unwrap());
        self.store = open(&self.database(), &self.keyring, Arc::<FakeClock>::clone(&self.clock))?;
        Ok(())
    }

    /// Enrolls an active factor.
    pub(crate) async fn enroll(&self, name: &str, params: Params, seed: &[u8]) -> FactorId {
        self.store.enroll(new_factor(name, "one", params, seed)).await.unwrap().factor
    }

    pub(crate) async fn try_code(&self, name: &str, code: &str) -> Outcome {
        self.store.attempt(attempt(name, code)).await.unwrap()
    }
}

pub(crate) fn open(path: &Path, keyring: &Keyring, clock: Arc<FakeClock>) -> Result<Store, StoreError> {
    Store::open(path, keyring.clone(), StoreSettings::default(), clock)
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::local(UserName::new(name).unwrap())
}

pub(crate) fn label(text: &str) -> FactorLabel {
    FactorLabel::new(text).unwrap()
}

pub(crate) fn context(name: &str) -> Context {
    Context {
        session: SessionId::fresh(),
        user: user(name),
        service: ServiceName::new("sshd").unwrap(),
        source: None,
        actor: 0,
    }
}

pub(crate) fn order(name: &str) -> Order {
    Order { context: context(name), uid: Some(1000), authority: Authority::Admin }
}

pub(crate) fn owner(name: &str, code: Option<&str>) -> Order {
    let code = code.map(|code| Answer::Code(OtpCode::parse(code).unwrap()));
    Order { authority: Authority::Owner { code, channel: Channel::Unproven }, ..order(name) }
}

pub(crate) fn seed(bytes: &[u8]) -> Seed {
    let bytes = bytes.iter().copied().cycle().take(32).collect();
    Seed::new(Zeroizing::new(bytes)).unwrap()
}

pub(crate) fn new_factor(name: &str, called: &str, params: Params, bytes: &[u8]) -> NewFactor {
    NewFactor {
        order: order(name),
        label: label(called),
        params,
        start: params.start(0),
        secret: seed(bytes).into(),
        activate: true,
        replace: false,
    }
}

pub(crate) fn attempt(name: &str, code: &str) -> Attempt {
    Attempt {
        context: context(name),
        rule: None,
        uid: Some(1000),
        answer: Answer::Code(OtpCode::parse(code).unwrap()),
        channel: Channel::Proven,
    }
}

/// RFC 4226 with SHA-256, written apart from the code under test.
pub(crate) fn hotp(bytes: &[u8], counter: u64) -> String {
    let key: Vec<u8> = bytes.iter().copied().cycle().take(32).collect();
    let mut hmac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    hmac.update(&counter.to_be_bytes());
    let hash: [u8; 32] = hmac.finalize().into_bytes().into();
    let at = usize::from(hash[31] & 15);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

pub(crate) fn totp(bytes: &[u8], now: UnixTime) -> String {
    hotp(bytes, u64::try_from(now.0 / 30).unwrap())
}

/// A code that is none of those around `counter`.
pub(crate) fn wrong(bytes: &[u8], counter: u64) -> String {
    let right: Vec<String> = (counter.saturating_sub(20)..counter + 40).map(|n| hotp(bytes, n)).collect();
    (0..1_000_000).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).unwrap()
}

pub(crate) fn accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted(_))
}
