//! A prover of passwords by a list: what web does with what it says.

use std::path::Path;

use mfa_proto::{
    hello::{Hello, Protocol, Welcome},
    password::{Reply, Request},
};
use mfa_role::wire::Wire;
use tokio::{net::UnixListener, task::JoinHandle};

/// The password of everyone.
pub(crate) const PASSWORD: &str = "Horse7 staple";
/// The one it is changed to.
pub(crate) const NEXT: &str = "Battery8 horse";

/// Listens until dropped.
pub(crate) struct Prover(JoinHandle<()>);

impl Drop for Prover {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Prover {
    /// `aged` has to change the password, `away` cannot be checked, `tried` was tried too often.
    pub(crate) fn start(directory: &Path) -> Self {
        let socket = UnixListener::bind(directory.join("password.sock")).unwrap();
        Self(tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let mut wire = Wire::new(stream);
                let hello: Hello = wire.read().await.unwrap();
                assert_eq!(hello.protocol, Protocol::Password);
                wire.write(&Welcome::Version(1)).await.unwrap();
                let request: Request = wire.read().await.unwrap();
                wire.write(&said(&request)).await.unwrap();
            }
        }))
    }
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
