//! The process of a role beside the daemon: started on a configuration, shown when a test fails. Ended when dropped.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use crate::{
    sys::wait_until,
    world::{Account, PLACE, World},
};

/// A role that runs, or does not now.
#[derive(Debug)]
pub(crate) struct Role {
    program: &'static str,
    child: Option<Child>,
}

impl Role {
    /// One by the name of its program; not started yet.
    pub(crate) fn of(program: &'static str) -> Self {
        Self { program, child: None }
    }

    /// Starts the process by an account and waits until it takes connections.
    #[track_caller]
    pub(crate) fn begin(&mut self, account: &Account, config: &Path, takes_connections: impl Fn() -> bool) {
        assert!(self.child.is_none(), "it is running already");
        let path = output_path(self.program);
        let written = File::options().create(true).append(true).open(path).expect("/run is writable");
        let errors = written.try_clone().expect("a descriptor can be copied");
        let program = World::built(self.program);
        let mut command = account.command(program.to_str().expect("the world's paths are ASCII"));
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(written).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        wait_until(&format!("{} takes connections", self.program), || {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("{} ended at once, {status}:\n{}", self.program, output(self.program));
            }
            takes_connections()
        });
        self.child = Some(child);
    }

    /// Ends it without notice.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it is running");
        child.kill().expect("our own child can be signalled");
        child.wait().expect("a child can be waited for");
    }

    /// Its process id.
    #[track_caller]
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is running").id()
    }
}

/// What the role of this program wrote to standard output and error.
pub(crate) fn output(program: &str) -> String {
    fs::read_to_string(output_path(program)).unwrap_or_default()
}

fn output_path(program: &str) -> PathBuf {
    Path::new(PLACE).join(format!("{program}.out"))
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
        if std::thread::panicking() {
            show(&format!("--- {} said:\n{}", self.program, output(self.program)));
        }
    }
}

#[expect(clippy::print_stderr, reason = "a failing test shows what its role said")]
fn show(text: &str) {
    eprintln!("{text}");
}
