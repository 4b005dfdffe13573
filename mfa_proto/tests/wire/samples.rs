//! One message of every kind, with a different value in every field, by name.

mod directory;
mod egress;
mod front;
mod policy;
mod replies;
mod requests;
mod tags;

use std::fmt::Debug;

use mfa_proto::{
    admin::{FactorId, FactorRef},
    answer::AnswerShape,
    auth_info::AuthInfo,
    codec,
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, Dialogue, ServerMessage, Start, Verdict, Withheld},
    name::{Claim, FactorLabel, UserId, UserName},
    secret::SecretText,
    text::ShownText,
};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) use self::{
    replies::{device_detail, factor_detail},
    tags::{client_tag, reply_tag, request_tag, server_tag, verdict_tag},
};

/// The re-encoded frame, and the printed value.
pub(crate) type Decoded = (Vec<u8>, String);

/// A message of some type, with what can be done with its bytes.
pub(crate) struct Sample {
    /// What it is called in the golden file.
    pub(crate) name: String,
    /// As it goes over the wire, header included.
    pub(crate) frame: Vec<u8>,
    /// Decodes a payload as this type; gives the re-encoded frame and the printed value.
    pub(crate) decode: fn(&[u8]) -> Result<Decoded, codec::CodecError>,
    /// The printed value.
    pub(crate) shown: String,
}

impl Sample {
    pub(crate) fn of<T: Debug + DeserializeOwned + Serialize>(name: impl Into<String>, message: &T) -> Self {
        Self {
            name: name.into(),
            frame: codec::encode(message).unwrap().to_vec(),
            decode: |payload| {
                let message: T = codec::decode(payload)?;
                Ok((codec::encode(&message)?.to_vec(), format!("{message:?}")))
            },
            shown: format!("{message:?}"),
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.frame[mfa_proto::frame::HEADER..]
    }
}

/// One message of every kind there is in version 1.
pub(crate) fn all() -> Vec<Sample> {
    [
        greetings(),
        client_messages(),
        server_messages(),
        requests::requests(),
        replies::replies(),
        policy::requests(),
        policy::replies(),
        replies::refusals(),
        replies::states(),
        egress::errands(),
        front::all(),
        passwords(),
        directory::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn jane() -> UserId {
    UserId::local(UserName::new("jane").unwrap())
}

fn label(text: &str) -> FactorLabel {
    FactorLabel::new(text).unwrap()
}

fn john() -> UserId {
    UserId::local(UserName::new("john").unwrap())
}

fn target() -> FactorRef {
    FactorRef { user: jane(), factor: Some(FactorId(7)), label: Some(label("phone")) }
}

fn greetings() -> Vec<Sample> {
    vec![
        Sample::of("hello/login", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Login) }),
        Sample::of("hello/egress", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Egress) }),
        Sample::of("hello/front", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Front) }),
        Sample::of("hello/admin", &Hello { min: 1, max: 300, ..Hello::new(Protocol::Admin) }),
        Sample::of("welcome/version", &Welcome::Version(1)),
        Sample::of("welcome/unsupported", &Welcome::Unsupported { min: 2, max: 3 }),
        Sample::of("welcome/busy", &Welcome::Busy),
    ]
}

fn client_messages() -> Vec<Sample> {
    let whole = Start {
        user: UserName::new("Ünal").unwrap(),
        service: "sshd".parse().unwrap(),
        dialogue: Dialogue::Interactive,
        remote_host: Some(Claim::clean("192.0.2.7")),
        remote_user: Some(Claim::clean("root")),
        terminal: Some(Claim::clean("ssh")),
        ssh_auth_info: Some(AuthInfo::clean("publickey ssh-ed25519 AAAA\n")),
    };
    let least = Start {
        user: UserName::new("jane").unwrap(),
        service: "openvpn".parse().unwrap(),
        dialogue: Dialogue::Combined,
        remote_host: None,
        remote_user: None,
        terminal: None,
        ssh_auth_info: None,
    };
    let messages = [
        ("start/whole", ClientMessage::Start(whole)),
        ("start/least", ClientMessage::Start(least)),
        ("answer", ClientMessage::Answer(secret("123 456"))),
        ("withheld/shape", ClientMessage::Withheld(Withheld::Shape)),
        ("withheld/sshd_refusal", ClientMessage::Withheld(Withheld::SshdRefusal)),
        ("withheld/no_answer", ClientMessage::Withheld(Withheld::NoAnswer)),
    ];
    messages.iter().map(|(name, message)| Sample::of(format!("client/{name}"), message)).collect()
}

fn server_messages() -> Vec<Sample> {
    let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::EIGHT_DIGITS);
    let prompt = |shape, echo| ServerMessage::Prompt { text: ShownText::clean("Code: "), echo, shape };
    let messages = [
        ("prompt/six_or_eight", prompt(shape, true)),
        ("prompt/acknowledge", prompt(AnswerShape::ACKNOWLEDGE, false)),
        ("info", ServerMessage::Info(ShownText::clean("Two lines\nof text"))),
        ("settled/accept", ServerMessage::Settled(Verdict::Accept)),
        ("settled/deny", ServerMessage::Settled(Verdict::Deny)),
        ("settled/locked", ServerMessage::Settled(Verdict::Locked)),
        ("settled/not_applicable", ServerMessage::Settled(Verdict::NotApplicable)),
        ("settled/unavailable", ServerMessage::Settled(Verdict::Unavailable)),
    ];
    messages.iter().map(|(name, message)| Sample::of(format!("server/{name}"), message)).collect()
}

/// What a front end asks the prover of passwords, and what it is told.
fn passwords() -> Vec<Sample> {
    use mfa_proto::password::{Check, Reply, Request};
    let check = |source| {
        Box::new(Check { user: UserName::new("jane").unwrap(), password: secret("Horse7 staple"), source })
    };
    let requests = [
        ("check", Request::Check(check(Some(Claim::clean("192.0.2.7"))))),
        ("change", Request::Change { check: check(None), new: secret("Battery8 horse") }),
    ];
    let replies = [
        ("yes", Reply::Yes),
        ("no", Reply::No),
        ("must_change", Reply::MustChange),
        ("busy", Reply::Busy),
        ("unavailable", Reply::Unavailable),
        ("refused", Reply::Refused),
    ];
    let hello = Sample::of("hello/password", &Hello { min: 1, max: 1, ..Hello::new(Protocol::Password) });
    let requests = requests.iter().map(|(name, r)| Sample::of(format!("password/request/{name}"), r));
    let replies = replies.iter().map(|(name, r)| Sample::of(format!("password/reply/{name}"), r));
    [hello].into_iter().chain(requests).chain(replies).collect()
}
