//! Figures for monitoring, as those who collect them get at them: the socket with its mode and group, plain text
//! and HTTP over it, and the file for node-exporter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::Shutdown,
    os::unix::{
        fs::{MetadataExt as _, chown},
        net::UnixStream,
    },
    path::Path,
    process::Command,
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    sys::{Ran, must, run_with, wait_until},
    world::{self, Account, World},
};

const SOCKET: &str = "/run/mfad/metrics.sock";
const ACCEPTED: &str = "mfad_logins_total{verdict=\"accept\"} 1";

/// A daemon with a socket for the group `scrape` and a file, and one who is in that group.
fn start(world: &World) -> (Daemon, Account) {
    let collector = world.add_user("scrape");
    let dir = Path::new("/var/lib/node-exporter");
    fs::create_dir_all(dir).unwrap();
    let metrics = format!(
        "[metrics]\nsocket = \"{SOCKET}\"\nsocket_group = \"scrape\"\ntextfile = \"{}\"\ninterval = \"5s\"\n",
        dir.join("mfad.prom").display()
    );
    let mut daemon = Setup::new(world).section(&metrics).prepare();
    let owner = fs::metadata(&daemon.state).unwrap().uid();
    chown(dir, Some(owner), Some(owner)).unwrap();
    // As `SupplementaryGroups=` of the unit does: only a member may give a file to a group.
    must(&["usermod", "--append", "--groups", "scrape", "mfad"]);
    daemon.begin();
    (daemon, collector)
}

fn curl(who: &Account, words: &[&str]) -> Ran {
    let mut curl = who.command("curl");
    run_with(
        curl.args(["--silent", "--show-error", "--max-time", "20", "--unix-socket", SOCKET]).args(words),
        "",
    )
}

/// Says `said`, and nothing more.
fn plain(said: &str) -> String {
    let mut stream = UnixStream::connect(SOCKET).unwrap();
    stream.write_all(said.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn figures_are_given_to_those_who_may_have_them() {
    world::enter("figures_are_given_to_those_who_may_have_them", |world| {
        let (daemon, collector) = start(world);
        let stranger = world.add_user("jane");
        let found = fs::metadata(SOCKET).unwrap();
        assert_eq!((found.mode() & 0o7777, found.gid()), (0o660, collector.uid), "mode and group");
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(Driver::new("app").login("jane", &[&seed.hotp(0), ""]).result, "PAM_SUCCESS");

        for said in ["", "\n"] {
            let text = plain(said);
            assert!(text.starts_with("# ") && text.ends_with("# EOF\n") && text.contains(ACCEPTED), "{text}");
            assert!(!text.contains("jane"), "a name in {text}");
        }
        let got = curl(&collector, &["--include", "http://localhost/metrics"]).ok();
        let (head, body) = got.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && head.contains("openmetrics-text"), "{head}");
        assert!(body.contains(ACCEPTED) && body.ends_with("# EOF\n"), "{body}");
        let length = format!("Content-Length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{head}");
        assert!(curl(&collector, &["--head", "http://localhost/"]).ok().starts_with("HTTP/1.0 200"));
        let status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
        for (words, code) in [
            (&["http://localhost/etc/passwd"][..], "404"),
            (&["--data", "x=1", "http://localhost/metrics"], "405"),
        ] {
            assert_eq!(curl(&collector, &[&status[..], words].concat()).ok(), code, "{words:?}");
        }
        assert_eq!(curl(&stranger, &["http://localhost/metrics"]).code, Some(7), "a stranger may connect");
    });
}

#[test]
fn figures_are_written_to_a_file_and_go_with_the_daemon() {
    world::enter("figures_are_written_to_a_file_and_go_with_the_daemon", |world| {
        let (mut daemon, _) = start(world);
        let file = Path::new("/var/lib/node-exporter/mfad.prom");
        wait_until("the file is there", || file.exists());
        let first = fs::metadata(file).unwrap();
        assert_eq!(first.mode() & 0o7777, 0o644);
        assert!(fs::read_to_string(file).unwrap().ends_with("# EOF\n"));
        let seed = Seed::of("jane");
        world.add_user("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(Driver::new("app").login("jane", &[&seed.hotp(0), ""]).result, "PAM_SUCCESS");
        wait_until("it is replaced by one with the login", || {
            fs::read_to_string(file).unwrap().contains(ACCEPTED)
        });
        assert_eq!(fs::read_dir("/var/lib/node-exporter").unwrap().count(), 1, "nothing is left beside it");

        // Who is served is said by the socket of the daemon that runs: a new one takes its place.
        daemon.kill();
        assert_eq!(UnixStream::connect(SOCKET).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        daemon.begin();
        assert!(plain("").ends_with("# EOF\n"));
        daemon.stop();
        let mut scrape = Command::new("curl");
        let ran =
            run_with(scrape.args(["--silent", "--unix-socket", SOCKET, "http://localhost/metrics"]), "");
        assert_eq!(ran.code, Some(7), "{ran:?}");
    });
}
