//! `make bench-web`: how fast mfad-web judges codes, beside a peer that is asked the same by the same clients in
//! rounds that take turns. Refuses to compare with figures of another day or another machine.

mod cost;
mod disk;
mod load;
mod ours;
mod peer;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use mfa_tests::world::World;
use serde::Serialize;

use self::{
    load::{CLIENTS, Codes, Endpoint},
    ours::Ours,
    peer::Peer,
};
use crate::{
    measure::{Spread, median},
    report::machine,
    target::{self, At, Target},
};

pub(crate) use self::peer::NAME as PEER;

/// How often each user logs in a round, after so many times to warm up: here, at the fixed rate, and at the peer.
const FAST: Amount = Amount { warm_up: 20, measured: 600 };
const STEADY: Amount = Amount { warm_up: 10, measured: 80 };
const SLOW: Amount = Amount { warm_up: 2, measured: 10 };
/// Requests a second of all together, at the fixed rate.
const RATE: u32 = 1000;

#[derive(Clone, Copy)]
struct Amount {
    warm_up: u64,
    measured: u64,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    machine: BTreeMap<&'static str, String>,
    rows: [Row; 5],
    /// How long the disk by itself takes to keep a page.
    disk: Spread,
    web_peak_mib: f64,
    core_peak_mib: f64,
    peer_mib: f64,
    targets: Vec<Target>,
}

/// One endpoint under one load.
#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    /// Logins a second of each round.
    rounds: Vec<f64>,
    /// How long a login took.
    spread: Spread,
    /// What 99 of 100 logins of each round took at most, in microseconds.
    tails_us: Vec<f64>,
    /// How late the clients themselves were, which is part of that at a fixed rate.
    late: Spread,
    /// Processor time of a login, on the side of the servers, in microseconds.
    processor_us: f64,
}

/// An endpoint under a load, round for round.
struct Series {
    what: &'static str,
    endpoint: Endpoint,
    amount: Amount,
    rate: Option<u32>,
    rounds: Vec<f64>,
    took: Vec<Vec<Duration>>,
    late: Vec<Vec<Duration>>,
    processor: Duration,
}

impl Series {
    fn fast(what: &'static str, endpoint: Endpoint, amount: Amount) -> Self {
        Self {
            what,
            endpoint,
            amount,
            rate: None,
            rounds: Vec::new(),
            took: Vec::new(),
            late: Vec::new(),
            processor: Duration::ZERO,
        }
    }

    fn steady(what: &'static str, endpoint: Endpoint) -> Self {
        Self { rate: Some(RATE), ..Self::fast(what, endpoint, STEADY) }
    }

    /// One more round, of servers with these processes.
    fn round(&mut self, codes: &mut Codes, servers: &[u32]) {
        codes.use_up(self.amount.warm_up, self.endpoint, self.rate);
        let before = cost::of(servers);
        let took = codes.use_up(self.amount.measured, self.endpoint, self.rate);
        self.processor += cost::of(servers).saturating_sub(before);
        self.rounds.push(took.per_second());
        self.took.push(took.each);
        self.late.push(took.late);
    }

    fn row(self) -> Row {
        let spread = Spread::of(&self.took);
        let logins = f64::from(u32::try_from(spread.logins).expect("a run is short"));
        let processor_us = self.processor.as_secs_f64() * 1e6 / logins;
        let tails_us = self.took.iter().map(|round| Spread::of(std::slice::from_ref(round)).p99_us).collect();
        let late = Spread::of(&self.late);
        Row { what: self.what, rounds: self.rounds, spread, tails_us, late, processor_us }
    }
}

/// Measures, and prints a table with what is to be reached.
pub(crate) fn all(world: &World, rounds: u32) -> Figures {
    eprintln!("bench: setting up mfad and mfad-web");
    let mut ours = Ours::start(world);
    eprintln!("bench: setting up {PEER}");
    let mut peer = Peer::start(world);
    let mut check = Series::fast("mfad /validate/check", ours::CHECK, FAST);
    let mut status = Series::fast("mfad /v1/verify/status", ours::STATUS, FAST);
    let mut other = Series::fast("eduMFA /validate/check", peer::CHECK, SLOW);
    let mut steady_check = Series::steady("mfad /validate/check, 1 000 a second", ours::CHECK);
    let mut steady_status = Series::steady("mfad /v1/verify/status, 1 000 a second", ours::STATUS);
    let (our_servers, peers_servers) = (ours.pids(), peer.pids());
    let mut disk = Vec::new();
    // First: many virtual disks are slower for a while after they had much to keep.
    for round in 1..=rounds {
        eprintln!("bench: {RATE} a second, round {round} of {rounds}");
        for series in [&mut steady_check, &mut steady_status] {
            series.round(&mut ours.codes, &our_servers);
        }
        disk.push(disk::times());
    }
    for round in 1..=rounds {
        eprintln!("bench: {CLIENTS} connections, round {round} of {rounds}");
        for series in [&mut check, &mut status] {
            series.round(&mut ours.codes, &our_servers);
        }
        other.round(&mut peer.codes, &peers_servers);
    }
    let (web_peak_mib, core_peak_mib) = ours.peak_mib();
    let mut machine = machine();
    machine.insert("peer", peer::versions());
    let mut figures = Figures {
        machine,
        rows: [check, status, other, steady_check, steady_status].map(Series::row),
        disk: Spread::of(&disk),
        web_peak_mib,
        core_peak_mib,
        peer_mib: peer.proportional_mib(),
        targets: Vec::new(),
    };
    figures.judge();
    figures
}

impl Figures {
    /// Prints them, and holds them against what is to be reached.
    fn judge(&mut self) {
        println!(
            "\n{CLIENTS} connections, each login a success that is on the disk before the answer\nmfad beside {}\n",
            self.machine["peer"]
        );
        let [half, tail, late, rate, cost] = ["median ms", "p99 ms", "late p99", "logins/s", "processor ms"];
        println!("{:42} {half:>10} {tail:>10} {late:>10} {rate:>10} {cost:>14}", "");
        for Row { what, rounds, spread, late, processor_us, .. } in &self.rows {
            let [half, tail, late, cost] =
                [spread.median_us, spread.p99_us, late.p99_us, *processor_us].map(|us| us / 1000.0);
            let rate = median(rounds);
            println!("  {what:40} {half:>10.2} {tail:>10.2} {late:>10.2} {rate:>10.1} {cost:>14.3}");
        }
        let [half, tail] = [self.disk.median_us, self.disk.p99_us].map(|us| us / 1000.0);
        println!("  {:40} {half:>10.2} {tail:>10.2}", "the disk by itself, for a page");
        println!("\nmemory, MiB\n  {:42} {:>10.1}", "mfad-web, at most", self.web_peak_mib);
        println!("  {:42} {:>10.1}", "mfad, at most", self.core_peak_mib);
        println!("  {:42} {:>10.1}", "eduMFA's gunicorn, without its database", self.peer_mib);
        let [check, status, other, steady_check, steady_status] = &self.rows;
        let rate = |row: &Row| median(&row.rounds);
        // As with speed: one round in which the machine stood still for others does not decide.
        let tail = |row: &Row| median(&row.tails_us) / 1000.0;
        self.targets = target::judge([
            ("/validate/check, logins a second", Some(rate(check)), At::Least(4000.0)),
            ("/v1/verify/status, logins a second", Some(rate(status)), At::Least(4000.0)),
            ("/validate/check, p99 at 1 000 a second, ms", Some(tail(steady_check)), At::Most(25.0)),
            ("/v1/verify/status, p99 at 1 000 a second, ms", Some(tail(steady_status)), At::Most(25.0)),
            ("memory of mfad-web, MiB resident", Some(self.web_peak_mib), At::Most(32.0)),
            (
                "/validate/check: mfad / eduMFA, in logins a second",
                Some(rate(check) / rate(other)),
                At::Least(50.0),
            ),
        ]);
    }

    /// Writes them as JSON.
    pub(crate) fn write(&self, path: &Path) {
        let text = serde_json::to_string_pretty(self).expect("figures are JSON");
        fs::write(path, text + "\n").expect("the disk is writable");
    }
}
