//! Has polkit's own agent ask for the password on this terminal, where the daemon has polkit asked
//! (`[enrollment] self_auth`): as `systemctl` does.
//!
//! Refuses to see the password: it goes from the terminal to the agent, which is another program.

use std::process::{Child, Command, Stdio};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

use crate::terminal;

/// What polkit installs.
const AGENT: &str = "/usr/bin/pkttyagent";
/// Milliseconds it has to be ready; polkit may have to be started first.
const READY: u16 = 5000;

/// An agent for this process; ended when dropped, so that it leaves the terminal as it was.
#[derive(Debug)]
pub(super) struct Agent(Child);

impl Agent {
    /// An agent that is ready; `None` where nobody sits at a terminal, for root, whom polkit is not asked for,
    /// and where there is none to be had.
    // Not as a fallback for the desktop's: that is found in sessions only, and a login by ssh need not be one.
    pub(super) fn start() -> Option<Self> {
        if geteuid().is_root() || !terminal::interactive() {
            return None;
        }
        let child = Command::new(AGENT)
            .args(["--notify-fd", "1", "--process", &std::process::id().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        // Without one, the daemon says what polkit wants.
        let mut agent = Self(child.ok()?);
        let ready = agent.0.stdout.take()?;
        // It closes this when it is ready, or ends.
        let mut asked = [PollFd::new(std::os::fd::AsFd::as_fd(&ready), PollFlags::POLLIN)];
        poll(&mut asked, PollTimeout::from(READY)).ok()?;
        Some(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // By a signal that lets it put the terminal right. One that has ended already is as good.
        if let Ok(pid) = i32::try_from(self.0.id()) {
            let _it_may_be_gone = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _its_end_is_enough = self.0.wait();
    }
}
