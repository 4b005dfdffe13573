//! Connections in, conversations out: accepts, admits, hands over to [`login`] or [`crate::admin`].
//!
//! Refuses to judge, and to let one connection hurt another: every error here ends its own connection.

pub mod admission;
pub mod front;
mod login;
mod password;
mod process;

use std::{sync::Arc, time::Duration};

use mfa_proto::hello::{self, Hello, Protocol, Welcome};
use tokio::net::{UnixListener, UnixStream};
use tracing::{debug, warn};

pub use mfa_role::{listen, wire};
pub use process::PeerProcess;

pub(crate) use self::login::{explain, explain_client};
use self::{
    admission::{Admission, Place},
    wire::{Wire, WireError},
};
use crate::{config::SelfAuth, core::Core};

/// A peer that has not said hello by then is no client of ours.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// Pause after `accept` failed: out of descriptors, which only time or other connections' ends mend.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end, by the kernel's word at `accept`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The effective uid of the process that connected.
    pub uid: u32,
}

impl Peer {
    /// Whether the peer may act for any account.
    pub fn is_root(self) -> bool {
        self.uid == 0
    }
}

/// Serves one socket until the task is dropped.
pub async fn serve(core: Arc<Core>, socket: UnixListener, admission: Admission) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(Arc::clone(&core), stream, admission.clone()));
            }
            Err(error) => {
                warn!("cannot accept a connection: {error}; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(core: Arc<Core>, stream: UnixStream, admission: Admission) {
    // No credentials, no conversation: an error here must never be taken for uid 0.
    let Some(uid) = mfa_role::peers::uid_behind(&stream) else { return };
    let peer = Peer { uid };
    // It has a socket of its own, where it is known for what it is.
    if core.is_front_end(peer.uid) {
        warn!(uid = peer.uid, "a connection was refused: the account of [web] user has its own socket");
        return;
    }
    let settings = core.settings();
    let caps = settings.caps();
    // While the process that connected is likely to be there still; only for those whom it concerns.
    let asks_polkit = settings.config().enrollment().self_auth == SelfAuth::Polkit;
    let process = (asks_polkit && !peer.is_root()).then(|| PeerProcess::of(&stream));
    drop(settings);
    let mut wire = Wire::new(stream);
    let Some(place) = admission.enter(peer.uid, caps) else {
        warn!(
            uid = peer.uid,
            "a connection was refused: too many are open ({} in all), or its user asks too often", caps.total
        );
        // The peer may not read it; it learns as much from the end of the connection.
        drop(tokio::time::timeout(HELLO_PATIENCE, wire.write(&Welcome::Busy)).await);
        return;
    };
    if let Err(error) = converse(&core, &mut wire, (peer, process), &place).await {
        debug!(uid = peer.uid, "a connection ended: {error}");
    }
}

async fn converse(
    core: &Arc<Core>,
    wire: &mut Wire<UnixStream>,
    (peer, process): (Peer, Option<PeerProcess>),
    held: &Place,
) -> Result<(), WireError> {
    let greeting = async {
        let hello: Hello = wire.read().await?;
        let welcome = hello.answer(hello::OLDEST, hello::NEWEST);
        match welcome {
            Welcome::Version(_) => wire.write_soon(&welcome).await?,
            Welcome::Unsupported { .. } | Welcome::Busy => wire.write(&welcome).await?,
        }
        Ok::<_, WireError>((hello.protocol, welcome))
    };
    let Ok(greeted) = tokio::time::timeout(HELLO_PATIENCE, greeting).await else { return Ok(()) };
    match greeted? {
        // Errands are egress's to run, passwords the prover's, and front ends have a socket of their own: this is
        // the wrong one.
        (Protocol::Egress | Protocol::Password | Protocol::Front, _)
        | (_, Welcome::Unsupported { .. } | Welcome::Busy) => Ok(()),
        (Protocol::Login, Welcome::Version(_)) => login::serve(core, wire, peer).await,
        (Protocol::Admin, Welcome::Version(_)) => {
            crate::admin::serve(core, wire, (peer, process), held).await
        }
    }
}
