//! Why a modem has not sent a message, in words for the log. Refuses to repeat the words of D-Bus errors, which
//! may hold number and text: their names say enough.

use std::fmt;

/// A message that was not sent, as far as is known.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModemError {
    /// Not a number that messages are sent to.
    #[error("the person's telephone number cannot be used; enroll it again: like +491701234567")]
    BadNumber,
    /// No bus.
    #[error("no D-Bus at {address}: {why}")]
    NoBus {
        /// Where.
        address: String,
        /// What the system said.
        why: String,
    },
    /// Nobody answers for `ModemManager`.
    #[error("ModemManager is not there; install it, and see `systemctl status ModemManager`")]
    NoManager,
    /// No such modem.
    #[error("no modem that sends messages, of those asked for ({wanted}); see `mmcli -L`")]
    NoModem {
        /// Which.
        wanted: String,
    },
    /// A modem, not ready.
    #[error("the modem {modem} is {state}; see `mmcli -m {modem}`")]
    NotReady {
        /// Its path.
        modem: String,
        /// Its state.
        state: &'static str,
    },
    /// The bus or polkit says no.
    #[error("ModemManager does not let this user {0}; a polkit rule has to (see the administrator's guide)")]
    NotAllowed(Step),
    /// An error from `ModemManager`.
    #[error("cannot {step}: ModemManager says {name}")]
    Refused {
        /// What was asked.
        step: Step,
        /// The error's name.
        name: String,
    },
    /// The bus went away, or the answer was none of `ModemManager`'s.
    #[error("cannot {0}: no proper answer from ModemManager")]
    Lost(Step),
    /// The deadline.
    #[error("could not {0} in time")]
    Late(Step),
}

/// The part of the delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Connecting to the bus.
    Connect,
    /// Listing modems.
    Find,
    /// Making the message on the modem.
    Create,
    /// Sending it.
    Send,
    /// Waiting until it is sent.
    Await,
    /// Deleting it.
    Delete,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect to the bus",
            Self::Find => "list modems",
            Self::Create => "make a message",
            Self::Send => "send the message",
            Self::Await => "see the message sent",
            Self::Delete => "delete the message from the modem",
        })
    }
}
