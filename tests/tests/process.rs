//! The daemon as a process: alone on its database, bounded, undumpable, talked to by the service manager,
//! and silent about secrets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs::{self, File},
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    sys::run_with,
    world,
};

#[test]
fn a_second_daemon_on_the_same_database_refuses_to_start() {
    world::enter("a_second_daemon_on_the_same_database_refuses_to_start", |world| {
        let mut daemon = Daemon::start(world);
        let mine = daemon.config.clone();
        let text = fs::read_to_string(&mine).unwrap();
        daemon.config = PathBuf::from("/etc/mfad/other.toml");
        fs::write(&daemon.config, text.replace("/run/mfad/mfad.sock", "/run/mfad/other.sock")).unwrap();
        let second = run_with(&mut daemon.mfad(&["core"]), "");
        assert_eq!(second.code, Some(1), "{second:?}");
        assert!(second.stderr.contains("another mfad runs on this state directory"), "{second:?}");
        assert!(!Path::new("/run/mfad/other.sock").exists(), "it took a socket first");
        daemon.config = mine;
        daemon.ctl(&["status"]).ok();
        // One that was killed leaves nothing behind that keeps the next from starting.
        daemon.kill();
        daemon.begin();
    });
}

#[test]
fn a_key_that_rows_still_need_is_not_forgotten() {
    world::enter("a_key_that_rows_still_need_is_not_forgotten", |world| {
        world.add_user("judith");
        let daemon = Setup::as_root().start();
        daemon.enroll_hotp("judith", &Seed::of("judith"), 0);
        let ids = || -> Vec<String> {
            let text = fs::read_to_string("/etc/mfad/key").unwrap();
            text.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
        };
        let old = ids()[0].clone();
        run_with(&mut daemon.mfad(&["key", "rotate"]), "").ok();
        let refused = run_with(&mut daemon.mfad(&["key", "forget", &old]), "");
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("still needed"), "{refused:?}");
        assert!(ids().contains(&old), "the key is gone");
        daemon.ctl(&["reload"]).ok();
        mfa_tests::sys::wait_until("all rows are sealed with the new key", || {
            daemon.json(&["status"])["rows_with_old_key"].as_u64() == Some(0)
        });
        run_with(&mut daemon.mfad(&["key", "forget", &old]), "").ok();
        assert!(!ids().contains(&old));
        daemon.ctl(&["reload"]).ok();
        daemon.guard_with_code_alone("app", "");
        assert_eq!(Driver::new("app").login("judith", &[&Seed::of("judith").hotp(0)]).result, "PAM_SUCCESS");
    });
}

/// The value of a line of a file in /proc.
fn line_of(pid: u32, file: &str, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
    line.trim_start_matches(name).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_running_daemon_cannot_be_dumped_and_has_room_for_all_its_connections() {
    world::enter("a_running_daemon_cannot_be_dumped_and_has_room_for_all_its_connections", |world| {
        let daemon = Setup::new(world).with_user_socket().prepare();
        let mut command = Command::new("prlimit");
        command.args(["--nofile=256:4096", "--core=1048576", "--"]);
        let inner = daemon.mfad(&["core"]);
        command.arg(inner.get_program()).args(inner.get_args());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        mfa_tests::sys::wait_until("mfad answers", || daemon.ctl(&["status"]).code == Some(0));
        let pid = child.id();
        assert!(line_of(pid, "limits", "Max core file size").starts_with("0 0 "));
        let files = line_of(pid, "limits", "Max open files");
        let soft: u64 = files.split(' ').next().unwrap().parse().unwrap();
        assert!(soft >= 2 * 512 + 32, "512 connections on each of two sockets, and {files} files");
        assert_eq!(line_of(pid, "status", "Umask:"), "0077");
        assert_ne!(line_of(pid, "status", "Uid:"), "0 0 0 0");
        // The kernel gives /proc/PID of a process that cannot be dumped to root.
        assert_eq!(fs::metadata(format!("/proc/{pid}/environ")).unwrap().uid(), 0, "it can be dumped");
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

/// All files below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn no_secret_is_in_log_database_command_line_or_environment() {
    world::enter("no_secret_is_in_log_database_command_line_or_environment", |world| {
        world.add_user("judith");
        let daemon = Setup::new(world).section("[log]\nlevel = \"debug\"").start();
        let seed = Seed::of("judith");
        daemon.enroll_hotp("judith", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        let (right, wrong) = (seed.hotp(0), seed.wrong());
        assert_eq!(Driver::new("app").login("judith", &[&wrong, &right]).result, "PAM_SUCCESS");
        assert_ne!(
            Driver::new("app").login("judith", &[&right, &wrong, "Horse7 staple"]).result,
            "PAM_SUCCESS"
        );
        // A key that the daemon made itself, too.
        let made = daemon.json(&["enroll", "totp", "judith", "--label", "second", "--no-confirm"]);
        let made = made["secret"].as_str().expect("the secret is shown once").to_owned();
        world.log().wait_for("enroll: user=judith");
        let base32 = seed.base32();
        let hex = seed.hex();
        let digits: Vec<char> = hex.chars().collect();
        let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
        let raw: Vec<u8> = digits.chunks(2).map(byte).collect();
        let keys = fs::read_to_string("/etc/mfad/key").unwrap();
        let key = keys.trim().rsplit(' ').next().unwrap();
        let texts = [base32.as_str(), &hex, &made, key, &right, &wrong, "Horse7 staple"];
        let secrets: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).chain([raw.as_slice()]).collect();
        let proc = format!("/proc/{}", daemon.pid());
        let mut places: Vec<(String, Vec<u8>)> = ["cmdline", "environ"]
            .map(|file| (file.to_owned(), fs::read(format!("{proc}/{file}")).unwrap()))
            .into();
        places.push(("log".to_owned(), world.log().lines("").join("\n").into_bytes()));
        places.push(("output".to_owned(), daemon.output().into_bytes()));
        let files = files_below(&daemon.state);
        assert!(files.iter().any(|file| file.ends_with("mfad.db")), "{files:?}");
        places.extend(files.iter().map(|file| (file.display().to_string(), fs::read(file).unwrap())));
        for (place, bytes) in &places {
            for (secret, what) in
                secrets.iter().zip(["base32", "hex", "made", "key", "code", "code", "password", "raw"])
            {
                // Six digits may stand in binary data by chance, and as part of a longer number in text.
                let by_chance = what == "code" && !matches!(place.as_str(), "cmdline" | "environ");
                if !by_chance {
                    assert!(!holds(bytes, secret), "{what} is in {place}");
                }
            }
        }
        let log = world.log().lines("judith");
        assert!(!log.is_empty(), "nothing was logged");
        for line in log {
            let words = line.split(|c: char| !c.is_ascii_digit());
            assert!(!words.into_iter().any(|word| word == right || word == wrong), "a code is in {line}");
        }
        let rows = daemon.ctl(&["--json", "audit"]).ok();
        assert!(rows.contains("judith") && !rows.contains(&right) && !rows.contains(&wrong), "{rows}");
    });
}

#[test]
fn the_service_manager_is_told_when_the_daemon_is_ready() {
    world::enter("the_service_manager_is_told_when_the_daemon_is_ready", |_| {
        let daemon = Setup::as_root().prepare();
        let ear = UnixDatagram::bind("/run/notify.sock").unwrap();
        ear.set_read_timeout(Some(mfa_tests::sys::PATIENCE)).unwrap();
        let mut child = daemon
            .mfad(&["core"])
            .env("NOTIFY_SOCKET", "/run/notify.sock")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let hear = || {
            let mut said = [0; 256];
            let length = ear.recv(&mut said).expect("it says something");
            String::from_utf8_lossy(&said[..length]).into_owned()
        };
        assert!(hear().contains("READY=1"));
        // Ready means that it answers.
        daemon.ctl(&["status"]).ok();
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).unwrap();
        let reloading = hear();
        assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
        assert!(hear().contains("READY=1"), "the reload never ends");
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(hear().contains("STOPPING=1"));
        assert!(child.wait().unwrap().success());
        assert!(!daemon.socket.exists(), "its socket is left behind");
    });
}

#[test]
fn what_is_handed_over_and_is_no_socket_is_an_error() {
    world::enter("what_is_handed_over_and_is_no_socket_is_an_error", |_| {
        let daemon = Setup::as_root().prepare();
        let inner = daemon.mfad(&["core"]);
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec \"$@\"",
            "sh",
        ]);
        shell.arg(inner.get_program()).args(inner.get_args());
        let output = shell.stdin(File::open("/etc/passwd").unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("no listening Unix socket"), "{said}");
    });
}
