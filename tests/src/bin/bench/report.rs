//! The table and its JSON: what was measured, where, and which targets were reached.

use std::{collections::BTreeMap, fs, path::Path};

use mfa_tests::{
    sys::{must, run},
    world::World,
};
use serde::Serialize;

use crate::{
    contender::Contender,
    measure::Spread,
    target::{self, At, Target},
};

/// One measured case of one module.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Which case.
    pub(crate) case: &'static str,
    /// Which module, with how many users.
    pub(crate) module: String,
    /// How many users are enrolled.
    pub(crate) users: u32,
    /// Logins a second; the median of the rounds.
    pub(crate) per_second: f64,
    /// How long a login took.
    pub(crate) spread: Spread,
}

/// The memory of a daemon.
#[derive(Debug, Serialize)]
struct Memory {
    module: String,
    users: u32,
    vm_rss_kib: u64,
    pss_kib: u64,
}

/// All of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: BTreeMap<&'static str, String>,
    rows: Vec<Row>,
    memory: Vec<Memory>,
    trail: Option<Trail>,
    targets: Vec<Target>,
}

/// `mfactl audit verify` of a million rows.
#[derive(Clone, Copy, Debug, Serialize)]
struct Trail {
    /// With nothing beside it.
    seconds: f64,
    /// The most memory of the daemon that does it again and again while people log in.
    peak_mib: f64,
    /// The most memory of a daemon with such a trail that does not.
    peak_mib_at_rest: f64,
}

impl Report {
    /// Notes where it is measured.
    pub(crate) fn begin() -> Self {
        let mut machine = machine();
        for package in ["libpam0g", "libpam-oath", "libpam-google-authenticator"] {
            let version = run(&["dpkg-query", "-W", "-f", "${Version}", package]).stdout;
            machine.insert(package, version);
        }
        Self { machine, rows: Vec::new(), memory: Vec::new(), trail: None, targets: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Row) {
        if self.rows.last().is_none_or(|last| last.case != row.case) {
            println!(
                "\n{}\n{:44} {:>10} {:>10} {:>10} {:>10}",
                row.case, "", "median us", "p95", "p99", "logins/s"
            );
        }
        let Spread { median_us, p95_us, p99_us, .. } = row.spread;
        println!(
            "  {:42} {median_us:>10.0} {p95_us:>10.0} {p99_us:>10.0} {:>10.0}",
            row.module, row.per_second
        );
        self.rows.push(row);
    }

    /// Notes the memory of a contender's daemon.
    pub(crate) fn memory(&mut self, contender: &Contender) {
        if let Some((vm_rss_kib, pss_kib)) = contender.memory() {
            let (module, users) = (contender.label.clone(), contender.users);
            if self.memory.is_empty() {
                println!(
                    "\nmemory of mfad afterwards\n{:44} {:>12} {:>16}",
                    "", "resident KiB", "proportional KiB"
                );
            }
            println!("  {module:42} {vm_rss_kib:>12} {pss_kib:>16}");
            self.memory.push(Memory { module, users, vm_rss_kib, pss_kib });
        }
    }

    /// Notes what verifying a long trail takes.
    pub(crate) fn trail(&mut self, field: &[Contender]) {
        let at_rest = field.iter().find(|one| one.label.ends_with("rows")).and_then(Contender::peak_mib);
        let verified = field.iter().find_map(|one| Some((one.verifying.as_ref()?.alone(), one.peak_mib()?)));
        if let (Some((seconds, peak_mib)), Some(peak_mib_at_rest)) = (verified, at_rest) {
            println!(
                "\naudit verify of 1 000 000 rows: {seconds:.1} s; peak memory {peak_mib:.1} MiB, {peak_mib_at_rest:.1} without it"
            );
            self.trail = Some(Trail { seconds, peak_mib, peak_mib_at_rest });
        }
    }

    fn row(&self, case: &str, module: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.case.contains(case) && row.module.starts_with(module))
    }

    fn median(&self, case: &str, module: &str) -> Option<f64> {
        self.row(case, module).map(|row| row.spread.median_us)
    }

    /// Holds the rows against what is to be reached.
    pub(crate) fn judge(&mut self) {
        let (one, fresh, eight, many) = ("one process", "fresh", "8 processes", "by number");
        let waits = "others wait";
        let ours = "pam_mfa 400";
        let rate = |case| self.row(case, ours).map(|row| row.per_second);
        let resident = self.memory.iter().find(|memory| memory.users == 1_000_000).map(|m| m.vm_rss_kib);
        let mib = resident.map(|kib| f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0);
        let google = "pam_google_authenticator";
        let console = "pam_google_authenticator, log";
        let targets = [
            (
                "looping: pam_mfa / pam_oath",
                ratio(self.median(one, ours), self.median(one, "pam_oath 400")),
                At::Most(0.6),
            ),
            (
                "looping: pam_mfa / google-authenticator",
                ratio(self.median(one, ours), self.median(one, google)),
                At::Most(0.2),
            ),
            (
                "looping: pam_mfa / google-authenticator without a system log",
                ratio(self.median(one, ours), self.median(many, console)),
                At::Most(0.2),
            ),
            (
                "fresh process: pam_mfa / google-authenticator",
                ratio(self.median(fresh, ours), self.median(fresh, google)),
                At::Most(1.0),
            ),
            (
                "1 000 000 users / 400 users",
                ratio(
                    self.median(many, "pam_mfa any name, 1000000"),
                    self.median(many, "pam_mfa any name, 400"),
                ),
                At::Most(1.2),
            ),
            ("8 processes / one, in logins a second", ratio(rate(eight), rate(one)), At::Least(2.0)),
            ("8 processes, logins a second", rate(eight), At::Least(5000.0)),
            (
                "100 logins wait for a service / nobody waits",
                ratio(
                    self.median(waits, "pam_mfa 400 users, 100 others"),
                    self.median(waits, "pam_mfa 400 users, nobody"),
                ),
                At::Most(1.5),
            ),
            ("memory with 1 000 000 users, MiB resident", mib, At::Most(24.0)),
        ];
        let all = targets.into_iter().chain([self.rules_target()]).chain(self.trail_targets());
        self.targets = target::judge(all);
    }

    fn rules_target(&self) -> (&'static str, Option<f64>, At) {
        let rules = |module| self.median("thousand rules", module);
        let cost = ratio(rules("pam_mfa rules, 1000"), rules("pam_mfa rules, none"));
        ("1 000 rules that do not match / none", cost, At::Most(1.05))
    }

    fn trail_targets(&self) -> [(&'static str, Option<f64>, At); 4] {
        let trail = |module| self.median("long trail", module);
        let rows = "pam_mfa trail, 1000000 rows";
        let verified = "pam_mfa trail, 1000000 rows being verified";
        let resting = self.rows.iter().find(|row| row.module == rows).map(|row| row.spread.median_us);
        [
            (
                "1 000 000 rows of audit trail / a short one",
                ratio(resting, trail("pam_mfa trail, short")),
                At::Most(1.1),
            ),
            (
                "logins while the trail is verified / otherwise",
                ratio(trail(verified), resting),
                At::Most(1.2),
            ),
            (
                "audit verify, seconds for 1 000 000 rows",
                self.trail.map(|trail| trail.seconds),
                At::Most(10.0),
            ),
            (
                "audit verify, MiB more than without",
                self.trail.map(|trail| trail.peak_mib - trail.peak_mib_at_rest),
                At::Most(8.0),
            ),
        ]
    }

    pub(crate) fn write(&self, file: &Path) {
        let json = serde_json::to_string_pretty(self).expect("figures and names are JSON");
        fs::write(file, json + "\n").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// What figures depend on, of this machine.
pub(crate) fn machine() -> BTreeMap<&'static str, String> {
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let disk = World::disk();
    BTreeMap::from([
        ("kernel", must(&["uname", "-sr"]).trim().to_owned()),
        ("cpus", cpus.to_string()),
        ("file_system", must(&["stat", "-f", "-c", "%T", &disk.to_string_lossy()]).trim().to_owned()),
    ])
}

fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?)
}
