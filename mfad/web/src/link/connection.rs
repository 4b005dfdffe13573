//! One connection to core: greeted once, then one question after the other.

use std::path::Path;

use mfa_proto::{
    front::{Ask, FrontMessage, PasswordMessage, PasswordOutcome},
    hello::{Hello, NEWEST, Protocol, Welcome},
    login::ClientMessage,
    secret::SecretText,
};
use mfa_role::{peers, wire::Wire};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

use super::Away;

/// A connection to core that is greeted.
#[derive(Debug)]
pub(super) struct Connection(Wire<UnixStream>);

impl Connection {
    /// Connects to whoever may listen there.
    pub(super) async fn open(socket: &Path, listeners: &[u32]) -> Result<Self, Away> {
        let shown = || socket.display().to_string();
        let unreachable = |error| Away::Unreachable { socket: shown(), error };
        let (stream, uid) = peers::connect(socket).await.map_err(unreachable)?;
        if !listeners.contains(&uid) {
            return Err(Away::Stranger { socket: shown(), uid });
        }
        let mut wire = Wire::new(stream);
        wire.write(&Hello::new(Protocol::Front)).await?;
        match wire.read::<Welcome>().await? {
            Welcome::Version(NEWEST) => Ok(Self(wire)),
            Welcome::Busy => Err(Away::Busy),
            // Both come from one build.
            Welcome::Version(_) | Welcome::Unsupported { .. } => Err(Away::Version),
        }
    }

    /// Sends a question; the first message of its answer.
    pub(super) async fn ask<T: Serialize + DeserializeOwned>(&mut self, ask: &Ask) -> Result<T, Away> {
        self.0.write(ask).await?;
        Ok(self.0.read().await?)
    }

    pub(super) async fn answer(&mut self, answer: SecretText) -> Result<FrontMessage, Away> {
        self.0.write(&ClientMessage::Answer(answer)).await?;
        self.next().await
    }

    /// Tells what came of a password; what core says to that.
    pub(super) async fn tell(&mut self, outcome: PasswordOutcome) -> Result<PasswordMessage, Away> {
        self.0.write(&outcome).await?;
        Ok(self.0.read().await?)
    }

    pub(super) async fn next(&mut self) -> Result<FrontMessage, Away> {
        Ok(self.0.read().await?)
    }
}
