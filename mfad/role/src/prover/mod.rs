//! The socket at which front ends have passwords proven, by PAM or a directory: takes the uids it is for, one
//! request, one reply.
//!
//! Refuses every other peer before it says anything, lets no refusal tell by its time why it is one, and does
//! not know how a password is checked.

mod pace;

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use mfa_proto::{
    hello::{self, Hello, Protocol, Welcome},
    password::{Reply, Request},
    secret::SecretText,
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::Instant,
};
use tracing::{debug, info, warn};

use self::pace::Pace;
use crate::{
    accept::accept,
    peers,
    wire::{Wire, WireError},
};

/// A peer that has not asked by then is no client of ours.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);
/// How long a peer has to take an answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Who may connect.
const ONLY: &str = "only the front end's user may have passwords proven";
/// The most connections. Most of them wait for the time of their refusal.
const MAX_CONNECTIONS: usize = 128;
/// The most checks at a time.
const MAX_CHECKS: usize = 8;
/// What is not a yes is answered at a multiple of this after it was asked.
const REFUSAL_GRID: Duration = Duration::from_secs(2);

/// How a password is checked.
pub trait Way: Send + Sync + 'static {
    /// Why one could not be: for the log.
    type Error: Display;

    /// Checks one that can be a password, or changes it.
    fn take(&self, request: &Request) -> impl Future<Output = Result<Reply, Self::Error>> + Send;
}

/// What connections share.
#[derive(Debug)]
pub struct Shared<W> {
    way: W,
    allowed: Vec<u32>,
    changes: bool,
    pace: Pace,
    checks: Semaphore,
}

impl<W: Way> Shared<W> {
    /// Checks by `way` for the uids that are allowed; `changes` is whether passwords may be changed.
    pub fn new(way: W, allowed: Vec<u32>, changes: bool) -> Arc<Self> {
        let checks = Semaphore::new(MAX_CHECKS);
        Arc::new(Self { way, allowed, changes, pace: Pace::default(), checks })
    }
}

/// Serves until the task is dropped, and all its connections with it.
pub async fn serve<W: Way>(socket: UnixListener, shared: Arc<Shared<W>>) {
    accept(socket, MAX_CONNECTIONS, |stream| connection(stream, Arc::clone(&shared))).await;
}

async fn connection<W: Way>(stream: UnixStream, shared: Arc<Shared<W>>) {
    let Some(uid) = peers::admitted(&stream, &shared.allowed, ONLY) else { return };
    if let Err(error) = converse(Wire::new(stream), &shared).await {
        debug!(uid, "a connection ended: {error}");
    }
}

async fn converse<W: Way>(mut wire: Wire<UnixStream>, shared: &Shared<W>) -> Result<(), WireError> {
    let asking = async {
        let hello: Hello = wire.read().await?;
        let welcome = hello.answer(hello::OLDEST, hello::NEWEST);
        wire.write(&welcome).await?;
        match (hello.protocol, welcome) {
            (Protocol::Password, Welcome::Version(_)) => wire.read::<Request>().await,
            // The rest is core's and egress's.
            (Protocol::Login | Protocol::Admin | Protocol::Egress | Protocol::Front, _)
            | (_, Welcome::Unsupported { .. } | Welcome::Busy) => Err(WireError::Closed),
        }
    };
    let Ok(asked) = tokio::time::timeout(REQUEST_PATIENCE, asking).await else { return Ok(()) };
    let request = asked?;
    // Who hangs up waits for nothing: what is left of the check would only take a place.
    let reply = tokio::select! {
        reply = shared.answer(&request) => reply,
        early = wire.read::<Request>() => return early.map(drop),
    };
    wire.write_within(ANSWER_PATIENCE, &reply).await
}

impl<W: Way> Shared<W> {
    /// The reply, when it may be known.
    async fn answer(&self, request: &Request) -> Reply {
        let begun = Instant::now();
        let reply = self.judge(request).await;
        report(request, reply);
        match reply {
            // What was not even looked at says nothing by its time.
            Reply::Yes | Reply::Busy | Reply::Refused => {}
            Reply::No | Reply::MustChange | Reply::Unavailable => {
                tokio::time::sleep_until(on_grid(begun, Instant::now())).await;
            }
        }
        reply
    }

    async fn judge(&self, request: &Request) -> Reply {
        let check = request.check();
        if matches!(request, Request::Change { .. }) && !self.changes {
            return Reply::Refused;
        }
        if !self.pace.charge(check) {
            return Reply::Busy;
        }
        if !is_password(&check.password) || !is_new_password(request) {
            return Reply::No;
        }
        let Ok(_turn) = self.checks.acquire().await else { return Reply::Unavailable };
        match self.way.take(request).await {
            Ok(reply @ (Reply::Yes | Reply::MustChange)) => {
                self.pace.take_back(check);
                reply
            }
            Ok(reply) => reply,
            Err(error) => {
                warn!(user = %check.user, "a password was not checked: {error}");
                Reply::Unavailable
            }
        }
    }
}

/// Whether it can be a password: an empty one is never right, and a NUL would end it early in C.
fn is_password(text: &SecretText) -> bool {
    !text.expose().is_empty() && !text.expose().contains('\0')
}

fn is_new_password(request: &Request) -> bool {
    match request {
        Request::Check(_) => true,
        Request::Change { new, .. } => is_password(new) && !new.expose().chars().any(char::is_control),
    }
}

/// The first multiple of the grid after `begun` that is not before `now`.
fn on_grid(begun: Instant, now: Instant) -> Instant {
    let mut at = begun + REFUSAL_GRID;
    while at < now {
        at += REFUSAL_GRID;
    }
    at
}

fn report(request: &Request, reply: Reply) {
    let check = request.check();
    let verb = match request {
        Request::Check(_) => "password",
        Request::Change { .. } => "password change",
    };
    let verdict = match reply {
        Reply::Yes => "yes",
        Reply::No => "no",
        Reply::MustChange => "must_change",
        Reply::Busy => "busy",
        Reply::Unavailable => "unavailable",
        Reply::Refused => "refused",
    };
    let source = check.source.as_ref().map_or("-", |claim| claim.as_str());
    info!(user = %check.user, source, verdict, "{verb} of \"{}\" from {source}: {verdict}", check.user);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refusals_come_on_a_grid() {
        let begun = Instant::now();
        let after = |millis| begun + Duration::from_millis(millis);
        for (now, at) in [(0, 2000), (1, 2000), (1999, 2000), (2000, 2000), (2001, 4000), (29_999, 30_000)] {
            assert_eq!(on_grid(begun, after(now)), after(at), "{now}");
        }
    }

    #[test]
    fn what_can_be_no_password_is_not_handed_on() {
        let is = |text: &str| is_password(&SecretText::new(text.to_owned()).unwrap());
        assert!(is("x") && is(" ") && is("päss"));
        assert!(!is("") && !is("\0") && !is("right\0"));
    }
}
