//! Running it: enrollment by `mfactl`, self-service, keys renewed under load, sockets from systemd, one
//! process for all roles, and a host process that is left as it was found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fmt::Write as _,
    fs,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{MetadataExt, chown},
            net::UnixListener,
        },
    },
    path::Path,
    process::Command,
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::{Driver, Login},
    pty::Session,
    sys::{run_with, wait_until},
    world::{self, World},
};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

fn app(user: &str, code: &str) -> String {
    Driver::new("app").login(user, &[code, ""]).result
}

fn mfactl(daemon: &Daemon, words: &[&str]) -> Command {
    let mut command = Command::new(World::built("mfactl"));
    command.arg("--socket").arg(&daemon.socket).args(words);
    command
}

#[test]
fn a_factor_counts_once_a_code_has_proven_it() {
    world::enter("a_factor_counts_once_a_code_has_proven_it", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.guard_with_code_alone("app", "");
        // As a person does it: the key is shown, a code is asked for.
        let mut session = Session::start(&mfactl(&daemon, &["enroll", "totp", "jane", "--uri"]));
        session.expect("otpauth://totp/").expect("secret=").expect("&");
        let secret = session.shown().split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let seed = Seed::from_base32(&secret);
        assert_ne!(app("jane", &seed.totp_now()), "PAM_SUCCESS", "a factor that nobody has proven let in");
        session.expect(": ").type_line(&seed.totp_now());
        let ended = session.end();
        assert_eq!(ended.code, Some(0), "{}", ended.shown);
        assert_eq!(daemon.json(&["show", "jane"])["factors"][0]["state"], "active");
        assert_eq!(app("jane", &seed.totp_next()), "PAM_SUCCESS");
        assert_ne!(app("jane", &seed.totp_next()), "PAM_SUCCESS");
    });
}

#[test]
fn factors_are_switched_off_and_on_and_removed() {
    world::enter("factors_are_switched_off_and_on_and_removed", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(app("jane", &seed.hotp(0)), "PAM_SUCCESS");
        daemon.ctl(&["disable", "jane"]).ok();
        assert_ne!(app("jane", &seed.hotp(1)), "PAM_SUCCESS");
        daemon.ctl(&["enable", "jane"]).ok();
        assert_eq!(app("jane", &seed.hotp(2)), "PAM_SUCCESS");
        assert_eq!(daemon.ctl_with(&["test", "jane"], &format!("{}\n", seed.hotp(3))).code, Some(0));
        assert_eq!(daemon.ctl_with(&["test", "jane"], &format!("{}\n", seed.hotp(3))).code, Some(4));
        assert_eq!(daemon.json(&["list"])["users"][0]["user"], "jane");
        daemon.ctl(&["remove", "jane", "--all", "--yes"]).ok();
        assert_ne!(app("jane", &seed.hotp(4)), "PAM_SUCCESS");
        assert_eq!(daemon.ctl(&["show", "jane"]).code, Some(7));
    });
}

#[test]
fn people_look_after_themselves_and_nobody_else() {
    world::enter("people_look_after_themselves_and_nobody_else", |world| {
        let jane = world.add_user("jane");
        world.add_user("bob");
        let daemon = Setup::new(world).with_user_socket().start();
        for user in ["jane", "bob"] {
            daemon.enroll_hotp(user, &Seed::of(user), 0);
        }
        let program = World::built("mfactl");
        let socket = daemon.socket.with_file_name("user.sock");
        let as_jane = |words: &[&str], input: &str| {
            let mut command = jane.command(program.to_str().unwrap());
            run_with(command.arg("--socket").arg(&socket).args(words), input)
        };
        assert!(as_jane(&["show", "jane"], "").ok().contains("hotp"));
        for words in [
            &["show", "bob"][..],
            &["list"],
            &["status"],
            &["audit"],
            &["unlock", "jane"],
            &["reset", "jane"],
            &["enable", "jane"],
            &["reload"],
            &["disable", "bob"],
            &["remove", "bob", "--all", "--yes"],
            &["enroll", "totp", "bob", "--no-confirm"],
        ] {
            let ran = as_jane(words, "");
            assert!(!matches!(ran.code, Some(0) | None), "jane may {words:?}: {}", ran.stdout);
        }
        let code = Seed::of("jane").hotp(0);
        let no_code = as_jane(&["disable", "jane"], "");
        assert!(!matches!(no_code.code, Some(0) | None), "switched off without a code");
        as_jane(&["disable", "jane", "--code-stdin"], &format!("{code}\n")).ok();
        assert_eq!(daemon.json(&["show", "jane"])["factors"][0]["state"], "disabled");
        assert_eq!(daemon.json(&["show", "bob"])["factors"][0]["state"], "active");
    });
}

#[test]
fn the_key_is_renewed_while_people_log_in() {
    world::enter("the_key_is_renewed_while_people_log_in", |world| {
        let mut daemon = Daemon::start(world);
        daemon.guard_with_code_alone("app", "");
        let users: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
        for user in &users {
            world.add_user(user);
            daemon.enroll_hotp(user, &Seed::of(user), 0);
        }
        let old = daemon.json(&["status"])["key"].clone();
        let codes: Vec<(&String, String)> =
            (0..10).flat_map(|n| users.iter().map(move |user| (user, Seed::of(user).hotp(n)))).collect();
        let logins: Vec<Login<'_>> =
            codes.iter().map(|(user, code)| Login { user, answers: vec![code] }).collect();
        std::thread::scope(|scope| {
            let logins = scope.spawn(|| Driver::new("app").at_once(4).logins(&logins));
            rotate(&daemon);
            daemon.ctl(&["reload"]).ok();
            let run = logins.join().unwrap();
            assert_eq!(run.passed(), logins_expected(&users), "{:?}", run.outcomes);
        });
        assert_ne!(daemon.json(&["status"])["key"], old);
        // Killed somewhere on its way through the rows, it goes on after the next start.
        rotate(&daemon);
        daemon.ctl(&["reload"]).ok();
        daemon.kill();
        daemon.begin();
        wait_until("no row is sealed with an older key", || {
            daemon.json(&["status"])["rows_with_old_key"].as_u64() == Some(0)
        });
        for user in &users {
            assert_eq!(app(user, &Seed::of(user).hotp(10)), "PAM_SUCCESS", "{user}");
        }
        // The first key is of no more use to anyone.
        daemon.stop();
        give(&daemon.state, 0);
        key_command(&daemon, &["forget", old.as_str().unwrap()]);
        give(&daemon.state, fs::metadata(&daemon.key).unwrap().uid());
        daemon.begin();
        assert_eq!(app(&users[0], &Seed::of(&users[0]).hotp(11)), "PAM_SUCCESS");
    });
}

/// Makes a directory and what is in it belong to `owner`.
fn give(dir: &Path, owner: u32) {
    let inside = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    inside.chain([dir.to_owned()]).for_each(|path| chown(path, Some(owner), Some(owner)).unwrap());
}

fn logins_expected(users: &[String]) -> usize {
    users.len() * 10
}

/// `mfad key rotate` by root, who alone may write to the key's directory, and takes only a key of its own;
/// then the file is given back to the daemon.
fn rotate(daemon: &Daemon) {
    key_command(daemon, &["rotate"]);
}

fn key_command(daemon: &Daemon, words: &[&str]) {
    let owner = fs::metadata(&daemon.key).unwrap().uid();
    chown(&daemon.key, Some(0), Some(0)).unwrap();
    let mut command = Command::new(World::built("mfad"));
    run_with(command.arg("key").args(words).arg("--config").arg(&daemon.config), "").ok();
    chown(&daemon.key, Some(owner), Some(owner)).unwrap();
}

#[test]
fn a_socket_from_systemd_is_taken_over() {
    world::enter("a_socket_from_systemd_is_taken_over", |world| {
        world.add_user("jane");
        let daemon = Setup::as_root().prepare();
        let listener = UnixListener::bind(&daemon.socket).unwrap();
        fcntl(&listener, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        // The shell becomes mfad, so that the pid is the one that the socket is meant for.
        let script = format!(
            "LISTEN_FDS=1 LISTEN_PID=$$ exec {} core --config {} 3<&{}",
            World::built("mfad").display(),
            daemon.config.display(),
            listener.as_raw_fd()
        );
        let mut child = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        wait_until("mfad answers", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended");
            daemon.ctl(&["status"]).code == Some(0)
        });
        drop(listener);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(app("jane", &seed.hotp(0)), "PAM_SUCCESS");
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[test]
fn one_process_runs_all_roles() {
    world::enter("one_process_runs_all_roles", |world| {
        world.add_user("jane");
        let daemon = Setup::as_root().role("run").start();
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(app("jane", &seed.hotp(0)), "PAM_SUCCESS");
    });
}

/// A login program lives on after a login, or after hundreds: the module leaves no descriptor behind.
#[test]
fn a_process_is_left_as_it_was_found() {
    world::enter("a_process_is_left_as_it_was_found", |world| {
        world.add_user("jane");
        let mut daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "timeout=1");
        let mixed = |from: u64, to: u64| {
            let mut input = String::new();
            for n in from..to {
                // Right, of no shape, given up, and unknown to the daemon.
                writeln!(input, "jane\t{}\njane\tx\njane\nnobody\t123456", seed.hotp(n)).unwrap();
            }
            let run = Driver::new("app").run(&input);
            assert_eq!(run.passed(), usize::try_from(to - from).unwrap(), "{:?}", run.outcomes);
            run.descriptors.1
        };
        // The first login leaves one behind that is not ours: syslog(3) keeps its socket.
        assert_eq!(mixed(0, 1), mixed(1, 300), "open descriptors after few and after many logins");
        daemon.stop();
        let refused = |times: usize| {
            let run = Driver::new("app").run(&"jane\t123456\n".repeat(times));
            assert_eq!((run.passed(), run.count("PAM_AUTHINFO_UNAVAIL")), (0, times));
            run.descriptors.1
        };
        assert_eq!(refused(1), refused(300), "open descriptors after few and after many refusals");
    });
}

#[test]
fn key_and_database_are_the_daemons_alone() {
    world::enter("key_and_database_are_the_daemons_alone", |world| {
        let mut daemon = Daemon::start(world);
        for path in fs::read_dir(&daemon.state)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .chain([daemon.key.clone()])
        {
            let mode = fs::metadata(&path).unwrap().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        }
        daemon.stop();
        for (path, mode) in [(daemon.key.clone(), "0644"), (daemon.state.join("mfad.db"), "0666")] {
            let text = path.to_str().unwrap();
            mfa_tests::sys::must(&["chmod", mode, text]);
            assert!(!daemon.try_begin(), "it started though {text} has mode {mode}");
            mfa_tests::sys::must(&["chmod", "0600", text]);
        }
        chown(&daemon.key, Some(world.add_user("eve").uid), None).unwrap();
        assert!(!daemon.try_begin(), "it started with a key of somebody else's");
    });
}
