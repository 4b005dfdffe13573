//! The way to the password prover, root's or egress: whether a password is an account's, for dialects whose callers
//! prove none.
//!
//! Refuses to hand a password to any other process than that, and to take anything for a yes but a yes.

use std::{path::PathBuf, time::Duration};

use mfa_proto::{
    hello::{Hello, NEWEST, Protocol, Welcome},
    name::{Claim, UserName},
    password::{Check, Reply, Request},
    secret::SecretText,
};
use mfa_role::{
    config::{Config, Passwords},
    peers,
    wire::{Wire, WireError},
};
use nix::unistd::geteuid;
use tokio::time::timeout;
use tracing::warn;

/// How long it may take: what the prover gives PAM, and the time at which refusals are told.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long the text of an address may be.
const MAX_ADDRESS: usize = 64;

/// Where passwords are proven.
#[derive(Clone, Debug)]
pub struct Prover {
    socket: PathBuf,
    listeners: Vec<u32>,
}

/// What came of a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Proven {
    /// It is the account's, or was changed.
    Yes,
    /// It is not, or the account may not be used, or a new one was not taken.
    No,
    /// It is the account's, and has to be changed before it counts.
    MustChange,
    /// Too many were tried.
    TooMany,
    /// Nothing can be said: there is no prover, or it could not say.
    Unknown,
}

/// A password that a person typed.
#[derive(Debug)]
pub struct Typed {
    /// Whose it should be.
    pub user: UserName,
    /// What was typed.
    pub password: SecretText,
    /// Where the person is.
    pub source: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Away {
    #[error(
        "the prover does not listen at {socket}: {error}; start mfad-password.socket, or with [web] passwords = \"ldap\" mfad-egress"
    )]
    Unreachable { socket: String, error: std::io::Error },
    #[error(
        "what listens at {socket} runs as uid {uid}, which proves no passwords: it was not told this one"
    )]
    Stranger { socket: String, uid: u32 },
    #[error("the prover is of another version: restart both")]
    Version,
    #[error("the connection to the prover failed: {0}")]
    Wire(#[from] WireError),
}

impl Prover {
    /// What the configuration says: `mfad-password`, a process of root's, or egress, which has an account of its own.
    /// One of this process's own user counts as either.
    pub fn new(config: &Config) -> Self {
        let own = geteuid().as_raw();
        match config.web().passwords {
            Passwords::Pam => Self { socket: config.web().password_socket.clone(), listeners: vec![0, own] },
            Passwords::Ldap => Self {
                socket: config.ldap().password_socket.clone(),
                listeners: peers::allowed(&config.egress().user, "[egress] user"),
            },
        }
    }

    /// Whether the password is the account's. Core is to know of it: [`crate::attended`].
    pub(crate) async fn check(&self, typed: Typed) -> Proven {
        self.ask(&Request::Check(Box::new(check(typed)))).await
    }

    /// Puts a new one in its place. The old one is known to be right: it was checked.
    pub(crate) async fn change(&self, typed: Typed, new: SecretText) -> Proven {
        self.ask(&Request::Change { check: Box::new(check(typed)), new }).await
    }

    async fn ask(&self, request: &Request) -> Proven {
        match timeout(PATIENCE, self.converse(request)).await {
            Ok(Ok(reply)) => match reply {
                Reply::Yes => Proven::Yes,
                Reply::No => Proven::No,
                Reply::MustChange => Proven::MustChange,
                Reply::Busy => Proven::TooMany,
                Reply::Unavailable => Proven::Unknown,
                Reply::Refused => {
                    warn!("a password is not changed: the prover runs without --allow-change");
                    Proven::Unknown
                }
            },
            Ok(Err(away)) => {
                warn!("a password was not checked: {away}");
                Proven::Unknown
            }
            Err(_) => {
                warn!("a password was not checked: the prover did not answer in time");
                Proven::Unknown
            }
        }
    }

    async fn converse(&self, request: &Request) -> Result<Reply, Away> {
        let socket = || self.socket.display().to_string();
        let unreachable = |error| Away::Unreachable { socket: socket(), error };
        let (stream, uid) = peers::connect(&self.socket).await.map_err(unreachable)?;
        if !self.listeners.contains(&uid) {
            return Err(Away::Stranger { socket: socket(), uid });
        }
        let mut wire = Wire::new(stream);
        wire.write(&Hello::new(Protocol::Password)).await?;
        match wire.read::<Welcome>().await? {
            Welcome::Version(NEWEST) => {}
            Welcome::Version(_) | Welcome::Unsupported { .. } | Welcome::Busy => return Err(Away::Version),
        }
        wire.write(request).await?;
        Ok(wire.read().await?)
    }
}

fn check(Typed { user, password, source }: Typed) -> Check {
    let source = source.map(|source| Claim::clean_to(&source, MAX_ADDRESS));
    Check { user, password, source }
}
