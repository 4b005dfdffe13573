//! Machines that log in through the real sshd with signed tokens: by a key of their own, `SSH_ASKPASS`, and the
//! example script that makes a token of two secrets, with Python's standard library alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    ssh::{self, Sshd},
    sys::{Ran, run_with},
    world::{self, Account, PLACE, World},
};

const SEED: &str = "XVGR73KMZH2M4XMYXVGR73KMZH2M4XMY";
const SIGNING: &str = "MARKERMARKERMARKERMARKERMARKER32";

/// A file in the world's own directory, which is readable by its owner alone.
fn private(name: &str, text: &str, mode: u32) -> PathBuf {
    let path = Path::new(PLACE).join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// The example as it is installed.
fn askpass() -> PathBuf {
    private("mfa-askpass", include_str!("../../etc/examples/mfa-askpass"), 0o755)
}

/// What the example needs of whoever signs for `jid`.
fn secrets(jid: &str, seed: &str, signing: &str) -> PathBuf {
    private("mfa-token", &format!("jid = {jid}\nseed = {seed}\nsigning_secret = {signing}\n"), 0o600)
}

/// A machine that has an account with a key, where sshd wants key and code.
struct Robot {
    account: Account,
    identity: String,
    daemon: Daemon,
    sshd: Sshd,
}

fn robot(world: &World, daemon: Daemon) -> Robot {
    let account = world.add_user("robot");
    daemon.guard_with_code_alone("sshd", "");
    let sshd = Sshd::start(&["AuthenticationMethods publickey,keyboard-interactive"]);
    let identity = format!("IdentityFile={}", ssh::authorize_key(&account).display());
    Robot { account, identity, daemon, sshd }
}

/// Runs a client without terminal; `askpass` answers what it is asked.
fn run(command: &mut Command, askpass: &Path) -> Ran {
    command.env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force");
    run_with(command.env("MFA_TOKEN_FILE", Path::new(PLACE).join("mfa-token")), "")
}

impl Robot {
    fn ssh(&self, askpass: &Path) -> Ran {
        run(ssh::client("ssh", &[&self.identity]).args(["robot@127.0.0.1", "id -un"]), askpass)
    }

    fn rsync(&self, askpass: &Path, from: &str, to: &str) -> Ran {
        let ssh = ssh::client("ssh", &[&self.identity]);
        let words = std::iter::once(ssh.get_program()).chain(ssh.get_args());
        let transport: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
        let to = format!("robot@127.0.0.1:{to}");
        run(Command::new("rsync").args(["-a", "-e", &transport.join(" "), from, &to]), askpass)
    }

    #[track_caller]
    fn is_refused(&self, askpass: &Path) {
        let ran = self.ssh(askpass);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(255), ""), "{}", ran.stderr);
    }

    #[track_caller]
    fn is_let_in(&self, askpass: &Path) {
        assert_eq!(self.ssh(askpass).ok(), "robot\n");
    }
}

/// A script that always says the same.
fn saying(name: &str, text: &str) -> PathBuf {
    private(name, &format!("#!/bin/sh\nprintf '%s\\n' '{text}'\n"), 0o755)
}

/// A daemon for which example.org signs.
fn with_domain(world: &World) -> Daemon {
    let setup = Setup::new(world).section(&format!(
        "[token]\ncredentials_dir = \"{PLACE}\"\n[token.\"example.org\"]\nseed = \"the-seed\"\nsigning_secret = \"the-key\""
    ));
    let mut daemon = setup.prepare();
    let owner = fs::metadata(&daemon.state).unwrap().uid();
    for (name, text) in [("the-seed", SEED), ("the-key", SIGNING)] {
        chown(private(name, text, 0o400), Some(owner), None).unwrap();
    }
    daemon.begin();
    daemon
}

#[test]
fn a_machine_copies_files_with_tokens_that_its_domain_signs() {
    world::enter("a_machine_copies_files_with_tokens_that_its_domain_signs", |world| {
        let robot = robot(world, with_domain(world));
        let askpass = askpass();
        secrets("robot@example.org", SEED, SIGNING);
        fs::write("/tmp/letter", "beep").unwrap();
        robot.rsync(&askpass, "/tmp/letter", "by-rsync").ok();
        assert_eq!(fs::read_to_string(robot.account.home.join("by-rsync")).unwrap(), "beep");
        robot.is_let_in(&askpass);

        // What was copied off the wire is worth nothing.
        let question = "(robot@127.0.0.1) Verification code: ";
        let token_file = Path::new(PLACE).join("mfa-token");
        let token = run_with(Command::new(&askpass).arg(question).env("MFA_TOKEN_FILE", token_file), "").ok();
        let once = saying("once", token.trim());
        robot.is_let_in(&once);
        robot.is_refused(&once);

        let shown = robot.daemon.json(&["show", "robot"]);
        assert_eq!(
            (&shown["factors"][0]["kind"], &shown["factors"][0]["label"]),
            (&"token".into(), &"example.org".into())
        );
        secrets("jane@example.org", SEED, SIGNING);
        robot.is_refused(&askpass);
        secrets("robot@example.com", SEED, SIGNING);
        robot.is_refused(&askpass);
        secrets("robot@example.org", SEED, "another-secret-that-can-sign-as-well");
        robot.is_refused(&askpass);

        secrets("robot@example.org", SEED, SIGNING);
        robot.daemon.ctl(&["unlock", "robot"]).ok();
        robot.daemon.ctl(&["disable", "robot", "--label", "example.org"]).ok();
        robot.is_refused(&askpass);
        robot.daemon.ctl(&["enable", "robot", "--label", "example.org"]).ok();
        robot.daemon.ctl(&["unlock", "robot"]).ok();
        robot.is_let_in(&askpass);
        nothing_was_told(world, &robot, &[SEED, SIGNING, token.trim()]);
    });
}

#[test]
fn a_machine_with_secrets_of_its_own_logs_in_and_is_given_tokens() {
    world::enter("a_machine_with_secrets_of_its_own_logs_in_and_is_given_tokens", |world| {
        let robot = robot(world, Setup::new(world).section("[token]\nhost = \"host.example.org\"").start());
        let askpass = askpass();
        let made = robot.daemon.json(&["enroll", "token", "robot"]);
        let [seed, signing] = ["secret", "signing_secret"].map(|key| made[key].as_str().unwrap().to_owned());
        secrets("robot@host.example.org", &seed, &signing);
        robot.is_let_in(&askpass);

        let issued = robot.daemon.ctl(&["token", "issue", "robot"]).ok();
        let once = saying("once", issued.trim());
        fs::write("/tmp/letter", "beep").unwrap();
        robot.rsync(&once, "/tmp/letter", "by-rsync").ok();
        assert_eq!(fs::read_to_string(robot.account.home.join("by-rsync")).unwrap(), "beep");
        assert_ne!(robot.rsync(&once, "/tmp/letter", "replayed").code, Some(0));
        assert!(!robot.account.home.join("replayed").exists());
        nothing_was_told(world, &robot, &[&seed, &signing, issued.trim()]);
    });
}

#[test]
fn the_script_answers_nothing_but_the_question_for_a_code() {
    world::enter("the_script_answers_nothing_but_the_question_for_a_code", |_world| {
        let askpass = askpass();
        let file = secrets("robot@example.org", SEED, SIGNING);
        let ask =
            |question: &str| run_with(Command::new(&askpass).arg(question).env("MFA_TOKEN_FILE", &file), "");
        assert_eq!(ask("(robot@host) Verification code: ").code, Some(0));
        assert_eq!(ask("Verification code: ").code, Some(0), "as older clients ask");
        for question in [
            "(robot@host) Password: ",
            "(robot@host) Wrong code. Verification code: ",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "",
        ] {
            let ran = ask(question);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{question}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let ran = ask("Verification code: ");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        assert!(ran.stderr.contains("chmod 0600"), "{}", ran.stderr);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "jid = a@b\nseed = 0189\nsigning_secret = x\n", "jid = a@b\nseed = AAAA\n"] {
            fs::write(&file, text).unwrap();
            let ran = ask("Verification code: ");
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{text:?}");
            assert!(ran.stderr.starts_with("mfa-askpass: "), "{}", ran.stderr);
        }
    });
}

/// No log, no output and no database holds a secret or a token.
#[track_caller]
fn nothing_was_told(world: &World, robot: &Robot, secrets: &[&str]) {
    let logged = world.log().lines("").join("\n");
    assert!(logged.contains("user=robot"), "the log of the daemon is looked at");
    let mut told = format!("{logged}{}{}", robot.daemon.output(), robot.sshd.log()).into_bytes();
    for file in fs::read_dir(&robot.daemon.state).unwrap() {
        told.extend(fs::read(file.unwrap().path()).unwrap());
    }
    for secret in secrets.iter().flat_map(|secret| secret.split(' ')) {
        assert!(!told.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} was told");
    }
}
