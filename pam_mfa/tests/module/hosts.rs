//! Programs that are not as they should be: without a conversation, without standard descriptors, asking a
//! thousand times.

use mfa_proto::login::Withheld;

use crate::rig::{AUTH_ERR, Daemon, Login, Place, SERVICE_ERR, SETTLED_ACCEPT, SUCCESS, info, prompt};

#[test]
fn a_program_that_cannot_ask_is_denied_and_the_daemon_is_told() {
    for conversation in ["null", "fails", "no-array", "no-text"] {
        let place = Place::new();
        let daemon = Daemon::at(&place.socket(), |mut peer| {
            peer.greeted();
            peer.says(&info("Hello"));
            peer.says(&prompt("Code: "));
            assert_eq!(peer.withheld(), Withheld::NoAnswer);
            peer.hears_the_end();
        });
        let login = Login::new().at(&place.socket()).argument("unavailable=ignore");
        let report = login.with("--conversation", conversation).types("123456").run(&place);
        daemon.done();
        assert_eq!(report.authenticated(), AUTH_ERR, "{conversation}");
    }
}

#[test]
fn a_person_who_gives_up_is_denied() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&prompt("Code: "));
        assert_eq!(peer.withheld(), Withheld::NoAnswer);
    });
    let report = Login::new().at(&place.socket()).run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), AUTH_ERR);
}

#[test]
fn a_program_that_cannot_show_texts_can_still_ask() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&info("Hello"));
        peer.says(&prompt("Code: "));
        assert_eq!(peer.answer(), "123456");
        peer.says(&SETTLED_ACCEPT);
    });
    let report =
        Login::new().at(&place.socket()).with("--conversation", "no-info").types("123456").run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), SUCCESS);
}

#[test]
fn the_standard_descriptors_stay_free() {
    for closed in ["0", "2", "012"] {
        let place = Place::new();
        let daemon = Daemon::at(&place.socket(), |mut peer| {
            peer.greeted();
            peer.says(&prompt("Code: "));
            assert_eq!(peer.answer(), "123456");
            peer.says(&SETTLED_ACCEPT);
        });
        let report = Login::new().at(&place.socket()).with("--close", closed).types("123456").run(&place);
        daemon.done();
        assert_eq!(report.authenticated(), SUCCESS);
        let open = report.of("low").concat();
        assert!(!closed.chars().any(|descriptor| open.contains(descriptor)), "{closed}: {report:?}");
    }
}

/// With SIGPIPE as it is by default, a plain write to a closed socket would end the program.
#[test]
fn a_daemon_that_is_gone_at_the_answer_does_not_end_the_program() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        // From here on, whatever is sent to this socket is an EPIPE.
        peer.stream().shutdown(std::net::Shutdown::Read).unwrap();
        peer.says(&prompt("Code: "));
        peer.hears_out();
    });
    let report = Login::new().at(&place.socket()).types("123456").run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), SERVICE_ERR, "{report:?}");
}

#[test]
fn a_thousand_logins_leave_nothing_behind() {
    const LOGINS: u32 = 1000;
    let place = Place::new();
    let mut number = 0;
    let daemon = Daemon::for_logins(&place.socket(), LOGINS, move |mut peer| {
        number += 1;
        peer.greeted();
        match number % 4 {
            0 => peer.raw(&[0xff, 0xff]),
            1 => {}
            _ => {
                peer.says(&prompt("Code: "));
                assert_eq!(peer.answer(), "123456");
                peer.says(&SETTLED_ACCEPT);
            }
        }
    });
    let login = Login::new().at(&place.socket()).types("123456").with("--cycles", LOGINS.to_string());
    let report = login.run(&place);
    daemon.done();
    assert_eq!(report.of("authenticate").len(), 1000);
    assert_eq!(report.of("authenticate").iter().filter(|&&code| code == "0").count(), 500);
    for what in ["descriptors", "mappings"] {
        let counts = report.of(what);
        assert_eq!(counts[0], counts[1], "{what}");
    }
    assert_ne!(report.of("mappings")[0], "0", "the module is not unloaded (-z nodelete)");
}
