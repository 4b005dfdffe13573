//! Frames over the socket, each within a deadline. Refuses whatever is not exactly one expected message.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use mfa_proto::{codec, frame, place::Keeper, text::escape_for_log};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// What to do about a daemon that breaks the protocol.
pub(super) const REPORT: &str =
    "install mfactl and mfad of the same release; when they are: journalctl -t mfad, and report it";
const LASTS: &str = "try again; when it lasts: journalctl -t mfad";
const SILENT: &str = "it may hang: look at journalctl -t mfad, then restart it";

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: UnixStream,
    path: String,
    timeout: Duration,
    keeper: Keeper,
}

impl Wire {
    /// A connection over `stream`, whose peer may be silent for `timeout`.
    pub(super) fn new(stream: UnixStream, path: &Path, timeout: Duration, keeper: Keeper) -> Self {
        Self { stream, path: escape_for_log(&path.to_string_lossy()), timeout, keeper }
    }

    /// Sends one message. What the daemon says unasked is a breach: it would be taken for the answer.
    pub(crate) fn send<T: Serialize>(&mut self, message: &T) -> Result<(), Failure> {
        if self.has_spoken()? {
            return Err(self.spoke_unasked());
        }
        let whole = codec::encode(message)
            .map_err(|e| Failure::usage(format!("what was given does not fit a request: {e}")))?;
        self.stream.write_all(&whole).map_err(|e| self.io_failed(&e))
    }

    /// Waits for one message.
    pub(crate) fn receive<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let deadline = Instant::now().checked_add(self.timeout);
        let mut header = [0_u8; frame::HEADER];
        self.fill(&mut header, deadline)?;
        let length = frame::payload_length(header).map_err(|e| self.failed(e.to_string(), REPORT))?;
        let mut payload = Zeroizing::new(vec![0_u8; length]);
        self.fill(&mut payload, deadline)?;
        codec::decode(&payload).map_err(|e| self.failed(e.to_string(), REPORT))
    }

    /// The user that the daemon runs as, if that is not root. The kernel's word on the peer is not asked for
    /// this: of a socket that the service manager made, it names the service manager.
    pub(crate) fn keeper(&self) -> Keeper {
        self.keeper
    }

    /// Waits up to `pause` on an idle connection. The daemon hanging up ends the wait with a failure.
    pub(crate) fn rest(&mut self, pause: Duration) -> Result<(), Failure> {
        let pause = PollTimeout::try_from(pause).unwrap_or(PollTimeout::MAX);
        if !self.readable(pause)? {
            return Ok(());
        }
        match self.stream.read(&mut [0_u8; 1]) {
            Ok(0) => Err(self.io_failed(&io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Err(self.spoke_unasked()),
            Err(error) => Err(self.io_failed(&error)),
        }
    }

    /// The talk failed, because of `why`.
    pub(crate) fn failed(&self, why: String, hint: &'static str) -> Failure {
        Failure::Conversation { path: self.path.clone(), why, hint }
    }

    /// The daemon answered with something else than the request calls for.
    pub(crate) fn unexpected(&self) -> Failure {
        self.failed("its answer does not fit the request".to_owned(), REPORT)
    }

    /// Whether the daemon has said something, or hung up, that is not read yet.
    pub(crate) fn has_spoken(&self) -> Result<bool, Failure> {
        self.readable(PollTimeout::ZERO)
    }

    fn spoke_unasked(&self) -> Failure {
        self.failed("it sent something that was not asked for, or hung up".to_owned(), REPORT)
    }

    fn readable(&self, wait: PollTimeout) -> Result<bool, Failure> {
        let mut fds = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, wait) {
            Ok(ready) => Ok(ready != 0),
            Err(nix::errno::Errno::EINTR) => Ok(false),
            Err(errno) => Err(self.io_failed(&errno.into())),
        }
    }

    fn fill(&mut self, buffer: &mut [u8], deadline: Option<Instant>) -> Result<(), Failure> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_some(rest, deadline) {
                Ok(0) => return Err(self.io_failed(&io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.io_failed(&error)),
            }
        }
        Ok(())
    }

    /// Reads what there is; the deadline holds for the whole message, or bytes dripping in would prolong it.
    fn read_some(&mut self, buffer: &mut [u8], deadline: Option<Instant>) -> io::Result<usize> {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(left)?;
        self.stream.read(buffer)
    }

    fn io_failed(&self, error: &io::Error) -> Failure {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
        let kind = error.kind();
        if [TimedOut, WouldBlock].contains(&kind) {
            return self.failed(format!("no answer within {} s", self.timeout.as_secs()), SILENT);
        }
        if [UnexpectedEof, BrokenPipe, ConnectionReset].contains(&kind) {
            return Failure::HungUp { path: self.path.clone() };
        }
        self.failed(error.to_string(), LASTS)
    }
}

/// Waits. Nothing is to be done meanwhile, and a signal ends it.
pub(crate) fn pause(time: Duration) {
    let _waited_or_interrupted = poll(&mut [], PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX));
}
