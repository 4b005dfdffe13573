//! mfad on a booted host, as its administrator has to do with it: the package, factors, stacks by hand, logins with
//! a code. Refuses to know more of it than the host's own `mfactl` says.

use std::fs;

use serde_json::Value;

use super::Host;
use crate::{
    daemon,
    otp::Seed,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT},
    sys::{run_with, wait_until},
    world::PASSWORD,
};

/// How the line of the module stands in a stack.
pub const MODULE_LINE: &str = "auth required pam_mfa.so";

impl Host {
    /// Installs a package, as an administrator does who has downloaded it.
    #[track_caller]
    pub fn install(&self, package: &str) {
        self.must(&["apt-get", "install", "--yes", "--quiet", package]);
    }

    /// Enrolls a token with a button, without asking for a code of it; its seed.
    #[track_caller]
    pub fn enroll_hotp(&self, user: &str) -> Seed {
        let seed = Seed::of(user);
        let mut enroll = self.command("mfactl");
        enroll.args(["enroll", "hotp", user, "--secret-stdin", "--counter", "0", "--no-confirm"]);
        run_with(&mut enroll, &(seed.base32() + "\n")).ok();
        seed
    }

    /// What `mfactl --json` says.
    #[track_caller]
    pub fn mfactl(&self, words: &[&str]) -> Value {
        let said = self.must(&[&["mfactl", "--json"], words].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("mfactl {words:?}: {error} in {said}"))
    }

    /// Failures that are charged to a user's only factor since its last success.
    #[track_caller]
    pub fn failures(&self, user: &str) -> u64 {
        daemon::failures(&self.mfactl(&["show", user]))
    }

    /// Fails to log in until the user's factor is locked.
    #[track_caller]
    pub fn lock_out(&self, user: &str, wrong: &str) {
        while self.failures(user) < 5 {
            wait_until("a short wait is over", || daemon::no_short_wait(&self.mfactl(&["show", user])));
            assert!(!self.login(user, wrong), "a wrong code was taken");
        }
    }

    /// Puts the module's line behind the password of a stack, by hand.
    #[track_caller]
    pub fn guard(&self, service: &str) {
        let path = format!("/etc/pam.d/{service}");
        let stack = fs::read_to_string(self.path(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let password = "@include common-auth\n";
        assert!(stack.contains(password), "{path} asks for no password:\n{stack}");
        self.write(&path, &stack.replacen(password, &format!("{password}{MODULE_LINE}\n"), 1));
    }

    /// Has sshd ask by PAM, in a stack with the module's line, with these lines of its own besides.
    #[track_caller]
    pub fn guard_sshd(&self, lines: &str) {
        self.guard("sshd");
        self.configure_sshd(lines);
    }

    /// Has sshd ask by PAM, with these lines besides.
    #[track_caller]
    pub fn configure_sshd(&self, lines: &str) {
        let usual = "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n";
        self.write("/etc/ssh/sshd_config.d/10-test.conf", &format!("{lines}\n{usual}"));
        // Not a reload, which is done only some time after it was asked for.
        self.must(&["systemctl", "restart", "ssh.service"]);
    }

    /// Runs what has sshd read its configuration again, and waits until it has: it listens anew.
    #[track_caller]
    pub fn reloading_sshd<T>(&self, act: impl FnOnce() -> T) -> T {
        let listened = || self.journal(&["--unit=ssh.service", "--grep=^Server listening"]).len();
        let before = listened();
        let done = act();
        wait_until("sshd listens anew", || listened() > before);
        done
    }

    /// A login by password and code over the cable; whether it was let in.
    #[track_caller]
    pub fn login(&self, user: &str, code: &str) -> bool {
        let mut session = self.ssh(user, &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        session.expect_one_of(&[CODE_PROMPT, ssh::ENTER_PROMPT]);
        session.type_line(code);
        ssh::was_let_in(session, user)
    }

    /// Whether a user gets in over the cable by a password and nothing else. Without a daemon, a refusal takes as long
    /// as the module waits for one.
    #[track_caller]
    pub fn password_lets_in(&self, user: &str, password: &str) -> bool {
        let mut session = self.ssh(user, &[], "id -un");
        session.expect_one_of(&[PASSWORD_PROMPT, "'s password: "]);
        session.type_line(password).patient();
        ssh::was_let_in(session, user)
    }

    /// Nobody needs a code, nobody gets in without a password, and no stack names a module that is not there.
    #[track_caller]
    pub fn is_plain(&self, user: &str) {
        assert!(self.password_lets_in(user, PASSWORD), "the password does not let in");
        for wrong in ["", "wrong"] {
            assert!(!self.password_lets_in(user, wrong), "{wrong:?} lets in");
        }
        for stack in fs::read_dir(self.path("/etc/pam.d")).expect("the host has stacks") {
            let path = stack.expect("it can be read").path();
            let text = fs::read_to_string(&path).expect("it can be read");
            let names_it = |line: &str| line.split('#').next().is_some_and(|rule| rule.contains("pam_mfa"));
            assert!(!text.lines().any(names_it), "{}:\n{text}", path.display());
        }
    }
}
