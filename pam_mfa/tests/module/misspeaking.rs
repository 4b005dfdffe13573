//! A daemon that breaks off, speaks too much, or speaks nonsense: each way denies, at once, with a line in
//! the log, and also where the administrator has chosen `unavailable=ignore`.

use mfa_proto::{hello::Welcome, login::Verdict};

use crate::rig::{
    AUTH_ERR, Daemon, Login, Peer, Place, SERVICE_ERR, SETTLED_ACCEPT, frame, info, prompt, settled, welcome,
};

/// The longest that a login waits where the daemon says nothing more, in seconds.
const TIMEOUT: &str = "timeout=2";

fn login_with(script: impl FnOnce(&mut Peer) + Send + 'static) -> (i32, String) {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), move |mut peer| {
        script(&mut peer);
        peer.hears_the_end();
    });
    let login = Login::new().at(&place.socket()).argument(TIMEOUT).argument("unavailable=ignore");
    let report = login.types("123456").types("123456").run(&place);
    daemon.done();
    assert_eq!(report.of("log").len(), 1, "{report:?}");
    (report.authenticated(), report.log())
}

type Script = fn(&mut Peer);

/// Runs each script; says which one did not end as it should.
fn all_deny(cases: &[(&str, Script)]) {
    for (name, script) in cases {
        let (code, log) = login_with(*script);
        assert_eq!(code, SERVICE_ERR, "{name}: {log}");
        assert!(log.ends_with(": denied"), "{name}: {log}");
    }
}

fn hang_up(peer: &mut Peer) {
    peer.stream().shutdown(std::net::Shutdown::Write).unwrap();
}

#[test]
fn hanging_up_denies_at_every_point() {
    all_deny(&[
        ("before the greeting", |peer| {
            hang_up(peer);
            peer.start();
        }),
        ("instead of a welcome", |peer| {
            peer.start();
            hang_up(peer);
        }),
        ("after half a header", |peer| {
            peer.start();
            peer.raw(&[0]);
            hang_up(peer);
        }),
        ("within the welcome", |peer| {
            peer.start();
            peer.raw(&welcome(Welcome::Version(1))[..3]);
            hang_up(peer);
        }),
        ("after the welcome", |peer| {
            peer.greeted();
            hang_up(peer);
        }),
        ("after a text", |peer| {
            peer.greeted();
            peer.says(&info("hello"));
            hang_up(peer);
        }),
        ("within a prompt", |peer| {
            peer.greeted();
            peer.raw(&frame(&prompt("Code: "))[..7]);
            hang_up(peer);
        }),
        ("after the answer", |peer| {
            peer.greeted();
            peer.says(&prompt("Code: "));
            assert_eq!(peer.answer(), "123456");
            hang_up(peer);
        }),
        ("within the verdict", |peer| {
            peer.greeted();
            peer.raw(&frame(&SETTLED_ACCEPT)[..3]);
            hang_up(peer);
        }),
    ]);
}

#[test]
fn nonsense_in_place_of_a_welcome_denies() {
    let cases: &[(&str, &[u8])] = &[
        ("an empty frame", &[0, 0]),
        ("an oversize frame", &[0x10, 0x01]),
        ("the largest header", &[0xff, 0xff]),
        ("another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("an unknown kind of welcome", &[0, 1, 9]),
        ("version 0", &welcome(Welcome::Version(0))),
        ("version 2, not offered", &welcome(Welcome::Version(2))),
        ("version 65535", &welcome(Welcome::Version(u16::MAX))),
        ("bytes after the welcome, within its frame", &[0, 3, 0, 1, 0]),
        ("a welcome written longer than needed", &[0, 3, 0, 0x81, 0]),
        ("a verdict before the welcome", &frame(&SETTLED_ACCEPT)),
        ("a prompt before the welcome", &frame(&prompt("Code: "))),
    ];
    for (name, bytes) in cases {
        let bytes = bytes.to_vec();
        let (code, log) = login_with(move |peer| {
            peer.start();
            peer.raw(&bytes);
        });
        assert_eq!(code, SERVICE_ERR, "{name}: {log}");
    }
}

#[test]
fn nonsense_after_the_welcome_denies() {
    all_deny(&[
        ("an empty frame", |peer| {
            peer.greeted();
            peer.raw(&[0, 0]);
        }),
        ("an oversize frame", |peer| {
            peer.greeted();
            peer.raw(&[0x10, 0x01]);
        }),
        ("an unknown kind of message", |peer| {
            peer.greeted();
            peer.raw(&[0, 1, 9]);
        }),
        ("an unknown verdict", |peer| {
            peer.greeted();
            peer.raw(&[0, 2, 2, 9]);
        }),
        ("a verdict with something behind it in its frame", |peer| {
            peer.greeted();
            let mut accept = frame(&SETTLED_ACCEPT);
            accept[1] += 1;
            accept.push(0);
            peer.raw(&accept);
        }),
        ("a verdict that says nothing", |peer| {
            peer.greeted();
            peer.raw(&[0, 1, 2]);
        }),
        ("a second welcome", |peer| {
            peer.greeted();
            peer.raw(&welcome(Welcome::Version(1)));
        }),
        ("a prompt that steers the terminal", |peer| {
            peer.greeted();
            peer.raw(&with_escape(&frame(&prompt("Code X: "))));
        }),
        ("a text that steers the terminal", |peer| {
            peer.greeted();
            peer.raw(&with_escape(&frame(&info("X"))));
        }),
    ]);
}

/// Puts an escape character where an `X` stands.
fn with_escape(frame: &[u8]) -> Vec<u8> {
    assert!(frame.contains(&b'X'));
    frame.iter().map(|&byte| if byte == b'X' { 0x1b } else { byte }).collect()
}

#[test]
fn a_verdict_with_anything_behind_it_denies() {
    for second in [SETTLED_ACCEPT, settled(Verdict::Deny), info("x")] {
        let place = Place::new();
        let both = [frame(&SETTLED_ACCEPT), frame(&second)].concat();
        let daemon = Daemon::at(&place.socket(), move |mut peer| {
            peer.greeted();
            peer.raw(&both);
            peer.hears_the_end();
        });
        let report = Login::new().at(&place.socket()).argument("unavailable=ignore").run(&place);
        daemon.done();
        assert_eq!(report.authenticated(), SERVICE_ERR, "{second:?}");
    }
}

#[test]
fn a_flood_of_texts_or_prompts_denies() {
    let flood = |message: Vec<u8>, most: usize| {
        let place = Place::new();
        let daemon = Daemon::at(&place.socket(), move |mut peer| {
            peer.greeted();
            peer.raw(&message.repeat(most + 1));
            peer.hears_out();
        });
        let mut login = Login::new().at(&place.socket()).argument("unavailable=ignore");
        for _ in 0..=most {
            login = login.types("123456");
        }
        let report = login.run(&place);
        daemon.done();
        assert_eq!(report.authenticated(), SERVICE_ERR);
        report.of("info").len() + report.of("shown").len()
    };
    assert_eq!(flood(frame(&info("x")), 64), 64);
    assert_eq!(flood(frame(&prompt("x")), 16), 16);
}

#[test]
fn a_frame_that_is_never_finished_denies_at_the_deadline() {
    let halves: [Script; 3] = [
        |peer| {
            peer.start();
            peer.raw(&welcome(Welcome::Version(1))[..1]);
        },
        |peer| {
            peer.greeted();
            peer.raw(&frame(&prompt("Code: "))[..5]);
        },
        |peer| {
            peer.greeted();
            peer.raw(&frame(&SETTLED_ACCEPT)[..3]);
        },
    ];
    for half in halves {
        let (code, log) = login_with(half);
        assert_eq!(code, AUTH_ERR, "{log}");
    }
}

/// Each byte comes in time; all of them would take far longer than the deadline.
#[test]
fn byte_after_byte_does_not_prolong_the_login() {
    const EACH: std::time::Duration = std::time::Duration::from_millis(100);
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        let text = frame(&prompt(&"x".repeat(511)));
        let sent = text.iter().take_while(|&&byte| {
            let gone = peer.closes_within(EACH);
            if !gone {
                peer.tries(&[byte]);
            }
            !gone
        });
        let sent = sent.count();
        assert!(sent < text.len() / 2, "{sent} of {} bytes were waited for", text.len());
    });
    let report =
        Login::new().at(&place.socket()).argument(TIMEOUT).argument("unavailable=ignore").run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), AUTH_ERR);
}
