//! One line from the terminal, echo on or off, that a signal can end without leaving the terminal mute.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::{Asked, line};

/// Signals that end a question. They are held back while the terminal is changed.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Reads one line of standard input, a terminal. `prompt` is called when it is safe to type.
pub(super) fn read(echo: bool, prompt: impl FnOnce()) -> io::Result<Asked<Zeroizing<String>>> {
    let stdin = io::stdin();
    let signals = Held::new()?;
    let _mode = Mode::set(&stdin, echo)?;
    prompt();
    match line::read(&stdin, || ready(&stdin, &signals)) {
        Ok(Some(text)) => Ok(Asked::Answer(text)),
        Ok(None) => Ok(Asked::GivenUp),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Asked::GivenUp),
        Err(error) => Err(error),
    }
}

/// Waits until the terminal has input; a signal that ends the question is an `Interrupted` error.
fn ready(terminal: &impl AsFd, signals: &Held) -> io::Result<()> {
    let mut fds = [
        PollFd::new(terminal.as_fd(), PollFlags::POLLIN),
        PollFd::new(signals.fd.as_fd(), PollFlags::POLLIN),
    ];
    while let Err(errno) = poll(&mut fds, PollTimeout::NONE) {
        if errno != Errno::EINTR {
            return Err(errno.into());
        }
    }
    let [_, signal] = &fds;
    if signal.any() == Some(false) { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
}

/// Signals held back and readable; let go when dropped, after what came has been taken.
pub(crate) struct Held {
    fd: SignalFd,
    before: SigSet,
}

impl Held {
    /// Holds them back.
    pub(crate) fn new() -> io::Result<Self> {
        let ending: SigSet = ENDING.into_iter().collect();
        let before = ending.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
        let fd = SignalFd::with_flags(&ending, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd, before })
    }
}

impl Held {
    /// Whether one has come.
    pub(crate) fn came(&self) -> bool {
        matches!(self.fd.read_signal(), Ok(Some(_)))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Taken here, a pending signal does not end the program as soon as it is let through: the caller
        // has its say about how things stand.
        while let Ok(Some(_)) = self.fd.read_signal() {}
        let _cannot_fail_on_a_mask_we_got = self.before.thread_set_mask();
    }
}

/// The terminal's mode, put back when dropped.
struct Mode<'t, T: AsFd> {
    terminal: &'t T,
    before: Termios,
}

impl<'t, T: AsFd> Mode<'t, T> {
    fn set(terminal: &'t T, echo: bool) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut mode = before.clone();
        mode.local_flags.set(LocalFlags::ECHO, echo);
        mode.local_flags.insert(LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::ECHONL);
        if echo {
            mode.local_flags.remove(LocalFlags::ECHONL);
        }
        tcsetattr(terminal, SetArg::TCSADRAIN, &mode)?;
        Ok(Self { terminal, before })
    }
}

impl<T: AsFd> Drop for Mode<'_, T> {
    fn drop(&mut self) {
        let _lost_terminal_needs_no_mode = tcsetattr(self.terminal, SetArg::TCSADRAIN, &self.before);
    }
}
