//! Clients with one field: the code goes to the daemon, the password to the module that follows.

use std::fs;

use mfa_proto::login::{Dialogue, Verdict, Withheld};

use crate::rig::{AUTH_ERR, Daemon, Login, Place, Report, SUCCESS, prompt, set_mode, settled};

/// What `pam_exec` finds in `PAM_AUTHTOK` after our module, and what came of the login.
fn login_with(verdict: Verdict, login: Login) -> (Option<String>, Report) {
    let place = Place::new();
    let token = place.path().join("token");
    let script = place.path().join("keep");
    fs::write(&script, format!("#!/bin/sh\nexec cat > '{}'\n", token.display())).unwrap();
    set_mode(&script, 0o755);
    let daemon = Daemon::at(&place.socket(), move |mut peer| {
        assert_eq!(peer.greeted().dialogue, Dialogue::Combined);
        peer.says(&prompt("Password and code: "));
        assert_eq!(peer.answer(), "123456");
        peer.says(&settled(verdict));
    });
    let line = format!("auth optional pam_exec.so quiet expose_authtok {}", script.display());
    let report = login.before_line(&line).argument("combined").at(&place.socket()).run(&place);
    daemon.done();
    (fs::read_to_string(token).ok().map(|text| text.trim_end_matches('\0').to_owned()), report)
}

#[test]
fn the_password_is_left_for_the_next_module() {
    let (token, report) = login_with(Verdict::Accept, Login::new().types("hunter2123456"));
    assert_eq!(report.authenticated(), SUCCESS, "{report:?}");
    assert_eq!(token.as_deref(), Some("hunter2"));
    assert_eq!(report.of("hidden"), ["Password and code: "], "hidden, although the daemon asked to show it");
    assert!(report.of("shown").is_empty());
}

#[test]
fn the_password_is_left_although_the_code_is_wrong() {
    let (token, report) = login_with(Verdict::Deny, Login::new().types("hunter2123456"));
    assert_eq!(report.authenticated(), AUTH_ERR);
    assert_eq!(token.as_deref(), Some("hunter2"));
}

#[test]
fn what_an_earlier_module_asked_for_is_not_asked_for_again() {
    let earlier = Login::new().after_line("auth required pam_exec.so quiet expose_authtok /bin/true");
    let (token, report) = login_with(Verdict::Accept, earlier.types("hunter2123456"));
    assert_eq!(report.authenticated(), SUCCESS, "{report:?}");
    assert_eq!(token.as_deref(), Some("hunter2"));
    assert_eq!(report.of("hidden").len(), 1, "{report:?}");
}

#[test]
fn a_field_without_a_code_is_not_sent() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&prompt("Password and code: "));
        assert_eq!(peer.withheld(), Withheld::Shape);
        peer.says(&prompt("Password and code: "));
        assert_eq!(peer.withheld(), Withheld::NoAnswer);
        peer.hears_the_end();
    });
    let login = Login::new().argument("combined").at(&place.socket());
    let report = login.types("hunter2").types("hunter2123456").run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), AUTH_ERR);
    assert_eq!(report.of("hidden").len(), 1, "asked once");
}
