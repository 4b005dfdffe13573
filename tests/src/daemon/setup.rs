//! How a daemon is set up: accounts, directories, configuration, key and database.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use super::Daemon;
use crate::{
    sys::run_with,
    world::{Account, World},
};

/// How a daemon is set up; [`Setup::start`] makes it so.
#[derive(Clone, Debug)]
pub struct Setup {
    instance: String,
    role: String,
    account: Option<Account>,
    state_dir: Option<PathBuf>,
    core: String,
    unenrolled: String,
    sections: String,
}

impl Setup {
    /// One daemon in the usual places, run by its own account as when it is deployed.
    pub fn new(world: &World) -> Self {
        Self::instance(world, "mfad")
    }

    /// One of several daemons side by side, by name.
    pub fn instance(world: &World, name: &str) -> Self {
        let account = world.add_service_user(name);
        Self { account: Some(account), ..Self::as_root_instance(name) }
    }

    /// Run by root.
    pub fn as_root() -> Self {
        Self::as_root_instance("mfad")
    }

    fn as_root_instance(name: &str) -> Self {
        Self {
            instance: name.to_owned(),
            role: "core".to_owned(),
            account: None,
            state_dir: None,
            core: String::new(),
            unenrolled: "deny".to_owned(),
            sections: String::new(),
        }
    }

    /// Starts `mfad` with another role than `core`.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        role.clone_into(&mut self.role);
        self
    }

    /// Keeps the database elsewhere.
    #[must_use]
    pub fn state_dir(mut self, dir: &Path) -> Self {
        self.state_dir = Some(dir.to_owned());
        self
    }

    /// What happens to users without a factor: `deny` or `skip`.
    #[must_use]
    pub fn unenrolled(mut self, what: &str) -> Self {
        what.clone_into(&mut self.unenrolled);
        self
    }

    /// Opens the socket that every account may use for itself.
    #[must_use]
    pub fn with_user_socket(mut self) -> Self {
        self.core = format!("user_socket = \"/run/{}/user.sock\"\n", self.instance);
        self
    }

    /// More sections of the configuration, as TOML.
    #[must_use]
    pub fn section(mut self, toml: &str) -> Self {
        self.sections.push_str(toml);
        self.sections.push('\n');
        self
    }

    /// Writes the configuration, makes key and database, and starts the daemon.
    #[track_caller]
    pub fn start(&self) -> Daemon {
        let mut daemon = self.prepare();
        daemon.begin();
        daemon
    }

    /// All of [`Self::start`] but the start.
    #[track_caller]
    pub fn prepare(&self) -> Daemon {
        let name = &self.instance;
        let etc = PathBuf::from(format!("/etc/{name}"));
        let state = self.state_dir.clone().unwrap_or_else(|| format!("/var/lib/{name}").into());
        let run = PathBuf::from(format!("/run/{name}"));
        let owner = self.account.as_ref().map(|account| account.uid);
        for (dir, mode, owner) in [(&etc, 0o755, None), (&state, 0o700, owner), (&run, 0o755, owner)] {
            fs::create_dir_all(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            fs::set_permissions(dir, fs::Permissions::from_mode(mode)).expect("root may");
            chown(dir, owner, owner).expect("root may");
        }
        let daemon = Daemon {
            config: etc.join("mfad.toml"),
            socket: run.join("mfad.sock"),
            state,
            key: etc.join("key"),
            role: self.role.clone(),
            account: self.account.clone(),
            output: PathBuf::from(format!("/run/world/{name}.out")),
            child: None,
        };
        fs::write(&daemon.config, self.toml(&daemon)).expect("the world's /etc is writable");
        let mut init = Command::new(World::built("mfad"));
        run_with(init.arg("init").arg("--config").arg(&daemon.config), "").ok();
        // Key and database were made by root, and belong to who runs the daemon.
        let made =
            fs::read_dir(&daemon.state).expect("root may").map(|entry| entry.expect("root may").path());
        for path in made.chain([daemon.key.clone()]) {
            chown(&path, owner, owner).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        daemon
    }

    fn toml(&self, daemon: &Daemon) -> String {
        format!(
            "[core]\nsocket = \"{}\"\nstate_dir = \"{}\"\nkey_file = \"{}\"\n{}\n[policy]\nunenrolled = \"{}\"\n\n{}",
            daemon.socket.display(),
            daemon.state.display(),
            daemon.key.display(),
            self.core,
            self.unenrolled,
            self.sections
        )
    }
}
