//! A whole core in this process, the web role before it, and clients that speak HTTP by hand.
#![allow(dead_code, reason = "each test file uses its part")]

mod http;
pub(crate) mod page;
pub(crate) mod prover;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use mfa_role::{
    config::{Config, Source},
    credentials::Credentials,
    listen,
};
use mfad::server::{admission::Admission, front};
use mfad_web::{
    clients::Clients,
    link::Link,
    router::State,
    server::{Listening, Server, Socket, certificates::Certificates},
    transactions::Transactions,
};
use sha2::{Digest as _, Sha256};
use tokio::{net::UnixListener, sync::watch, task::JoinSet};

pub(crate) use self::http::{Answered, Http};
use super::support::Daemon;

/// The secret of client `vpn`.
pub(crate) const VPN: &str = "vpn-secret";
/// The secret of client `wiki`.
pub(crate) const WIKI: &str = "wiki-secret";

/// Two clients: `vpn` has proven passwords, `wiki` has not.
pub(crate) const CLIENTS: &str = "\
[[web.listen]]
address = \"127.0.0.1:1\"
[[web.client]]
name = \"vpn\"
rights = [\"verify\", \"factors:read\", \"users:read\", \"audit:read\", \"status\"]
token = \"vpn\"
password_proven = true
rate = 10000
[[web.client]]
name = \"wiki\"
rights = [\"verify\"]
token = \"wiki\"
rate = 10000
";

/// Core and web.
pub(crate) struct Rig {
    pub(crate) daemon: Daemon,
    pub(crate) state: watch::Sender<Arc<State>>,
    pub(crate) transactions: Transactions,
    port: u16,
    text: String,
    core_side: tokio::task::JoinHandle<()>,
    tasks: JoinSet<std::io::Result<()>>,
    _listener: listen::Listener,
}

impl Rig {
    /// With both clients and `extra` configuration, `{dir}` in which is the directory of the daemon.
    pub(crate) async fn start(extra: &str) -> Self {
        Self::of(&format!("{CLIENTS}{extra}")).await
    }

    /// With this configuration.
    pub(crate) async fn of(text: &str) -> Self {
        Self::prepared(text, |_| ()).await
    }

    /// The same, with more files in the directory of the daemon.
    pub(crate) async fn prepared(text: &str, prepare: impl FnOnce(&Path)) -> Self {
        let daemon = Daemon::start(text).await;
        let directory = daemon.directory.path().to_owned();
        prepare(&directory);
        for (name, secret) in [("vpn", VPN), ("wiki", WIKI)] {
            credential(&directory, name, secret);
        }
        let path = directory.join("web.sock");
        let listener = listen::bind(&path, listen::Reach::Private).unwrap();
        let socket = UnixListener::from_std(listener.socket.try_clone().unwrap()).unwrap();
        let allowed = mfa_role::peers::allowed("root", "[web] user").into();
        let serving = front::serve(Arc::clone(&daemon.core), socket, (allowed, Admission::default()));
        let core_side = tokio::spawn(serving);
        let config = config(text, &directory);
        let uids = mfa_role::peers::allowed("root", "[egress] core_user");
        let (link, transactions) = (Link::new(path, uids), Transactions::default());
        let state = state(&config, &directory, (link, transactions.clone()));
        let (state, watched) = watch::channel(state);
        let server = Server::new(watched);
        let mut tasks = JoinSet::new();
        let mut port = 0;
        for listen in &config.web().listen {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            port = socket.local_addr().unwrap().port();
            let tls = Certificates::default().load(listen, config.web()).unwrap();
            let listening = Listening { socket: Socket::Tcp(socket), listen: listen.clone(), tls };
            tasks.spawn(server.clone().serve(listening));
        }
        let sweeping = transactions.clone();
        tasks.spawn(async move {
            sweeping.sweep().await;
            Ok(())
        });
        Self {
            daemon,
            state,
            transactions,
            port,
            text: text.to_owned(),
            core_side,
            tasks,
            _listener: listener,
        }
    }

    /// A connection to the last listener.
    pub(crate) async fn http(&self) -> Http {
        Http::connect(self.port).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `POST` of JSON by the client with this secret.
    pub(crate) async fn post(&self, secret: &str, path: &str, json: &str) -> Answered {
        self.http().await.post(secret, path, json).await
    }

    /// Asks `/v1/verify`.
    pub(crate) async fn verify(&self, secret: &str, json: &str) -> serde_json::Value {
        let answered = self.post(secret, "/v1/verify", json).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        answered.json()
    }

    /// What asks core on behalf of a client.
    pub(crate) fn desk(&self, client: &str) -> mfad_web::verify::Desk {
        let state = self.state.borrow();
        let client = state.web.clients.iter().find(|known| known.name.as_str() == client).unwrap().clone();
        state.desk(Arc::new(client), None)
    }

    /// Nobody listens where core did, and no connection is kept.
    pub(crate) fn take_core_away(&self) {
        self.core_side.abort();
        self.lead_to("nobody.sock");
    }

    /// Leads web to another socket in the directory of the daemon.
    pub(crate) fn lead_to(&self, socket: &str) {
        let before = Arc::clone(&self.state.borrow());
        let directory = self.daemon.directory.path();
        let link = Link::new(directory.join(socket), mfa_role::peers::allowed("root", "test"));
        let config = config(&self.text, directory);
        let state = state(&config, directory, (link, before.transactions.clone()));
        let mut state = Arc::into_inner(state).expect("it is nobody else's yet");
        state.sessions = before.sessions.clone();
        self.state.send_replace(Arc::new(state));
    }
}

/// What requests need, of a configuration.
pub(crate) fn state(
    config: &Config,
    directory: &Path,
    (link, transactions): (Link, Transactions),
) -> Arc<State> {
    let clients = Clients::load(config, &Credentials::for_group(directory)).unwrap();
    let sessions = mfad_web::ceptor::Sessions::default();
    let prover = mfad_web::prover::Prover::new(config);
    Arc::new(State { web: config.web().clone(), clients, link, transactions, sessions, prover })
}

pub(crate) fn config(text: &str, directory: &Path) -> Config {
    let text = text.replace("{dir}", directory.to_str().unwrap());
    Config::from_sources(&[Source { path: "test.toml".into(), text }]).unwrap_or_else(|e| panic!("{e}"))
}

/// Writes the hash of a secret as a credential.
pub(crate) fn credential(directory: &Path, name: &str, secret: &str) {
    let hash = format!("{:x}", hyper::body::Bytes::copy_from_slice(&Sha256::digest(secret)));
    let path = directory.join(name);
    fs::write(&path, hash).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}
