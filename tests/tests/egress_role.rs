//! The egress role as it is started: in place of `mfad egress`, and beside core by `mfad run`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{fs, os::unix::net::UnixStream, path::Path, process::Stdio};

use mfa_tests::{
    daemon::{Daemon, Setup},
    sys::wait_until,
    world,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const SOCKET: &str = "/run/mfad-egress/egress.sock";
const MESSAGES: &str = "/run/mfad-egress/sms";
const SMS: &str = "[sms]\ngateways = [\"files\"]\n[sms.gateway.files]\ntype = \"file\"\ndirectory = \"/run/mfad-egress/sms\"\n";

fn answers() -> bool {
    UnixStream::connect(SOCKET).is_ok()
}

/// Has a code sent to a new number, and confirms it by what came.
fn enroll_by_message(daemon: &Daemon) {
    daemon.ctl_with(&["enroll", "sms", "jane", "--address-stdin"], "+491701234321\n").ok();
    let message = fs::read_to_string(Path::new(MESSAGES).join("000001.txt")).expect("a message was sent");
    let code = message.trim().rsplit('#').next().expect("the last line ends in the code");
    daemon.ctl(&["confirm", "jane", code]).ok();
}

#[test]
fn run_starts_egress_beside_core_and_takes_it_along() {
    world::enter("run_starts_egress_beside_core_and_takes_it_along", |world| {
        world.add_user("jane");
        let mut daemon = Setup::as_root().role("run").section(SMS).start();
        wait_until("egress takes connections", answers);
        enroll_by_message(&daemon);
        daemon.stop();
        assert!(!Path::new(SOCKET).exists(), "egress ended in order, before the daemon did");
        daemon.begin();
        wait_until("egress takes connections again", answers);
        daemon.kill();
        wait_until("egress is gone with a daemon that was killed", || !answers());
    });
}

#[test]
fn run_starts_no_egress_that_is_not_needed() {
    world::enter("run_starts_no_egress_that_is_not_needed", |world| {
        world.add_user("jane");
        let _daemon = Setup::as_root().role("run").start();
        assert!(!Path::new(SOCKET).exists());
    });
}

#[test]
fn the_egress_role_is_another_program_in_the_same_process() {
    world::enter("the_egress_role_is_another_program_in_the_same_process", |world| {
        world.add_user("jane");
        let daemon = Setup::as_root().section(SMS).start();
        let mut child = daemon.mfad(&["egress"]).stdin(Stdio::null()).spawn().expect("mfad starts");
        wait_until("egress takes connections", answers);
        let program = fs::read_link(format!("/proc/{}/exe", child.id())).expect("root may");
        assert!(program.ends_with("mfad-egress"), "{}", program.display());
        enroll_by_message(&daemon);
        let pid = i32::try_from(child.id()).expect("process ids are positive");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("our own child can be signalled");
        assert!(child.wait().expect("a child can be waited for").success());
    });
}
