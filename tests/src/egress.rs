//! The egress process of a world: the same configuration as its daemon's, an account of its own. Refuses to
//! wait for luck: it is started when it takes connections, and ended when its process is gone.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use crate::{
    daemon::Daemon,
    role::{self, Role},
    world::{Account, World},
};

/// Where it listens.
const SOCKET: &str = "/run/mfad-egress/egress.sock";

/// A running egress; ended when dropped.
#[derive(Debug)]
pub struct Egress {
    account: Account,
    config: PathBuf,
    role: Role,
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
        let mut egress = Self { account, config: daemon.config.clone(), role: Role::of("mfad-egress") };
        egress.begin();
        egress
    }

    /// Starts the process and waits until it takes connections.
    #[track_caller]
    pub fn begin(&mut self) {
        self.role.begin(&self.account, &self.config, || UnixStream::connect(SOCKET).is_ok());
    }

    /// Ends it without notice.
    #[track_caller]
    pub fn kill(&mut self) {
        self.role.kill();
    }

    /// Its process id.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.role.pid()
    }

    /// What it wrote to standard output and error.
    pub fn output() -> String {
        role::output("mfad-egress")
    }
}
