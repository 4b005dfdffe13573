//! Asks polkit whether a process may do something, over the system bus, until a deadline.
//!
//! Yes and no are polkit's own words; a question that would need a person whom nobody asks is neither. Nothing is
//! kept between two questions. Refuses to ask about any action but those of mfad.

use std::{collections::HashMap, fmt, time::Duration};

use mfa_proto::egress::Authorization;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};
use zbus::{Connection, Error as BusError, Variant};

use crate::bus::{self, NoBus, is_absent, name_of};

/// How long a person has to answer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to tell polkit that nobody waits any more.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

const NAME: &str = "org.freedesktop.PolicyKit1";
const AUTHORITY: &str = "/org/freedesktop/PolicyKit1/Authority";
const INTERFACE: &str = "org.freedesktop.PolicyKit1.Authority";
/// All actions that may be asked for begin so.
const ACTIONS: &str = "io.github.mfad.";
/// `AllowUserInteraction`
const INTERACTIVE: u32 = 1;

/// What polkit said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Said {
    /// It may.
    Yes,
    /// It may not.
    No,
}

/// Why polkit said neither. Told to whoever asks, so without anything of this host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unasked {
    /// An action that is none of ours.
    Action,
    /// No connection to the bus.
    NoBus(String),
    /// polkit does not run.
    NoPolkit,
    /// polkit refuses to be asked by us.
    NotAllowed,
    /// A person has to prove something, and nothing in their session asks them.
    NoAgent,
    /// It took too long.
    Late,
    /// polkit gave an error, by its D-Bus name.
    Error(String),
    /// The answer is none.
    Senseless,
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Action => "this action is none of mfad's",
            Self::NoBus(why) => return write!(f, "there is no system bus: {why}"),
            Self::NoPolkit => "polkit does not run",
            Self::NotAllowed => {
                "polkit takes no questions from egress: is io.github.mfad.policy installed, for its account?"
            }
            Self::NoAgent => {
                "it wants a password, and nothing in this session can ask for it: use one with a polkit agent (a desktop, or mfactl on a terminal with pkttyagent installed), or ask an administrator"
            }
            Self::Late => "nobody answered in time: try again",
            Self::Error(name) => return write!(f, "polkit gave the error {name}"),
            Self::Senseless => "polkit gave an answer that is none",
        })
    }
}

/// Asks polkit. Holds nothing but where the bus is.
#[derive(Clone, Debug)]
pub struct Polkit {
    bus: String,
    patience: Duration,
}

impl Polkit {
    /// By the bus at this address, [`bus::SYSTEM_BUS`] but for tests; whoever is asked has `patience`.
    pub fn new(bus: String, patience: Duration) -> Self {
        Self { bus, patience }
    }

    /// Asks. When this is dropped, polkit is told that nobody waits any more, so that no dialog stays.
    pub async fn ask(&self, wanted: &Authorization) -> Result<Said, Unasked> {
        if !wanted.action.as_str().starts_with(ACTIONS) {
            return Err(Unasked::Action);
        }
        let (tell, told) = oneshot::channel();
        let deadline = Instant::now() + self.patience;
        tokio::spawn(ask(self.bus.clone(), wanted.clone(), deadline, tell));
        told.await.unwrap_or(Err(Unasked::Senseless))
    }
}

/// The whole of one question, in a task of its own.
async fn ask(
    bus: String,
    wanted: Authorization,
    deadline: Instant,
    mut tell: oneshot::Sender<Result<Said, Unasked>>,
) {
    let connection = match bus::connect(&bus, deadline).await {
        Ok(connection) => connection,
        Err(NoBus::Failed(why)) => return drop(tell.send(Err(Unasked::NoBus(why)))),
        Err(NoBus::Late) => return drop(tell.send(Err(Unasked::Late))),
    };
    // Unique on this connection, which has one question.
    let cancellation = "mfad";
    let said = tokio::select! {
        said = timeout_at(deadline, check(&connection, &wanted, cancellation)) => said.unwrap_or(Err(Unasked::Late)),
        () = tell.closed() => Err(Unasked::Late),
    };
    if said == Err(Unasked::Late) {
        let body = (cancellation,);
        let cancel =
            connection.call_method(Some(NAME), AUTHORITY, Some(INTERFACE), "CancelCheckAuthorization", &body);
        // Whatever becomes of it: nobody waits for the answer.
        drop(timeout(CANCEL_PATIENCE, cancel).await);
    }
    drop(tell.send(said));
}

/// `CheckAuthorization((sa{sv}) subject, s action, a{ss} details, u flags, s cancellation) -> (bba{ss})`
async fn check(connection: &Connection, wanted: &Authorization, cancellation: &str) -> Result<Said, Unasked> {
    let uid = i32::try_from(wanted.uid).map_err(|_| Unasked::Senseless)?;
    let subject = HashMap::from([
        ("pid", Variant::U32(wanted.pid)),
        ("start-time", Variant::U64(wanted.start_time)),
        ("uid", Variant::I32(uid)),
    ]);
    let details: HashMap<&str, &str> = HashMap::new();
    let body = (("unix-process", subject), wanted.action.as_str(), details, INTERACTIVE, cancellation);
    let called =
        connection.call_method(Some(NAME), AUTHORITY, Some(INTERFACE), "CheckAuthorization", &body).await;
    let answer = called.map_err(|error| meaning(&error))?;
    let (is_authorized, is_challenge, _details): (bool, bool, HashMap<String, String>) =
        answer.body().deserialize().map_err(|_| Unasked::Senseless)?;
    match (is_authorized, is_challenge) {
        (true, false) => Ok(Said::Yes),
        (false, false) => Ok(Said::No),
        (false, true) => Err(Unasked::NoAgent),
        (true, true) => Err(Unasked::Senseless),
    }
}

fn meaning(error: &BusError) -> Unasked {
    let Some(name) = name_of(error) else { return Unasked::Senseless };
    match name.strip_prefix("org.freedesktop.").unwrap_or(&name) {
        _ if is_absent(&name) => Unasked::NoPolkit,
        "PolicyKit1.Error.NotAuthorized" | "DBus.Error.AccessDenied" => Unasked::NotAllowed,
        "PolicyKit1.Error.Cancelled" => Unasked::Late,
        _ => Unasked::Error(name),
    }
}
