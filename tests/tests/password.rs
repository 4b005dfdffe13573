//! The password prover with the real libpam: what is a yes, and what is not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::Path, time::Instant};

use mfa_proto::{
    hello::{Hello, Protocol},
    name::{Claim, UserName},
    password::{Check, Reply, Request},
    secret::SecretText,
};
use mfa_tests::{
    pam,
    password::{Prover, SOCKET, ask_as, connect_as, send},
    sys::{must, wait_until},
    world::{self, PASSWORD},
};

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn check(user: &str, password: &str) -> Check {
    let source = Some(Claim::clean("192.0.2.7"));
    Check { user: UserName::new(user).unwrap(), password: secret(password), source }
}

fn asked(prover: &Prover, user: &str, password: &str) -> Reply {
    prover.ask(&Request::Check(Box::new(check(user, password)))).unwrap()
}

fn changed(prover: &Prover, user: &str, old: &str, new: &str) -> Reply {
    prover.ask(&Request::Change { check: Box::new(check(user, old)), new: secret(new) }).unwrap()
}

#[test]
fn only_the_right_password_of_an_open_account_is_a_yes() {
    world::enter("only_the_right_password_of_an_open_account_is_a_yes", |world| {
        for name in ["jane", "locked", "expired", "aged", "stale", "empty"] {
            world.add_user(name);
        }
        must(&["passwd", "-l", "locked"]);
        must(&["chage", "-E", "1", "expired"]);
        must(&["chage", "-d", "0", "aged"]);
        must(&["chage", "-d", "1", "-M", "1", "-I", "1", "stale"]);
        must(&["passwd", "-d", "empty"]);
        must(&["sh", "-c", "echo 'root:Horse7 staple' | chpasswd"]);
        let prover = Prover::start(world, &[]);
        assert_eq!(asked(&prover, "jane", PASSWORD), Reply::Yes);
        assert_eq!(asked(&prover, "aged", PASSWORD), Reply::MustChange, "right, and not yet a yes");
        for (user, password) in [
            ("jane", "wrong"),
            ("jane", ""),
            ("jane", "Horse7 staple\0"),
            ("nobody-there", PASSWORD),
            ("locked", PASSWORD),
            ("locked", &format!("!{PASSWORD}")),
            ("expired", PASSWORD),
            ("stale", PASSWORD),
            ("empty", ""),
            ("empty", PASSWORD),
            ("root", PASSWORD), // a system account: the service file keeps them out
            ("aged", "wrong"),
        ] {
            let begun = Instant::now();
            assert_eq!(asked(&prover, user, password), Reply::No, "{user} {password:?}");
            // Never sooner than the first moment at which refusals are told, whatever the reason.
            assert!(begun.elapsed().as_secs() >= 2, "{user} {password:?}");
        }
        let long = "x".repeat(511); // and a NUL: what libpam and libcrypt take
        must(&["sh", "-c", &format!("echo 'jane:{long}' | chpasswd -c SHA512 -s 1000")]);
        assert_eq!(asked(&prover, "jane", &long), Reply::Yes, "the longest that there can be");
        assert_eq!(asked(&prover, "jane", &"x".repeat(512)), Reply::No);
        let line = world.log().wait_for("password of \"jane\" from 192.0.2.7: yes");
        assert!(line.contains("mfad-password"), "{line}");
        for said in [PASSWORD, long.as_str()] {
            assert!(world.log().lines(said).is_empty(), "a password is in the log");
            assert!(!Prover::output().contains(said));
        }
    });
}

#[test]
fn nobody_but_the_front_end_is_answered() {
    world::enter("nobody_but_the_front_end_is_answered", |world| {
        let jane = world.add_user("jane");
        let prover = Prover::start(world, &[]);
        let request = Request::Check(Box::new(check("jane", PASSWORD)));
        assert_eq!(ask_as(jane.uid, &request).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        // When the modes do not keep them out, their uid does: root's as well.
        fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o666)).unwrap();
        for uid in [jane.uid, 0] {
            let refused = ask_as(uid, &request).unwrap_err().kind();
            assert!(
                matches!(
                    refused,
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ),
                "{uid}: {refused:?}"
            );
        }
        world.log().wait_for("a connection was refused");
        // What speaks another protocol is cut off, and the next is served.
        let mut stream = connect_as(prover.front.uid).unwrap();
        send(&mut stream, &Hello::new(Protocol::Login)).unwrap();
        send(&mut stream, &request).unwrap();
        let mut rest = Vec::new();
        io::Read::read_to_end(&mut stream, &mut rest).ok();
        assert!(rest.len() < 8, "a welcome at most, and no reply: {rest:?}");
        assert_eq!(prover.ask(&request).unwrap(), Reply::Yes);
    });
}

#[test]
fn the_capability_that_its_unit_leaves_is_enough_and_without_a_mode_needed() {
    world::enter("the_capability_that_its_unit_leaves_is_enough_and_without_a_mode_needed", |world| {
        world.add_user("jane");
        let mut prover = Prover::start(world, &[]);
        prover.kill();
        let request = Request::Check(Box::new(check("jane", PASSWORD)));
        for (capabilities, mode, reply) in [
            ("-all", 0o640, Reply::Yes),
            ("-all,+dac_read_search", 0o000, Reply::Yes),
            ("-all", 0o000, Reply::Unavailable),
        ] {
            fs::set_permissions("/etc/shadow", fs::Permissions::from_mode(mode)).unwrap();
            prover.begin_confined(capabilities);
            assert_eq!(prover.ask(&request).unwrap(), reply, "{capabilities} {mode:o}");
            prover.kill();
        }
    });
}

#[test]
fn a_module_that_hangs_or_fails_is_no_yes_and_holds_nobody_up() {
    world::enter("a_module_that_hangs_or_fails_is_no_yes_and_holds_nobody_up", |world| {
        world.add_user("jane");
        world.add_user("john");
        let prover = Prover::start(world, &["--deadline", "1"]);
        let hang = "auth required pam_exec.so quiet /bin/sleep 3600";
        let unix = ["auth required pam_unix.so nodelay", pam::ACCOUNT];
        pam::service("mfad-password", &[hang, unix[0], unix[1]]);
        assert_eq!(asked(&prover, "jane", PASSWORD), Reply::Unavailable);
        wait_until("the process that hung is ended", || !one_checks());
        world.log().wait_for("PAM did not answer within 1s");
        for (what, stack) in [
            ("a module that is not there", vec!["auth required pam_not_there.so", unix[0], unix[1]]),
            ("no account phase that says yes", vec![unix[0], "account required pam_deny.so"]),
            ("only modules that ignore", vec!["auth optional pam_warn.so", "account optional pam_warn.so"]),
        ] {
            pam::service("mfad-password", &stack);
            let reply = asked(&prover, "jane", PASSWORD);
            assert!(matches!(reply, Reply::No | Reply::Unavailable), "{what}: {reply:?}");
        }
        // Without a service file there is what `other` has: on Debian pam_unix, so it is taken away as well.
        for file in ["mfad-password", "other"] {
            fs::remove_file(Path::new("/etc/pam.d").join(file)).unwrap();
        }
        assert!(matches!(asked(&prover, "john", PASSWORD), Reply::No | Reply::Unavailable));
        pam::service("mfad-password", &unix);
        assert_eq!(asked(&prover, "john", PASSWORD), Reply::Yes, "all is well again");
    });
}

/// Whether a process runs that checks a password.
fn one_checks() -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| line.starts_with(b"/proc/self/exe\0prove\0"))
}

#[test]
fn an_account_is_guessed_at_only_so_often_and_others_are_served() {
    world::enter("an_account_is_guessed_at_only_so_often_and_others_are_served", |world| {
        world.add_user("jane");
        world.add_user("john");
        let prover = Prover::start(world, &[]);
        for _ in 0..10 {
            assert_eq!(asked(&prover, "jane", PASSWORD), Reply::Yes, "right ones are not counted");
        }
        // At once, as somebody would who does not wait for answers.
        let connections: Vec<_> = (0..12)
            .map(|n| {
                let mut stream = connect_as(prover.front.uid).unwrap();
                send(&mut stream, &Hello::new(Protocol::Password)).unwrap();
                send(&mut stream, &Request::Check(Box::new(check("jane", &format!("guess {n}"))))).unwrap();
                stream
            })
            .collect();
        wait_until("most are turned away", || {
            world.log().lines("password of \"jane\" from 192.0.2.7: busy").len() == 7
        });
        assert_eq!(asked(&prover, "jane", PASSWORD), Reply::Busy, "the right one would be a guess as well");
        assert_eq!(asked(&prover, "john", PASSWORD), Reply::Yes);
        drop(connections);
    });
}

#[test]
fn without_the_prover_there_is_no_answer() {
    world::enter("without_the_prover_there_is_no_answer", |world| {
        world.add_user("jane");
        let mut prover = Prover::start(world, &[]);
        let request = Request::Check(Box::new(check("jane", PASSWORD)));
        assert_eq!(prover.ask(&request).unwrap(), Reply::Yes);
        prover.kill();
        assert_eq!(prover.ask(&request).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        prover.begin();
        assert_eq!(prover.ask(&request).unwrap(), Reply::Yes, "it takes its place again");
    });
}

#[test]
fn a_password_is_changed_only_where_that_is_allowed_and_as_passwd_would() {
    world::enter("a_password_is_changed_only_where_that_is_allowed_and_as_passwd_would", |world| {
        for name in ["jane", "aged", "young", "locked"] {
            world.add_user(name);
        }
        must(&["chage", "-d", "0", "aged"]);
        must(&["chage", "-m", "99999", "young"]);
        must(&["passwd", "-l", "locked"]);
        let next = "Battery8 horse";
        let mut prover = Prover::start(world, &[]);
        assert_eq!(changed(&prover, "jane", PASSWORD, next), Reply::Refused);
        assert_eq!(asked(&prover, "jane", PASSWORD), Reply::Yes, "nothing was changed");
        prover.kill();
        drop(prover);
        let mut allowed = Prover::start_as(world, "mfad-front", &["--allow-change"]);
        assert_eq!(changed(&allowed, "jane", "wrong", next), Reply::No);
        for bad in ["", "short", "Horse7 staple", "line\nbreak and more", "n\0ul and more"] {
            let reply = changed(&allowed, "jane", PASSWORD, bad);
            assert_eq!(reply, Reply::No, "{bad:?}");
            // Each would be a guess too many soon: a new process forgets them.
            allowed.kill();
            allowed.begin();
        }
        assert_eq!(changed(&allowed, "locked", PASSWORD, next), Reply::No);
        assert_eq!(changed(&allowed, "young", PASSWORD, next), Reply::No, "too soon for its user");
        assert_eq!(asked(&allowed, "jane", PASSWORD), Reply::Yes, "nothing was changed");
        assert_eq!(changed(&allowed, "jane", PASSWORD, next), Reply::Yes);
        assert_eq!(asked(&allowed, "jane", next), Reply::Yes);
        assert_eq!(asked(&allowed, "jane", PASSWORD), Reply::No);
        assert_eq!(changed(&allowed, "aged", PASSWORD, next), Reply::Yes, "what had to be changed was");
        assert_eq!(asked(&allowed, "aged", next), Reply::Yes);
        assert!(world.log().lines(next).is_empty(), "a password is in the log");
        let mode = fs::metadata("/etc/shadow").unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o640);
    });
}
