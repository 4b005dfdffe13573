//! A daemon that says what a test tells it to.

use std::{
    io::{ErrorKind, Read, Write},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    thread::JoinHandle,
    time::Duration,
};

use mfa_proto::{
    answer::AnswerShape,
    codec::{decode, encode},
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, ServerMessage, Start, Verdict, Withheld},
    text::ShownText,
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Nothing in a test takes this long unless it hangs.
const HANGING: Duration = Duration::from_secs(40);

pub(crate) const SETTLED_ACCEPT: ServerMessage = ServerMessage::Settled(Verdict::Accept);

pub(crate) fn settled(verdict: Verdict) -> ServerMessage {
    ServerMessage::Settled(verdict)
}

pub(crate) fn prompt(text: &str) -> ServerMessage {
    ServerMessage::Prompt { text: ShownText::clean(text), echo: true, shape: AnswerShape::SIX_DIGITS }
}

pub(crate) fn info(text: &str) -> ServerMessage {
    ServerMessage::Info(ShownText::clean(text))
}

/// The bytes of a message, header included.
pub(crate) fn frame(message: &ServerMessage) -> Vec<u8> {
    encode(message).unwrap().to_vec()
}

/// The bytes of a reply to a greeting, header included.
pub(crate) fn welcome(message: Welcome) -> Vec<u8> {
    encode(&message).unwrap().to_vec()
}

/// A daemon in a thread of its own.
pub(crate) struct Daemon {
    thread: JoinHandle<()>,
}

impl Daemon {
    /// Listens at `socket`, from now on, for one login.
    pub(crate) fn at(socket: &Path, script: impl FnOnce(Peer) + Send + 'static) -> Self {
        let mut script = Some(script);
        Self::for_logins(socket, 1, move |peer| (script.take().unwrap())(peer))
    }

    /// Listens for `count` logins, one after the other.
    pub(crate) fn for_logins(socket: &Path, count: u32, script: impl FnMut(Peer) + Send + 'static) -> Self {
        Self::behind(UnixListener::bind(socket).unwrap(), count, script)
    }

    /// The same, with a listener that is there already.
    pub(crate) fn behind(
        listener: UnixListener,
        count: u32,
        mut script: impl FnMut(Peer) + Send + 'static,
    ) -> Self {
        let thread = std::thread::spawn(move || {
            for _ in 0..count {
                let mut watched = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
                let bound = PollTimeout::try_from(HANGING).unwrap();
                assert_eq!(poll(&mut watched, bound), Ok(1), "nobody connected");
                script(Peer::new(listener.accept().unwrap().0));
            }
        });
        Self { thread }
    }

    /// Waits for the end of the script; fails when an assertion in it did.
    pub(crate) fn done(self) {
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// The module at the other end of one connection.
pub(crate) struct Peer {
    stream: UnixStream,
}

impl Peer {
    fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(HANGING)).unwrap();
        stream.set_write_timeout(Some(HANGING)).unwrap();
        Self { stream }
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// The beginning of every login that goes well.
    pub(crate) fn greeted(&mut self) -> Start {
        let start = self.start();
        self.raw(&welcome(Welcome::Version(1)));
        start
    }

    /// What the module says first, without a reply to it.
    pub(crate) fn start(&mut self) -> Start {
        let hello: Hello = decode(&self.payload()).unwrap();
        assert_eq!(hello, Hello::new(Protocol::Login));
        match self.hears() {
            ClientMessage::Start(start) => start,
            other @ (ClientMessage::Answer(_) | ClientMessage::Withheld(_)) => {
                panic!("{other:?} came before a start")
            }
        }
    }

    pub(crate) fn says(&mut self, message: &ServerMessage) {
        self.raw(&frame(message));
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Says something that the module may not be there to hear any more.
    pub(crate) fn tries(&mut self, bytes: &[u8]) {
        if let Err(error) = self.stream.write_all(bytes) {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
    }

    pub(crate) fn hears(&mut self) -> ClientMessage {
        decode(&self.payload()).unwrap()
    }

    /// The text of an answer.
    pub(crate) fn answer(&mut self) -> String {
        match self.hears() {
            ClientMessage::Answer(text) => text.expose().to_owned(),
            other @ (ClientMessage::Start(_) | ClientMessage::Withheld(_)) => {
                panic!("{other:?} came in place of an answer")
            }
        }
    }

    /// Why an answer was not sent.
    pub(crate) fn withheld(&mut self) -> Withheld {
        match self.hears() {
            ClientMessage::Withheld(why) => why,
            other @ (ClientMessage::Start(_) | ClientMessage::Answer(_)) => {
                panic!("{other:?} came, and should not have")
            }
        }
    }

    /// Waits until the module has closed the connection; fails when it says anything before.
    pub(crate) fn hears_the_end(&mut self) {
        assert_eq!(self.hears_out(), b"", "the module went on");
    }

    /// Waits until the module has closed the connection; all that it said.
    pub(crate) fn hears_out(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        rest
    }

    /// Whether the module closes the connection within `time`; says nothing meanwhile.
    pub(crate) fn closes_within(&self, time: Duration) -> bool {
        let mut watched = [PollFd::new(self.stream.as_fd(), PollFlags::empty())];
        // A hang-up is reported without being asked for.
        poll(&mut watched, PollTimeout::try_from(time).unwrap()) == Ok(1)
    }

    fn payload(&mut self) -> Vec<u8> {
        let mut header = [0; 2];
        self.stream.read_exact(&mut header).unwrap();
        let mut payload = vec![0; usize::from(u16::from_be_bytes(header))];
        self.stream.read_exact(&mut payload).unwrap();
        payload
    }
}
