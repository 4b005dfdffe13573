//! A daemon that is not there, does not answer, or says that it cannot: what denies, and what an
//! administrator can choose to let pass.

use std::{os::unix::net::UnixListener, time::Duration};

use mfa_proto::{hello::Welcome, login::Verdict};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        socket::{
            AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, getsockopt, listen, socket,
            sockopt::PeerCredentials,
        },
    },
    unistd::Pid,
};
use std::os::fd::AsRawFd;

use crate::rig::{
    AUTH_ERR, AUTHINFO_UNAVAIL, Daemon, Login, PERM_DENIED, Peer, Place, Report, SUCCESS, frame, info,
    prompt, settled, welcome,
};

fn with_daemon(script: fn(&mut Peer), login: Login) -> Report {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), move |mut peer| {
        script(&mut peer);
        peer.hears_the_end();
    });
    let report = login.at(&place.socket()).argument("timeout=2").types("123456").run(&place);
    daemon.done();
    report
}

fn ignoring() -> Login {
    Login::new().argument("unavailable=ignore")
}

/// Denied by default; passed by where the administrator wants it, which is logged each time.
fn assert_absent(report: impl Fn(Login) -> Report) {
    let denied = report(Login::new());
    assert_eq!(denied.authenticated(), AUTHINFO_UNAVAIL, "{denied:?}");
    assert_eq!(denied.of("log").len(), 1);
    assert!(denied.log().ends_with("denied"));

    let ignored = report(ignoring());
    assert_eq!(ignored.authenticated(), SUCCESS, "{ignored:?}");
    assert_eq!(ignored.of("log").len(), 1);
    assert!(ignored.log().contains("WITHOUT a second factor"), "{ignored:?}");
    assert_eq!(report(ignoring().alone()).authenticated(), PERM_DENIED, "ignoring is not a yes");
}

#[test]
fn no_socket_is_an_absent_daemon() {
    let place = Place::new();
    assert_absent(|login| login.at(&place.socket()).run(&place));
    assert_absent(|login| login.at(&place.path().join("nowhere/mfad.sock")).run(&place));
}

#[test]
fn a_socket_where_nobody_listens_is_an_absent_daemon() {
    let place = Place::new();
    drop(UnixListener::bind(place.socket()).unwrap());
    assert_absent(|login| login.at(&place.socket()).run(&place));
}

#[test]
fn a_daemon_that_takes_no_connections_is_an_absent_daemon() {
    let place = Place::new();
    let listener = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    let address = UnixAddr::new(&place.socket()).unwrap();
    bind(listener.as_raw_fd(), &address).unwrap();
    listen(&listener, Backlog::new(0).unwrap()).unwrap();
    let mut waiting = Vec::new();
    loop {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let client = socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
        match connect(client.as_raw_fd(), &address) {
            Ok(()) => waiting.push(client),
            Err(full) => {
                assert_eq!(full, Errno::EAGAIN);
                break;
            }
        }
    }
    assert_absent(|login| login.at(&place.socket()).argument("timeout=2").run(&place));
}

#[test]
fn a_daemon_that_says_nothing_is_an_absent_daemon() {
    assert_absent(|login| {
        with_daemon(
            |peer| {
                peer.start();
            },
            login,
        )
    });
}

#[test]
fn a_daemon_that_falls_silent_before_it_asks_is_an_absent_daemon() {
    assert_absent(|login| {
        with_daemon(
            |peer| {
                peer.greeted();
                peer.says(&info("One moment."));
            },
            login,
        )
    });
}

#[test]
fn a_daemon_that_cannot_judge_from_the_start_is_an_absent_daemon() {
    assert_absent(|login| {
        with_daemon(
            |peer| {
                peer.greeted();
                peer.says(&settled(Verdict::Unavailable));
            },
            login,
        )
    });
}

#[test]
fn a_daemon_that_refuses_the_connection_is_there() {
    let refusals: [fn(&mut Peer); 3] = [
        |peer| {
            peer.start();
            peer.raw(&welcome(Welcome::Busy));
        },
        |peer| {
            peer.start();
            peer.raw(&welcome(Welcome::Unsupported { min: 7, max: 8 }));
        },
        |peer| {
            // Without a look at the greeting, as a daemon does that has no place left.
            peer.raw(&welcome(Welcome::Busy));
            peer.stream().shutdown(std::net::Shutdown::Both).unwrap();
            peer.hears_out();
        },
    ];
    for refusal in refusals {
        let report = with_daemon(refusal, ignoring());
        assert_eq!(report.authenticated(), AUTHINFO_UNAVAIL, "{report:?}");
        assert!(report.log().ends_with("denied"), "{report:?}");
    }
}

#[test]
fn once_asked_no_silence_lets_anyone_pass() {
    let silences: [fn(&mut Peer); 2] = [
        |peer| {
            peer.greeted();
            peer.says(&prompt("Code: "));
            assert_eq!(peer.answer(), "123456");
        },
        |peer| {
            peer.greeted();
            peer.says(&prompt("Code: "));
            assert_eq!(peer.answer(), "123456");
            peer.says(&info("One moment."));
        },
    ];
    for silence in silences {
        let report = with_daemon(silence, ignoring());
        assert_eq!(report.authenticated(), AUTH_ERR, "{report:?}");
    }
}

#[test]
fn once_asked_no_failure_of_the_daemon_lets_anyone_pass() {
    let report = with_daemon(
        |peer| {
            peer.greeted();
            peer.says(&prompt("Code: "));
            assert_eq!(peer.answer(), "123456");
            peer.says(&settled(Verdict::Unavailable));
        },
        ignoring(),
    );
    assert_eq!(report.authenticated(), AUTHINFO_UNAVAIL, "{report:?}");
}

#[test]
fn a_person_who_lets_the_time_run_out_is_denied_and_nothing_is_sent() {
    let report = with_daemon(
        |peer| {
            peer.greeted();
            peer.says(&prompt("Code: "));
        },
        ignoring().with("--linger", "2100"),
    );
    assert_eq!(report.authenticated(), AUTH_ERR, "{report:?}");
}

/// Anyone can stop a setuid program from its terminal. The deadline passes while it is stopped, before the
/// module has read a prompt: that must not look like an absent daemon.
#[test]
fn a_program_that_was_stopped_past_the_deadline_is_denied() {
    for greeted_before in [false, true] {
        let place = Place::new();
        let daemon = Daemon::at(&place.socket(), move |mut peer| {
            if greeted_before {
                peer.start();
            }
            let program = getsockopt(peer.stream(), PeerCredentials).unwrap().pid();
            kill(Pid::from_raw(program), Signal::SIGSTOP).unwrap();
            // Longer than the deadline; nothing may close the connection while it is stopped.
            assert!(!peer.closes_within(Duration::from_millis(2500)));
            peer.raw(&[welcome(Welcome::Version(1)), frame(&prompt("Code: "))].concat());
            kill(Pid::from_raw(program), Signal::SIGCONT).unwrap();
        });
        let login = ignoring().at(&place.socket()).argument("timeout=2").types("123456");
        let report = login.run(&place);
        daemon.done();
        assert_eq!(report.authenticated(), AUTH_ERR, "{report:?}");
        assert!(report.of("shown").is_empty(), "{report:?}");
    }
}
