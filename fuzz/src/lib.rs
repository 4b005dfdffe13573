//! One function for each thing that reads what others wrote. Each panics when a promise is broken:
//! that nothing panics, and what is said at the function.
//!
//! Refuses to know about fuzzing engines: the thin programs in `fuzz_targets` hand the bytes over.

mod ldap;
mod web;

use mfa_proto::{
    admin::{Reply, Request},
    answer::{Answer, AnswerShape},
    codec,
    frame::{HEADER, MAX_PAYLOAD, payload_length},
    front::{Ask, FrontMessage, PasswordMessage, PasswordOutcome},
    hello::{Hello, NEWEST, OLDEST, Welcome},
    login::{ClientMessage, ServerMessage},
    name::{Claim, FactorLabel, RealmName, ServiceName, UserName},
    text::{MAX_SHOWN, ShownText, escape_for_log},
};
use mfa_role::config::{Config, Source};
use mfactl::import;

pub use ldap::ldap_value;
pub use web::web;

/// Something that goes over the wire.
trait Message: Sized {
    fn decoded(payload: &[u8]) -> Option<Self>;
    fn encoded(&self) -> Vec<u8>;
}

macro_rules! messages {
    ($($message:ty),*) => {$(
        impl Message for $message {
            fn decoded(payload: &[u8]) -> Option<Self> {
                codec::decode(payload).ok()
            }

            fn encoded(&self) -> Vec<u8> {
                codec::encode(self).expect("what was decoded can be encoded").to_vec()
            }
        }
    )*};
}

messages!(
    Ask,
    ClientMessage,
    FrontMessage,
    Hello,
    PasswordMessage,
    PasswordOutcome,
    Reply,
    Request,
    ServerMessage,
    Welcome
);

/// The payloads of a stream of frames, up to the first that is none.
fn payloads(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        let (header, behind) = rest.split_first_chunk::<HEADER>()?;
        let length = payload_length(*header).ok()?;
        assert!((1..=MAX_PAYLOAD).contains(&length));
        let (payload, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some(payload)
    })
}

/// What decodes encodes to the very same bytes.
fn strictly<T: Message>(payload: &[u8]) -> Option<T> {
    let message = T::decoded(payload)?;
    assert_eq!(&message.encoded()[HEADER..], payload, "two encodings of one message");
    Some(message)
}

/// A stream as the daemon reads it from a login client: a greeting, then messages, in frames.
pub fn frame_and_login(stream: &[u8]) {
    for payload in payloads(stream) {
        if let Some(hello) = strictly::<Hello>(payload)
            && let Welcome::Version(version) = hello.answer(OLDEST, NEWEST)
        {
            assert!((hello.min..=hello.max).contains(&version));
        }
        let _welcome = strictly::<Welcome>(payload);
        if let Some(ServerMessage::Prompt { text, .. }) = strictly(payload) {
            assert_showable(text.as_str());
        }
        if let Some(ClientMessage::Start(start)) = strictly(payload) {
            assert_name(start.user.as_str());
            assert_name(start.service.as_str());
            for claim in [start.remote_host, start.remote_user, start.terminal] {
                assert!(claim.is_none_or(|claim| !claim.as_str().chars().any(char::is_control)));
            }
            let info = start.ssh_auth_info.unwrap_or_default();
            assert!(info.lines().all(|line| !line.chars().any(char::is_control)));
        }
    }
}

/// A stream as core and a front end read it from each other: questions, turns, ends, in frames.
pub fn front(stream: &[u8]) {
    for payload in payloads(stream) {
        if let Some(ask) = strictly::<Ask>(payload) {
            assert_name(ask.client.as_str());
            for claim in [&ask.address, &ask.source].into_iter().flatten() {
                assert!(!claim.as_str().chars().any(char::is_control));
            }
            // Answers are among them.
            assert!(!format!("{ask:?}").is_empty());
        }
        match strictly::<FrontMessage>(payload) {
            Some(FrontMessage::Turn {
                message: ServerMessage::Prompt { text, .. } | ServerMessage::Info(text),
                ..
            }) => assert_showable(text.as_str()),
            Some(FrontMessage::Turn { message: ServerMessage::Settled(_), .. } | FrontMessage::Ended(_))
            | None => {}
        }
        let _password = (strictly::<PasswordMessage>(payload), strictly::<PasswordOutcome>(payload));
    }
}

/// The payload of one administration request.
pub fn admin_request(payload: &[u8]) {
    if let Some(request) = strictly::<Request>(payload) {
        assert!(!format!("{request:?}").is_empty());
    }
}

/// The payload of one administration reply, as `mfactl` reads it.
pub fn admin_reply(payload: &[u8]) {
    if let Some(Reply::Refused(refusal)) = strictly::<Reply>(payload) {
        assert_showable(refusal.message.as_str());
    }
}

/// Configuration files, with a NUL between them. Every problem lies in the file it names and is one
/// printable line.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file =
        |(index, text): (usize, &str)| Source { path: format!("/{index}").into(), text: text.to_owned() };
    let sources: Vec<_> = text.splitn(3, '\0').enumerate().map(file).collect();
    let errors = match Config::from_sources(&sources) {
        Ok(config) => {
            assert!(config.core().per_uid_connections <= config.core().max_connections);
            assert!(config.limits().disable_at.is_none_or(|most| (1..=100).contains(&most)));
            return;
        }
        Err(errors) => errors,
    };
    assert!(errors.iter().len() > 0);
    for problem in &errors {
        let source =
            sources.iter().find(|source| source.path == problem.file).expect("a file that was given");
        let at = problem.position.expect("a place");
        let line = source.text.split('\n').nth(at.line - 1).expect("a line that is there");
        assert!(at.column <= line.chars().count() + 1);
        assert!(!problem.message.chars().any(char::is_control), "{}", problem.message);
    }
}

/// What a person types. A code has the digits asked for, and none that were not typed; a text that is
/// taken apart is the password followed by the code.
pub fn answer_shape(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    let six = AnswerShape::SIX_DIGITS;
    for shape in [six, AnswerShape::EIGHT_DIGITS, six.or(AnswerShape::EIGHT_DIGITS)] {
        if let Some(Answer::Code(code)) = shape.parse(&typed) {
            let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '\t' | '-')).collect();
            assert_eq!(code.expose(), digits);
            assert!(shape.includes(code.shape()) && code.expose().len() == usize::from(code.digits()));
        }
        if let Some(parts) = shape.split_combined(&typed) {
            assert_eq!(format!("{}{}", parts.password.expose(), parts.code.expose()), typed);
            assert!(!parts.password.expose().is_empty() && shape.includes(parts.code.shape()));
        }
    }
    assert!(matches!(AnswerShape::ACKNOWLEDGE.parse(&typed), Some(Answer::Acknowledged)));
}

/// Names and texts from outside. What is taken for a name cannot leave a path, a log line or a field.
pub fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let taken = [
        UserName::new(&*text).map(String::from),
        RealmName::new(&*text).map(String::from),
        ServiceName::new(&*text).map(String::from),
        FactorLabel::new(&*text).map(String::from),
    ];
    for name in taken.into_iter().flatten() {
        assert_eq!(name, text);
        assert_name(&name);
    }
    let claim = Claim::clean(&text);
    assert!(claim.as_str().len() <= Claim::MAX);
    assert_eq!(Claim::try_from(String::from(claim.clone())), Ok(claim));
    assert_showable(ShownText::clean(&text).as_str());
    assert!(!escape_for_log(&text).chars().any(char::is_control));
}

/// Files of other programs, read as each format, whatever they look like. Every place is a line of the file, what is
/// taken for a key can be sent and is not printed.
pub fn import(bytes: &[u8]) {
    let _any = import::Format::detect(bytes);
    let options = import::Options {
        pre_shared_key: import::PreSharedKey::from_hex(b"12345678901234567890123456789012").ok(),
        ..import::Options::default()
    };
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for format in import::Format::ALL {
        let parsed = import::parse(format, bytes, &options);
        for rejected in &parsed.rejected {
            assert!((1..=lines).contains(&rejected.line));
            assert!(!rejected.why.to_string().chars().any(char::is_control), "{}", rejected.why);
        }
        for entry in &parsed.entries {
            assert!((1..=lines).contains(&entry.line));
            let text = entry.factor.key.to_base32().expect("a key that was read can be sent");
            assert!(import::Key::from_base32(text.expose()).is_ok_and(|key| key == entry.factor.key));
            assert_eq!(
                format!("{:?} {:?}", entry.factor.key, entry.recovery.first()).matches("redacted").count(),
                1 + entry.recovery.len().min(1)
            );
            assert!(entry.recovery.iter().all(|code| code.expose().len() == 8));
        }
    }
}

fn assert_name(name: &str) {
    assert!(!name.is_empty() && name.len() <= UserName::MAX && name.trim() == name, "{name:?}");
    assert!(!name.contains(['/', ':', '\0', '\n', '\u{1b}']), "{name:?}");
}

fn assert_showable(text: &str) {
    assert!(text.len() <= MAX_SHOWN && !text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert_eq!(ShownText::clean(text).as_str(), text, "what is clean stays as it is");
}
