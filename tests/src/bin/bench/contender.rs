//! The modules that are measured, each set up with its users, and the codes that let them in. Refuses to
//! use a code twice: each user's counter goes on from login to login.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    otp::Seed,
    pam::{self, Driver, Run},
    sys::must,
    world::{PLACE, World},
};

use crate::{
    pending::{self, Pending},
    rules, seeding,
    trail::{self, Verifying},
};

/// Users that log in, of however many there are: spread evenly over all.
const ACTIVE: u32 = 400;

/// Where the services are. Not `/etc/pam.d`: libpam also loads the modules of its service `other`, which
/// takes nine times as long as an empty login and would hide what is measured.
const SERVICES: &str = "/etc/pam-bench";

/// One PAM stack under measurement.
#[derive(Debug)]
pub(crate) struct Contender {
    /// What the report calls it.
    pub(crate) label: String,
    /// How many users are enrolled.
    pub(crate) users: u32,
    /// The trail is verified meanwhile; before the daemon, with which it has to end.
    pub(crate) verifying: Option<Verifying>,
    /// Our daemon, when it is ours.
    pub(crate) daemon: Option<Daemon>,
    /// Where the logins come from.
    pub(crate) host: Option<&'static str>,
    /// Measured with the log going to the console.
    pub(crate) console: bool,
    service: String,
    active: Vec<Active>,
    /// How many logins were done.
    done: usize,
    /// Logins that wait for an outside service meanwhile.
    _pending: Option<Pending>,
}

#[derive(Debug)]
struct Active {
    name: String,
    seed: Seed,
    counter: u64,
}

/// The name of the user with this number.
pub(crate) fn user(number: u32) -> String {
    format!("u{number:07}")
}

impl Contender {
    fn new(label: &str, users: u32, lines: &[&str]) -> Self {
        let service = format!("bench-{}", label.replace([' ', ','], "-"));
        pam::service_in(SERVICES, &service, lines);
        let active = users.min(ACTIVE);
        let active = (0..active).map(|n| user(n * (users / active))).map(|name| Active {
            seed: Seed::of(&name),
            name,
            counter: 1, // pam_google_authenticator takes 0 for "not set up"
        });
        Self {
            label: label.to_owned(),
            users,
            daemon: None,
            host: None,
            console: false,
            service,
            active: active.collect(),
            done: 0,
            _pending: None,
            verifying: None,
        }
    }

    /// libpam and the driver alone.
    pub(crate) fn permit() -> Self {
        Self::new("pam_permit", ACTIVE, &["auth required pam_permit.so"])
    }

    /// Ours. `accounts` is `nss` or `any`.
    pub(crate) fn mfa(world: &World, label: &str, users: u32, accounts: &str) -> Self {
        let instance = format!("mfad-{accounts}-{users}");
        Self::mfa_instance(world, (label, &instance), users, accounts)
    }

    /// Another daemon of ours.
    pub(crate) fn mfa_instance(
        world: &World,
        (label, instance): (&str, &str),
        users: u32,
        accounts: &str,
    ) -> Self {
        let state = World::disk().join(instance);
        let mut daemon = Setup::instance(world, instance)
            .state_dir(&state)
            .section(&format!("[identity]\naccounts = \"{accounts}\"\n"))
            .prepare();
        seeding::seed(&mut daemon, users, accounts == "nss");
        let line = daemon.module_line("required", "");
        Self { daemon: Some(daemon), ..Self::new(label, users, &[&line]) }
    }

    /// Ours, with a thousand rules that do not match.
    pub(crate) fn mfa_rules(world: &World, label: &str, users: u32) -> Self {
        let instance = "mfad-rules";
        let state = World::disk().join(instance);
        let mut daemon =
            Setup::instance(world, instance).state_dir(&state).section(&rules::section()).prepare();
        seeding::seed(&mut daemon, users, true);
        let line = daemon.module_line("required", "");
        Self { daemon: Some(daemon), ..Self::new(label, users, &[&line]) }
    }

    /// Ours, with a long trail, which may be verified all the while.
    pub(crate) fn mfa_trail(
        world: &World,
        (label, instance): (&str, &str),
        users: u32,
        verified: bool,
    ) -> Self {
        let mut daemon = Setup::instance(world, instance).state_dir(&World::disk().join(instance)).prepare();
        seeding::seed_with_trail(&mut daemon, users, true, trail::ROWS);
        let line = daemon.module_line("required", "");
        let contender = Self { daemon: Some(daemon), ..Self::new(label, users, &[&line]) };
        let verifying = verified.then(|| Verifying::begin(&contender));
        Self { verifying, ..contender }
    }

    /// Ours, while a hundred logins of others wait for an outside service that does not answer.
    pub(crate) fn mfa_waiting(world: &World, label: &str, users: u32) -> Self {
        let instance = "mfad-waiting";
        let (service, sections) = pending::sections();
        let mut daemon = Setup::instance(world, instance)
            .state_dir(&World::disk().join(instance))
            .section(&format!("{sections}core_user = \"{instance}\"\n"))
            .prepare();
        seeding::seed(&mut daemon, users, true);
        let line = daemon.module_line("required", "");
        let egress = Egress::start(world, &daemon);
        let contender = Self { daemon: Some(daemon), ..Self::new(label, users, &[&line]) };
        let waiting: Vec<String> = (0..pending::PENDING).map(|number| format!("waiting{number}")).collect();
        for name in &waiting {
            world.add_quick_user(name);
        }
        let pending = Pending::begin(egress, service, &contender, &waiting);
        Self { _pending: Some(pending), ..contender }
    }

    /// `pam_oath` with its one file of users.
    pub(crate) fn oath(label: &str, users: u32) -> Self {
        let file = World::disk().join(format!("users-{users}.oath"));
        let lines = (0..users).fold(String::new(), |mut all, number| {
            let name = user(number);
            writeln!(all, "HOTP/E/6 {name} - {} 1", Seed::of(&name).hex()).expect("a String takes all");
            all
        });
        write_private(&file, &lines);
        let line = format!("auth required pam_oath.so usersfile={}", file.display());
        Self::new(label, users, &[&line])
    }

    /// `pam_google_authenticator` with a file for each user.
    pub(crate) fn google(label: &str, users: u32, console: bool) -> Self {
        let dir = World::disk().join(format!("google-{}", label.replace([' ', ','], "-")));
        fs::create_dir(&dir).expect("the disk is ours");
        for number in 0..users {
            let name = user(number);
            let text = format!("{}\n\" HOTP_COUNTER 1\n\" WINDOW_SIZE 3\n", Seed::of(&name).base32());
            write_private(&dir.join(&name), &text);
        }
        let line =
            format!("auth required pam_google_authenticator.so user=root secret={}/${{USER}}", dir.display());
        Self { console, ..Self::new(label, users, &[&line]) }
    }

    /// Logs in so many times, `at_once` of them at a time, after `warm_up` logins of each process.
    pub(crate) fn log_in(&mut self, logins: usize, at_once: usize, warm_up: usize, fresh: bool) -> Run {
        let logins = logins + warm_up * at_once;
        // Neighbours in the input go to different processes, each of which has users of its own: the codes of
        // one user are then used in their order.
        let active = self.active.len();
        assert!(at_once == 1 || active.is_multiple_of(at_once), "{active} users for {at_once} processes");
        let begin = self.done.next_multiple_of(if at_once == 1 { 1 } else { active });
        let mut input = String::new();
        for number in begin..begin + logins {
            let user = &mut self.active[number % active];
            writeln!(input, "{}\t{}", user.name, user.seed.hotp(user.counter)).expect("a String takes all");
            user.counter += 1;
        }
        self.done = begin + logins;
        let mut driver = Driver::new(&self.service)
            .services_in(SERVICES)
            .without_messages()
            .at_once(at_once)
            .warm_up(warm_up);
        if let Some(host) = self.host {
            driver = driver.from_host(host);
        }
        if fresh {
            driver = driver.fresh_processes();
        }
        let run = if self.console { with_console(|| driver.run(&input)) } else { driver.run(&input) };
        let refused: Vec<_> = run.outcomes.iter().filter(|outcome| !outcome.passed()).take(3).collect();
        assert!(refused.is_empty(), "{}: not let in: {refused:?}", self.label);
        assert_eq!(run.outcomes.len(), logins - warm_up * at_once, "{}", self.label);
        run
    }

    /// The most memory that the daemon ever had, in MiB.
    pub(crate) fn peak_mib(&self) -> Option<f64> {
        let pid = self.daemon.as_ref()?.pid();
        let kib = kib(&format!("/proc/{pid}/status"), "VmHWM:");
        Some(f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0)
    }

    /// Resident and proportional memory of the daemon, in KiB.
    pub(crate) fn memory(&self) -> Option<(u64, u64)> {
        let pid = self.daemon.as_ref()?.pid();
        Some((
            kib(&format!("/proc/{pid}/status"), "VmRSS:"),
            kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:"),
        ))
    }

    /// Logins a second of a batch: those that were let in.
    pub(crate) fn per_second(run: &Run) -> f64 {
        let logins = u32::try_from(run.passed()).expect("batches are small");
        f64::from(logins) / run.wall.max(Duration::from_nanos(1)).as_secs_f64()
    }
}

/// A figure of a file of /proc.
pub(crate) fn kib(file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let line =
        text.lines().find(|line| line.starts_with(field)).unwrap_or_else(|| panic!("no {field} in {file}"));
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number of kB")
}

fn write_private(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
}

/// Without a system log, syslog(3) writes to the console: the host's, as it is when nothing listens.
fn with_console<T>(work: impl FnOnce() -> T) -> T {
    fs::rename("/dev/log", "/dev/log.away").expect("the world's /dev is ours");
    if !Path::new("/dev/console").exists() {
        fs::write("/dev/console", "").expect("the world's /dev is ours");
        must(&["mount", "--bind", &format!("{PLACE}/console"), "/dev/console"]);
    }
    let done = work();
    fs::rename("/dev/log.away", "/dev/log").expect("the world's /dev is ours");
    done
}
