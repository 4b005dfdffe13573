//! The day on which nothing else works: an emergency code through the real sshd.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    sys::wait_until,
    world::{self, PASSWORD},
};

fn made(daemon: &Daemon, user: &str, more: &[&str]) -> String {
    let words = [&["breakglass", user, "--reason", "phone lost", "--stdout"], more].concat();
    let said = daemon.json(&words);
    said["code"].as_str().unwrap_or_else(|| panic!("no code in {said}")).to_owned()
}

fn logs_in(user: &str, code: &str) -> bool {
    let mut session = ssh::ssh(user, &[], "id -un");
    session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, code);
    ssh::was_let_in(session, user)
}

#[test]
fn an_emergency_code_lets_in_over_ssh_once_when_the_factor_is_locked() {
    world::enter("an_emergency_code_lets_in_over_ssh_once_when_the_factor_is_locked", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard("sshd", "timeout=10");
        let _sshd = Sshd::start(&[]);
        while daemon.failures("jane") < 5 {
            daemon.wait_out_short_waits("jane");
            assert!(!ssh::login("jane", &seed.wrong()));
        }
        let code = made(&daemon, "jane", &[]);
        // A shell: sshd shows what PAM says at the end to those alone.
        let mut session = ssh::ssh("jane", &[], "");
        session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, "?");
        session.expect("breakglass (emergency code)").answer(CODE_PROMPT, &code);
        session.expect("You were let in by an emergency code of ");
        session.expect("Enroll a factor now: mfactl enroll totp").answer("$ ", "exec id -un");
        session.expect("jane\n");
        assert_eq!(session.end().code, Some(0));
        daemon.ctl(&["unlock", "jane"]).ok();
        assert!(!logs_in("jane", &code), "a code was taken twice");

        let rows = daemon.audit("jane");
        let row = |event: &str| rows.iter().find(|row| row["event"] == event);
        let made = row("breakglass").expect("that it was made is in the trail");
        assert_eq!((made["reason"].as_str(), made["actor"].as_u64()), (Some("phone lost"), Some(0)));
        let used = row("breakglass_used").expect("that it was used is in the trail");
        assert_eq!((used["service"].as_str(), used["source"].as_str()), (Some("sshd"), Some("127.0.0.1")));
        world.log().wait_for("emergency code made: user=jane by uid 0");
        world.log().wait_for("emergency code used: user=jane service=sshd source=127.0.0.1");
        assert!(world.log().lines(code.get(3..).unwrap()).is_empty(), "the code is in the log");
        assert!(!rows.iter().any(|row| row.to_string().contains(&code)), "the code is in the trail");
    });
}

#[test]
fn whoever_holds_nothing_gets_in_by_one_and_holds_nothing_again() {
    world::enter("whoever_holds_nothing_gets_in_by_one_and_holds_nothing_again", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(Driver::new("app").login("jane", &["123456", "123456", "123456"]).result, "PAM_AUTH_ERR");
        let void = made(&daemon, "jane", &["--for", "5m"]);
        let code = made(&daemon, "jane", &["--for", "30m"]);
        assert!(!Driver::new("app").login("jane", &[&void, "", ""]).passed(), "a new one voids it");
        assert_eq!(Driver::new("app").login("jane", &[&code]).result, "PAM_SUCCESS");
        assert!(!Driver::new("app").login("jane", &[&code, "", ""]).passed());
        assert_eq!(daemon.ctl(&["show", "jane"]).code, Some(7), "no row is left");
    });
}

/// Where those who hold nothing are let in without, whoever was given a code has to show it.
#[test]
fn it_is_asked_for_where_those_who_hold_nothing_are_not_asked() {
    world::enter("it_is_asked_for_where_those_who_hold_nothing_are_not_asked", |world| {
        world.add_user("jane");
        let daemon = Setup::new(world).unenrolled("skip").start();
        daemon.guard_with_code_alone("app", "");
        assert_eq!(Driver::new("app").login("jane", &[]).result, "PAM_SUCCESS");
        let code = made(&daemon, "jane", &[]);
        assert!(!Driver::new("app").login("jane", &["123456", "123456", "123456"]).passed());
        assert_eq!(Driver::new("app").login("jane", &[&code]).result, "PAM_SUCCESS");
        assert_eq!(Driver::new("app").login("jane", &[]).result, "PAM_SUCCESS");
        made(&daemon, "jane", &[]);
        assert_eq!(daemon.ctl(&["remove", "jane", "--label", "breakglass", "--yes"]).code, Some(0));
        wait_until("it is taken back", || daemon.ctl(&["show", "jane"]).code == Some(7));
    });
}

/// A copy of the database that was made while a code counted does not bring it back.
#[test]
fn a_restored_copy_has_no_emergency_code() {
    world::enter("a_restored_copy_has_no_emergency_code", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        daemon.guard_with_code_alone("app", "");
        let code = made(&daemon, "jane", &[]);
        daemon.ctl(&["backup", "/tmp/copy"]).ok();
        daemon.ctl(&["restore", "/tmp/copy", "--yes"]).ok();
        assert!(!Driver::new("app").login("jane", &[&code, "", ""]).passed());
        assert_eq!(Driver::new("app").login("jane", &[&Seed::of("jane").hotp(0)]).result, "PAM_SUCCESS");
    });
}
