//! Which process connected, by the kernel's word, for whoever has to be told of a process and not of a uid.
//!
//! A process number is given anew once its process is gone. A handle that the socket keeps (Linux 6.5) says
//! whether it still is the same; without one, the time of its start in `/proc` does. Refuses to name a process
//! that neither vouches for. No right rests on it here.

use std::os::fd::{AsFd as _, OwnedFd};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{getsockopt, sockopt::PeerPidfd},
};
use tokio::net::UnixStream;

/// The process that connected, or why it is not known.
#[derive(Debug)]
pub struct PeerProcess(Result<Process, Unknown>);

#[derive(Debug)]
struct Process {
    pid: u32,
    /// Clock ticks since boot; `None` where `/proc` hides it.
    started: Option<u64>,
    /// Readable once the process has ended.
    handle: Option<OwnedFd>,
}

/// Why it is not known which process connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unknown {
    /// It has ended, or lives where its number means nothing here.
    #[error("the process that connected is gone, or in another PID namespace")]
    Gone,
    /// Neither the kernel nor `/proc` vouches for it.
    #[error(
        "this kernel (before 6.5) tells no more than a number of the process, and /proc is hidden from mfad: set ProtectProc=default in a drop-in of mfad.service"
    )]
    Hidden,
}

impl PeerProcess {
    /// The process that connected to the other end of `stream`.
    pub fn of(stream: &UnixStream) -> Self {
        Self(Process::of(stream))
    }

    /// Its number and the time of its start in clock ticks since boot, 0 where that is hidden: if it still is
    /// the process that connected.
    pub fn present(&self) -> Result<(u32, u64), Unknown> {
        let process = self.0.as_ref().map_err(|unknown| *unknown)?;
        if !process.is_there() {
            return Err(Unknown::Gone);
        }
        Ok((process.pid, process.started.unwrap_or(0)))
    }
}

impl Process {
    fn of(stream: &UnixStream) -> Result<Self, Unknown> {
        let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0).ok_or(Unknown::Gone)?;
        let handle = match getsockopt(stream, PeerPidfd) {
            Ok(handle) => Some(handle),
            Err(Errno::ENOPROTOOPT) => None,
            Err(_) => return Err(Unknown::Gone),
        };
        let process = Self { pid, started: start_of(pid), handle };
        if process.handle.is_none() && process.started.is_none() {
            return Err(Unknown::Hidden);
        }
        // What was read is that process's own: its number was not free meanwhile.
        if process.is_there() { Ok(process) } else { Err(Unknown::Gone) }
    }

    /// Whether the number still is this process's.
    fn is_there(&self) -> bool {
        match &self.handle {
            Some(handle) => {
                let mut asked = [PollFd::new(handle.as_fd(), PollFlags::POLLIN)];
                poll(&mut asked, PollTimeout::ZERO) == Ok(0)
            }
            None => self.started.is_some() && start_of(self.pid) == self.started,
        }
    }
}

fn start_of(pid: u32) -> Option<u64> {
    started(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`). The name, field 2, may hold anything, brackets too.
fn started(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok().filter(|start| *start > 0)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_start_is_found_behind_any_name() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21";
        for name in ["bash", "a b", ") S 1 (", "x) y"] {
            assert_eq!(started(&format!("4321 ({name}) {fields}")), Some(987_654), "{name}");
        }
        for broken in [
            "",
            "4321 (bash",
            "4321 (bash) S 1 2",
            "4321 (bash) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x",
        ] {
            assert_eq!(started(broken), None, "{broken}");
        }
    }

    #[tokio::test]
    async fn a_process_that_connected_is_named_while_it_lives() {
        let (here, _there) = UnixStream::pair().unwrap();
        let own = PeerProcess::of(&here);
        assert_eq!(own.present(), Ok((std::process::id(), start_of(std::process::id()).unwrap())));
    }

    #[tokio::test]
    async fn a_process_that_has_ended_is_gone_whatever_has_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let script =
            "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\nsys.stdin.read()";
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", script])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("python3: tests/setup/packages.sh test");
        let (stream, _) = listener.accept().await.unwrap();
        let process = PeerProcess::of(&stream);
        assert_eq!(process.present().unwrap().0, child.id());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(process.present(), Err(Unknown::Gone));
        assert_eq!(PeerProcess::of(&stream).present(), Err(Unknown::Gone));
    }
}
