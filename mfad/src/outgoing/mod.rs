//! What core has done outside: hands errands to egress over its socket, and takes its word for what came
//! of them as far as the errand allows.
//!
//! Refuses to wait without bound, to let one slow gateway take all places, to talk to a stranger, and to
//! take any word for a yes but the one that the errand's result is. Refuses to know gateways and their
//! credentials: those are egress's.

mod call;
mod line;
mod places;
mod terms;
mod words;

use std::time::Duration;

use mfa_proto::{
    egress::{Authorization, Consultation, Delivery, Done, Errand, Notice},
    text::{ShownText, escape_for_log},
};
use mfa_role::wire::WireError;

use self::places::{Places, Via};
pub use self::{
    line::Line,
    places::{MOST, MOST_AUTHORIZATIONS, MOST_AUTHORIZATIONS_OF_ONE, MOST_OF_ONE},
    terms::{NoRandomness, OutsideCode, outside_code},
    words::{carriage, consultation, delivery},
};

/// How long polkit may take: what egress gives it, and the way there and back.
const AUTHORIZATION_PATIENCE: Duration = Duration::from_secs(62);

/// The calls under way.
#[derive(Debug, Default)]
pub struct Outgoing {
    places: Places,
}

/// What an outside service said of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Said {
    /// It is right.
    Yes,
    /// It is not.
    No,
}

/// Why an errand was not done, or is not known to be. Nothing here is a yes.
#[derive(Debug, thiserror::Error)]
pub enum Undone {
    /// Nothing of the kind is configured.
    #[error("the configuration has no gateway or service for it")]
    Unconfigured,
    /// Too much is under way here, or there.
    #[error("too many errands are under way")]
    Busy,
    /// Nobody takes errands.
    #[error("cannot connect to egress at {socket}: {error}; does mfad-egress run?")]
    Unreachable {
        /// Where it should be.
        socket: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Somebody else listens there.
    #[error("whoever listens at {socket} has uid {uid}, and is neither root nor egress: nothing was sent")]
    Stranger {
        /// Where.
        socket: String,
        /// Who.
        uid: u32,
    },
    /// The connection broke, or what came is no message.
    #[error("egress did not keep to the protocol: {0}")]
    Broken(#[from] WireError),
    /// What came is not what such an errand results in.
    #[error("egress gave a result that such an errand cannot have")]
    Senseless,
    /// It took too long.
    #[error("egress did not answer in time")]
    TimedOut,
    /// It was tried, and failed: why, in one line for the log.
    #[error("{0}")]
    Failed(String),
}

impl Undone {
    fn failed(why: &ShownText) -> Self {
        Self::Failed(escape_for_log(why.as_str()))
    }
}

impl Outgoing {
    /// Delivers a code. `Ok` says that a gateway has taken it, and which, in one line for the log.
    pub async fn deliver(&self, line: &Line, delivery: Delivery) -> Result<String, Undone> {
        let via = Via::Medium(delivery.medium);
        match self.run(line, via, &Errand::Deliver(Box::new(delivery))).await? {
            Done::Delivered { via } => Ok(escape_for_log(via.as_str())),
            Done::Yes | Done::No | Done::Found(_) => Err(Undone::Senseless),
            Done::Failed { why } => Err(Undone::failed(&why)),
            Done::Busy => Err(Undone::Busy),
        }
    }

    /// Tells an outside service that a login has begun. `Ok` says that it has taken notice.
    pub async fn begin(&self, line: &Line, consultation: Consultation) -> Result<(), Undone> {
        let via = Via::Outside(consultation.outside.clone());
        match self.run(line, via, &Errand::Begin(Box::new(consultation))).await? {
            Done::Yes => Ok(()),
            Done::No | Done::Delivered { .. } | Done::Found(_) => Err(Undone::Senseless),
            Done::Failed { why } => Err(Undone::failed(&why)),
            Done::Busy => Err(Undone::Busy),
        }
    }

    /// Has an outside service judge an answer.
    pub async fn judge(&self, line: &Line, consultation: Consultation) -> Result<Said, Undone> {
        let via = Via::Outside(consultation.outside.clone());
        match self.run(line, via, &Errand::Judge(Box::new(consultation))).await? {
            Done::Yes => Ok(Said::Yes),
            Done::No => Ok(Said::No),
            Done::Delivered { .. } | Done::Found(_) => Err(Undone::Senseless),
            Done::Failed { why } => Err(Undone::failed(&why)),
            Done::Busy => Err(Undone::Busy),
        }
    }

    /// Asks polkit whether a process may do something. It may have to ask a person first, so this takes
    /// longer than errands of logins may.
    pub async fn authorize(&self, line: &Line, wanted: Authorization) -> Result<Said, Undone> {
        let via = Via::Polkit(wanted.uid);
        let errand = Errand::Authorize(Box::new(wanted));
        match self.run_for(line, via, &errand, AUTHORIZATION_PATIENCE).await? {
            Done::Yes => Ok(Said::Yes),
            Done::No => Ok(Said::No),
            Done::Delivered { .. } | Done::Found(_) => Err(Undone::Senseless),
            Done::Failed { why } => Err(Undone::failed(&why)),
            Done::Busy => Err(Undone::Busy),
        }
    }

    /// Has people told of an event, which may take `patience`. `Ok` says that all ways that are configured
    /// have taken it.
    pub async fn notify(&self, line: &Line, notice: Notice, patience: Duration) -> Result<(), Undone> {
        let errand = Errand::Notify(Box::new(notice));
        match self.run_for(line, Via::Notices, &errand, patience).await? {
            Done::Yes => Ok(()),
            Done::No | Done::Delivered { .. } | Done::Found(_) => Err(Undone::Senseless),
            Done::Failed { why } => Err(Undone::failed(&why)),
            Done::Busy => Err(Undone::Busy),
        }
    }

    /// Asks whether egress is there.
    pub async fn ping(&self, line: &Line) -> Result<(), Undone> {
        match self.run(line, Via::Nothing, &Errand::Ping).await? {
            Done::Yes => Ok(()),
            Done::No | Done::Delivered { .. } | Done::Found(_) => Err(Undone::Senseless),
            Done::Failed { why } => Err(Undone::failed(&why)),
            Done::Busy => Err(Undone::Busy),
        }
    }

    /// One errand, from finding a place to its result, by one deadline.
    async fn run(&self, line: &Line, via: Via, errand: &Errand) -> Result<Done, Undone> {
        self.run_for(line, via, errand, line.patience()).await
    }

    async fn run_for(
        &self,
        line: &Line,
        via: Via,
        errand: &Errand,
        patience: Duration,
    ) -> Result<Done, Undone> {
        let _place = self.places.enter(via).ok_or(Undone::Busy)?;
        tokio::time::timeout(patience, call::run(line, errand)).await.unwrap_or(Err(Undone::TimedOut))
    }
}

#[cfg(test)]
mod tests;
