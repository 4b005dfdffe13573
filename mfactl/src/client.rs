//! The talk with the daemon: connect, see who is there, say hello, ask.
//!
//! Refuses to send a byte before it is sure that the peer is root or the owner of the socket's directory,
//! because requests carry codes and keys.

mod peer;
mod socket;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mfa_proto::{
    admin::{Reply, Request},
    hello::{self, Hello, Protocol, Welcome},
};

pub(crate) use self::wire::{Wire, pause};
use crate::failure::Failure;

/// Where root finds the daemon.
const ADMIN_SOCKET: &str = "/run/mfad/mfad.sock";
/// Where other accounts find it.
const USER_SOCKET: &str = "/run/mfad/user.sock";

/// How to reach the daemon.
#[derive(Debug)]
pub(crate) struct Target {
    /// The socket asked for; `None` tries the usual ones.
    pub(crate) socket: Option<PathBuf>,
    /// How long the daemon may be silent.
    pub(crate) timeout: Duration,
}

impl Target {
    /// Connects and shakes hands.
    pub(crate) fn open(&self, protocol: Protocol) -> Result<Wire, Failure> {
        let (path, stream) = match &self.socket {
            Some(path) => (path.as_path(), socket::connect(path, self.timeout)),
            None => socket::first_allowed([Path::new(ADMIN_SOCKET), Path::new(USER_SOCKET)], |path| {
                socket::connect(path, self.timeout)
            }),
        };
        let stream = stream.map_err(|errno| socket::unreachable(path, errno))?;
        let keeper = peer::check(&stream, path)?;
        let mut wire = Wire::new(stream, path, self.timeout, keeper);
        greet(&mut wire, protocol)?;
        Ok(wire)
    }

    /// One request on a connection of its own: people pause longer at prompts than the daemon waits.
    pub(crate) fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        ask(&mut self.open(Protocol::Admin)?, request)
    }
}

impl Target {
    /// The daemon answered with something else than the request calls for.
    pub(crate) fn unexpected(&self) -> Failure {
        let path = self.socket.as_deref().unwrap_or(Path::new(ADMIN_SOCKET));
        Failure::Conversation {
            path: mfa_proto::text::escape_for_log(&path.to_string_lossy()),
            why: "its answer does not fit the request".to_owned(),
            hint: wire::REPORT,
        }
    }
}

/// One request on an open connection.
pub(crate) fn ask(wire: &mut Wire, request: &Request) -> Result<Reply, Failure> {
    wire.send(request)?;
    match wire.receive()? {
        Reply::Refused(refusal) => Err(Failure::Refused { refusal, hint: None }),
        reply @ (Reply::Done { .. }
        | Reply::Enrolled(_)
        | Reply::Users(_)
        | Reply::User(_)
        | Reply::Status(_)
        | Reply::Audit(_)
        | Reply::Config(_)
        | Reply::RecoveryCodes { .. }
        | Reply::Sent { .. }
        | Reply::Token(_)
        | Reply::Copy { .. }
        | Reply::Restored(_)
        | Reply::Invited { .. }
        | Reply::Remembered(_)
        | Reply::AuditReport(_)
        | Reply::Explained(_)
        | Reply::BreakGlass { .. }
        | Reply::Metrics { .. }
        | Reply::Orphans(_)
        | Reply::Found { .. }
        | Reply::Devices(_)
        | Reply::Sealed(_)
        | Reply::Pulled(_)) => Ok(reply),
    }
}

fn greet(wire: &mut Wire, protocol: Protocol) -> Result<(), Failure> {
    wire.send(&Hello::new(protocol))?;
    match wire.receive()? {
        Welcome::Version(version) if (hello::OLDEST..=hello::NEWEST).contains(&version) => Ok(()),
        Welcome::Version(version) => {
            Err(wire.failed(format!("it chose version {version}, which was not offered"), wire::REPORT))
        }
        Welcome::Unsupported { min, max } => Err(wire.failed(
            format!(
                "it speaks protocol versions {min} to {max}, this mfactl {} to {}",
                hello::OLDEST,
                hello::NEWEST
            ),
            "install mfactl and mfad of the same release, then restart mfad",
        )),
        Welcome::Busy => Err(wire.failed(
            "it has too many connections at present".to_owned(),
            "try again in a moment; when it lasts: journalctl -t mfad",
        )),
    }
}
