//! One login, version 1. The client starts it, the daemon drives it, one verdict ends it.

use serde::{Deserialize, Serialize};

use crate::{
    answer::AnswerShape,
    auth_info::AuthInfo,
    name::{Claim, ServiceName, UserName},
    secret::SecretText,
    text::ShownText,
};

/// How the client can talk to the person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Dialogue {
    /// Prompts are shown and answered one by one.
    Interactive,
    /// One field holds password and code; the password is not proven when the code is judged, so the
    /// attempt is charged to its own budget.
    Combined,
}

/// Who wants to log in, and from where. All but what the kernel says of the peer are claims.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Start {
    /// The account (`PAM_USER`).
    pub user: UserName,
    /// The PAM service.
    pub service: ServiceName,
    /// How the client can talk to the person.
    pub dialogue: Dialogue,
    /// `PAM_RHOST`, when set.
    pub remote_host: Option<Claim>,
    /// `PAM_RUSER`, when set.
    pub remote_user: Option<Claim>,
    /// `PAM_TTY`, when set.
    pub terminal: Option<Claim>,
    /// sshd's `SSH_AUTH_INFO_0`: what it has already accepted, when set.
    pub ssh_auth_info: Option<AuthInfo>,
}

/// Why the person's answer was not sent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Withheld {
    /// It was not of the shape asked for, or was the account password.
    Shape,
    /// It was what sshd answers for users it refuses whatever PAM says.
    SshdRefusal,
    /// There was none: the application could not ask, or the person gave up.
    NoAnswer,
}

/// From the client.
#[derive(Debug, Deserialize, Serialize)]
pub enum ClientMessage {
    /// Begins the login; once, first.
    Start(Start),
    /// Answers the last prompt.
    Answer(SecretText),
    /// The last prompt has no answer that may be sent.
    Withheld(Withheld),
}

/// From the daemon.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ServerMessage {
    /// Ask the person, then send [`ClientMessage::Answer`] or [`ClientMessage::Withheld`].
    Prompt {
        /// What to show. Holds everything essential, because older sshd shows other messages late.
        text: ShownText,
        /// Whether what is typed may be seen.
        echo: bool,
        /// What may be sent back.
        shape: AnswerShape,
    },
    /// Show the person a text; no answer.
    Info(ShownText),
    /// The end.
    Settled(Verdict),
}

/// How a login ends.
///
/// The values on the wire are postcard's; `mfad` builds [`Verdict::Accept`] only from a proof.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[must_use]
pub enum Verdict {
    /// A second factor was proven and consumed.
    Accept,
    /// It was not.
    Deny,
    /// Attempts are used up for now; asking again at once is of no use.
    Locked,
    /// A policy rule says this login needs no second factor.
    NotApplicable,
    /// The daemon cannot judge at present (storage, key); says nothing of the person.
    Unavailable,
}
