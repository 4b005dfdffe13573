//! The way to core: connections that are kept, one question at a time over each.
//!
//! Refuses to say anything before the kernel has said who listens, and to take silence or nonsense for an
//! answer: whoever asks is told that core is away, which denies.

mod connection;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mfa_proto::{
    admin::Reply,
    front::{Ask, FrontMessage, PasswordMessage, PasswordOutcome},
    secret::SecretText,
};
use mfa_role::wire::WireError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use self::connection::Connection;

/// The most connections to core at a time: fewer than `[core] max_connections` allows by default.
pub const MOST: usize = 448;
/// How long a question waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long core has for a reply that is no conversation.
const REPLY_PATIENCE: Duration = Duration::from_secs(60);

/// Why core did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    /// Nobody listens there.
    #[error("core does not listen at {socket}: {error}; start it, or set [web] core_socket")]
    Unreachable {
        /// Where.
        socket: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Somebody else listens there.
    #[error(
        "what listens at {socket} runs as uid {uid}, which is neither root nor the account of [egress] core_user"
    )]
    Stranger {
        /// Where.
        socket: String,
        /// Whose.
        uid: u32,
    },
    /// Too much is under way.
    #[error("too many questions are under way")]
    Busy,
    /// It took too long.
    #[error("core did not answer in time")]
    TimedOut,
    /// It speaks another version.
    #[error("core is of another version: restart both")]
    Version,
    /// The connection broke.
    #[error("the connection to core failed: {0}")]
    Wire(#[from] WireError),
}

/// The way to core.
#[derive(Clone, Debug)]
pub struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    listeners: Vec<u32>,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

impl Link {
    /// A way to `socket`, where one of these uids may listen.
    pub fn new(socket: PathBuf, listeners: Vec<u32>) -> Self {
        let places = Arc::new(Semaphore::new(MOST));
        Self(Arc::new(Shared { socket, listeners, idle: Mutex::default(), places }))
    }

    /// Sends a question and takes the first message of its answer; the connection goes on with it. One that was
    /// kept may have ended meanwhile: then a fresh one is asked.
    pub(crate) async fn begin<T>(&self, ask: &Ask) -> Result<(T, Busy), Away>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let place = timeout(PATIENCE, Arc::clone(&self.0.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(Away::Busy) };
        let kept = self.idle().pop();
        if let Some(mut kept) = kept {
            match kept.ask(ask).await {
                Ok(first) => return Ok((first, Busy { connection: kept, _place: place })),
                // Core may have seen it. A code that it judged is used up, so asking again lets nobody in twice.
                Err(Away::Wire(WireError::Closed | WireError::Broken(_))) => self.idle().clear(),
                Err(away) => return Err(away),
            }
        }
        let mut fresh = Connection::open(&self.0.socket, &self.0.listeners).await?;
        let first = fresh.ask(ask).await?;
        Ok((first, Busy { connection: fresh, _place: place }))
    }

    /// Keeps a connection whose answer is whole for the next question.
    pub(crate) fn keep(&self, busy: Busy) {
        self.idle().push(busy.connection);
    }

    /// Asks for what has one reply.
    pub(crate) async fn reply(&self, ask: &Ask) -> Result<Reply, Away> {
        let asked = timeout(REPLY_PATIENCE, self.begin(ask)).await;
        let (reply, busy) = asked.map_err(|_| Away::TimedOut)??;
        self.keep(busy);
        Ok(reply)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection whose answer is not whole, and its place among those. Dropped, it ends, which core takes for a
/// verification that was given up.
#[derive(Debug)]
pub struct Busy {
    connection: Connection,
    _place: OwnedSemaphorePermit,
}

impl Busy {
    /// Answers a prompt and takes what core says then.
    pub(crate) async fn answer(&mut self, answer: SecretText) -> Result<FrontMessage, Away> {
        self.connection.answer(answer).await
    }

    /// Tells what came of a password, which core has let try.
    pub(crate) async fn tell(&mut self, outcome: PasswordOutcome) -> Result<PasswordMessage, Away> {
        self.connection.tell(outcome).await
    }

    /// What core says next.
    pub(crate) async fn next(&mut self) -> Result<FrontMessage, Away> {
        self.connection.next().await
    }
}
