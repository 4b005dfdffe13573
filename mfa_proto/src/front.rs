//! What a front end such as `mfad-web` asks core, version 1: for whom, and from where, stands in each
//! question; core judges by the configuration what that front end's client may ask.
//!
//! One question after the other over one connection. A verification is a conversation as in [`crate::login`]
//! until [`FrontMessage::Ended`]; a password has its leave and its outcome; everything else has one
//! [`crate::admin::Reply`]. Whoever gives a verification up ends the connection.
//!
//! ```text
//! front end                                core
//!   Hello{Front, 1..=1}, Ask{vpn, Verify{jane, "123456"}} ->
//!                                       <- Welcome{1}, Ended{Accept}
//!   Ask{vpn, Verify{john, -}}           ->
//!                                       <- Turn{Prompt{"Verification code: ", …}}
//!   Answer("000000")                    ->
//!                                       <- Ended{Deny}
//!   Ask{portal, Password{jane}}         ->
//!                                       <- Try
//!   Wrong                               ->
//!                                       <- Noted
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    admin::{FactorId, Request},
    foreign::ForeignCode,
    login::{ServerMessage, Verdict},
    name::{Claim, ClientName, FactorLabel, UserId},
    secret::SecretText,
    tag::Serial,
};

/// One question.
#[derive(Debug, Deserialize, Serialize)]
pub struct Ask {
    /// The client on whose behalf, as the configuration calls it: what it may ask is core's to judge.
    pub client: ClientName,
    /// The address that the client asked from.
    pub address: Option<Claim>,
    /// Where the person is, when the client has said so: what failures are counted under and rules go by.
    pub source: Option<Claim>,
    /// What is asked.
    pub what: What,
}

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
pub enum What {
    /// Whether a person has a second factor.
    Verify(Box<Verify>),
    /// What `mfactl` asks as well.
    Admin(Box<Request>),
    /// Whether a person has a certain device.
    VerifyDevice(Box<VerifyDevice>),
    /// To have a code delivered that the client made and will judge itself.
    Deliver(Box<Deliver>),
    /// Whether a password of this person may be tried, which somebody else then proves. The answer is a
    /// [`PasswordMessage`], to which [`PasswordMessage::Try`] wants a [`PasswordOutcome`].
    Password(Box<UserId>),
}

/// A verification.
#[derive(Debug, Deserialize, Serialize)]
pub struct Verify {
    /// Whom.
    pub user: UserId,
    /// What is to be sent or begun first: a label, an outside service or a kind.
    pub choose: Option<FactorLabel>,
    /// The only factor that counts, where one was named.
    pub only: Option<FactorId>,
    /// The answer to the first prompt, when it is at hand: then nothing is sent unasked, and a wrong one ends
    /// the verification.
    pub answer: Option<SecretText>,
    /// How long the conversation may take, in seconds; core has bounds of its own.
    pub patience: u32,
}

/// A verification by one device, which needs no right to look for it: a device that is not there, or is
/// another's, is asked for like one that is.
#[derive(Debug, Deserialize, Serialize)]
pub struct VerifyDevice {
    /// The serial number of the device.
    pub serial: Serial,
    /// Who has to have it; `None` whoever has it.
    pub user: Option<UserId>,
    /// As of [`Verify`].
    pub answer: Option<SecretText>,
    /// As of [`Verify`].
    pub patience: u32,
}

/// A code that is only to be carried to a person. Core keeps nothing of it, and takes it for no answer.
///
/// Core's reply is [`Reply::Done`](crate::admin::Reply::Done) whoever it is, and whether anything was sent or not;
/// [`Reply::Refused`](crate::admin::Reply::Refused) when the client has not the right, or core cannot look.
#[derive(Debug, Deserialize, Serialize)]
pub struct Deliver {
    /// To whom.
    pub user: UserId,
    /// The code.
    pub code: ForeignCode,
    /// To which of the addresses: a label or a kind.
    pub choose: Option<FactorLabel>,
    /// Minutes that it counts where it is judged, for the text of the message; core has bounds of its own.
    pub minutes: u16,
}

/// From core, during a verification.
#[derive(Debug, Deserialize, Serialize)]
pub enum FrontMessage {
    /// One turn of a conversation; never its end.
    Turn {
        /// What to ask or to show.
        message: ServerMessage,
        /// The answer before it was not right.
        refused: bool,
    },
    /// The end of a verification.
    Ended(Ended),
}

/// How a verification ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ended {
    /// Whether the person has the factor.
    pub verdict: Verdict,
    /// Nothing was judged: the question came too soon, or too many are under way.
    pub unjudged: bool,
    /// Seconds until the next attempt is judged; 0 at once.
    pub wait: u32,
    /// The factor that was proven.
    pub factor: Option<FactorId>,
    /// What ties the rows of the trail and the lines of the log together.
    pub session: String,
}

/// From core, about a password.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[must_use]
pub enum PasswordMessage {
    /// It may be tried. Until core is told otherwise it counts as wrong: who ends the connection leaves it so.
    Try,
    /// Not now: too many failures came from where the person is.
    Blocked {
        /// Seconds to wait.
        wait: u32,
    },
    /// The outcome is written down.
    Noted,
    /// The client may not ask this, or the outcome cannot be written down: nobody is to be told what it was.
    Unavailable,
}

/// What came of a password, from the front end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum PasswordOutcome {
    /// It is the account's.
    Right,
    /// It is not, or there is no such account, or it may not be used.
    Wrong,
    /// It was not judged.
    Unjudged,
}
