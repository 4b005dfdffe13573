//! A prover of passwords by a list: what web does with what it says.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mfa_proto::{
    hello::{Hello, Protocol, Welcome},
    password::{Reply, Request},
};
use mfa_role::wire::Wire;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Notify,
    task::JoinHandle,
};

/// The password of everyone.
pub(crate) const PASSWORD: &str = "Horse7 staple";
/// The one it is changed to.
pub(crate) const NEXT: &str = "Battery8 horse";

/// Listens until dropped.
pub(crate) struct Prover {
    task: JoinHandle<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    asked: AtomicUsize,
    /// A password of `slow` has come.
    begun: Notify,
    /// It may be answered.
    go: Notify,
}

impl Drop for Prover {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Prover {
    /// `aged` has to change the password, `away` cannot be checked, `tried` was tried too often, `slow` is answered
    /// when the test says so.
    pub(crate) fn start(directory: &Path) -> Self {
        let socket = UnixListener::bind(directory.join("password.sock")).unwrap();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(answer(Wire::new(stream), Arc::clone(&serving)));
            }
        });
        Self { task, shared }
    }

    /// How many passwords have come.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Waits for a password of `slow`.
    pub(crate) async fn begun(&self) {
        self.shared.begun.notified().await;
    }

    /// Has it answered.
    pub(crate) fn go_on(&self) {
        self.shared.go.notify_one();
    }
}

async fn answer(mut wire: Wire<UnixStream>, shared: Arc<Shared>) {
    let hello: Hello = wire.read().await.unwrap();
    assert_eq!(hello.protocol, Protocol::Password);
    wire.write(&Welcome::Version(1)).await.unwrap();
    let request: Request = wire.read().await.unwrap();
    shared.asked.fetch_add(1, Ordering::Relaxed);
    if request.check().user.as_str() == "slow" {
        shared.begun.notify_one();
        shared.go.notified().await;
    }
    wire.write(&said(&request)).await.unwrap();
}

fn said(request: &Request) -> Reply {
    let check = request.check();
    assert_eq!(check.source.as_ref().map(mfa_proto::name::Claim::as_str), Some("127.0.0.1"));
    let right = check.password.expose() == PASSWORD;
    match (check.user.as_str(), request) {
        ("away", _) => Reply::Unavailable,
        ("tried", _) => Reply::Busy,
        _ if !right => Reply::No,
        (_, Request::Change { new, .. }) => {
            if new.expose() == NEXT {
                Reply::Yes
            } else {
                Reply::No
            }
        }
        ("aged", Request::Check(_)) => Reply::MustChange,
        (_, Request::Check(_)) => Reply::Yes,
    }
}
