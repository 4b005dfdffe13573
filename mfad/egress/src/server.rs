//! The socket that core asks through: accepts root, the role's own user and core's; one errand at a time
//! over a connection.
//!
//! Refuses every other peer before it says anything, and lets no connection hurt another.

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    egress::Errand,
    hello::{self, Hello, Protocol, Welcome},
};
use mfa_role::{
    accept::accept,
    peers,
    wire::{Wire, WireError},
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
};
use tracing::debug;

use crate::errand::Outside;

/// A peer that has not said hello by then is no client of ours.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);
/// How long a peer has to take an answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Who may connect.
const ONLY: &str = "only core's user and root may ask ([egress] core_user)";
/// The most connections: more than errands, so that one too many is told that it is.
const MAX_CONNECTIONS: usize = 2048;

/// What connections share: what errands need now, and who may ask.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What errands need. Those that have begun end with what they began with.
    pub outside: watch::Receiver<Arc<Outside>>,
    /// The uids that may ask.
    pub allowed: Arc<[u32]>,
}

/// Serves until the task is dropped, and all its connections with it.
pub async fn serve(socket: UnixListener, shared: Shared) {
    accept(socket, MAX_CONNECTIONS, |stream| connection(stream, shared.clone())).await;
}

async fn connection(stream: UnixStream, shared: Shared) {
    let Some(uid) = peers::admitted(&stream, &shared.allowed, ONLY) else { return };
    if let Err(error) = converse(Wire::new(stream), &shared).await {
        debug!(uid, "a connection ended: {error}");
    }
}

async fn converse(mut wire: Wire<UnixStream>, shared: &Shared) -> Result<(), WireError> {
    let greeting = async {
        let hello: Hello = wire.read().await?;
        let welcome = hello.answer(hello::OLDEST, hello::NEWEST);
        wire.write(&welcome).await?;
        Ok::<_, WireError>((hello.protocol, welcome))
    };
    let Ok(greeted) = tokio::time::timeout(HELLO_PATIENCE, greeting).await else { return Ok(()) };
    match greeted? {
        (Protocol::Egress, Welcome::Version(_)) => {}
        // Logins, administration and front ends are core's, passwords the prover's.
        (Protocol::Login | Protocol::Admin | Protocol::Front | Protocol::Password, _)
        | (_, Welcome::Unsupported { .. } | Welcome::Busy) => {
            return Ok(());
        }
    }
    loop {
        let errand = wire.read().await?;
        let outside = Arc::clone(&shared.outside.borrow());
        // Who hangs up waits for nothing: what is left of the errand would only take a place.
        let done = tokio::select! {
            done = outside.run(errand) => done,
            early = wire.read::<Errand>() => {
                debug!("an errand was given up: its asker {}", if early.is_ok() { "has another" } else { "is gone" });
                return early.map(drop);
            }
        };
        wire.write_within(ANSWER_PATIENCE, &done).await?;
    }
}
