//! The sandbox around the running daemon: it holds every thread, a reload cannot leave it, and where one is required
//! nothing starts without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{fs, process::Command};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    sys::run_with,
    world,
};

const REQUIRED: &str = "[process]\nsandbox = \"required\"";

#[test]
fn every_thread_of_a_daemon_that_lets_people_in_is_held() {
    world::enter("every_thread_of_a_daemon_that_lets_people_in_is_held", |world| {
        world.add_user("jane");
        let daemon = Setup::new(world).section(REQUIRED).start();
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(Driver::new("app").login("jane", &[&Seed::of("jane").hotp(0)]).result, "PAM_SUCCESS");
        let threads: Vec<_> = fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap().collect();
        assert!(threads.len() > 1, "the store has a thread of its own");
        for thread in threads {
            let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
        }
        let figures = daemon.ctl(&["status", "--metrics"]).ok();
        assert!(figures.contains("mfad_sandbox{part=\"seccomp\"} 1"), "{figures}");
        assert!(!figures.contains("mfad_sandbox{part=\"landlock\"} 0"), "{figures}");
    });
}

#[test]
fn a_reload_cannot_leave_the_sandbox() {
    world::enter("a_reload_cannot_leave_the_sandbox", |world| {
        let daemon = Setup::new(world).section(REQUIRED).start();
        let directory = daemon.config.with_file_name("conf.d");
        fs::create_dir(&directory).unwrap();
        let file = directory.join("figures.toml");
        fs::write(&file, "[metrics]\ntextfile = \"/srv/figures/mfad.prom\"\n").unwrap();
        let refused = daemon.ctl(&["reload"]);
        let said = refused.stdout + &refused.stderr;
        assert!(
            refused.code != Some(0) && said.contains("/srv/figures") && said.contains("restart mfad"),
            "{said}"
        );
        // What is within is taken: the state directory is the daemon's to write to.
        let within = daemon.state.join("mfad.prom");
        fs::write(&file, format!("[metrics]\ntextfile = \"{}\"\n", within.display())).unwrap();
        daemon.ctl(&["reload"]).ok();
    });
}

/// The role on a kernel that answers a call so, made at the kernel's edge by strace. What it said, if it ended by itself.
fn ends_where(daemon: &Daemon, call: &str, error: &str) -> Option<String> {
    let inner = daemon.mfad(&["core"]);
    let mut strace = Command::new("timeout");
    strace.args(["20", "strace", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:error={error}")]);
    let ran = run_with(strace.arg(inner.get_program()).args(inner.get_args()), "");
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
    (ran.code == Some(1)).then_some(ran.stderr)
}

#[test]
fn where_one_is_required_nothing_starts_without() {
    world::enter("where_one_is_required_nothing_starts_without", |world| {
        let daemon = Setup::new(world).section(REQUIRED).prepare();
        for (call, told) in [("landlock_create_ruleset", "no Landlock"), ("seccomp", "(seccomp)")] {
            let said = ends_where(&daemon, call, "ENOSYS").expect("it ends by itself");
            assert!(said.contains(told) && said.contains("best-effort"), "{said}");
        }
        // What is there and fails is no reason to go on either, whatever is required.
        let modest = Setup::instance(world, "modest").prepare();
        let said = ends_where(&modest, "landlock_add_rule", "ENOMEM").expect("it ends by itself");
        assert!(said.contains("Landlock cannot be set up"), "{said}");
    });
}
