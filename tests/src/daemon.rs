//! `mfad` of a world: its configuration, its process, its PAM line, and `mfactl` to talk to it. Refuses to
//! wait for luck: a daemon is started when its socket takes connections, and ended when its process is gone.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{PermissionsExt, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    otp::Seed,
    sys::{Ran, run_with, wait_until},
    world::{Account, World},
};

/// How a daemon is set up; [`Setup::start`] makes it so.
#[derive(Clone, Debug)]
pub struct Setup {
    instance: String,
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
            account: None,
            state_dir: None,
            core: String::new(),
            unenrolled: "deny".to_owned(),
            sections: String::new(),
        }
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
        for (dir, mode) in [(&etc, 0o750), (&state, 0o700), (&run, 0o755)] {
            fs::create_dir_all(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            fs::set_permissions(dir, fs::Permissions::from_mode(mode)).expect("root may");
            let owner = self.account.as_ref().map(|account| account.uid);
            chown(dir, owner, owner).expect("root may");
        }
        let daemon = Daemon {
            config: etc.join("mfad.toml"),
            socket: run.join("mfad.sock"),
            state,
            account: self.account.clone(),
            output: PathBuf::from(format!("/run/world/{name}.out")),
            child: None,
        };
        fs::write(&daemon.config, self.toml(&daemon, &etc)).expect("the world's /etc is writable");
        run_with(&mut daemon.mfad(&["init"]), "").ok();
        daemon
    }

    fn toml(&self, daemon: &Daemon, etc: &Path) -> String {
        format!(
            "[core]\nsocket = \"{}\"\nstate_dir = \"{}\"\nkey_file = \"{}\"\n{}\n[policy]\nunenrolled = \"{}\"\n\n{}",
            daemon.socket.display(),
            daemon.state.display(),
            etc.join("key").display(),
            self.core,
            self.unenrolled,
            self.sections
        )
    }
}

/// A daemon; ended when dropped.
#[derive(Debug)]
pub struct Daemon {
    /// Its configuration file.
    pub config: PathBuf,
    /// Where it listens.
    pub socket: PathBuf,
    /// Where its database is.
    pub state: PathBuf,
    account: Option<Account>,
    output: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// A daemon as usual.
    #[track_caller]
    pub fn start(world: &World) -> Self {
        Setup::new(world).start()
    }

    /// `mfad` with a verb, on this daemon's configuration, as the daemon's account.
    pub fn mfad(&self, words: &[&str]) -> Command {
        let program = World::built("mfad");
        let program = program.to_str().expect("the world's paths are ASCII");
        let mut command =
            self.account.as_ref().map_or_else(|| Command::new(program), |account| account.command(program));
        command.args(words).arg("--config").arg(&self.config);
        command
    }

    /// Starts the process and waits until it takes connections.
    #[track_caller]
    pub fn begin(&mut self) {
        assert!(self.child.is_none(), "it is running already");
        let output = File::options().create(true).append(true).open(&self.output).expect("/run is writable");
        let errors = output.try_clone().expect("a descriptor can be copied");
        let mut command = self.mfad(&["core"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        wait_until("mfad takes connections", || {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("mfad ended at once, {status}:\n{}", self.output());
            }
            UnixStream::connect(&self.socket).is_ok()
        });
        self.child = Some(child);
    }

    /// What it wrote to standard output and error.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Its process id.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is running").id()
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("process ids are positive");
        kill(Pid::from_raw(pid), signal).expect("our own child can be signalled");
    }

    /// Ends it as systemd would, and waits until it is gone.
    #[track_caller]
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        let mut child = self.child.take().expect("it is running");
        wait_until("mfad ends when told", || child.try_wait().expect("a child can be waited for").is_some());
    }

    /// Ends it without notice.
    #[track_caller]
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.child.take().expect("it is running").wait().expect("a child can be waited for");
    }

    /// The PAM line that asks this daemon.
    pub fn module_line(&self, control: &str, arguments: &str) -> String {
        let module = World::built("libpam_mfa.so");
        format!("auth {control} {} socket={} {arguments}", module.display(), self.socket.display())
    }

    /// `mfactl` as root, with words and input.
    #[track_caller]
    pub fn ctl_with(&self, words: &[&str], input: &str) -> Ran {
        let mut mfactl = Command::new(World::built("mfactl"));
        run_with(mfactl.arg("--socket").arg(&self.socket).args(words), input)
    }

    /// `mfactl` as root.
    #[track_caller]
    pub fn ctl(&self, words: &[&str]) -> Ran {
        self.ctl_with(words, "")
    }

    /// `mfactl --json` as root, which must succeed; one value per line of its output.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        let all: Vec<&str> = std::iter::once("--json").chain(words.iter().copied()).collect();
        let out = self.ctl(&all).ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("mfactl {words:?}: {error} in {out}"))
    }

    /// Gives a user a TOTP factor with this seed, active at once.
    #[track_caller]
    pub fn enroll_totp(&self, user: &str, seed: &Seed) {
        let words = ["enroll", "totp", user, "--no-confirm", "--secret-stdin"];
        self.ctl_with(&words, &(seed.base32() + "\n")).ok();
    }

    /// Gives a user an HOTP factor with this seed that begins at `counter`, active at once.
    #[track_caller]
    pub fn enroll_hotp(&self, user: &str, seed: &Seed, counter: u64) {
        let counter = counter.to_string();
        let words = ["enroll", "hotp", user, "--counter", &counter, "--no-confirm", "--secret-stdin"];
        self.ctl_with(&words, &(seed.base32() + "\n")).ok();
    }

    /// Failures that are charged to a user's only factor since its last success.
    #[track_caller]
    pub fn failures(&self, user: &str) -> u64 {
        let shown = self.json(&["show", user]);
        shown["factors"][0]["failures"].as_u64().unwrap_or_else(|| panic!("no count of failures in {shown}"))
    }

    /// Rows of the audit trail about a user, oldest first.
    #[track_caller]
    pub fn audit(&self, user: &str) -> Vec<Value> {
        let all: Vec<&str> = vec!["--json", "audit", "--user", user];
        self.ctl(&all)
            .ok()
            .lines()
            .map(|l| serde_json::from_str(l).expect("a line of JSON per row"))
            .collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
        if std::thread::panicking() || std::env::var_os("MFA_SHOW").is_some() {
            show(&format!("--- mfad said:\n{}", self.output()));
        }
    }
}

#[expect(clippy::print_stderr, reason = "a failing test shows what its daemon said")]
fn show(text: &str) {
    eprintln!("{text}");
}
