//! What core asks of egress, version 1: deliver a code, have an outside service begin or judge, look a person up.
//!
//! One errand and one result at a time over a connection. Egress holds the gateways' credentials and knows
//! no seed: those that a directory keeps pass it sealed. Core knows no gateway. Refuses more than one text and
//! one name to leave for a login.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

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
    /// Tell people of an event: by mail, by a program. Result: [`Done::Yes`] when all ways that are
    /// configured have taken it.
    Notify(Box<Notice>),
    /// Ask polkit whether a process may do something. Result: [`Done::Yes`] or [`Done::No`].
    Authorize(Box<Authorization>),
    /// Say that you are there. Result: [`Done::Yes`].
    Ping,
    /// Look up what the directory has of a person. Result: [`Done::Found`], or [`Done::No`] when there is not
    /// exactly one entry of that name.
    Look(Box<Look>),
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

/// Something that happened to a user's factors, worth telling.
#[derive(Debug, Deserialize, Serialize)]
pub struct Notice {
    /// Its number in the audit trail: a notice that is told twice can be known by it.
    pub seq: i64,
    /// When, Unix seconds.
    pub time: i64,
    /// What: `enroll`, `remove`, `recovery_used`, `locked`, `code_reused`, `breakglass`, …
    pub event: ShownText,
    /// To whom.
    pub user: UserId,
    /// Through what.
    pub service: Option<Claim>,
    /// From where, as claimed.
    pub source: Option<Claim>,
    /// Kind and label of the factor.
    pub factor: Option<ShownText>,
    /// More, in one sentence.
    pub detail: Option<ShownText>,
    /// The uid that asked.
    pub actor: u32,
    /// The user's own mail address, where one is enrolled.
    pub to: Option<SecretText>,
}

/// A process on the administration socket that polkit is to judge. All of it is the kernel's word.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Authorization {
    /// The action, as its policy file names it.
    pub action: ShownText,
    /// The process.
    pub pid: u32,
    /// When it was started, in clock ticks since boot (`/proc/PID/stat`), so that a pid given anew is known.
    pub start_time: u64,
    /// Its uid when it connected.
    pub uid: u32,
}

/// A person to look up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Look {
    /// Who. The directory knows the name alone; which realms it is asked for is core's to judge.
    pub user: UserId,
}

/// The most sealed secrets that a directory may have of one person.
pub const MAX_SEALED: usize = 4;

/// What the directory has of a person.
#[derive(Debug, Deserialize, Serialize)]
pub struct Found {
    /// The telephone number. Nobody has checked how it is written.
    pub phone: Option<SecretText>,
    /// The mail address. Nobody has checked how it is written.
    pub mail: Option<SecretText>,
    /// Sealed TOTP secrets, at most [`MAX_SEALED`], in no order. Egress cannot open them.
    #[serde(deserialize_with = "few")]
    pub sealed: Vec<SecretText>,
}

/// What was found is like nothing, itself included: secrets are not compared in passing.
impl PartialEq for Found {
    fn eq(&self, _other: &Self) -> bool {
        false
    }
}

fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretText>, D::Error> {
    let sealed = Vec::deserialize(deserializer)?;
    if sealed.len() > MAX_SEALED {
        return Err(D::Error::custom("more sealed secrets than a person may have"));
    }
    Ok(sealed)
}

/// What became of an errand.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
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
    /// What the directory has of the person.
    Found(Box<Found>),
}
