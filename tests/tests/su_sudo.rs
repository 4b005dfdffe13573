//! `su` and `sudo` on a terminal: setuid programs that ask by PAM.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::fs;

use mfa_tests::{
    daemon::Daemon,
    otp::Seed,
    pty::Session,
    ssh::{self, CODE_PROMPT, Sshd},
    world::{self, Account, PASSWORD, World},
};

fn scene(world: &World) -> (Account, Daemon) {
    let jane = world.add_user("jane");
    world.add_user("bob");
    let daemon = Daemon::start(world);
    for user in ["jane", "bob"] {
        daemon.enroll_hotp(user, &Seed::of(user), 0);
    }
    for service in ["su", "sudo", "sshd"] {
        daemon.guard(service, "timeout=3");
    }
    fs::write("/etc/sudoers", "Defaults !lecture, timestamp_timeout=0, passwd_tries=1\njane ALL=(ALL) ALL\n")
        .unwrap();
    (jane, daemon)
}

/// `su bob` by jane; whether it became bob.
#[track_caller]
fn su_to_bob(jane: &Account, code: &str) -> bool {
    let mut su = jane.command("su");
    let mut session = Session::start(su.args(["bob", "-c", "id -un"]));
    session.answer("Password: ", PASSWORD).answer(CODE_PROMPT, code);
    while session.expect_one_of(&[CODE_PROMPT, "\nbob\n", "su: "]) == 0 {
        session.type_line("");
    }
    let ended = session.end();
    let became = ended.shown.contains("\nbob\n");
    assert_eq!(ended.code == Some(0), became, "{}", ended.shown);
    became
}

/// `sudo` by jane; whether it became root.
#[track_caller]
fn sudo(jane: &Account, code: &str) -> bool {
    let mut sudo = jane.command("sudo");
    let mut session = Session::start(sudo.args(["id", "-un"]));
    session.answer("password for jane: ", PASSWORD).answer(CODE_PROMPT, code);
    while session.expect_one_of(&[CODE_PROMPT, "\nroot\n", "sudo: "]) == 0 {
        session.type_line("");
    }
    let ended = session.end();
    let became = ended.shown.contains("\nroot\n");
    assert_eq!(ended.code == Some(0), became, "{}", ended.shown);
    became
}

#[test]
fn su_asks_for_the_code_of_the_account_it_becomes() {
    world::enter("su_asks_for_the_code_of_the_account_it_becomes", |world| {
        let (jane, daemon) = scene(world);
        let bob = Seed::of("bob");
        assert!(!su_to_bob(&jane, &Seed::of("jane").hotp(0)), "jane's code made her bob");
        assert_eq!((daemon.failures("bob"), daemon.failures("jane")), (1, 0));
        assert!(su_to_bob(&jane, &bob.hotp(0)));
        assert!(!su_to_bob(&jane, &bob.hotp(0)), "a code was taken twice");
    });
}

#[test]
fn sudo_asks_for_the_callers_code() {
    world::enter("sudo_asks_for_the_callers_code", |world| {
        let (jane, daemon) = scene(world);
        let seed = Seed::of("jane");
        assert!(!sudo(&jane, &seed.wrong()));
        assert_eq!(daemon.failures("jane"), 1);
        assert!(sudo(&jane, &seed.hotp(0)));
        assert!(!sudo(&jane, &seed.hotp(0)), "a code was taken twice");
    });
}

#[test]
fn a_code_is_used_up_for_all_services() {
    world::enter("a_code_is_used_up_for_all_services", |world| {
        let (jane, _daemon) = scene(world);
        let _sshd = Sshd::start(&[]);
        let seed = Seed::of("jane");
        assert!(ssh::login("jane", &seed.hotp(0)));
        assert!(!sudo(&jane, &seed.hotp(0)), "sshd's code was taken by sudo");
        assert!(sudo(&jane, &seed.hotp(1)));
        assert!(!ssh::login("jane", &seed.hotp(1)), "sudo's code was taken by sshd");
    });
}

#[test]
fn without_a_daemon_neither_goes_on() {
    world::enter("without_a_daemon_neither_goes_on", |world| {
        let (jane, mut daemon) = scene(world);
        daemon.stop();
        for words in [&["su", "bob", "-c", "id -un"][..], &["sudo", "id", "-un"]] {
            let mut command = jane.command(words[0]);
            let mut session = Session::start(command.args(&words[1..]));
            session.expect_one_of(&["Password: ", "password for jane: "]);
            session.type_line(PASSWORD);
            let ended = session.end();
            assert_ne!(ended.code, Some(0), "{}", ended.shown);
        }
        daemon.begin();
        assert!(su_to_bob(&jane, &Seed::of("bob").hotp(0)));
        assert!(sudo(&jane, &Seed::of("jane").hotp(0)));
    });
}
