//! The connection to the daemon: whole frames in and out, within the deadline.
//!
//! Refuses to wait without end, to occupy a descriptor that programs take for standard streams, to raise
//! SIGPIPE, and to take more than one frame's worth of bytes at a time.

use std::{
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use mfa_proto::frame;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        socket::{self, AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, setsockopt, sockopt},
        time::{TimeVal, TimeValLike},
    },
};

use crate::{deadline::Deadline, fault::Fault, peer};

/// How long to wait for the daemon without sleep, each time.
const PATIENCE: Duration = Duration::from_micros(400);

/// A connection to a peer that has been looked at.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: OwnedFd,
    deadline: Deadline,
    /// Since when the daemon has all that it needs to go on.
    asked: Instant,
    /// Received and not yet taken: `buffer[..filled]`. What comes together is taken in one call. Not wiped:
    /// the daemon sends no secrets.
    buffer: Box<[u8; frame::HEADER + frame::MAX_PAYLOAD]>,
    filled: usize,
    /// A short wait may be one without sleep.
    sleepless: bool,
}

impl Channel {
    /// Connects to `path`, and goes on only when root or the owner of its directory listens there.
    pub(crate) fn connect(path: &Path, deadline: Deadline) -> Result<Self, Fault> {
        let keeper = peer::keeper_of(path)?;
        let socket = connected(path, &deadline)?;
        peer::expect(keeper, &socket)?;
        Ok(Self::begin(socket, deadline))
    }

    fn begin(socket: OwnedFd, deadline: Deadline) -> Self {
        let buffer = Box::new([0; frame::HEADER + frame::MAX_PAYLOAD]);
        Self { socket, deadline, asked: Instant::now(), buffer, filled: 0, sleepless: true }
    }

    /// Sends whole frames.
    pub(crate) fn send(&mut self, frames: &[u8]) -> Result<(), Fault> {
        let mut rest = frames;
        while !rest.is_empty() {
            if self.deadline.left().is_zero() {
                return Err(Fault::TimedOut);
            }
            let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
            match socket::send(self.socket.as_raw_fd(), rest, flags) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::EAGAIN) => self.wait_for(PollFlags::POLLOUT)?,
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(Fault::HungUp),
                Err(cause) => return Err(Fault::System { doing: "sending to mfad", cause }),
            }
        }
        self.asked = Instant::now();
        Ok(())
    }

    /// Receives the payload of one frame.
    pub(crate) fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.fill(frame::HEADER)?;
        let header = self.buffer.first_chunk().copied().unwrap_or_default();
        let whole = frame::HEADER.saturating_add(frame::payload_length(header)?);
        self.fill(whole)?;
        // Whoever stops this process past the deadline finds that what has come meanwhile is too late.
        if self.deadline.left().is_zero() {
            return Err(Fault::TimedOut);
        }
        let payload = self.buffer.get(frame::HEADER..whole).unwrap_or_default().to_vec();
        self.buffer.copy_within(whole..self.filled, 0);
        self.filled = self.filled.saturating_sub(whole);
        Ok(payload)
    }

    /// Checks that nothing has come after the verdict: what follows it could contradict it.
    pub(crate) fn expect_nothing_more(&self) -> Result<(), Fault> {
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let went_on = Err(Fault::OutOfTurn("it went on after the verdict"));
        if self.filled > 0 {
            return went_on;
        }
        match socket::recv(self.socket.as_raw_fd(), &mut [0_u8], flags) {
            Ok(0) | Err(Errno::EAGAIN | Errno::ECONNRESET) => Ok(()),
            Ok(_) => went_on,
            Err(cause) => Err(Fault::System { doing: "receiving from mfad", cause }),
        }
    }

    /// Receives until `wanted` bytes are there.
    fn fill(&mut self, wanted: usize) -> Result<(), Fault> {
        self.fill_awake(wanted)?;
        while self.filled < wanted {
            self.wait_for(PollFlags::POLLIN).map_err(|fault| match (fault, self.filled) {
                // Silence is only what comes instead of a message, not what breaks one off.
                (Fault::Silent, 1..) => Fault::TimedOut,
                (other, _) => other,
            })?;
            self.take_in()?;
        }
        Ok(())
    }

    /// The same for a moment, without letting the processor fall asleep: the daemon mostly needs no longer
    /// than it would take to wake. Whoever else wants the processor gets it between two looks; who then
    /// keeps it ends this for good.
    fn fill_awake(&mut self, wanted: usize) -> Result<(), Fault> {
        let began = Instant::now();
        let patience = if self.sleepless { PATIENCE.min(self.deadline.left()) } else { Duration::ZERO };
        while self.filled < wanted && began.elapsed() < patience {
            if !self.take_in()? {
                thread::yield_now();
            }
        }
        self.sleepless &= began.elapsed() < PATIENCE.saturating_mul(2);
        Ok(())
    }

    /// Receives what is there; whether something was.
    fn take_in(&mut self) -> Result<bool, Fault> {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match socket::recv(self.socket.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT) {
            Ok(0) | Err(Errno::ECONNRESET) => Err(Fault::HungUp),
            Ok(received) => {
                self.filled = self.filled.saturating_add(received);
                Ok(true)
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
            Err(cause) => Err(Fault::System { doing: "receiving from mfad", cause }),
        }
    }

    /// Waits until the socket is ready. At the deadline it is looked at once more: only a peer that has
    /// nothing to say then, and had the time to, is [`Fault::Silent`].
    fn wait_for(&self, event: PollFlags) -> Result<(), Fault> {
        loop {
            let left = self.deadline.left();
            let mut watched = [PollFd::new(self.socket.as_fd(), event)];
            match poll(&mut watched, milliseconds(left)) {
                Ok(0) if self.deadline.was_fair_since(self.asked) => return Err(Fault::Silent),
                Ok(0) => return Err(Fault::TimedOut),
                Ok(_) if left.is_zero() => return Err(Fault::TimedOut),
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(cause) => return Err(Fault::System { doing: "waiting for mfad", cause }),
            }
        }
    }
}

/// Rounded up, so that a wait does not end just before its time and begin anew.
fn milliseconds(left: Duration) -> PollTimeout {
    let rounded = left.as_nanos().div_ceil(1_000_000);
    i32::try_from(rounded).ok().and_then(|ms| PollTimeout::try_from(ms).ok()).unwrap_or(PollTimeout::MAX)
}

fn connected(path: &Path, deadline: &Deadline) -> Result<OwnedFd, Fault> {
    let system = |doing| move |cause| Fault::System { doing, cause };
    let address = UnixAddr::new(path).map_err(system("making the socket's address"))?;
    let socket = high_socket()?;
    let began = Instant::now();
    loop {
        let left = deadline.left();
        if left.is_zero() {
            return Err(Fault::TimedOut);
        }
        // A full backlog makes connect(2) wait, without end but for this.
        setsockopt(&socket, sockopt::SendTimeout, &time_value(left)).map_err(system("setting a timeout"))?;
        return match socket::connect(socket.as_raw_fd(), &address) {
            Ok(()) => Ok(socket),
            Err(Errno::EINTR) => continue,
            Err(Errno::EAGAIN) if deadline.was_fair_since(began) => Err(Fault::Silent),
            Err(Errno::EAGAIN) => Err(Fault::TimedOut),
            // Nothing else may count as absence: a person can make sudo run out of descriptors or memory.
            Err(cause @ (Errno::ENOENT | Errno::ECONNREFUSED)) => {
                Err(Fault::Absent { socket: path.to_owned(), cause })
            }
            Err(cause) => Err(Fault::System { doing: "connecting to mfad's socket", cause }),
        };
    }
}

/// A socket whose descriptor is above 2, whatever the host has closed: what a program prints must not end
/// up in the protocol.
fn high_socket() -> Result<OwnedFd, Fault> {
    let low = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .map_err(|cause| Fault::System { doing: "opening a socket", cause })?;
    if low.as_raw_fd() > 2 {
        return Ok(low);
    }
    // The standard library duplicates with F_DUPFD_CLOEXEC from 3 upwards.
    low.try_clone().map_err(|error| Fault::of_io("duplicating a socket", &error))
}

/// Never zero, which would mean "without end".
fn time_value(left: Duration) -> TimeVal {
    TimeVal::microseconds(i64::try_from(left.as_micros()).unwrap_or(i64::MAX).max(1))
}

#[cfg(test)]
impl Channel {
    /// A channel over one end of a socket pair.
    pub(crate) fn over(socket: OwnedFd, deadline: Deadline) -> Self {
        Self::begin(socket, deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_and_never_without_end() {
        assert_eq!(milliseconds(Duration::ZERO), PollTimeout::ZERO);
        assert_eq!(i32::from(milliseconds(Duration::from_nanos(1_000_001))), 2);
        assert_eq!(milliseconds(Duration::MAX), PollTimeout::MAX);
        assert_eq!(time_value(Duration::ZERO), TimeVal::new(0, 1));
        assert_eq!(time_value(Duration::from_millis(1500)), TimeVal::new(1, 500_000));
    }
}
