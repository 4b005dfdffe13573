//! A whole core role in this process: real sockets, real store on a temporary disk, a clock that stands
//! still until a test moves it.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod egress;
pub mod fronts;
pub mod outside;

use std::{path::Path, sync::Arc, time::Duration};

use mfa_proto::{
    admin::{Explain, Explanation, HotpParams, NewFactor, NewParams, NewTag, Reply, Request},
    codec, frame,
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, Dialogue, ServerMessage, Start, Verdict},
    name::{Claim, FactorLabel, ServiceName, UserId, UserName},
    secret::SecretText,
};
use mfad::{
    clock::{Clock, FakeClock, UnixTime},
    config::{Config, Source},
    core::Core,
    seal::Keyring,
    server::{self, admission::Admission, listen},
    settings::Settings,
    store::Store,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

/// A time in the middle of a 30-second step, after the earliest that is believed.
pub const NOW: UnixTime = UnixTime(2_000_000_010);

/// The secret of RFC 6238's SHA-1 vectors.
pub const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

pub struct Daemon {
    pub clock: Arc<FakeClock>,
    pub core: Arc<Core>,
    pub directory: tempfile::TempDir,
    server: JoinHandle<()>,
    _listener: listen::Listener,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Daemon {
    /// A daemon whose names are no accounts of this host, with `extra` configuration; `{dir}` in it is its
    /// directory.
    pub async fn start(extra: &str) -> Self {
        Self::with(&format!("[identity]\naccounts = \"any\"\n{extra}")).await
    }

    pub async fn with(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::resolved(config(text, &directory)).await;
        Self::of(directory, settings.unwrap_or_else(|problems| panic!("{problems:?}")))
    }

    /// A daemon that was never told what the names in its rules mean.
    pub fn unresolved(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::new(config(text, &directory));
        Self::of(directory, settings)
    }

    /// A daemon with settings that were made before. To be called inside a runtime.
    pub fn of(directory: tempfile::TempDir, settings: Settings) -> Self {
        let clock = Arc::new(FakeClock::at(NOW));
        let keyring = Keyring::create(&directory.path().join("key")).unwrap();
        let database = directory.path().join("mfad.db");
        Store::create(&database, &keyring, &*clock).unwrap();
        let shared: Arc<dyn Clock> = Arc::<FakeClock>::clone(&clock);
        let store = Store::open(&database, keyring, settings.for_store(), Arc::clone(&shared)).unwrap();
        let core = Arc::new(Core::new(shared, store, settings, directory.path().join("mfad.toml")));
        let path = directory.path().join("run/mfad.sock");
        let listener = listen::bind(&path, listen::Reach::Private).unwrap();
        let socket = UnixListener::from_std(listener.socket.try_clone().unwrap()).unwrap();
        let server = tokio::spawn(server::serve(Arc::clone(&core), socket, Admission::default()));
        Self { clock, core, directory, server, _listener: listener }
    }

    pub fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("run/mfad.sock")
    }

    pub async fn admin(&self, request: Request) -> Reply {
        let mut client = Client::greet(&self.socket(), Protocol::Admin).await;
        client.send(&request).await;
        client.receive().await
    }

    /// Puts another configuration in force by a reload.
    pub async fn explain(&self, user: &str) -> Explanation {
        self.explain_at(user, None).await
    }

    pub async fn explain_at(&self, user: &str, at: Option<i64>) -> Explanation {
        let Start { user, service, .. } = start(user);
        let user = user_id(user.as_str());
        let login = Explain { user, service, source: None, key: None, at };
        let reply = self.admin(Request::Explain(Box::new(login))).await;
        let Reply::Explained(explanation) = reply else { panic!("{reply:?}") };
        *explanation
    }

    pub async fn reconfigure(&self, text: &str) {
        let path = self.directory.path();
        let key = path.join("key");
        let text = format!("{text}\n[core]\nkey_file = \"{}\"\n", key.display());
        std::fs::write(path.join("mfad.toml"), text).unwrap();
        self.core.reload().await.unwrap();
    }

    /// The last row of the audit trail about `user`.
    pub async fn last_audit(&self, user: &str) -> mfa_proto::admin::AuditRow {
        let filter =
            mfa_proto::admin::AuditFilter { user: Some(user_id(user)), last: Some(1), ..Default::default() };
        let reply = self.admin(Request::Audit(Box::new(filter))).await;
        let Reply::Audit(mut page) = reply else { panic!("{reply:?}") };
        let row = page.rows.pop().expect("there is a row");
        assert!(
            mfa_proto::admin::VERDICTS.contains(&row.verdict.as_str()),
            "mfactl takes no such word: {row:?}"
        );
        row
    }

    /// Gives `user` an active HOTP factor that starts at counter 0.
    pub async fn enroll_hotp(&self, user: &str) {
        let params = HotpParams { algorithm: mfa_proto::admin::Algorithm::Sha1, digits: 6, counter: 0 };
        self.enroll(user, NewParams::Hotp(params), "token").await;
    }

    /// Gives `user` an active TOTP factor.
    pub async fn enroll_totp(&self, user: &str) {
        self.enroll(user, NewParams::Totp(mfa_proto::admin::TotpParams::default()), "phone").await;
    }

    pub async fn enroll(&self, user: &str, params: NewParams, label: &str) {
        let reply = self.admin(Request::Enroll(Box::new(new_factor(user, params, label)))).await;
        assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
    }

    /// A whole login of `user` that answers each prompt with the next of `answers`.
    pub async fn login(&self, user: &str, answers: &[&str]) -> Transcript {
        self.login_as(start(user), answers).await
    }

    pub async fn login_as(&self, start: Start, answers: &[&str]) -> Transcript {
        let mut client = Client::greet(&self.socket(), Protocol::Login).await;
        client.send(&ClientMessage::Start(start)).await;
        let mut answers = answers.iter();
        let mut prompts = Vec::new();
        loop {
            match client.receive::<ServerMessage>().await {
                ServerMessage::Settled(verdict) => return Transcript { prompts, verdict },
                ServerMessage::Info(text) => prompts.push(text.to_string()),
                ServerMessage::Prompt { text, .. } => {
                    prompts.push(text.to_string());
                    let answer = answers.next().unwrap_or_else(|| panic!("unexpected prompt {text:?}"));
                    client.send(&ClientMessage::Answer(secret(answer))).await;
                }
            }
        }
    }
}

fn config(text: &str, directory: &tempfile::TempDir) -> Config {
    let text = text.replace("{dir}", directory.path().to_str().unwrap());
    Config::from_sources(&[Source { path: "test.toml".into(), text }]).unwrap_or_else(|e| panic!("{e}"))
}

#[derive(Debug, Eq, PartialEq)]
pub struct Transcript {
    pub prompts: Vec<String>,
    pub verdict: Verdict,
}

pub fn new_factor(user: &str, params: NewParams, label: &str) -> NewFactor {
    NewFactor {
        user: user_id(user),
        label: Some(FactorLabel::new(label).unwrap()),
        params,
        secret: Some(secret(SECRET)),
        activate: true,
        replace: false,
        current_code: None,
        invitation: None,
        tag: NewTag::default(),
    }
}

pub fn user_id(name: &str) -> UserId {
    UserId::local(UserName::new(name).unwrap())
}

pub fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

pub fn start(user: &str) -> Start {
    Start {
        user: UserName::new(user).unwrap(),
        service: ServiceName::new("sshd").unwrap(),
        dialogue: Dialogue::Interactive,
        remote_host: Some(Claim::clean("192.0.2.7")),
        remote_user: None,
        terminal: None,
        ssh_auth_info: None,
    }
}

/// The code of [`SECRET`] at `time`.
pub fn totp(time: UnixTime) -> String {
    oath(30, u64::try_from(time.0).unwrap())
}

/// The code of [`SECRET`] for a counter.
pub fn hotp(counter: u64) -> String {
    oath(1, counter)
}

fn oath(step: u64, time: u64) -> String {
    totp_rs::Builder::new()
        .with_secret(b"12345678901234567890".to_vec())
        .with_step_duration(step)
        .build()
        .unwrap()
        .generate(time)
        .to_string()
}

pub struct Client(pub UnixStream);

impl Client {
    pub async fn greet(socket: &Path, protocol: Protocol) -> Self {
        let mut client = Self(UnixStream::connect(socket).await.unwrap());
        client.send(&Hello::new(protocol)).await;
        assert_eq!(client.receive::<Welcome>().await, Welcome::Version(1));
        client
    }

    pub async fn send<T: serde::Serialize>(&mut self, message: &T) {
        self.0.write_all(&codec::encode(message).unwrap()).await.unwrap();
    }

    pub async fn receive<T: serde::Serialize + serde::de::DeserializeOwned>(&mut self) -> T {
        self.try_receive().await.expect("the daemon ended the connection")
    }

    /// The next message; `None` at the end of the connection. Bounded, so that silence is a failure.
    pub async fn try_receive<T: serde::Serialize + serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        let read = async {
            let mut header = [0; frame::HEADER];
            self.0.read_exact(&mut header).await.ok()?;
            let mut payload = vec![0; frame::payload_length(header).unwrap()];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(codec::decode(&payload).unwrap())
        };
        tokio::time::timeout(Duration::from_secs(30), read).await.expect("the daemon is silent")
    }
}
