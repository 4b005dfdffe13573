//! A daemon that is waiting for an outside service in a hundred logins, while others log in by code.
//!
//! The service is played by [`Gateway`], at the outermost edge: it takes every question and answers none.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
};

use mfa_proto::{
    codec, frame,
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, Dialogue, ServerMessage, Start},
    name::{ServiceName, UserName},
    secret::SecretText,
};
use mfa_tests::{egress::Egress, gateway::Gateway};
use serde::{Serialize, de::DeserializeOwned};

use crate::contender::Contender;

/// Logins that wait.
pub(crate) const PENDING: usize = 100;

/// What keeps them waiting; when it is dropped they end.
#[derive(Debug)]
pub(crate) struct Pending {
    _logins: Vec<UnixStream>,
    _egress: Egress,
    _service: Gateway,
}

/// The sections that the daemon needs; the service that they name.
pub(crate) fn sections() -> (Gateway, String) {
    let service = Gateway::start(|_| (200, r#"{"result":false}"#.to_owned()));
    service.hold();
    let toml = format!(
        "[rest.slow]\nverify_url = \"{}\"\n[egress]\nmax_calls = {}\ntimeout = \"30s\"\n",
        service.url("/verify"),
        5 * PENDING
    );
    (service, toml)
}

impl Pending {
    /// Has users log in by the service, until each of them waits for it.
    pub(crate) fn begin(egress: Egress, service: Gateway, contender: &Contender, users: &[String]) -> Self {
        let daemon = contender.daemon.as_ref().expect("it is ours");
        for user in users {
            daemon.ctl(&["enroll", "rest", user, "--service", "slow", "--no-confirm"]).ok();
        }
        let logins: Vec<_> = users.iter().map(|user| log_in(&daemon.socket, user)).collect();
        service.wait_for(users.len());
        Self { _logins: logins, _egress: egress, _service: service }
    }
}

/// A login up to the answer, which is left to wait for its verdict.
fn log_in(socket: &Path, user: &str) -> UnixStream {
    let mut stream = UnixStream::connect(socket).expect("the daemon listens");
    send(&mut stream, &Hello::new(Protocol::Login));
    send(
        &mut stream,
        &ClientMessage::Start(Start {
            user: UserName::new(user).expect("the name is valid"),
            service: ServiceName::new("bench").expect("the name is valid"),
            dialogue: Dialogue::Interactive,
            remote_host: None,
            remote_user: None,
            terminal: None,
            ssh_auth_info: None,
        }),
    );
    assert!(matches!(receive(&mut stream), Welcome::Version(_)), "the daemon speaks our version");
    let ServerMessage::Prompt { .. } = receive(&mut stream) else { panic!("{user} is not asked") };
    let answer = SecretText::new("not-it-7".to_owned()).expect("it is short");
    send(&mut stream, &ClientMessage::Answer(answer));
    stream
}

fn send(stream: &mut UnixStream, message: &impl Serialize) {
    let frame = codec::encode(message).expect("it fits a frame");
    stream.write_all(&frame).expect("the daemon reads");
}

fn receive<T: DeserializeOwned + Serialize>(stream: &mut UnixStream) -> T {
    let mut header = [0; frame::HEADER];
    stream.read_exact(&mut header).expect("the daemon answers");
    let mut payload = vec![0; frame::payload_length(header).expect("a frame")];
    stream.read_exact(&mut payload).expect("the daemon answers");
    codec::decode(&payload).expect("a message")
}
