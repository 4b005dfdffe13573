//! `mfad` of a world: its configuration, its process, its PAM line, and `mfactl` to talk to it. Refuses to
//! wait for luck: a daemon is started when it answers, and ended when its process is gone.

mod setup;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

pub use self::setup::Setup;
use crate::{
    otp::Seed,
    pam,
    sys::{Ran, run_with, unix_now, wait_until},
    world::{Account, World},
};

/// A daemon; ended when dropped.
#[derive(Debug)]
pub struct Daemon {
    /// Its configuration file.
    pub config: PathBuf,
    /// Where it listens.
    pub socket: PathBuf,
    /// Where its database is.
    pub state: PathBuf,
    /// Its key file.
    pub key: PathBuf,
    role: String,
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

    /// Starts the process and waits until it answers.
    #[track_caller]
    pub fn begin(&mut self) {
        assert!(self.try_begin(), "mfad ended at once:\n{}", self.output());
    }

    /// Starts the process; whether it came to answer. Else it has ended.
    #[track_caller]
    pub fn try_begin(&mut self) -> bool {
        assert!(self.child.is_none(), "it is running already");
        let output = File::options().create(true).append(true).open(&self.output).expect("/run is writable");
        let errors = output.try_clone().expect("a descriptor can be copied");
        let mut command = self.mfad(&[&self.role]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut ended = false;
        wait_until("mfad answers or ends", || {
            ended = child.try_wait().expect("a child can be waited for").is_some();
            // A connection alone says little: it is taken before the database was opened. A daemon whose
            // store is unwell answers too, with 1.
            ended || matches!(self.ctl(&["status"]).code, Some(0 | 1))
        });
        if !ended {
            self.child = Some(child);
        }
        !ended
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

    /// Writes a PAM service that wants the password first, then a code, and says "no" to both in the same
    /// way. `arguments` are the module's.
    pub fn guard(&self, service: &str, arguments: &str) {
        let module = self.module_line("required", arguments);
        pam::service(service, &["auth requisite pam_unix.so nodelay", &module, pam::ACCOUNT, pam::SESSION]);
    }

    /// Writes a PAM service that wants a code alone, in a stack that would pass if the module did not count.
    pub fn guard_with_code_alone(&self, service: &str, arguments: &str) {
        let module = self.module_line("required", arguments);
        pam::service(service, &[&module, "auth required pam_permit.so", pam::ACCOUNT, pam::SESSION]);
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

    /// Waits until no wait of a second or so stands in the way of the user's factor: it is open, or locked
    /// for long.
    #[track_caller]
    pub fn wait_out_short_waits(&self, user: &str) {
        wait_until("a short wait is over", || no_short_wait(&self.json(&["show", user])));
    }

    /// Failures that are charged to a user's only factor since its last success.
    #[track_caller]
    pub fn failures(&self, user: &str) -> u64 {
        failures(&self.json(&["show", user]))
    }

    /// Rows of the audit trail about a user, oldest first.
    #[track_caller]
    pub fn audit(&self, user: &str) -> Vec<Value> {
        let all: Vec<&str> = vec!["--json", "audit", "--user", user];
        rows(&self.ctl(&all).ok())
    }
}

/// Whether `mfactl show` says that the only factor is open, or locked for long.
pub(crate) fn no_short_wait(shown: &Value) -> bool {
    let until = shown["factors"][0]["lock"]["until"].as_u64();
    until.is_none_or(|until| until <= unix_now() || until > unix_now() + 60)
}

/// The failures that `mfactl show` says of the only factor.
#[track_caller]
pub(crate) fn failures(shown: &Value) -> u64 {
    shown["factors"][0]["failures"].as_u64().unwrap_or_else(|| panic!("no count of failures in {shown}"))
}

/// One value for each line of JSON.
#[track_caller]
pub(crate) fn rows(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON per row")).collect()
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
