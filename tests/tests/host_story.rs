//! From a plain Debian host to a login with a code, by three commands that a person types; what is not confirmed is
//! taken back, and the package can go after each step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::time::Instant;

use mfa_tests::{
    host::{self, Host},
    otp::Seed,
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT},
    sys::wait_longer_until,
    world::{self, PASSWORD},
};

/// jane, who administers the host.
fn administrator(host: &Host) {
    host.add_user("jane");
    host.must(&["usermod", "--append", "--groups", "sudo", "jane"]);
}

/// `apt install ./mfad_*.deb`, typed.
#[track_caller]
fn install(host: &Host) {
    let package = host.package();
    let mut apt = host.typed(&format!("cd /root && apt install ./{}", package.trim_start_matches("/root/")));
    if apt.expect_one_of(&["[Y/n]", "Setting up mfad"]) == 0 {
        apt.type_line("y");
    }
    let ended = apt.end();
    assert_eq!(ended.code, Some(0), "{}", ended.shown);
}

/// `mfactl enroll totp jane`, typed, with the code that her app shows; what the app knows.
#[track_caller]
fn enroll(host: &Host) -> Seed {
    let mut enroll = host.typed("mfactl enroll totp jane --uri");
    enroll.expect("secret=");
    enroll.expect("ode");
    let shown = enroll.shown().to_owned();
    let secret = shown.split(['?', '&', '\n']).find_map(|part| part.strip_prefix("secret=")).unwrap();
    let seed = Seed::from_base32(secret.trim());
    enroll.type_line(&seed.totp_now());
    let ended = enroll.end();
    assert_eq!(ended.code, Some(0), "{}", ended.shown);
    seed
}

/// `mfactl pam enable sshd`, typed, up to where it wants to know whether a login works.
#[track_caller]
fn enable(host: &Host, more: &str) -> Session {
    let mut enable = host.typed(&format!("mfactl pam enable sshd {more}"));
    enable.answer("Which one? p, k, or n for neither [p] ", "").expect("Make this change?");
    host.reloading_sshd(|| {
        enable.type_line("y").expect("Does a login in a second terminal work?").expect("later: ");
    });
    enable
}

#[test]
fn three_commands_lead_to_a_login_with_a_code() {
    host::enter("three_commands_lead_to_a_login_with_a_code", |host| {
        administrator(host);
        let begun = Instant::now();
        install(host);
        let seed = enroll(host);
        let mut enable = enable(host, "");
        let code = seed.totp_next();
        assert!(host.login("jane", &code));
        let took = begun.elapsed().as_secs_f64();
        world::tell(&format!("from a plain {} to a login with a code: {took:.1} s", host::release()));
        enable.type_line("y");
        let ended = enable.end();
        assert_eq!(ended.code, Some(0), "{}", ended.shown);
        assert!(!host.login("jane", &code), "a code was taken twice");
        assert!(!host.password_lets_in("jane", PASSWORD), "no code was needed");
        assert!(!host.must(&["mfactl", "pam", "status"]).contains("waits to be confirmed"));
    });
}

#[test]
fn a_login_that_does_not_work_takes_it_back() {
    host::enter("a_login_that_does_not_work_takes_it_back", |host| {
        administrator(host);
        install(host);
        enroll(host);
        let mut enable = enable(host, "");
        assert!(!host.password_lets_in("jane", PASSWORD), "no code was needed");
        host.reloading_sshd(|| enable.type_line("n").expect("aken back"));
        enable.end();
        host.is_plain("jane");
    });
}

/// Nobody can log in, nobody confirms, and the host is restarted: it is taken back all the same.
#[test]
#[ignore = "waits for more than a minute: `make test-hosts`"]
fn what_nobody_confirms_is_taken_back_over_a_restart() {
    host::enter("what_nobody_confirms_is_taken_back_over_a_restart", |host| {
        administrator(host);
        install(host);
        enroll(host);
        let mut enable = enable(host, "--confirm-within 1m");
        enable.type_line("");
        let ended = enable.end();
        assert_eq!(ended.code, Some(0), "{}", ended.shown);
        host.must(&["sh", "-c", ": >$(dpkg -L mfad | grep '/pam_mfa.so$')"]);
        assert!(!host.password_lets_in("jane", PASSWORD), "a module that cannot be loaded lets in");
        host.reboot();
        let waits = || host.must(&["mfactl", "pam", "status"]).contains("waits to be confirmed");
        assert!(waits(), "the restart has confirmed it, or it took more than a minute to get here");
        wait_longer_until("it is taken back", || !waits());
        host.is_plain("jane");
    });
}

/// A step on the way, whether sshd asks for codes after it, and how it is taken.
struct Step(&'static str, bool, fn(&Host));

const STEPS: [Step; 7] = [
    Step("installed", false, |_| {}),
    Step("begun to enroll", false, |host| {
        host.must(&["mfactl", "enroll", "totp", "jane", "--label", "begun", "--json"]);
    }),
    Step("enrolled", false, |host| {
        host.enroll_hotp("jane");
    }),
    Step("enabled", true, enable_unseen),
    Step("confirmed", true, |host| {
        enable_unseen(host);
        host.must(&["mfactl", "pam", "confirm"]);
    }),
    Step("in several stacks", true, |host| {
        enable_unseen(host);
        for service in ["sudo", "login"] {
            host.must(&["mfactl", "pam", "enable", service, "--yes", "--no-revert"]);
        }
    }),
    Step("broken", true, |host| {
        enable_unseen(host);
        host.write("/etc/mfad/conf.d/broken.toml", "nonsense\n");
        host.must(&["rm", "/var/lib/mfad/mfad.db"]);
        host.run(&["systemctl", "restart", "mfad.service"]);
        assert!(!host.is_active("mfad.service"));
    }),
];

/// As a script enables it.
#[track_caller]
fn enable_unseen(host: &Host) {
    let words = ["mfactl", "pam", "enable", "sshd", "--sshd", "password", "--yes"];
    host.reloading_sshd(|| host.must(&words));
    assert!(!host.password_lets_in("jane", PASSWORD), "no code was needed");
}

/// The package goes at any step of the way.
#[test]
fn removal_at_each_step_leaves_a_host_to_log_in_to() {
    host::enter("removal_at_each_step_leaves_a_host_to_log_in_to", |host| {
        administrator(host);
        for Step(name, sshd_asks, take) in STEPS {
            host.install(host.package());
            take(host);
            let remove = || host.run(&["dpkg", "--remove", "mfad"]);
            let removed = if sshd_asks { host.reloading_sshd(remove) } else { remove() };
            assert_eq!(removed.code, Some(0), "{name}: {removed:?}");
            host.is_plain("jane");
            assert_eq!(host.must(&["systemctl", "is-system-running"]), "running\n", "{name}");
        }
    });
}

/// A login is asked for its code when the package goes.
#[test]
fn a_login_under_way_ends_safely_when_the_package_goes() {
    host::enter("a_login_under_way_ends_safely_when_the_package_goes", |host| {
        administrator(host);
        host.install(host.package());
        let seed = host.enroll_hotp("jane");
        enable_unseen(host);
        let at_its_code = || {
            let mut session = host.ssh("jane", &[], "id -un");
            session.answer(PASSWORD_PROMPT, PASSWORD).expect(CODE_PROMPT);
            session
        };
        let (mut right, mut empty) = (at_its_code(), at_its_code());
        host.reloading_sshd(|| host.must(&["dpkg", "--remove", "mfad"]));
        right.type_line(&seed.hotp(0));
        assert!(!ssh::was_let_in(right, "jane"), "nobody was there to judge the code");
        empty.type_line("");
        assert!(!ssh::was_let_in(empty, "jane"), "it was let in without a code");
        host.is_plain("jane");
    });
}
