//! What core asks of egress, version 1: deliver a code, have an outside service begin or judge.
//!
//! One errand and one result at a time over a connection. Egress holds the gateways' credentials and knows
//! no seed; core knows no gateway. Refuses more than one text and one name to leave for a login.

use serde::{Deserialize, Serialize};

use crate::{
    name::{Claim, FactorLabel, ServiceName, UserId},
    secret::SecretText,
    text::ShownText,
};

/// How a code travels.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Medium {
    /// A text message to a telephone number.
    Sms,
    /// Mail.
    Mail,
}

/// What core wants done.
#[derive(Debug, Deserialize, Serialize)]
pub enum Errand {
    /// Deliver a one-time code. Result: [`Done::Delivered`].
    Deliver(Box<Delivery>),
    /// Tell an outside service that a login has begun. Result: [`Done::Yes`].
    Begin(Box<Consultation>),
    /// Have an outside service judge what the person answered. Result: [`Done::Yes`] or [`Done::No`].
    Judge(Box<Consultation>),
    /// Say that you are there. Result: [`Done::Yes`].
    Ping,
}

/// A code to deliver.
#[derive(Debug, Deserialize, Serialize)]
pub struct Delivery {
    /// How.
    pub medium: Medium,
    /// The telephone number or mail address.
    pub to: SecretText,
    /// The code.
    pub code: SecretText,
    /// Who logs in.
    pub user: UserId,
    /// Through what; `mfactl` when a new factor is to be confirmed.
    pub service: ServiceName,
    /// From where, as claimed.
    pub source: Option<Claim>,
    /// Minutes that the code counts.
    pub minutes: u16,
}

/// A login that an outside service has a say in.
#[derive(Debug, Deserialize, Serialize)]
pub struct Consultation {
    /// Which: `corp` for `[rest.corp]` of the configuration.
    pub outside: FactorLabel,
    /// The user's name there.
    pub remote_user: Claim,
    /// Who logs in.
    pub user: UserId,
    /// Through what.
    pub service: ServiceName,
    /// From where, as claimed.
    pub source: Option<Claim>,
    /// To begin: the code that core made for it to deliver, if core judges. To judge: what the person
    /// answered.
    pub code: Option<SecretText>,
}

/// What became of an errand.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[must_use]
pub enum Done {
    /// A gateway has taken the code. It may still not arrive.
    Delivered {
        /// Which gateway, for the log.
        via: ShownText,
    },
    /// The outside service said yes, exactly as its contract has it.
    Yes,
    /// The outside service said no.
    No,
    /// Nothing can be said: it was not reached, or did not keep to its contract.
    Failed {
        /// What failed, on what: for the log, without secrets.
        why: ShownText,
    },
    /// Too much is under way.
    Busy,
}
