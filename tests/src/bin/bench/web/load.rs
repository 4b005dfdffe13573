//! Load over HTTP: people with connections of their own, who log in with a fresh HOTP code each time, as fast as they
//! can or at a fixed rate. Refuses to measure what failed: an answer that is no yes ends the run. Refuses to hide a
//! queue: at a fixed rate, the time counts from when a request was due.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use mfa_tests::{otp::Seed, sys::pause};
use serde_json::Value;

use crate::contender::user;

/// Users, each with a connection.
pub(crate) const CLIENTS: u32 = 64;
/// The type of what is sent.
const FORM: &str = "application/x-www-form-urlencoded";

/// Whom to ask, and which answer is a yes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoint {
    /// Where it listens.
    pub(crate) address: &'static str,
    pub(crate) path: &'static str,
    /// Who asks: a header, or nothing.
    pub(crate) proof: &'static str,
    /// What the field with the code is called.
    pub(crate) code: &'static str,
    pub(crate) is_yes: fn(&Answer) -> bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The answer of `/validate/check` that is a yes.
    pub(crate) fn value_is_true(&self) -> bool {
        self.status == 200 && self.json()["result"]["value"] == Value::Bool(true)
    }
}

/// What a number of requests took.
#[derive(Debug)]
pub(crate) struct Took {
    pub(crate) each: Vec<Duration>,
    /// How late the clients were with each request, which is in the time of it: the machine had others to serve, or the
    /// answer before was late.
    pub(crate) late: Vec<Duration>,
    wall: Duration,
}

impl Took {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.each.len()).expect("a round is short")) / self.wall.as_secs_f64()
    }
}

/// Tokens of all users, used in step.
#[derive(Debug)]
pub(crate) struct Codes {
    next: u64,
}

impl Codes {
    /// Tokens whose next code is the one with this counter.
    pub(crate) fn from(next: u64) -> Self {
        Self { next }
    }

    /// Has every user log in so many times, at so many requests a second of all together, or as fast as they can.
    pub(crate) fn use_up(&mut self, each: u64, endpoint: Endpoint, rate: Option<u32>) -> Took {
        let counters = self.next..self.next + each;
        self.next = counters.end;
        let of = |number| counters.clone().map(|counter| login(endpoint, number, counter)).collect();
        let requests: Vec<Vec<String>> = (0..CLIENTS).map(of).collect();
        let begun = Instant::now();
        let clients: Vec<_> = (0_u32..)
            .zip(requests)
            .map(|(number, requests)| {
                let due = rate.map(|rate| Due { begun, between: Duration::from_secs(1) / rate, number });
                thread::spawn(move || client(endpoint, &requests, due))
            })
            .collect();
        let times = clients.into_iter().flat_map(|client| client.join().expect("a client ends well"));
        let (late, each) = times.unzip();
        Took { each, late, wall: begun.elapsed() }
    }
}

fn login(endpoint: Endpoint, number: u32, counter: u64) -> String {
    let name = user(number);
    let body = format!("user={name}&{}={}", endpoint.code, Seed::of(&name).hotp(counter));
    post(endpoint, endpoint.path, &body)
}

/// A request with a form.
pub(crate) fn post(endpoint: Endpoint, path: &str, form: &str) -> String {
    let Endpoint { address, proof, .. } = endpoint;
    let proof = if proof.is_empty() { String::new() } else { format!("{proof}\r\n") };
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\n{proof}Content-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// When the requests of one client are due: its turn comes once for each of all clients.
#[derive(Clone, Copy)]
struct Due {
    begun: Instant,
    between: Duration,
    number: u32,
}

impl Due {
    fn at(self, turn: u32) -> Instant {
        self.begun + self.between * (turn * CLIENTS + self.number)
    }
}

/// How late each request was, and how long it took from when it was due.
fn client(endpoint: Endpoint, requests: &[String], due: Option<Due>) -> Vec<(Duration, Duration)> {
    let mut connection = Connection::to(endpoint.address);
    let ask = |(request, turn): (&String, u32)| {
        let due = due.map(|due| due.at(turn));
        if let Some(early) = due.and_then(|due| due.checked_duration_since(Instant::now())) {
            pause(early);
        }
        let begun = due.unwrap_or_else(Instant::now);
        let late = begun.elapsed();
        let answer = connection.ask(request);
        let took = begun.elapsed();
        assert!((endpoint.is_yes)(&answer), "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        (late, took)
    };
    requests.iter().zip(0_u32..).map(ask).collect()
}

/// A connection, which is kept for as long as the server keeps it.
#[derive(Debug)]
pub(crate) struct Connection {
    address: &'static str,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    pub(crate) fn to(address: &'static str) -> Self {
        Self { address, stream: None }
    }

    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        let address = self.address;
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(address).expect("it takes connections");
            stream.set_nodelay(true).expect("a socket can be set so");
            BufReader::new(stream)
        });
        stream.get_mut().write_all(request.as_bytes()).expect("it reads");
        let (answer, kept) = read(stream);
        if !kept {
            self.stream = None;
        }
        answer
    }
}

/// An answer, and whether the connection goes on.
fn read(stream: &mut BufReader<TcpStream>) -> (Answer, bool) {
    let (mut status, mut length, mut kept) = (0, 0, true);
    let mut line = String::new();
    loop {
        line.clear();
        assert!(stream.read_line(&mut line).expect("it answers") > 0, "the connection was closed");
        let text = line.trim_end().to_ascii_lowercase();
        match text.split_once(':').map_or((text.as_str(), ""), |(name, value)| (name, value.trim())) {
            ("", _) => break,
            ("content-length", value) => length = value.parse().expect("a length is a number"),
            ("connection", value) => kept = value != "close",
            ("transfer-encoding", _) => panic!("answers in pieces are not read here"),
            (begin, _) if status == 0 => {
                let number = begin.split(' ').nth(1).and_then(|number| number.parse().ok());
                status = number.expect("an answer begins with its status");
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("it answers");
    (Answer { status, body }, kept)
}
