//! `make bench-web`: how fast mfad-web judges codes, each a success that is on the disk before the answer is.
//!
//! Clients with connections of their own ask `/v1/verify/status` on this host, with a fresh HOTP code each. Refuses to
//! measure what failed: an answer but 204 ends the run. Refuses to hide a queue: at a fixed rate, the time counts from
//! when a request was due.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    ops::RangeInclusive,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use mfa_tests::{daemon::Setup, otp::Seed, sys::pause, web::Web, world::World};
use serde::Serialize;

use crate::{
    contender::{kib, user},
    measure::Spread,
    seeding,
};

const ADDRESS: &str = "127.0.0.1:8080";
/// Users, each with a connection.
const CLIENTS: u32 = 64;
/// How many times each asks as fast as it can, and then at the fixed rate.
const FAST: u64 = 400;
const STEADY: u64 = 160;
/// Requests a second of all together, at the fixed rate.
const RATE: u32 = 1000;

const CONFIG: &str = r#"
[web]
per_address_connections = 256

[[web.listen]]
address = "127.0.0.1:8080"

[[web.client]]
name = "bench"
rights = ["verify"]
token = "bench-token"
password_proven = true
rate = 10000
"#;

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    logins_per_second: f64,
    at_1000_a_second: Spread,
    web_resident_mib: f64,
    core_resident_mib: f64,
}

/// Measures, and prints a table with what is to be reached.
pub(crate) fn all(world: &World) -> Figures {
    let mut web = Web::new(world, ADDRESS);
    web.credential("bench-token", "bench-secret");
    let mut daemon = Setup::as_root().state_dir(&World::disk().join("web")).section(CONFIG).prepare();
    (0..CLIENTS).for_each(|number| drop(world.add_quick_user(&user(number))));
    seeding::seed(&mut daemon, CLIENTS, true);
    web.begin(&daemon);

    let (fast, wall) = together(1..=FAST, false);
    let logins = u32::try_from(fast.len()).expect("a run is short");
    let (steady, _) = together(FAST + 1..=FAST + STEADY, true);
    let resident = |pid: u32| {
        let kib = u32::try_from(kib(&format!("/proc/{pid}/status"), "VmRSS:")).unwrap_or(u32::MAX);
        f64::from(kib) / 1024.0
    };
    let figures = Figures {
        logins_per_second: f64::from(logins) / wall.as_secs_f64(),
        at_1000_a_second: Spread::of(&[steady]),
        web_resident_mib: resident(web.pid()),
        core_resident_mib: resident(daemon.pid()),
    };
    figures.print();
    figures
}

impl Figures {
    fn print(&self) {
        let row = |what: &str, value: f64, bound: &str, reached: bool| {
            println!(
                "  {what:44} {value:>10.1}   {bound:>8}   {}",
                if reached { "reached" } else { "missed" }
            );
        };
        println!("/v1/verify/status, {CLIENTS} connections, success on the disk before the answer");
        row("logins a second", self.logins_per_second, ">= 4000", self.logins_per_second >= 4000.0);
        let p99 = self.at_1000_a_second.p99_us / 1000.0;
        println!(
            "  {:44} {:>10.1}",
            "median at 1 000 a second, ms",
            self.at_1000_a_second.median_us / 1000.0
        );
        row("p99 at 1 000 a second, ms", p99, "<= 25", p99 <= 25.0);
        row(
            "resident memory of mfad-web, MiB",
            self.web_resident_mib,
            "<= 32",
            self.web_resident_mib <= 32.0,
        );
        println!("  {:44} {:>10.1}", "resident memory of mfad, MiB", self.core_resident_mib);
    }

    /// Writes them as JSON.
    pub(crate) fn write(&self, path: &Path) {
        let text = serde_json::to_string_pretty(self).expect("figures are JSON");
        fs::write(path, text + "\n").expect("the disk is writable");
    }
}

/// All clients at once, each with the codes of these counters, as fast as they can or at the fixed rate; how long
/// each login took, and all of them.
fn together(counters: RangeInclusive<u64>, steady: bool) -> (Vec<Duration>, Duration) {
    let of = |number| counters.clone().map(|counter| request(number, counter)).collect();
    let requests: Vec<Vec<String>> = (0..CLIENTS).map(of).collect();
    let begun = Instant::now();
    let clients: Vec<_> = (0_u32..)
        .zip(requests)
        .map(|(number, requests)| thread::spawn(move || client(number, &requests, steady.then_some(begun))))
        .collect();
    let took = clients.into_iter().flat_map(|client| client.join().expect("a client ends well")).collect();
    (took, begun.elapsed())
}

fn request(number: u32, counter: u64) -> String {
    let name = user(number);
    let body = format!(r#"{{"user":"{name}","code":"{}"}}"#, Seed::of(&name).hotp(counter));
    format!(
        "POST /v1/verify/status HTTP/1.1\r\nHost: {ADDRESS}\r\nAuthorization: Bearer bench-secret\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn client(number: u32, requests: &[String], since: Option<Instant>) -> Vec<Duration> {
    let mut stream = TcpStream::connect(ADDRESS).expect("mfad-web takes connections");
    stream.set_nodelay(true).expect("a socket can be set so");
    let mut took = Vec::with_capacity(requests.len());
    for (request, turn) in requests.iter().zip(0_u32..) {
        let due = since.map(|since| since + Duration::from_secs(1) / RATE * (turn * CLIENTS + number));
        if let Some(early) = due.and_then(|due| due.checked_duration_since(Instant::now())) {
            pause(early);
        }
        let due = due.unwrap_or_else(Instant::now);
        stream.write_all(request.as_bytes()).expect("mfad-web reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut bytes = [0; 512];
            let length = stream.read(&mut bytes).expect("mfad-web answers");
            assert!(length > 0, "the connection was closed: {}", Web::output());
            answer.extend_from_slice(&bytes[..length]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 204 "), "{}", String::from_utf8_lossy(&answer));
        took.push(due.elapsed());
    }
    took
}
