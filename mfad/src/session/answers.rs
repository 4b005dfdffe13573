//! What came back from where a step was done, in words of its own: neither the store nor a gateway has
//! the state machine depend on how they say it.

use crate::{clock::UnixTime, limits::Gate, session::Reason};

/// What became of having a code sent, or an outside service begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Issued {
    /// A gateway has the code, or the service has begun.
    Out,
    /// One was sent a moment ago.
    TooSoon {
        /// When the next one may be.
        until: UnixTime,
    },
    /// Too many were sent.
    Capped {
        /// When the next one may be.
        until: UnixTime,
    },
    /// Attempts with this factor are used up, so a code would be of no use.
    Locked {
        /// When the next attempt may be judged.
        gate: Gate,
    },
    /// The gateway, or the service, was not reached or gave no sense.
    Failed,
    /// Too much is under way with that gateway or service.
    Busy,
    /// It cannot be, whatever the person does.
    Impossible(Reason),
}
