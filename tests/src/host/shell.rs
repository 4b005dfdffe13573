//! What is done on a booted host and seen of it: commands, accounts, logins over its cable, its journal. Refuses
//! to judge what comes of it.

use std::{
    ffi::OsStr,
    fs,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{ADDRESS, Host};
use crate::{
    daemon,
    pty::Session,
    ssh,
    sys::{Ran, run_with},
    world::{Account, PASSWORD},
};

impl Host {
    /// A command that runs on the host as root.
    #[track_caller]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", self.init(), "--all", "--"])
            .arg(program)
            .env("HOME", "/root")
            .env("USER", "root");
        command
    }

    /// A command that runs on the host as one of its accounts, with its groups and home.
    #[track_caller]
    pub fn command_of(&self, account: &Account, program: &str) -> Command {
        let mut command = self.command("setpriv");
        command
            .arg(format!("--reuid={}", account.uid))
            .arg(format!("--regid={}", account.uid))
            .args(["--init-groups", "--", program])
            .env("HOME", format!("/home/{}", account.name))
            .env("USER", &account.name);
        command
    }

    /// Runs a command on the host as root, given as words, without input.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Ran {
        run_with(self.command(words[0]).args(&words[1..]), "")
    }

    /// Runs a command that must succeed; its standard output.
    #[track_caller]
    pub fn must(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, Some(0), "{words:?} failed: {} {}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Root types a command at a terminal of the host.
    #[track_caller]
    pub fn typed(&self, line: &str) -> Session {
        self.at_terminal(self.command("bash").args(["-c", line]))
    }

    /// A command of [`Self::command`] or [`Self::command_of`] with a terminal as its controlling one. The session that
    /// it would else be in has a leader outside the host, whom nobody inside can name.
    #[track_caller]
    pub fn at_terminal(&self, command: &Command) -> Session {
        let entered: Vec<&OsStr> = command.get_args().collect();
        let at = entered.iter().position(|word| *word == "--").expect("nsenter's words end so") + 1;
        let mut inner = Command::new(command.get_program());
        inner.args(&entered[..at]).args(["setsid", "--ctty", "--wait"]).args(&entered[at..]);
        inner.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Session::start(&inner)
    }

    /// Writes a file of the host's.
    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Whether a unit is active.
    #[track_caller]
    pub fn is_active(&self, unit: &str) -> bool {
        self.run(&["systemctl", "--quiet", "is-active", unit]).code == Some(0)
    }

    /// Adds an account whose password is [`PASSWORD`].
    #[track_caller]
    pub fn add_user(&self, name: &str) -> Account {
        self.must(&["useradd", "--create-home", "--shell", "/bin/bash", name]);
        // Few rounds: how hard a password is to guess is not what is tested.
        let mut chpasswd = self.command("chpasswd");
        run_with(chpasswd.args(["-c", "SHA512", "-s", "1000"]), &format!("{name}:{PASSWORD}\n")).ok();
        self.account(name)
    }

    /// An account that there is.
    #[track_caller]
    pub fn account(&self, name: &str) -> Account {
        let uid = self.must(&["id", "-u", name]).trim().parse().expect("a uid is a number");
        Account { name: name.to_owned(), uid, home: self.path("/home").join(name) }
    }

    /// An `ssh` session to the host from the other end of its cable, before its first prompt.
    pub fn ssh(&self, user: &str, options: &[&str], remote_command: &str) -> Session {
        ssh::ssh_to(ADDRESS, user, options, remote_command)
    }

    /// What the journal has of this boot, by matches as `journalctl` takes them.
    #[track_caller]
    pub fn journal(&self, matches: &[&str]) -> Vec<Value> {
        self.must(&["journalctl", "--sync"]);
        daemon::rows(
            &self.must(&[&["journalctl", "--boot", "--output=json", "--no-pager"], matches].concat()),
        )
    }

    /// Puts the end of the journal where the test's output is.
    pub(super) fn show_journal(&self) {
        let mut journalctl = self.command("journalctl");
        journalctl.args(["--boot", "--no-pager", "--lines=80"]).stdin(Stdio::null());
        journalctl.status().ok();
    }
}
