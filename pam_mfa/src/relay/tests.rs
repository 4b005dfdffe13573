//! The conversation against a script: what the daemon says is laid out in a socket beforehand.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use mfa_proto::codec::encode;

use super::*;
use crate::deadline::Deadline;

const SIX: AnswerShape = AnswerShape::SIX_DIGITS;

/// A person who types one thing after the other, and a program that shows it.
#[derive(Default)]
struct Scripted {
    types: Vec<&'static str>,
    stored: Option<String>,
    refuses_password: bool,
    saw: Vec<String>,
}

impl Host for Scripted {
    fn ask(&mut self, text: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>> {
        self.saw.push(format!("{}{text}", if echo { "shown: " } else { "hidden: " }));
        if self.types.is_empty() {
            return None;
        }
        Some(Zeroizing::new(self.types.remove(0).as_bytes().to_vec()))
    }

    fn inform(&mut self, text: &str) {
        self.saw.push(format!("info: {text}"));
    }

    fn password(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.stored.as_ref().map(|text| Zeroizing::new(text.as_bytes().to_vec()))
    }

    fn keep_password(&mut self, password: &SecretText) -> Result<(), Fault> {
        if self.refuses_password {
            return Err(Fault::Libpam { doing: "x", code: pam::constants::PamResultCode::PAM_BUF_ERR });
        }
        self.stored = Some(password.expose().to_owned());
        Ok(())
    }
}

fn prompt(text: &str, shape: AnswerShape) -> ServerMessage {
    ServerMessage::Prompt { text: ShownText::clean(text), echo: true, shape }
}

fn info(text: &str) -> ServerMessage {
    ServerMessage::Info(ShownText::clean(text))
}

const ACCEPT: ServerMessage = ServerMessage::Settled(Verdict::Accept);

/// Lets `host` talk to a daemon that says `messages` and hangs up; what came of it, and what was sent.
fn talk(
    host: &mut Scripted,
    dialogue: Dialogue,
    messages: &[ServerMessage],
) -> (Result<Verdict, Fault>, Vec<String>) {
    let (module, mut daemon) = UnixStream::pair().unwrap();
    // Open to the end: what a closed socket has not read becomes an error at the other end.
    let open = module.try_clone().unwrap();
    for message in messages {
        daemon.write_all(&encode(message).unwrap()).unwrap();
    }
    daemon.shutdown(std::net::Shutdown::Write).unwrap();
    let outcome = {
        let mut channel = Channel::over(module.into(), Deadline::after(Duration::from_secs(600)));
        converse(&mut channel, host, dialogue)
    };
    open.shutdown(std::net::Shutdown::Write).unwrap();
    let mut sent = Vec::new();
    daemon.read_to_end(&mut sent).unwrap();
    (outcome, told(&sent))
}

fn told(mut frames: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    while let [high, low, rest @ ..] = frames {
        let (payload, after) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        told.push(match codec::decode(payload).unwrap() {
            ClientMessage::Answer(text) => text.expose().to_owned(),
            ClientMessage::Withheld(why) => format!("{why:?}"),
            ClientMessage::Start(_) => "start".to_owned(),
        });
        frames = after;
    }
    told
}

fn interactive(types: &[&'static str], messages: &[ServerMessage]) -> (Result<Verdict, Fault>, Vec<String>) {
    talk(&mut Scripted { types: types.to_vec(), ..Scripted::default() }, Dialogue::Interactive, messages)
}

#[test]
fn a_code_is_asked_for_and_sent() {
    let mut host = Scripted { types: vec!["123 456"], ..Scripted::default() };
    let script = [info("hello"), prompt("Code: ", SIX), ACCEPT];
    let (outcome, sent) = talk(&mut host, Dialogue::Interactive, &script);
    assert_eq!(outcome.unwrap(), Verdict::Accept);
    assert_eq!(sent, ["123456"]);
    assert_eq!(host.saw, ["info: hello", "shown: Code: "]);
}

#[test]
fn a_mistyped_code_can_be_asked_for_again() {
    let (outcome, sent) =
        interactive(&["hunter2", "123456"], &[prompt("Code: ", SIX), prompt("Code: ", SIX), ACCEPT]);
    assert_eq!(outcome.unwrap(), Verdict::Accept);
    assert_eq!(sent, ["Shape", "123456"]);
}

#[test]
fn without_an_answer_no_verdict_is_waited_for() {
    let (outcome, sent) = interactive(&[], &[prompt("Code: ", SIX), ACCEPT]);
    assert!(matches!(outcome, Err(Fault::NoAnswer)));
    assert_eq!(sent, ["NoAnswer"]);
}

#[test]
fn the_stored_password_is_not_an_answer() {
    let mut host =
        Scripted { types: vec!["654321"], stored: Some("654321".to_owned()), ..Scripted::default() };
    let script = [prompt("Code: ", SIX), ServerMessage::Settled(Verdict::Deny)];
    let (outcome, sent) = talk(&mut host, Dialogue::Interactive, &script);
    assert_eq!(outcome.unwrap(), Verdict::Deny);
    assert_eq!(sent, ["Shape"]);
}

#[test]
fn a_daemon_that_hangs_up_or_goes_on_after_the_verdict_has_not_accepted() {
    let (outcome, _) = interactive(&["123456"], &[prompt("Code: ", SIX)]);
    assert!(matches!(outcome, Err(Fault::HungUp)));
    for second in [ACCEPT, ServerMessage::Settled(Verdict::Deny), info("x")] {
        let (outcome, _) = interactive(&["123456"], &[prompt("Code: ", SIX), ACCEPT, second]);
        assert!(matches!(outcome, Err(Fault::OutOfTurn(_))));
    }
}

#[test]
fn unavailable_is_an_excuse_only_before_the_first_prompt() {
    const UNAVAILABLE: ServerMessage = ServerMessage::Settled(Verdict::Unavailable);
    let (outcome, _) = interactive(&[], &[info("x"), UNAVAILABLE]);
    assert_eq!(outcome.unwrap(), Verdict::Unavailable);
    let (outcome, _) = interactive(&["123456"], &[prompt("Code: ", SIX), UNAVAILABLE]);
    assert!(matches!(outcome, Err(Fault::CannotJudge)));
    let (outcome, _) = interactive(&["x"], &[prompt("Code: ", SIX), UNAVAILABLE]);
    assert!(matches!(outcome, Err(Fault::CannotJudge)));
}

#[test]
fn texts_and_prompts_are_counted() {
    let mut texts = vec![info("x"); 64];
    texts.push(ACCEPT);
    assert_eq!(interactive(&[], &texts).0.unwrap(), Verdict::Accept);
    texts.insert(0, info("x"));
    assert!(matches!(interactive(&[], &texts).0, Err(Fault::OutOfTurn(_))));

    let mut prompts = vec![prompt("x", SIX); 16];
    prompts.push(ACCEPT);
    let (outcome, sent) = interactive(&["1"; 20], &prompts);
    assert_eq!((outcome.unwrap(), sent.len()), (Verdict::Accept, 16));
    prompts.insert(0, prompt("x", SIX));
    let (outcome, sent) = interactive(&["1"; 20], &prompts);
    assert!(matches!(outcome, Err(Fault::OutOfTurn(_))));
    assert_eq!(sent.len(), 16);
}

#[test]
fn one_field_gives_the_code_to_the_daemon_and_keeps_the_password() {
    let mut host = Scripted { types: vec!["hunter2123456"], ..Scripted::default() };
    let script = [prompt("Password and code: ", SIX), ServerMessage::Settled(Verdict::Deny)];
    let (outcome, sent) = talk(&mut host, Dialogue::Combined, &script);
    assert_eq!(outcome.unwrap(), Verdict::Deny);
    assert_eq!(sent, ["123456"]);
    assert_eq!(
        host.saw,
        ["hidden: Password and code: "],
        "a password is never shown, whatever the daemon says"
    );
    assert_eq!(host.stored.as_deref(), Some("hunter2"), "kept although the code was wrong");
}

#[test]
fn one_field_that_was_filled_before_is_not_asked_for_again() {
    let mut host = Scripted { stored: Some("hunter2123456".to_owned()), ..Scripted::default() };
    let (outcome, sent) = talk(&mut host, Dialogue::Combined, &[prompt("Password and code: ", SIX), ACCEPT]);
    assert_eq!(outcome.unwrap(), Verdict::Accept);
    assert_eq!(sent, ["123456"]);
    assert!(host.saw.is_empty());
    assert_eq!(host.stored.as_deref(), Some("hunter2"));
}

#[test]
fn one_field_is_asked_for_once() {
    let mut host = Scripted { types: vec!["hunter2", "hunter2123456"], ..Scripted::default() };
    let script = [prompt("Both: ", SIX), prompt("Both: ", SIX), ACCEPT];
    let (outcome, sent) = talk(&mut host, Dialogue::Combined, &script);
    assert!(matches!(outcome, Err(Fault::NoAnswer)));
    assert_eq!(sent, ["Shape", "NoAnswer"]);
    assert_eq!(host.saw.len(), 1);
    assert_eq!(host.stored, None);
}

#[test]
fn one_field_sees_texts_and_is_not_used_up_by_them() {
    let mut host = Scripted { types: vec!["hunter2123456"], ..Scripted::default() };
    let script = [prompt("Wait.", AnswerShape::ACKNOWLEDGE), prompt("Both: ", SIX), ACCEPT];
    let (outcome, sent) = talk(&mut host, Dialogue::Combined, &script);
    assert_eq!(outcome.unwrap(), Verdict::Accept);
    assert_eq!(sent, ["", "123456"]);
    assert_eq!(host.saw, ["info: Wait.", "hidden: Both: "]);
}

#[test]
fn a_password_that_cannot_be_kept_denies_before_the_code_is_used_up() {
    let mut host = Scripted { types: vec!["hunter2123456"], refuses_password: true, ..Scripted::default() };
    let (outcome, sent) = talk(&mut host, Dialogue::Combined, &[prompt("Both: ", SIX), ACCEPT]);
    assert!(matches!(outcome, Err(Fault::Libpam { .. })));
    assert!(sent.is_empty());
}
