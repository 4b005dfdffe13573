//! A terminal to run the binary on: types, waits for what appears, and looks at the terminal's mode.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::run::{binary, command};

/// The binary on a terminal.
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    child: Child,
    shown: Vec<u8>,
    waited_for: usize,
}

impl Terminal {
    /// Runs `arguments` on a terminal with so many columns. `setsid` makes it the controlling one, so that
    /// Ctrl-C is a signal.
    pub(crate) fn run(socket: &Path, arguments: &[&str], columns: u16) -> Self {
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).unwrap();
        let inner = command(binary(), socket, arguments);
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = std::process::Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(inner.get_program())
            .args(inner.get_args())
            .env_clear()
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("TERM", "xterm")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        Self { master: pty.master, slave: pty.slave, child, shown: Vec::new(), waited_for: 0 }
    }

    /// Types.
    pub(crate) fn enter(&mut self, keys: &str) {
        nix::unistd::write(&self.master, keys.as_bytes()).unwrap();
    }

    /// Waits until `text` has appeared after all that was waited for before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let find = |shown: &[u8]| shown.windows(text.len()).position(|part| part == text.as_bytes());
        loop {
            if let Some(at) = find(&self.shown[self.waited_for..]) {
                self.waited_for += at + text.len();
                return;
            }
            assert!(self.read(30_000), "{text:?} did not appear in {:?}", self.text());
        }
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.slave).unwrap().local_flags.contains(LocalFlags::ECHO)
    }

    /// The process, to send it signals.
    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Waits for the end: all that was shown, and the exit code.
    pub(crate) fn end(mut self) -> (String, i32) {
        let code = self.child.wait().unwrap().code().expect("mfactl was ended by a signal");
        while self.read(0) {}
        (self.text(), code)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).replace("\r\n", "\n")
    }

    fn read(&mut self, milliseconds: u16) -> bool {
        let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, PollTimeout::from(milliseconds)).unwrap() == 0 {
            return false;
        }
        let mut buffer = [0; 4096];
        let count = nix::unistd::read(&self.master, &mut buffer).unwrap();
        self.shown.extend_from_slice(&buffer[..count]);
        count != 0
    }
}
