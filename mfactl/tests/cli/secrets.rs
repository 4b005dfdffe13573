//! Keys and codes: they reach the daemon, and nothing but the place they are shown.

use mfa_proto::admin::{FactorState, NewParams, Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::login::{ClientMessage, ServerMessage, Verdict};
use mfa_proto::{answer::AnswerShape, text::ShownText};

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::run::run;
use crate::sample;

#[test]
fn the_key_and_the_code_come_from_standard_input_line_by_line() {
    let daemon = FakeDaemon::admin(vec![sample::enrolled_with_own_key("hotp", FactorState::Active)]);
    let arguments = ["enroll", "hotp", "alice", "--secret-stdin", "--code-stdin", "--counter", "9"];
    let ran = run(&daemon.socket(), &arguments, "jbsw-y3dp EHPK 3pxp=\n123 456\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!format!("{ran:?}").to_uppercase().contains("JBSW"), "the key was printed: {ran:?}");
    let seen = daemon.finish();
    let [Seen::Hello(Protocol::Admin), Seen::Request(request)] = seen.as_slice() else { panic!("{seen:?}") };
    let Request::Enroll(new) = &**request else { panic!("{request:?}") };
    assert_eq!(new.secret.as_ref().unwrap().expose(), "JBSWY3DPEHPK3PXP");
    assert_eq!(new.current_code.as_ref().unwrap().expose(), "123456");
    assert!(matches!(new.params, NewParams::Hotp(hotp) if hotp.counter == 9));
}

#[test]
fn what_is_no_key_or_code_is_not_sent_and_not_repeated() {
    for (arguments, stdin) in [
        (&["enroll", "totp", "alice", "--secret-stdin"][..], "hunter2!\n"),
        (&["enroll", "totp", "alice", "--secret-stdin"], ""),
        (&["enroll", "totp", "alice", "--secret-stdin"], "\n"),
        (&["enroll", "totp", "alice", "--code-stdin"], "hunter2!\n"),
        (&["confirm", "alice"], "hunter2!\n"),
        (&["confirm", "alice"], ""),
        (&["confirm", "alice", "hunter2!"], ""),
        (&["confirm", "123456"], ""),
        (&["disable", "alice", "--code-stdin"], "12345\n"),
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        let ran = run(&daemon.socket(), arguments, stdin);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
        assert!(daemon.finish().is_empty(), "{arguments:?} reached the daemon");
    }
}

#[test]
fn a_key_on_the_command_line_is_refused() {
    let daemon = FakeDaemon::admin(Vec::new());
    assert_eq!(run(&daemon.socket(), &["enroll", "totp", "alice", "--secret", sample::SECRET], "").code, 2);
    assert!(daemon.finish().is_empty());
}

#[test]
fn codes_reach_the_daemon_as_digits() {
    let daemon = FakeDaemon::admin(vec![Reply::Done { factors: 1 }]);
    assert_eq!(run(&daemon.socket(), &["confirm", "alice", "123 456"], "").code, 0);
    let seen = daemon.finish();
    let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
    let Request::Confirm { code, .. } = &**request else { panic!("{request:?}") };
    assert_eq!(code.expose(), "123456");
}

#[test]
fn json_of_a_new_factor_has_key_and_link() {
    let daemon = FakeDaemon::admin(vec![sample::enrolled(FactorState::Pending)]);
    let ran = run(&daemon.socket(), &["enroll", "totp", "alice", "--json"], "");
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["secret"], sample::SECRET);
    assert_eq!(value["uri"], sample::URI);
    daemon.finish();
}

#[test]
fn a_login_sends_the_digits_or_keeps_what_is_none() {
    let script = || {
        let prompt = |shape| ServerMessage::Prompt { text: ShownText::clean("Code: "), echo: false, shape };
        Script::Login(vec![
            prompt(AnswerShape::SIX_DIGITS),
            prompt(AnswerShape::EIGHT_DIGITS.or(AnswerShape::SIX_DIGITS)),
            prompt(AnswerShape::ACKNOWLEDGE),
            ServerMessage::Settled(Verdict::Deny),
        ])
    };
    let daemon = FakeDaemon::start(script());
    let ran = run(&daemon.socket(), &["test", "alice"], "my password\n1234-5678\nanything\n");
    assert_eq!(ran.code, 4, "{ran:?}");
    let seen = daemon.finish();
    let answers: Vec<String> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Login(ClientMessage::Answer(text)) => Some(text.expose().to_owned()),
            Seen::Login(ClientMessage::Withheld(why)) => Some(format!("{why:?}")),
            Seen::Login(ClientMessage::Start(_)) | Seen::Hello(_) | Seen::Request(_) => None,
        })
        .collect();
    assert_eq!(answers, ["Shape", "12345678", ""]);
}
