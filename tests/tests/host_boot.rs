//! The booted host itself: systemd runs it, it is reached over its cable, it keeps what was written over a
//! restart, and nothing of it is left on the real host, however the test ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mfa_tests::{
    host::{self, CLIENT, Host},
    ssh,
    sys::{must, wait_until},
    world::PASSWORD,
};

#[test]
fn a_plain_host_boots_and_takes_logins() {
    host::enter("a_plain_host_boots_and_takes_logins", |host| {
        assert_eq!(host.must(&["cat", "/proc/1/comm"]), "systemd\n");
        host.add_user("jane");
        let login = |host: &Host| {
            let mut session = host.ssh("jane", &[], "echo $SSH_CONNECTION; id -un");
            session.answer("password: ", PASSWORD).expect(CLIENT);
            ssh::was_let_in(session, "jane")
        };
        assert!(login(host));
        host.reboot();
        assert!(login(host), "the account is kept");
        host.pull_the_plug();
        host.boot();
        assert!(login(host), "the account is kept");
    });
}

#[test]
fn a_host_cannot_change_the_real_one() {
    host::enter("a_host_cannot_change_the_real_one", |host| {
        for place in ["/proc/sys", "/sys"] {
            let options = host.must(&["findmnt", "--noheadings", "--output", "OPTIONS", place]);
            assert!(options.starts_with("ro,"), "{place}: {options}");
        }
        let systemd = host.must(&[
            "systemd-run",
            "--wait",
            "--pipe",
            "--quiet",
            "sh",
            "-c",
            "grep CapBnd /proc/self/status",
        ]);
        let bounding = u64::from_str_radix(systemd.split_whitespace().nth(1).unwrap(), 16).unwrap();
        let (modules, raw_io, clock) = (16, 17, 25);
        for capability in [modules, raw_io, clock] {
            assert_eq!(bounding & (1 << capability), 0, "capability {capability} in {systemd}");
        }
    });
}

/// The program of `make host`, which stays up until its input ends, is killed instead.
#[test]
fn nothing_is_left_of_a_host_whose_process_is_killed() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_host"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("is up")), "it ended before it was up");
    let cgroup = cgroup_of(program.id());
    assert!(processes_in(&cgroup) > 5, "{} processes in {}", processes_in(&cgroup), cgroup.display());
    program.kill().unwrap();
    program.wait().unwrap();
    wait_until("its last process is gone", || processes_in(&cgroup) == 0);
    wait_until("its cgroup is gone", || !cgroup.exists());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains("/run/world"), "{mounts}");
    assert!(!must(&["ip", "-brief", "link"]).contains("cable"));
}

/// The cgroup that this process has made for a host.
#[track_caller]
fn cgroup_of(process: u32) -> PathBuf {
    let found = must(&["find", "/sys/fs/cgroup", "-type", "d", "-name", &format!("mfa-host-{process}-*")]);
    PathBuf::from(found.lines().next().expect("it has made a cgroup"))
}

/// How many processes there are in a cgroup and those below it.
fn processes_in(cgroup: &Path) -> usize {
    let name = cgroup.file_name().unwrap().to_str().unwrap();
    must(&["ps", "-eo", "cgroup"]).lines().filter(|line| line.contains(name)).count()
}
