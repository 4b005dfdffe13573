//! The roles that are other programs, egress and web: they link what talks to the network, and core links none
//! of it.
//!
//! Starts such a program, in place of this one or beside it. Refuses to look for it anywhere but beside this
//! one, so that no search path has a say in what gets the gateways' credentials.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, ChildStdin},
    time::timeout,
};
use tracing::warn;

use super::Failure;

/// Codes go out, services are asked.
pub(super) const EGRESS: &str = "mfad-egress";
/// HTTP comes in.
pub(super) const WEB: &str = "mfad-web";
/// How long it has to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the service manager tells this process alone.
const OURS: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// Where the program is. Call it before the process gives up being looked at, for it looks at itself.
pub(super) fn find(name: &str) -> Result<PathBuf, Failure> {
    let failed = |e| Failure::new(format_args!("it is not known where this program is: {e}"));
    let own = std::env::current_exe().map_err(failed)?;
    let directory = own.parent().unwrap_or(Path::new("/"));
    let places = [directory.join(name), directory.join("../lib/mfad").join(name)];
    let missing = || {
        let [beside, installed] = &places;
        Failure::new(format_args!(
            "{name} is neither {} nor {}: install it there, as `make install` does",
            beside.display(),
            installed.display()
        ))
    };
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(missing)
}

/// Becomes the program. Comes back only with a failure.
pub(super) fn become_it(name: &str, config: &Path) -> Result<(), Failure> {
    let program = find(name)?;
    let error = Command::new(&program).arg("--config").arg(config).exec();
    Err(Failure::new(format_args!("{} cannot be started: {error}", program.display())))
}

/// The program as a child. It ends when this process does, however that comes about.
#[derive(Debug)]
pub(super) struct Beside {
    name: &'static str,
    child: Child,
    /// Its standard input, kept apart: waiting for a child closes what it has.
    leash: Option<ChildStdin>,
}

impl Beside {
    /// Starts it.
    pub(super) fn start((name, program): (&'static str, &Path), config: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        // The other end of its standard input is closed when this process is gone: then it ends.
        command.arg("--config").arg(config).arg("--until-stdin-ends").stdin(Stdio::piped());
        for name in OURS {
            command.env_remove(name);
        }
        let child = tokio::process::Command::from(command).spawn();
        let failed = |e| Failure::new(format_args!("{} cannot be started: {e}", program.display()));
        let mut child = child.map_err(failed)?;
        Ok(Self { name, leash: child.stdin.take(), child })
    }

    /// What it is called.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until it has ended by itself.
    pub(super) async fn ended(&mut self) {
        if let Err(error) = self.child.wait().await {
            warn!("{} cannot be waited for: {error}", self.name);
        }
    }

    /// Has it read its configuration again.
    pub(super) fn reload(&self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(Err(error)) = pid.map(|pid| kill(Pid::from_raw(pid), Signal::SIGHUP)) {
            warn!("{} was not told to reload: {error}", self.name);
        }
    }

    /// Ends it.
    pub(super) async fn end(mut self) {
        drop(self.leash.take());
        if timeout(PATIENCE, self.child.wait()).await.is_err()
            && let Err(error) = self.child.kill().await
        {
            warn!("{} does not end: {error}", self.name);
        }
    }
}
