//! A code works once and attempts are counted, whatever races, and no failure of the daemon lets anyone in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{fs, os::unix::fs::PermissionsExt};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::{self, Driver, Login},
    world::{self, PASSWORD},
};
use nix::sys::signal::Signal;

/// In each round another user, because every process but one fails and that locks.
#[test]
fn of_64_processes_with_one_code_one_passes() {
    world::enter("of_64_processes_with_one_code_one_passes", |world| {
        let daemon = Daemon::start(world);
        daemon.guard_with_code_alone("app", "");
        for round in 0..20 {
            let user = format!("user{round}");
            world.add_user(&user);
            let seed = Seed::of(&user);
            let code = if round % 2 == 0 {
                daemon.enroll_totp(&user, &seed);
                seed.totp_now()
            } else {
                daemon.enroll_hotp(&user, &seed, 0);
                seed.hotp(0)
            };
            let logins: Vec<Login<'_>> =
                (0..64).map(|_| Login { user: &user, answers: vec![&code] }).collect();
            let run = Driver::new("app").at_once(64).logins(&logins);
            assert_eq!((run.outcomes.len(), run.passed()), (64, 1), "round {round}: {:?}", run.outcomes);
        }
    });
}

#[test]
fn of_200_parallel_guesses_no_more_are_judged_than_the_limit() {
    world::enter("of_200_parallel_guesses_no_more_are_judged_than_the_limit", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        let wrong = seed.wrong();
        let guesses: Vec<Login<'_>> =
            (0..200).map(|_| Login { user: "jane", answers: vec![&wrong] }).collect();
        let run = Driver::new("app").at_once(200).logins(&guesses);
        assert_eq!((run.outcomes.len(), run.passed()), (200, 0));
        let judged = daemon.failures("jane");
        assert!((1..=5).contains(&judged), "{judged} guesses were judged, 5 lock");
        // The right code is of no use until the wait is over, however short.
        let among: Vec<Login<'_>> = vec![Login { user: "jane", answers: vec![&wrong] }; 5];
        for _ in 0..5 {
            daemon.wait_out_short_waits("jane");
            assert_eq!(Driver::new("app").logins(&among).passed(), 0);
        }
        let right = seed.hotp(0);
        let locked = Driver::new("app").login("jane", &[&right, ""]);
        assert_eq!(locked.result, "PAM_MAXTRIES", "{:?}", locked.messages);
        assert_eq!(daemon.failures("jane"), 5);
    });
}

/// Each way to be without a daemon, in a stack that passes when the module is ignored.
#[test]
fn an_unreachable_daemon_denies_in_a_stack_that_would_pass() {
    world::enter("an_unreachable_daemon_denies_in_a_stack_that_would_pass", |world| {
        world.add_user("jane");
        let mut daemon = Daemon::start(world);
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        let controls = ["required", "requisite", "[success=ok default=bad]", "[success=ok default=die]"];
        for (number, control) in controls.iter().enumerate() {
            let module = daemon.module_line(control, "timeout=1");
            pam::service(&format!("app{number}"), &[&module, "auth required pam_permit.so"]);
        }
        let refused = |when: &str, daemon: &Daemon| {
            for (number, control) in controls.iter().enumerate() {
                let outcome =
                    Driver::new(&format!("app{number}")).login("jane", &[&Seed::of("jane").hotp(0)]);
                assert!(!outcome.passed(), "{when}, {control}: {outcome:?}");
                assert_eq!(outcome.result, "PAM_AUTHINFO_UNAVAIL", "{when}, {control}");
            }
            assert!(daemon.socket.parent().unwrap().exists());
        };
        daemon.signal(Signal::SIGSTOP);
        refused("frozen", &daemon);
        daemon.signal(Signal::SIGCONT);
        daemon.kill();
        refused("killed, its socket left behind", &daemon);
        fs::remove_file(&daemon.socket).ok();
        refused("without a socket", &daemon);
        daemon.begin();
        assert!(Driver::new("app0").login("jane", &[&Seed::of("jane").hotp(0)]).passed());
    });
}

#[test]
fn unavailable_may_be_ignored_on_purpose_and_is_logged() {
    world::enter("unavailable_may_be_ignored_on_purpose_and_is_logged", |world| {
        world.add_user("jane");
        let mut daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard("app", "unavailable=ignore timeout=1");
        assert!(
            !Driver::new("app").login("jane", &[PASSWORD, &seed.wrong()]).passed(),
            "the daemon is there"
        );
        daemon.stop();
        let before = world.log().lines("jane").len();
        assert!(Driver::new("app").login("jane", &[PASSWORD]).passed());
        assert!(!Driver::new("app").login("jane", &["not the password"]).passed());
        world.log().wait_for("unavailable=ignore");
        assert!(world.log().lines("jane").len() > before);
    });
}

#[test]
fn unknown_arguments_deny() {
    world::enter("unknown_arguments_deny", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        for argument in ["nullok", "timeout=0", "unavailable=ignroe", "socket=relative"] {
            daemon.guard_with_code_alone("app", argument);
            let outcome = Driver::new("app").login("jane", &[&seed.hotp(0)]);
            assert!(!outcome.passed(), "{argument}: {outcome:?}");
            world.log().wait_for(argument);
        }
        daemon.guard_with_code_alone("app", "");
        assert!(Driver::new("app").login("jane", &[&seed.hotp(0)]).passed());
    });
}

#[test]
fn a_login_ends_with_credentials_and_account() {
    world::enter("a_login_ends_with_credentials_and_account", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard("app", "");
        let driver = Driver::new("app").and_account().and_credentials();
        let outcome = driver.login("jane", &[PASSWORD, &seed.hotp(0)]);
        assert_eq!(outcome.result, "PAM_SUCCESS/PAM_SUCCESS/PAM_SUCCESS");
        assert_eq!(outcome.messages, ["P:Password: ", "E:Verification code: "]);
        // Alone in its stack, it must also answer pam_setcred.
        pam::service("alone", &[&daemon.module_line("required", ""), pam::ACCOUNT]);
        let outcome = Driver::new("alone").and_credentials().login("jane", &[&seed.hotp(1)]);
        assert_eq!(outcome.result, "PAM_SUCCESS/PAM_SUCCESS");
    });
}

#[test]
fn users_without_a_factor_are_denied_or_skipped_as_configured() {
    world::enter("users_without_a_factor_are_denied_or_skipped_as_configured", |world| {
        world.add_user("bob");
        for (unenrolled, passes) in [("deny", false), ("skip", true)] {
            let name = format!("mfad-{unenrolled}");
            let daemon = Setup::instance(world, &name).unenrolled(unenrolled).start();
            daemon.guard("app", "");
            let outcome = Driver::new("app").login("bob", &[PASSWORD, "123456", "123456", "123456"]);
            assert_eq!(outcome.passed(), passes, "{unenrolled}: {outcome:?}");
            let outcome = Driver::new("app").login("bob", &["not the password", "123456"]);
            assert!(!outcome.passed(), "{unenrolled}: {outcome:?}");
        }
    });
}

#[test]
fn one_field_holds_password_and_code() {
    world::enter("one_field_holds_password_and_code", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        let module = daemon.module_line("requisite", "combined");
        pam::service("vpn", &[&module, "auth required pam_unix.so nodelay use_first_pass", pam::ACCOUNT]);
        let vpn =
            |password: &str, code: &str| Driver::new("vpn").login("jane", &[&format!("{password}{code}")]);
        assert!(vpn(PASSWORD, &seed.hotp(0)).passed());
        assert!(!vpn(PASSWORD, &seed.hotp(0)).passed(), "a code was taken twice");
        assert!(!vpn("not it", &seed.hotp(1)).passed(), "the password was not looked at");
        assert!(!vpn(PASSWORD, "").passed(), "a code was not asked for");
        // Whoever has no password can spend the budget of this mode, and nothing else.
        for _ in 0..8 {
            assert!(!vpn("not it", &seed.wrong()).passed());
        }
        assert_eq!(daemon.failures("jane"), 0, "the unproven budget is its own");
        daemon.guard("app", "");
        assert!(Driver::new("app").login("jane", &[PASSWORD, &seed.hotp(2)]).passed());
    });
}

#[test]
fn an_unprivileged_peer_may_ask_for_itself_alone() {
    world::enter("an_unprivileged_peer_may_ask_for_itself_alone", |world| {
        let (jane, bob) = (world.add_user("jane"), world.add_user("bob"));
        let daemon = Setup::new(world).with_user_socket().start();
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        assert_eq!(fs::metadata(&daemon.socket).unwrap().permissions().mode() & 0o777, 0o600);
        let user_socket = daemon.socket.with_file_name("user.sock");
        let line = daemon
            .module_line("required", "")
            .replace(daemon.socket.to_str().unwrap(), user_socket.to_str().unwrap());
        pam::service("locker", &[&line, "auth required pam_permit.so"]);
        daemon.guard_with_code_alone("main", "");
        let code = seed.hotp(0);
        for service in ["locker", "main"] {
            let outcome = Driver::new(service).as_account(&bob).login("jane", &[&code]);
            assert!(!outcome.passed(), "bob logged in as jane by {service}: {outcome:?}");
        }
        assert!(!Driver::new("main").as_account(&jane).login("jane", &[&code]).passed());
        assert!(Driver::new("locker").as_account(&jane).login("jane", &[&code]).passed());
    });
}

#[test]
fn two_daemons_side_by_side_know_nothing_of_each_other() {
    world::enter("two_daemons_side_by_side_know_nothing_of_each_other", |world| {
        world.add_user("jane");
        let (seeds, daemons) = (
            [Seed::of("one"), Seed::of("two")],
            [Setup::instance(world, "one").start(), Setup::instance(world, "two").start()],
        );
        for ((seed, daemon), name) in seeds.iter().zip(&daemons).zip(["one", "two"]) {
            daemon.enroll_hotp("jane", seed, 0);
            daemon.guard_with_code_alone(name, "");
        }
        assert!(!Driver::new("one").login("jane", &[&seeds[1].hotp(0)]).passed());
        assert!(Driver::new("one").login("jane", &[&seeds[0].hotp(0)]).passed());
        assert!(Driver::new("two").login("jane", &[&seeds[1].hotp(0)]).passed());
    });
}

#[test]
fn a_daemon_run_by_root_serves_as_well() {
    world::enter("a_daemon_run_by_root_serves_as_well", |world| {
        world.add_user("jane");
        let daemon = Setup::as_root().start();
        let seed = Seed::of("jane");
        daemon.enroll_totp("jane", &seed);
        daemon.guard_with_code_alone("app", "");
        assert!(Driver::new("app").login("jane", &[&seed.totp_now()]).passed());
    });
}
