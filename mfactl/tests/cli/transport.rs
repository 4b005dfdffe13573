//! Daemons that are absent, hang, break the protocol, or go away: always exit code 3 and a next step.

use std::io::BufRead;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;

use mfa_proto::admin::{AuditPage, FactorState, Reply, Request, UserPage};
use mfa_proto::codec::encode;
use mfa_proto::hello::Welcome;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden;
use crate::run::{Ran, binary, command, run};
use crate::sample;

fn fails(ran: &Ran, why: &str) {
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains(why), "expected {why:?} in {}", ran.stderr);
    assert!(ran.stderr.contains("\n  hint: "), "no hint in {}", ran.stderr);
}

#[test]
fn an_absent_daemon_is_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sock");
    let mut text = String::new();
    for arguments in [&["status"][..], &["status", "--json"], &["config", "check"], &["test", "alice"]] {
        text.push_str(&golden::transcript(arguments, &[], &run(&path, arguments, ""), &path));
    }
    drop(UnixListener::bind(&path).unwrap());
    text.push_str(&golden::transcript(&["reload"], &[], &run(&path, &["reload"], ""), &path));
    golden::check("absent.txt", &text);
}

#[test]
fn a_path_that_is_no_socket_address_is_named() {
    let ran = run(Path::new(&format!("/{}", "x".repeat(200))), &["status"], "");
    fails(&ran, "the path is too long");
    fails(&run(Path::new("/dev/null"), &["status"], ""), "cannot reach mfad at /dev/null");
}

#[test]
fn a_daemon_that_does_not_accept_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sock");
    let stream = |flags| socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
    let listener = stream(SockFlag::empty());
    let address = UnixAddr::new(&path).unwrap();
    bind(listener.as_raw_fd(), &address).unwrap();
    listen(&listener, Backlog::new(0).unwrap()).unwrap();
    let mut waiting = Vec::new();
    loop {
        let client = stream(SockFlag::SOCK_NONBLOCK);
        let full = connect(client.as_raw_fd(), &address).is_err();
        waiting.push(client);
        if full {
            break;
        }
    }
    fails(&run(&path, &["status", "--timeout", "1"], ""), "it does not accept connections");
}

#[test]
fn a_silent_daemon_is_given_up() {
    for script in [Script::Greeting(Vec::new()), Script::Bytes(Vec::new()), Script::Bytes(vec![0, 9, 1])] {
        let daemon = FakeDaemon::start(script);
        fails(&run(&daemon.socket(), &["status", "--timeout", "1"], ""), "no answer within 1 s");
        daemon.finish();
    }
}

#[test]
fn bytes_that_drip_in_do_not_prolong_the_wait() {
    let mut bytes = vec![0x10, 0];
    bytes.resize(4096, 0);
    let daemon = FakeDaemon::start(Script::Drip(bytes));
    fails(&run(&daemon.socket(), &["status", "--timeout", "1"], ""), "no answer within 1 s");
    daemon.finish();
}

#[test]
fn a_daemon_that_goes_away_is_told_from_one_that_refuses() {
    for bytes in [Vec::new(), vec![0], vec![0, 9, 1]] {
        let daemon = FakeDaemon::start(Script::Hangup(bytes));
        fails(&run(&daemon.socket(), &["status"], ""), "hung up");
        daemon.finish();
    }
}

#[test]
fn what_is_not_exactly_the_expected_message_is_refused() {
    let status = encode(&sample::status(Ok(()))).unwrap();
    let mut trailing = status.to_vec();
    trailing.push(0);
    trailing[1] += 1;
    for (bytes, why) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], "more than the 4096 allowed"),
        (&[0, 0], "the frame is empty"),
        (&[0, 1, 9], "cannot be decoded"),
        (&encode(&Welcome::Version(7)).unwrap(), "it chose version 7"),
        (
            &encode(&Welcome::Unsupported { min: 3, max: 4 }).unwrap(),
            "it speaks protocol versions 3 to 4, this mfactl 1 to 1",
        ),
        (&encode(&Welcome::Busy).unwrap(), "too many connections"),
    ] {
        let daemon = FakeDaemon::start(Script::Greeting(bytes.to_vec()));
        fails(&run(&daemon.socket(), &["status"], ""), why);
        daemon.finish();
    }
    for (bytes, why) in [
        (&[0xff, 0xff][..], "more than the 4096 allowed"),
        (&[0, 0], "the frame is empty"),
        (&[0, 3, 99, 99, 99], "cannot be decoded"),
        (&trailing, "1 bytes follow"),
        (&[0, 3, 0, 0x81, 0], "canonical"),
    ] {
        let daemon = FakeDaemon::start(Script::Bytes(bytes.to_vec()));
        fails(&run(&daemon.socket(), &["status"], ""), why);
        daemon.finish();
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    for arguments in [
        &["status"][..],
        &["list"],
        &["show", "alice"],
        &["audit"],
        &["reload"],
        &["enroll", "totp", "alice"],
    ] {
        let daemon = FakeDaemon::admin(vec![Reply::Done { factors: 1 }]);
        fails(&run(&daemon.socket(), arguments, ""), "does not fit the request");
        daemon.finish();
    }
    for arguments in [&["unlock", "alice"][..], &["confirm", "alice", "123456"], &["disable", "alice"]] {
        let daemon = FakeDaemon::admin(vec![sample::enrolled(FactorState::Active)]);
        fails(&run(&daemon.socket(), arguments, ""), "does not fit the request");
        daemon.finish();
    }
}

#[test]
fn what_was_not_asked_for_is_not_taken_for_an_answer() {
    let Reply::Users(first) = sample::users().remove(0) else { panic!("the sample is a page") };
    let page = encode(&Reply::Users(first)).unwrap();
    let daemon = FakeDaemon::start(Script::Bytes([page.as_slice(), page.as_slice()].concat()));
    fails(&run(&daemon.socket(), &["list"], ""), "not asked for");
    daemon.finish();
}

#[test]
fn pages_that_do_not_go_on_are_not_asked_for_for_ever() {
    let empty = Reply::Users(UserPage { users: Vec::new(), more: true });
    let no_rows = Reply::Audit(AuditPage { rows: Vec::new(), more: true, upto: 0 });
    let back = Reply::Audit(AuditPage {
        rows: vec![sample::audit_row(2), sample::audit_row(2)],
        more: true,
        upto: 2,
    });
    for (arguments, replies) in [
        (["list"], vec![sample::users().remove(0), sample::users().remove(0)]),
        (["list"], vec![empty]),
        (["audit"], vec![no_rows]),
        (["audit"], vec![back]),
    ] {
        let daemon = FakeDaemon::admin(replies);
        fails(&run(&daemon.socket(), &arguments, ""), "does not fit the request");
        daemon.finish();
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (stdout, code, stderr) in [
        (Stdio::from(writer), 0, ""),
        (Stdio::from(full), 1, "mfactl: cannot write the output: No space left on device (os error 28)\n"),
    ] {
        let daemon = FakeDaemon::admin(sample::users());
        let mut child = command(binary(), &daemon.socket(), &["list"]);
        let output = child.stdin(Stdio::null()).stdout(stdout).output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
            (Some(code), stderr)
        );
        daemon.finish();
    }
}

#[test]
fn follow_goes_on_over_restarts_of_the_daemon_until_ctrl_c() {
    let page = |rows, upto| Reply::Audit(AuditPage { rows, more: false, upto });
    let turns = vec![
        vec![page(Vec::new(), 4), page(vec![sample::audit_row(7)], 8)],
        vec![page(Vec::new(), 8)],
        vec![page(vec![sample::audit_row(9)], 9)],
    ];
    let daemon = FakeDaemon::start(Script::AdminInTurns(turns));
    // Shells start what runs in the background with Ctrl-C ignored, which is inherited.
    let env = Path::new("env");
    let program = binary().to_str().unwrap();
    let arguments = ["--default-signal=INT", program, "audit", "--follow", "--user", "alice"];
    let mut child = command(env, &daemon.socket(), &arguments);
    let child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut shown = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = (0..3).map(|_| shown.next().unwrap().unwrap()).collect();
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(shown.next().map(Result::unwrap), None, "nothing half written");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.signal(), Some(2));
    let notes = String::from_utf8(ended.stderr).unwrap();
    assert!(notes.contains("hung up") && notes.contains("waiting for it\nmfactl: mfad is back\n"), "{notes}");
    assert!(lines[0].starts_with("TIME ") && lines[1].contains("192.0.2.1"), "{lines:?}");
    assert!(lines[2].contains("192.0.2.1"), "{lines:?}");
    let filter = |seen: &Seen| {
        let Seen::Request(request) = seen else { return None };
        let Request::Audit(filter) = &**request else { panic!("{request:?}") };
        Some((filter.after, filter.last))
    };
    let filters: Vec<(i64, Option<u32>)> = daemon.finish().iter().filter_map(filter).collect();
    assert_eq!(
        filters,
        [(0, Some(50)), (4, None), (8, None), (8, None)],
        "no row is asked for twice, or missed"
    );
}

#[test]
fn without_follow_a_daemon_that_goes_away_is_a_failure() {
    let daemon = FakeDaemon::start(Script::Hangup(Vec::new()));
    let ran = run(&daemon.socket(), &["audit"], "");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("hung up"), "{ran:?}");
    drop(daemon.finish());
}
