//! The examples in `etc/pam.d` as they are, run by libpam: who has both factors is let in, everybody else is
//! not. Nothing is changed in them but where the module and the socket are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::{self, Driver},
    pty::Session,
    ssh::CODE_PROMPT,
    world::{self, Account, PASSWORD, World},
};

/// Installs an example as the PAM service `service`.
fn install(daemon: &Daemon, example: &str, service: &str) {
    let ours = format!("{} socket={}", World::built("libpam_mfa.so").display(), daemon.socket.display());
    let lines: Vec<String> = example
        .lines()
        .map(
            |line| if line.starts_with("auth") { line.replace("pam_mfa.so", &ours) } else { line.to_owned() },
        )
        .collect();
    assert_eq!(lines.iter().filter(|line| line.contains(&ours)).count(), 1, "one line is ours: {lines:?}");
    pam::service(service, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// An account with password and factor.
fn jane(world: &World, daemon: &Daemon) -> (Account, Seed) {
    let account = world.add_user("jane");
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    (account, seed)
}

/// Logs jane in by `service`, with the account phase as well.
fn log_in(service: &str, answers: &[&str]) -> String {
    Driver::new(service).and_account().and_credentials().login("jane", answers).result
}

const ALL_PASSED: &str = "PAM_SUCCESS/PAM_SUCCESS/PAM_SUCCESS";

#[test]
fn the_example_for_sshd_wants_password_and_code() {
    world::enter("the_example_for_sshd_wants_password_and_code", |world| {
        let mut daemon = Daemon::start(world);
        let (_, seed) = jane(world, &daemon);
        install(&daemon, include_str!("../../etc/pam.d/sshd"), "sshd");
        assert_eq!(log_in("sshd", &[PASSWORD, &seed.hotp(0)]), ALL_PASSED);
        assert_ne!(log_in("sshd", &[PASSWORD, &seed.hotp(0)]), ALL_PASSED, "a code was taken twice");
        assert_eq!(daemon.failures("jane"), 1);
        assert_ne!(log_in("sshd", &["not it", &seed.hotp(1)]), ALL_PASSED);
        assert_eq!(daemon.failures("jane"), 1, "nobody without the password uses up attempts");
        assert_eq!(log_in("sshd", &[PASSWORD, &seed.hotp(1)]), ALL_PASSED);
        daemon.stop();
        assert_eq!(log_in("sshd", &[PASSWORD, &seed.hotp(2)]), "PAM_AUTHINFO_UNAVAIL");
    });
}

#[test]
fn the_example_for_keys_wants_a_code_and_lets_rules_skip_it() {
    world::enter("the_example_for_keys_wants_a_code_and_lets_rules_skip_it", |world| {
        let rule = "[[policy.rule]]\nname = \"robot\"\nmatch = { user = [\"robot\"] }\naction = \"skip\"\n";
        let mut daemon = Setup::new(world).section(rule).start();
        let (_, seed) = jane(world, &daemon);
        world.add_user("robot");
        install(&daemon, include_str!("../../etc/pam.d/sshd-key"), "sshd");
        assert_eq!(log_in("sshd", &[&seed.hotp(0)]), ALL_PASSED);
        assert_eq!(log_in("sshd", &[&seed.hotp(0)]), "PAM_AUTH_ERR", "a code was taken twice");
        assert!(Driver::new("sshd").login("robot", &[]).passed(), "the rule lets it skip");
        assert!(!Driver::new("sshd").login("nobodyhere", &["123456"]).passed());
        daemon.stop();
        assert_eq!(log_in("sshd", &[&seed.hotp(1)]), "PAM_AUTHINFO_UNAVAIL");
        assert!(!Driver::new("sshd").login("robot", &[]).passed(), "no daemon, no rule");
    });
}

#[test]
fn the_example_for_one_field_wants_password_and_code_in_it() {
    world::enter("the_example_for_one_field_wants_password_and_code_in_it", |world| {
        let mut daemon = Daemon::start(world);
        let (_, seed) = jane(world, &daemon);
        install(&daemon, include_str!("../../etc/pam.d/openvpn"), "openvpn");
        let field = |password: &str, code: &str| log_in("openvpn", &[&format!("{password}{code}")]);
        assert_eq!(field(PASSWORD, &seed.hotp(0)), ALL_PASSED);
        let replayed = field(PASSWORD, &seed.hotp(0));
        let mistyped = field("not it", &seed.hotp(1));
        assert_eq!((replayed.as_str(), mistyped.as_str()), ("PAM_AUTH_ERR", "PAM_AUTH_ERR"));
        assert_ne!(field(PASSWORD, ""), ALL_PASSED);
        assert_eq!(daemon.failures("jane"), 0, "it has a budget of its own");
        daemon.stop();
        assert_ne!(field(PASSWORD, &seed.hotp(2)), ALL_PASSED);
    });
}

#[test]
fn the_examples_for_su_and_sudo_ask_who_they_should() {
    world::enter("the_examples_for_su_and_sudo_ask_who_they_should", |world| {
        let daemon = Daemon::start(world);
        let (jane, seed) = jane(world, &daemon);
        world.add_user("bob");
        let bobs = Seed::of("bob");
        daemon.enroll_hotp("bob", &bobs, 0);
        install(&daemon, include_str!("../../etc/pam.d/su"), "su");
        install(&daemon, include_str!("../../etc/pam.d/sudo"), "sudo");
        std::fs::write(
            "/etc/sudoers",
            "Defaults !lecture, timestamp_timeout=0, passwd_tries=1\njane ALL=(ALL) ALL\n",
        )
        .unwrap();
        let by_jane = |program: &str, arguments: &[&str], password: &str, code: &str| {
            let mut command = jane.command(program);
            let mut session = Session::start(command.args(arguments));
            session.answer(password, PASSWORD).answer(CODE_PROMPT, code);
            while session.expect_one_of(&[CODE_PROMPT, "\nin\n", &format!("{program}: ")]) == 0 {
                session.type_line("");
            }
            session.end().code == Some(0)
        };
        let su = |code: &str| by_jane("su", &["bob", "-c", "echo in"], "Password: ", code);
        let sudo = |code: &str| by_jane("sudo", &["echo", "in"], "password for jane: ", code);
        assert!(!su(&seed.hotp(0)), "su took the caller's code");
        assert!(su(&bobs.hotp(0)));
        assert!(!su(&bobs.hotp(0)), "a code was taken twice");
        assert!(sudo(&seed.hotp(0)));
        assert!(!sudo(&seed.hotp(0)), "a code was taken twice");
        // root is asked nothing, and its stack does not depend on the daemon.
        assert!(Driver::new("su").login("bob", &[]).passed());
    });
}
