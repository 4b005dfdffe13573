//! What lasts on a booted Debian host: used codes, counts and locks over a restart of the daemon, of the host, and a
//! pulled plug; the configuration that was good over a reload with one that is not; all of it over an upgrade.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use mfa_tests::{
    host::{self, Host},
    otp::Seed,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT},
    sys::{wait_longer_until, wait_until},
    world::PASSWORD,
};

/// mfad installed from this package, sshd asking for codes; jane, who has a token with a button.
fn scene(host: &Host, package: &str) -> Seed {
    host.install(package);
    host.add_user("jane");
    host.guard_sshd("");
    host.enroll_hotp("jane")
}

/// What happens to a host, and how.
struct Ending(&'static str, fn(&mut Host));

const ENDINGS: [Ending; 3] = [
    Ending("the daemon was restarted", |host| {
        host.must(&["systemctl", "restart", "mfad.service"]);
    }),
    Ending("the host was restarted", Host::reboot),
    Ending("the plug was pulled", |host| {
        host.pull_the_plug();
        host.boot();
    }),
];

#[test]
fn a_used_code_stays_used_and_a_lock_stays_shut() {
    host::enter("a_used_code_stays_used_and_a_lock_stays_shut", |host| {
        let seed = scene(host, host.package());
        host.add_user("bob");
        let bobs = host.enroll_hotp("bob");
        assert!(host.login("jane", &seed.hotp(3)), "a token may be some presses ahead");
        host.lock_out("bob", &bobs.wrong());
        for (number, Ending(what, end)) in (4..).zip(ENDINGS) {
            end(host);
            for used in [seed.hotp(0), seed.hotp(number - 1)] {
                assert!(!host.login("jane", &used), "{what}, and a used code was taken");
            }
            assert!(!host.login("bob", &bobs.hotp(0)), "{what}, and a lock was open");
            assert_eq!(host.failures("bob"), 5, "{what}");
            assert!(host.login("jane", &seed.hotp(number)), "{what}, and a new code was refused");
        }
        host.must(&["mfactl", "audit", "verify"]);
    });
}

#[test]
fn a_reload_with_a_broken_configuration_changes_nothing() {
    host::enter("a_reload_with_a_broken_configuration_changes_nothing", |host| {
        let seed = scene(host, host.package());
        let pid = || host.must(&["systemctl", "show", "--property=MainPID", "--value", "mfad.service"]);
        let before = pid();
        let rule = |action: &str| {
            host.write(
                "/etc/mfad/conf.d/test.toml",
                &format!(
                    "[[policy.rule]]\nname = \"test\"\nmatch = {{ user = [\"jane\"] }}\naction = {action}\n"
                ),
            );
            host.run(&["systemctl", "reload", "mfad.service"]).code
        };
        assert_eq!(rule("\"deny\""), Some(0));
        wait_until("the rule is in force", || outcome(host) == "denied, whatever is answered");
        rule("\"skip\"\nnonsense = 1");
        wait_until("the journal says what is wrong", || {
            host.journal(&["SYSLOG_IDENTIFIER=mfad"])
                .iter()
                .any(|entry| entry["MESSAGE"].as_str().is_some_and(|text| text.contains("nonsense")))
        });
        assert!(host.is_active("mfad.service"));
        let mut session = host.ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        assert!(!ssh::was_let_in(session, "jane"), "a rule that is not in force let in");
        rule("\"require\"");
        wait_until("the rule is in force", || outcome(host) != "denied, whatever is answered");
        assert!(host.login("jane", &seed.hotp(0)));
        assert_eq!(pid(), before, "it was not restarted");
    });
}

/// What would become of a login by jane.
fn outcome(host: &Host) -> String {
    let said = host.run(&["mfactl", "explain", "jane", "--service", "sshd"]).stdout;
    let outcome = said.lines().find_map(|line| line.trim().strip_prefix("Outcome"));
    outcome.unwrap_or_else(|| panic!("no outcome in {said}")).trim().to_owned()
}

#[test]
fn an_upgrade_keeps_everything_and_logins_under_way_end_safely() {
    host::enter("an_upgrade_keeps_everything_and_logins_under_way_end_safely", |host| {
        let seed = scene(host, host.package_before());
        host.write("/etc/mfad/conf.d/own.toml", "[prompt]\nattempts = 2\n");
        host.must(&["systemctl", "reload", "mfad.service"]);
        assert!(host.login("jane", &seed.hotp(0)));
        let stack = host.must(&["cat", "/etc/pam.d/sshd"]);
        // One login waits for its password, one for its code, when the daemon goes.
        let early = host.ssh("jane", &[], "id -un");
        let mut late = host.ssh("jane", &[], "id -un");
        late.answer(PASSWORD_PROMPT, PASSWORD).expect(CODE_PROMPT);
        let before = host.must(&["dpkg-query", "-W", "mfad"]);
        host.install(host.package());
        assert_ne!(host.must(&["dpkg-query", "-W", "mfad"]), before);
        late.type_line(&seed.hotp(0));
        assert!(!ssh::was_let_in(late, "jane"), "a used code was taken in a login from before the upgrade");
        let mut early = early;
        early.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, &seed.hotp(1));
        assert!(ssh::was_let_in(early, "jane"), "a login that began before the upgrade was refused");
        assert!(!host.login("jane", &seed.hotp(1)), "a code was taken twice");
        assert!(host.login("jane", &seed.hotp(2)));
        assert!(host.must(&["cat", "/etc/mfad/conf.d/own.toml"]).contains("attempts = 2"));
        assert_eq!(host.must(&["cat", "/etc/pam.d/sshd"]), stack, "an upgrade edits no stack");
        host.must(&["mfactl", "audit", "verify"]);
    });
}

/// A daemon that hangs is ended and started again, by itself.
#[test]
#[ignore = "waits for the watchdog: `make test-hosts`"]
fn a_daemon_that_hangs_is_replaced() {
    host::enter("a_daemon_that_hangs_is_replaced", |host| {
        let seed = scene(host, host.package());
        host.must(&["mkdir", "-p", "/etc/systemd/system/mfad.service.d"]);
        host.write("/etc/systemd/system/mfad.service.d/watchdog.conf", "[Service]\nWatchdogSec=2\n");
        host.must(&["systemctl", "daemon-reload"]);
        host.must(&["systemctl", "restart", "mfad.service"]);
        let pid = || host.must(&["systemctl", "show", "--property=MainPID", "--value", "mfad.service"]);
        let before = pid();
        host.must(&["kill", "-STOP", before.trim()]);
        wait_longer_until("another process has taken its place", || {
            host.is_active("mfad.service") && ![before.as_str(), "0\n"].contains(&pid().as_str())
        });
        assert!(host.login("jane", &seed.hotp(0)));
        let ended = host.journal(&["_PID=1", "--grep=mfad.service: Watchdog timeout"]);
        assert!(!ended.is_empty(), "it was not the watchdog");
    });
}
