//! An egress that does what a script says, and remembers what it was asked.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use mfa_proto::{
    codec,
    egress::{Done, Errand, Medium},
    hello::{Hello, Protocol, Welcome},
    text::ShownText,
};
use mfa_role::wire::Wire;
use tokio::{
    io::AsyncWriteExt as _,
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};

/// What is done with an errand.
#[derive(Debug)]
pub enum Reply {
    /// It has this result.
    Done(Done),
    /// These bytes come back, and the connection ends.
    Bytes(Vec<u8>),
    /// Nothing comes back, until the script is told to answer so to all that wait, or core gives up.
    Wait,
}

/// An errand that was taken, in plain words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    Deliver { medium: Medium, to: String, code: String, user: String },
    Begin { outside: String, remote_user: String, code: Option<String> },
    Judge { outside: String, remote_user: String, code: String },
    Notify { seq: i64, event: String, user: String, to: Option<String> },
    Authorize { action: String, pid: u32, uid: u32 },
    Look { user: String },
    Ping,
}

impl Taken {
    fn of(errand: &Errand) -> Self {
        match errand {
            Errand::Deliver(delivery) => Self::Deliver {
                medium: delivery.medium,
                to: delivery.to.expose().to_owned(),
                code: delivery.code.expose().to_owned(),
                user: delivery.user.to_string(),
            },
            Errand::Begin(asked) => Self::Begin {
                outside: asked.outside.to_string(),
                remote_user: asked.remote_user.as_str().to_owned(),
                code: asked.code.as_ref().map(|code| code.expose().to_owned()),
            },
            Errand::Judge(asked) => Self::Judge {
                outside: asked.outside.to_string(),
                remote_user: asked.remote_user.as_str().to_owned(),
                code: asked.code.as_ref().expect("there is an answer to judge").expose().to_owned(),
            },
            Errand::Notify(notice) => Self::Notify {
                seq: notice.seq,
                event: notice.event.as_str().to_owned(),
                user: notice.user.to_string(),
                to: notice.to.as_ref().map(|to| to.expose().to_owned()),
            },
            Errand::Authorize(asked) => {
                Self::Authorize { action: asked.action.as_str().to_owned(), pid: asked.pid, uid: asked.uid }
            }
            Errand::Look(asked) => Self::Look { user: asked.user.to_string() },
            Errand::Ping => Self::Ping,
        }
    }

    /// The code that came with it.
    pub fn code(&self) -> String {
        match self {
            Self::Deliver { code, .. } | Self::Judge { code, .. } | Self::Begin { code: Some(code), .. } => {
                code.clone()
            }
            Self::Begin { code: None, .. }
            | Self::Notify { .. }
            | Self::Authorize { .. }
            | Self::Look { .. }
            | Self::Ping => {
                panic!("no code came with {self:?}")
            }
        }
    }
}

type Script = Arc<dyn Fn(&Taken) -> Reply + Send + Sync>;

/// How many errands were taken, and how many of them core gave up.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    taken: usize,
    given_up: usize,
}

struct Shared {
    script: Script,
    taken: Mutex<Vec<Taken>>,
    counts: watch::Sender<Counts>,
    release: watch::Sender<Option<Done>>,
}

pub struct Egress {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Egress {
    /// An egress in `directory` that does with each errand what `script` says.
    pub fn start(directory: &Path, script: impl Fn(&Taken) -> Reply + Send + Sync + 'static) -> Self {
        let socket = UnixListener::bind(directory.join("egress.sock")).unwrap();
        let shared = Arc::new(Shared {
            script: Arc::new(script),
            taken: Mutex::default(),
            counts: watch::Sender::new(Counts::default()),
            release: watch::Sender::new(None),
        });
        let serving = Arc::clone(&shared);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(serve(Arc::clone(&serving), stream));
            }
        });
        Self { shared, server }
    }

    /// One that delivers all, begins all, says yes to the answer "right", and has nobody in its directory.
    pub fn willing(directory: &Path) -> Self {
        Self::start(directory, |taken| {
            Reply::Done(match taken {
                Taken::Deliver { .. } => Done::Delivered { via: ShownText::clean("script") },
                Taken::Begin { .. } | Taken::Notify { .. } | Taken::Authorize { .. } | Taken::Ping => {
                    Done::Yes
                }
                Taken::Look { .. } => Done::No,
                Taken::Judge { code, .. } => {
                    if code == "right" {
                        Done::Yes
                    } else {
                        Done::No
                    }
                }
            })
        })
    }

    /// What was taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// The code of the last errand.
    pub fn last_code(&self) -> String {
        self.taken().last().expect("something was asked of egress").code()
    }

    /// Waits until so many errands were taken.
    pub async fn wait_taken(&self, count: usize) {
        self.wait(|counts| counts.taken >= count).await;
    }

    /// Waits until core has given up so many errands.
    pub async fn wait_given_up(&self, count: usize) {
        self.wait(|counts| counts.given_up >= count).await;
    }

    /// Answers all that wait, and all that would.
    pub fn release(&self, done: Done) {
        self.shared.release.send_replace(Some(done));
    }

    async fn wait(&self, until: impl Fn(&Counts) -> bool) {
        let mut counts = self.shared.counts.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(60), counts.wait_for(until)).await;
        drop(waited.expect("egress is asked less than it should be").unwrap());
    }
}

async fn serve(shared: Arc<Shared>, mut stream: UnixStream) {
    let mut wire = Wire::new(&mut stream);
    let hello: Hello = wire.read().await.unwrap();
    assert_eq!(hello.protocol, Protocol::Egress);
    wire.write(&Welcome::Version(1)).await.unwrap();
    let taken = Taken::of(&wire.read::<Errand>().await.unwrap());
    let reply = (shared.script)(&taken);
    shared.taken.lock().unwrap().push(taken);
    shared.counts.send_modify(|counts| counts.taken += 1);
    let bytes = match reply {
        Reply::Done(done) => codec::encode(&done).unwrap().to_vec(),
        Reply::Bytes(bytes) => bytes,
        Reply::Wait => {
            let mut release = shared.release.subscribe();
            let released = release.wait_for(Option::is_some);
            tokio::select! {
                done = released => codec::encode(done.unwrap().as_ref().unwrap()).unwrap().to_vec(),
                // Core says nothing more: this is the end of the connection.
                _ = wire.read::<Errand>() => {
                    shared.counts.send_modify(|counts| counts.given_up += 1);
                    return;
                }
            }
        }
    };
    drop(stream.write_all(&bytes).await);
}
