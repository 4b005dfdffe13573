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
    name::{Claim, FactorLabel, ServiceName, UserId, UserName},
    secret::SecretText,
};
use mfad::{
    audit::{Context, SessionId},
    clock::{FakeClock, UnixTime},
    factor::{Address, Outside, Params, Secret, Seed},
    seal::Keyring,
    store::{
        Attempt, Authority, Channel, Consult, Consulted, Counting, Issue, Issued, NewFactor, Order, Outcome,
        SentCode, Store, StoreError, StoreSettings, Target, Ticket,
    },
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

    pub(crate) fn clock_now(&self) -> UnixTime {
        mfad::clock::Clock::now(&*self.clock)
    }

    /// Ends the thread and opens the database again, with settings.
    pub(crate) async fn reopen_with(&mut self, settings: StoreSettings) {
        self.store.shutdown().await;
        let clock = Arc::<FakeClock>::clone(&self.clock);
        self.store = Store::open(&self.database(), self.keyring.clone(), settings, clock).unwrap();
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

    /// Enrolls a telephone number, proven by a code.
    pub(crate) async fn enroll_sms(&self, name: &str, number: &str) -> FactorId {
        self.prove(sms(name, "phone", number)).await
    }

    /// Enrolls a mail address, proven by a code.
    pub(crate) async fn enroll_mail(&self, name: &str, address: &str) -> FactorId {
        self.prove(mail(name, "mailbox", address)).await
    }

    async fn prove(&self, new: NewFactor) -> FactorId {
        let name = new.order.context.user.name.as_str().to_owned();
        let added = self.store.enroll(new).await.unwrap();
        let target = Target { factor: Some(added.factor), label: None };
        let Issued::Code(sent) = self.store.send_code(order(&name), target, None).await.unwrap() else {
            panic!("a code is made")
        };
        let code = Answer::Code(sent.code);
        self.store.confirm(order(&name), Some(added.factor), code).await.unwrap()
    }

    /// Enrolls a factor that the service `corp` judges.
    pub(crate) async fn enroll_rest(&self, name: &str) -> FactorId {
        self.store.enroll(rest(name, true)).await.unwrap().factor
    }

    /// A code sent for a login.
    pub(crate) async fn sent(&self, context: &Context, factor: FactorId) -> Box<SentCode> {
        let issued = self.store.issue(issue(context, factor)).await.unwrap();
        let told = format!("{issued:?}");
        let Issued::Code(sent) = issued else { panic!("no code was made: {told}") };
        sent
    }

    pub(crate) async fn try_in(&self, context: &Context, code: &str) -> Outcome {
        self.store.attempt(attempt_in(context, code)).await.unwrap()
    }

    /// The right to ask the outside service.
    pub(crate) async fn ticket(&self, context: &Context, factor: FactorId) -> Box<Ticket> {
        let consulted = self.store.consult(consult(context, factor)).await.unwrap();
        let told = format!("{consulted:?}");
        let Consulted::Ticket(ticket) = consulted else { panic!("nobody may be asked: {told}") };
        ticket
    }

    /// Failures counted for a factor since its last success.
    pub(crate) async fn failures(&self, name: &str, factor: FactorId) -> u32 {
        let shown = self.store.show(user(name)).await.unwrap();
        shown.factors.into_iter().find(|held| held.factor == factor).unwrap().failures
    }

    /// Failures counted for the account in 30 days.
    pub(crate) async fn failures_30_days(&self, name: &str) -> u32 {
        self.store.show(user(name)).await.unwrap().failures_30_days
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
        client: None,
    }
}

pub(crate) fn order(name: &str) -> Order {
    Order { context: context(name), uid: Some(1000), authority: Authority::Admin }
}

pub(crate) fn owner(name: &str, code: Option<&str>) -> Order {
    let code = code.map(|code| Answer::Code(OtpCode::parse(code).unwrap()).into());
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

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn of_kind(name: &str, called: &str, params: Params, secret: Secret) -> NewFactor {
    NewFactor {
        order: order(name),
        label: label(called),
        params,
        start: params.start(0),
        secret,
        activate: false,
        replace: false,
    }
}

pub(crate) fn sms(name: &str, called: &str, number: &str) -> NewFactor {
    let to = Address::number(&secret(number)).unwrap();
    of_kind(name, called, Params::Sms { digits: 6 }, to.into())
}

pub(crate) fn mail(name: &str, called: &str, address: &str) -> NewFactor {
    let to = Address::mail(&secret(address)).unwrap();
    of_kind(name, called, Params::Mail { digits: 6 }, to.into())
}

pub(crate) fn rest(name: &str, activate: bool) -> NewFactor {
    let outside = Outside { service: label("corp"), remote_user: Claim::clean(name) };
    NewFactor { activate, ..of_kind(name, "corp", Params::Rest, Secret::Outside(outside)) }
}

pub(crate) fn issue(context: &Context, factor: FactorId) -> Issue {
    Issue {
        context: context.clone(),
        rule: None,
        uid: Some(1000),
        factor,
        channel: Channel::Proven,
        made: None,
        counting: Counting::default(),
    }
}

pub(crate) fn consult(context: &Context, factor: FactorId) -> Consult {
    Consult {
        context: context.clone(),
        rule: None,
        uid: Some(1000),
        factor,
        channel: Channel::Proven,
        counting: Counting::default(),
    }
}

pub(crate) fn attempt(name: &str, code: &str) -> Attempt {
    attempt_in(&context(name), code)
}

pub(crate) fn attempt_in(context: &Context, code: &str) -> Attempt {
    answering(context, Answer::Code(OtpCode::parse(code).unwrap()))
}

pub(crate) fn answering(context: &Context, answer: Answer) -> Attempt {
    Attempt {
        context: context.clone(),
        rule: None,
        uid: Some(1000),
        answer: answer.into(),
        channel: Channel::Proven,
        counting: Counting::default(),
    }
}

/// A code of as many digits that is another one.
pub(crate) fn other_than(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    let most = 10_u32.pow(u32::try_from(code.len()).unwrap());
    format!("{:0width$}", (number + 1) % most, width = code.len())
}

pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> mfad::store::Refused {
    let error = result.unwrap_err();
    let StoreError::Refused(refused) = error else { panic!("{error}") };
    refused
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
