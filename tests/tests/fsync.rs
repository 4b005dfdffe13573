//! A disk that loses what it was told to keep: fdatasync fails in the running daemon (strace injects it).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    sys::wait_until,
    world,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

fn app(code: &str) -> String {
    Driver::new("app").login("judith", &[code]).result
}

/// strace at work on a daemon; gone when dropped.
struct Injection(Child);

impl Injection {
    /// Makes each sync of the daemon's files fail from now on.
    fn begin(daemon: &Daemon) -> Self {
        let pid = daemon.pid();
        let strace = Command::new("strace")
            .args(["-f", "-qq", "-o", "/run/world/strace", "-e", "trace=fdatasync,fsync"])
            .args(["-e", "inject=fdatasync,fsync:error=EIO", "-p", &pid.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("strace is attached to all threads", || tracers(pid).iter().all(|tracer| *tracer != 0));
        Self(strace)
    }

    /// Lets them succeed again.
    fn end(mut self, daemon: &Daemon) {
        kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), Signal::SIGINT).unwrap();
        self.0.wait().unwrap();
        assert!(tracers(daemon.pid()).iter().all(|tracer| *tracer == 0));
    }
}

/// Who traces each thread of a process; 0 is nobody.
fn tracers(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads
        .map(|thread| {
            let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).unwrap();
            line.trim().parse().unwrap()
        })
        .collect()
}

#[test]
fn a_failing_fsync_denies_and_is_recovered_from() {
    world::enter("a_failing_fsync_denies_and_is_recovered_from", |world| {
        world.add_user("judith");

        let daemon = Setup::new(world).start();
        let seed = Seed::of("judith");
        daemon.enroll_hotp("judith", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(app(&seed.hotp(0)), "PAM_SUCCESS");
        for round in 0..3 {
            let first = 1 + 4 * round;
            let injection = Injection::begin(&daemon);
            for counter in [first, first, first + 1] {
                assert_eq!(app(&seed.hotp(counter)), "PAM_AUTHINFO_UNAVAIL", "round {round}, {counter}");
            }
            // What cannot be made durable is not skipped over either.
            assert_ne!(Driver::new("app").login("judith", &[&seed.wrong(), ""]).result, "PAM_SUCCESS");
            injection.end(&daemon);
            // Whether the codes sent meanwhile were used up is not known; one after them must do.
            let fresh = seed.hotp(first + 3);
            assert_eq!(app(&fresh), "PAM_SUCCESS", "round {round}: it did not recover");
            for counter in 0..=first + 3 {
                assert_ne!(
                    app(&seed.hotp(counter)),
                    "PAM_SUCCESS",
                    "round {round}: {counter} was taken again"
                );
                daemon.ctl(&["reset", "judith"]).ok();
            }
        }
        assert!(world.log().wait_for("logins are denied until this ends").contains("mfad.db"));
        world.log().wait_for("takes writes again");
    });
}
