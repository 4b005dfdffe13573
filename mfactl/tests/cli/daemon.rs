//! A daemon that answers from a list, and tells what it was asked.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mfa_proto::admin::{Reply, Request};
use mfa_proto::codec;
use mfa_proto::frame;
use mfa_proto::hello::{Hello, Protocol, Welcome};
use mfa_proto::login::{ClientMessage, ServerMessage};
use tempfile::TempDir;

/// Bounds every wait of a test that went wrong.
const PATIENCE: Duration = Duration::from_secs(30);
/// The directory of its socket.
const RUN: &str = "run";

/// What the daemon does.
pub(crate) enum Script {
    /// Answers admin requests, over as many connections as it takes.
    Admin(Vec<Reply>),
    /// Answers admin requests, so many on each connection, and hangs up; later ones find nobody.
    AdminInTurns(Vec<Vec<Reply>>),
    /// Drives a login; after each prompt it waits for an answer.
    Login(Vec<ServerMessage>),
    /// Sends these bytes in place of the welcome, then waits until the client hangs up.
    Greeting(Vec<u8>),
    /// Sends these bytes in place of a reply, then waits until the client hangs up.
    Bytes(Vec<u8>),
    /// Sends these bytes in place of a reply, and hangs up.
    Hangup(Vec<u8>),
    /// Sends these bytes in place of a reply, slowly, until the client hangs up.
    Drip(Vec<u8>),
}

/// What it was asked.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A greeting.
    Hello(Protocol),
    /// An admin request.
    Request(Box<Request>),
    /// A message of a login.
    Login(ClientMessage),
}

/// A daemon in a thread.
pub(crate) struct FakeDaemon {
    directory: TempDir,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Seen>>,
}

impl FakeDaemon {
    /// Listens and waits for clients.
    pub(crate) fn start(script: Script) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Not in /tmp itself, where what belongs to another user is not trusted.
        let run = directory.path().join(RUN);
        std::fs::create_dir(&run).unwrap();
        let listener = UnixListener::bind(run.join("sock")).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || serve(&listener, &stop, script)
        });
        Self { directory, stop, thread }
    }

    /// Answers admin requests.
    pub(crate) fn admin(replies: Vec<Reply>) -> Self {
        Self::start(Script::Admin(replies))
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory().join("sock")
    }

    /// The directory of its socket.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join(RUN)
    }

    /// Sets the mode of that directory.
    pub(crate) fn chmod(&self, mode: u32) {
        std::fs::set_permissions(self.directory(), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Ends it and says what it saw. Fails when a reply was not fetched, or one was missing.
    pub(crate) fn finish(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::SeqCst);
        drop(UnixStream::connect(self.socket()));
        self.thread.join().expect("the fake daemon found fault with the client")
    }
}

fn serve(listener: &UnixListener, stop: &AtomicBool, mut script: Script) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        if stop.load(Ordering::SeqCst) {
            break;
        }
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let Some(hello) = receive::<Hello>(&mut stream) else { continue };
        assert_eq!(hello, Hello::new(hello.protocol));
        seen.push(Seen::Hello(hello.protocol));
        match &mut script {
            Script::Admin(replies) => admin(&mut stream, replies, &mut seen, false),
            Script::AdminInTurns(turns) if turns.is_empty() => {}
            Script::AdminInTurns(turns) => admin(&mut stream, &mut turns.remove(0), &mut seen, true),
            Script::Login(messages) => login(&mut stream, messages, &mut seen),
            Script::Greeting(bytes) => {
                stream.write_all(bytes).unwrap();
                linger(&mut stream);
            }
            Script::Bytes(bytes) => {
                take_request(&mut stream);
                stream.write_all(bytes).unwrap();
                linger(&mut stream);
            }
            Script::Hangup(bytes) => {
                take_request(&mut stream);
                stream.write_all(bytes).unwrap();
            }
            Script::Drip(bytes) => {
                take_request(&mut stream);
                drip(&mut stream, bytes);
            }
        }
    }
    let left = match &script {
        Script::Admin(left) => left.len(),
        Script::AdminInTurns(left) => left.len(),
        Script::Login(left) => left.len(),
        Script::Greeting(_) | Script::Bytes(_) | Script::Hangup(_) | Script::Drip(_) => 0,
    };
    assert_eq!(left, 0, "messages were not fetched");
    seen
}

fn admin(stream: &mut UnixStream, replies: &mut Vec<Reply>, seen: &mut Vec<Seen>, leave: bool) {
    send(stream, &Welcome::Version(1));
    while let Some(request) = receive::<Request>(stream) {
        assert!(!replies.is_empty(), "no reply is left for {request:?}");
        seen.push(Seen::Request(Box::new(request)));
        send(stream, &replies.remove(0));
        if leave && replies.is_empty() {
            return;
        }
    }
}

fn login(stream: &mut UnixStream, messages: &mut Vec<ServerMessage>, seen: &mut Vec<Seen>) {
    send(stream, &Welcome::Version(1));
    seen.extend(receive(stream).map(Seen::Login));
    for message in messages.drain(..) {
        let asks = matches!(message, ServerMessage::Prompt { .. });
        send(stream, &message);
        if asks {
            let Some(answer) = receive(stream) else { break };
            seen.push(Seen::Login(answer));
        }
    }
}

fn take_request(stream: &mut UnixStream) {
    send(stream, &Welcome::Version(1));
    receive::<Request>(stream).expect("there was no request");
}

fn linger(stream: &mut UnixStream) {
    let _until_it_hangs_up = std::io::copy(stream, &mut std::io::sink());
}

fn drip(stream: &mut UnixStream, bytes: &[u8]) {
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    for byte in bytes {
        // The wait between bytes ends at once when the client hangs up.
        let hung_up = matches!(stream.read(&mut [0]), Ok(0));
        if hung_up || stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
}

fn send<T: serde::Serialize>(stream: &mut UnixStream, message: &T) {
    stream.write_all(&codec::encode(message).unwrap()).unwrap();
}

/// One message; `None` when the client hung up between messages.
fn receive<T: serde::Serialize + serde::de::DeserializeOwned>(stream: &mut UnixStream) -> Option<T> {
    let mut header = [0; frame::HEADER];
    stream.read_exact(&mut header).ok()?;
    let mut payload = vec![0; frame::payload_length(header).unwrap()];
    stream.read_exact(&mut payload).unwrap();
    Some(codec::decode(&payload).unwrap())
}
