//! The egress process of a world: the same configuration as its daemon's, an account of its own. Refuses to
//! wait for luck: it is started when it takes connections, and ended when its process is gone.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use crate::{
    daemon::Daemon,
    sys::wait_until,
    world::{Account, PLACE, World},
};

/// Where it listens.
const SOCKET: &str = "/run/mfad-egress/egress.sock";

/// A running egress; ended when dropped.
#[derive(Debug)]
pub struct Egress {
    account: Account,
    config: PathBuf,
    child: Option<Child>,
}

impl Egress {
    /// Starts it for a daemon, whose account the kernel lets at its socket by group.
    #[track_caller]
    pub fn start(world: &World, daemon: &Daemon) -> Self {
        Self::start_as(world, daemon, "mfad-egress")
    }

    /// As [`Self::start`], by an account of another name.
    #[track_caller]
    pub fn start_as(world: &World, daemon: &Daemon, name: &str) -> Self {
        Self::start_by(daemon, world.add_service_user(name))
    }

    /// As [`Self::start`], by an account that is there already.
    #[track_caller]
    pub fn start_by(daemon: &Daemon, account: Account) -> Self {
        let core = fs::metadata(&daemon.state).expect("the daemon has its state");
        let core = std::os::unix::fs::MetadataExt::gid(&core);
        let dir = Path::new(SOCKET).parent().expect("the socket is in a directory");
        fs::create_dir_all(dir).expect("the world's /run is writable");
        chown(dir, Some(account.uid), Some(core)).expect("root may");
        // Set-group-id: what is made here belongs to the daemon's group.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o2750)).expect("root may");
        let mut egress = Self { account, config: daemon.config.clone(), child: None };
        egress.begin();
        egress
    }

    /// Starts the process and waits until it takes connections.
    #[track_caller]
    pub fn begin(&mut self) {
        assert!(self.child.is_none(), "it is running already");
        let output = File::options().create(true).append(true).open(output()).expect("/run is writable");
        let errors = output.try_clone().expect("a descriptor can be copied");
        let program = World::built("mfad-egress");
        let mut command = self.account.command(program.to_str().expect("the world's paths are ASCII"));
        command.arg("--config").arg(&self.config).stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        wait_until("mfad-egress takes connections", || {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("mfad-egress ended at once, {status}:\n{}", Self::output());
            }
            UnixStream::connect(SOCKET).is_ok()
        });
        self.child = Some(child);
    }

    /// Ends it without notice.
    #[track_caller]
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it is running");
        child.kill().expect("our own child can be signalled");
        child.wait().expect("a child can be waited for");
    }

    /// Its process id.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is running").id()
    }

    /// What it wrote to standard output and error.
    pub fn output() -> String {
        fs::read_to_string(output()).unwrap_or_default()
    }
}

fn output() -> PathBuf {
    Path::new(PLACE).join("mfad-egress.out")
}

impl Drop for Egress {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
        if std::thread::panicking() {
            show(&format!("--- mfad-egress said:\n{}", Self::output()));
        }
    }
}

#[expect(clippy::print_stderr, reason = "a failing test shows what its egress said")]
fn show(text: &str) {
    eprintln!("{text}");
}
