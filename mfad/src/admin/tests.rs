//! What an owner may ask for, and what only root may: with the uid that the kernel would give.

use std::sync::Arc;

use mfa_proto::{
    admin::{
        Algorithm, FactorRef, HotpParams, Identify, NewFactor, NewParams, NewTag, Refusal, RefusalCode,
        Reply, Request, TokenParams, TotpParams,
    },
    name::{UserId, UserName},
    secret::SecretText,
    text::ShownText,
};

use super::{Desk, handle};
use crate::{
    audit::SessionId,
    clock::{Clock, FakeClock, UnixTime},
    config::{Config, Source},
    core::Core,
    seal::Keyring,
    server::Peer,
    settings::Settings,
    store::Store,
};

/// An account that every host has, and its uid.
const OWNER: (&str, u32) = ("nobody", 65_534);
const ROOT: u32 = 0;

struct Host {
    core: Core,
    _directory: tempfile::TempDir,
}

impl Host {
    fn new(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = Source { path: "test.toml".into(), text: config.to_owned() };
        let settings = Settings::new(Config::from_sources(&[source]).unwrap_or_else(|e| panic!("{e}")));
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::at(UnixTime(2_000_000_010)));
        let (keyring, path) = (Keyring::generate().unwrap(), directory.path().join("mfad.db"));
        Store::create(&path, &keyring, &*clock).unwrap();
        let store = Store::open(&path, keyring, settings.for_store(), Arc::clone(&clock)).unwrap();
        let core = Core::new(clock, store, settings, directory.path().join("mfad.toml"));
        Self { core, _directory: directory }
    }

    async fn ask(&self, uid: u32, request: Request) -> Result<Reply, Refusal> {
        let desk = Desk { core: &self.core, peer: Peer { uid }, session: SessionId::fresh(), behalf: None };
        handle(&desk, request, &mut String::new()).await
    }

    async fn refusal(&self, uid: u32, request: Request) -> RefusalCode {
        self.ask(uid, request).await.expect_err("it was not refused").code
    }
}

fn text(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::local(UserName::new(name).unwrap())
}

fn any(name: &str) -> FactorRef {
    FactorRef { user: user(name), factor: None, label: None }
}

fn new(name: &str, params: NewParams, current_code: Option<&str>) -> Request {
    Request::Enroll(Box::new(NewFactor {
        user: user(name),
        label: None,
        secret: matches!(params, NewParams::Hotp(_)).then(|| text("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
        params,
        activate: false,
        replace: false,
        current_code: current_code.map(text),
        invitation: None,
        tag: NewTag::default(),
    }))
}

fn device() -> NewParams {
    NewParams::Hotp(HotpParams { algorithm: Algorithm::Sha1, digits: 6, counter: 0 })
}

fn machine() -> NewParams {
    NewParams::Token(TokenParams { domain: None, signing_secret: None })
}

/// RFC 4226 appendix D.
const CODES: [&str; 10] =
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

async fn confirm(host: &Host, code: &str) {
    let (user, code) = (user(OWNER.0), text(code));
    let done = host.ask(OWNER.1, Request::Confirm { user, factor: None, code }).await;
    assert!(matches!(done, Ok(Reply::Done { factors: 1 })), "{done:?}");
}

#[tokio::test]
async fn what_is_roots_is_refused_to_an_owner() {
    let host = Host::new("[enrollment]\nself = \"open\"\n");
    let all = Request::EnrollAll {
        user: user(OWNER.0),
        factors: Vec::new(),
        recovery: vec![text("12345678")],
        replace: false,
    };
    let token = Request::TokenIssue { target: any(OWNER.0) };
    let reason = ShownText::clean("lost");
    let lost = Request::Lost { target: any(OWNER.0), seconds: 600, reason };
    let (code, serial) = (text("123456"), Some("*".to_owned()));
    let search = Identify { code, kind: None, assigned: None, realm: None, serial };
    let search = Request::Identify(Box::new(search));
    let seal = Request::LdapSeal { user: user(OWNER.0), params: TotpParams::default(), secret: None };
    let pull = Request::LdapPull { user: user(OWNER.0), dry_run: true };
    for request in [all, token, lost, search, seal, pull, Request::Backup, Request::Restore, Request::Status]
    {
        let named = format!("{request:?}");
        assert_eq!(host.refusal(OWNER.1, request).await, RefusalCode::NotAllowed, "{named}");
    }
}

#[tokio::test]
async fn nothing_is_done_for_or_told_of_somebody_else() {
    let host = Host::new("");
    for name in ["root", "no-such-account"] {
        let codes = || [text("111111"), text("222222")];
        for request in [
            Request::Resync { target: any(name), codes: codes() },
            Request::RecoveryNew { user: user(name), count: 10, code: None },
            Request::Send { target: any(name) },
            Request::Confirm { user: user(name), factor: None, code: text("111111") },
            new(name, machine(), None),
        ] {
            let said = host.ask(OWNER.1, request).await.unwrap_err();
            assert_eq!(said.code, RefusalCode::NotAllowed);
            assert_eq!(said.message.as_str(), "only root may do this for another account");
        }
    }
}

#[tokio::test]
async fn an_owner_needs_a_current_code_which_may_be_a_recovery_code() {
    let host = Host::new("");
    assert!(host.ask(ROOT, new(OWNER.0, device(), None)).await.is_ok());
    confirm(&host, CODES[0]).await;
    let codes =
        |code: Option<&str>| Request::RecoveryNew { user: user(OWNER.0), count: 3, code: code.map(text) };
    assert_eq!(host.refusal(OWNER.1, codes(None)).await, RefusalCode::WrongCode);
    assert_eq!(host.refusal(OWNER.1, codes(Some("no code"))).await, RefusalCode::WrongCode);
    assert_eq!(host.refusal(OWNER.1, codes(Some(CODES[0]))).await, RefusalCode::WrongCode, "used");
    let Ok(Reply::RecoveryCodes { codes: made, .. }) = host.ask(OWNER.1, codes(Some(CODES[1]))).await else {
        panic!("no codes")
    };
    // The device is lost: what is on paper is enough to add another one.
    let added = host.ask(OWNER.1, new(OWNER.0, machine(), Some(made[0].expose()))).await;
    let Ok(Reply::Enrolled(added)) = added else { panic!("{added:?}") };
    assert_eq!(added.state, mfa_proto::admin::FactorState::Pending, "an owner's token has to be proven");
    let again = new(OWNER.0, machine(), Some(made[0].expose()));
    assert_eq!(host.refusal(OWNER.1, again).await, RefusalCode::WrongCode, "it works once");
}

#[tokio::test]
async fn an_owner_finds_a_counter_again_but_switches_nothing_on() {
    let host = Host::new("");
    assert!(host.ask(ROOT, new(OWNER.0, device(), None)).await.is_ok());
    confirm(&host, CODES[0]).await;
    let pair =
        |at: usize| Request::Resync { target: any(OWNER.0), codes: [text(CODES[at]), text(CODES[at + 1])] };
    assert!(host.ask(OWNER.1, pair(2)).await.is_ok());
    let disable = Request::Disable { target: any(OWNER.0), code: None };
    assert!(host.ask(ROOT, disable).await.is_ok());
    assert!(host.ask(OWNER.1, pair(5)).await.is_ok());
    assert_eq!(host.core.store().figures().await.unwrap().active_factors, 0);
    assert!(host.ask(ROOT, pair(7)).await.is_ok());
    assert_eq!(host.core.store().figures().await.unwrap().active_factors, 1);
}
