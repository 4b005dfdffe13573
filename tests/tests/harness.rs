//! The harness itself, with modules that Debian ships in the place of ours: when these fail, no other
//! end-to-end test says anything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{fs, process::Command};

use mfa_tests::{
    otp::Seed,
    pam::{self, Driver, Login},
    pty::Session,
    ssh::{self, Sshd},
    world::{self, PASSWORD},
};

const UNIX: &str = "auth required pam_unix.so nodelay";
const ACCOUNT: &str = "account required pam_unix.so";

#[test]
fn a_world_is_apart_from_the_host() {
    world::enter("a_world_is_apart_from_the_host", |world| {
        world.add_user("jane-of-the-world");
        assert!(fs::write("/usr/mfa-test", "").is_err(), "the host can be written to");
        assert_eq!(fs::read_dir("/home").unwrap().count(), 1);
        assert_eq!(std::process::id(), 1, "other processes can be seen");
        let logger = Command::new("logger").args(["-t", "x", "hello world"]).status().unwrap();
        assert!(logger.success());
        assert!(world.log().wait_for("hello world").contains("x: "));
    });
    if world::inside().is_none() {
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        assert!(!passwd.contains(":/home/jane-of-the-world:"), "an account leaked");
    }
}

#[test]
#[should_panic(expected = "inside its world")]
fn a_failure_inside_is_a_failure_outside() {
    world::enter("a_failure_inside_is_a_failure_outside", |_| {
        assert!(world::inside().is_none(), "this must fail");
    });
}

#[test]
#[should_panic(expected = "inside its world")]
fn a_misspelled_test_is_a_failure() {
    world::enter("there_is_no_such_test", |_| {});
}

#[test]
fn the_driver_says_what_libpam_says() {
    world::enter("the_driver_says_what_libpam_says", |world| {
        let jane = world.add_user("jane");
        pam::service("app", &[UNIX, ACCOUNT]);
        let driver = Driver::new("app");
        let outcome = driver.clone().and_account().and_credentials().login("jane", &[PASSWORD]);
        assert_eq!(outcome.result, "PAM_SUCCESS/PAM_SUCCESS/PAM_SUCCESS");
        assert_eq!(outcome.messages, ["P:Password: "]);
        assert_eq!(driver.login("jane", &["wrong"]).result, "PAM_AUTH_ERR");
        assert_eq!(driver.login("jane", &[]).result, "PAM_AUTHTOK_ERR", "no answer was left");
        assert_eq!(driver.login("nobody-there", &["x"]).result, "PAM_USER_UNKNOWN");
        assert!(driver.clone().as_account(&jane).login("jane", &[PASSWORD]).passed(), "unix_chkpwd lets it");

        pam::service("open", &["auth required pam_permit.so"]);
        let logins: Vec<Login<'_>> = (0..12).map(|_| Login { user: "jane", answers: vec![] }).collect();
        let open = Driver::new("open");
        assert_eq!(open.logins(&logins).passed(), 12);
        assert_eq!(open.clone().fresh_processes().warm_up(2).logins(&logins).passed(), 10);
        let run = open.at_once(4).warm_up(1).logins(&logins);
        assert_eq!(run.passed(), 8);
        let mut indexes: Vec<usize> = run.outcomes.iter().map(|outcome| outcome.index).collect();
        indexes.sort_unstable();
        assert_eq!(indexes, [4, 5, 6, 7, 8, 9, 10, 11]);
    });
}

/// Debian's own `pam_oath` stands where `pam_mfa` will: it, too, asks for a code after the password.
#[test]
fn sshd_asks_for_password_and_code() {
    world::enter("sshd_asks_for_password_and_code", |world| {
        world.add_user("jane");
        let seed = Seed::of("jane");
        fs::write("/etc/users.oath", format!("HOTP jane - {}\n", seed.hex())).unwrap();
        pam::service(
            "sshd",
            &[
                "auth requisite pam_unix.so nodelay",
                "auth required pam_oath.so usersfile=/etc/users.oath",
                ACCOUNT,
            ],
        );
        let sshd = Sshd::start(&[]);
        for (code, expected) in [(seed.hotp(0), 0), (seed.hotp(0), 255)] {
            let mut session = ssh::ssh("jane", &[], "id -un");
            session.answer(ssh::PASSWORD_PROMPT, PASSWORD).answer("One-time password", &code);
            let ended = session.end();
            assert_eq!(ended.code, Some(expected), "{}", ended.shown);
        }
        assert!(sshd.log().contains("Accepted keyboard-interactive/pam for jane"));
    });
}

#[test]
fn su_and_sudo_ask_on_the_terminal() {
    world::enter("su_and_sudo_ask_on_the_terminal", |world| {
        let jane = world.add_user("jane");
        world.add_user("bob");
        pam::service("su", &[UNIX, ACCOUNT, "session required pam_permit.so"]);
        pam::service("sudo", &[UNIX, ACCOUNT, "session required pam_permit.so"]);
        fs::write("/etc/sudoers", "Defaults !lecture\njane ALL=(ALL) ALL\n").unwrap();
        let mut su = jane.command("su");
        let mut session = Session::start(su.args(["bob", "-c", "id -un"]));
        session.answer("Password: ", PASSWORD).expect("bob");
        assert_eq!(session.end().code, Some(0));
        let mut sudo = jane.command("sudo");
        let mut session = Session::start(sudo.args(["id", "-un"]));
        session.answer("[sudo] password for jane: ", PASSWORD).expect("root");
        assert_eq!(session.end().code, Some(0));
    });
}
