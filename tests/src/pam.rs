//! PAM services of a world, and logins through them by the C application in `driver/pam_driver.c`.
//! Refuses to judge: it says what libpam said.

use std::{fmt::Write as _, fs, process::Command, time::Duration};

use crate::{
    sys::run_with,
    world::{Account, World},
};

/// The account phase of a usual service.
pub const ACCOUNT: &str = "account required pam_unix.so";
/// A session phase without side effects.
pub const SESSION: &str = "session required pam_permit.so";

/// Writes `/etc/pam.d/<name>`.
pub fn service(name: &str, lines: &[&str]) {
    service_in("/etc/pam.d", name, lines);
}

/// Writes a PAM service to a directory that is made when it is not there.
pub fn service_in(dir: &str, name: &str, lines: &[&str]) {
    let path = format!("{dir}/{name}");
    fs::create_dir_all(dir).unwrap_or_else(|error| panic!("{dir}: {error}"));
    fs::write(&path, lines.join("\n") + "\n").unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// What libpam made of one login.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which line of the input it was.
    pub index: usize,
    /// The name of what `pam_authenticate` returned; with [`Driver::and_account`] and
    /// [`Driver::and_credentials`] more names follow after `/`.
    pub result: String,
    /// From `pam_start` to `pam_end`.
    pub time: Duration,
    /// What was shown: `P:` prompt unseen, `E:` prompt echoed, `I:` information, `X:` error.
    pub messages: Vec<String>,
}

impl Outcome {
    /// Whether it let the user in.
    pub fn passed(&self) -> bool {
        self.result.split('/').all(|result| result == "PAM_SUCCESS")
    }
}

/// Many logins.
#[derive(Clone, Debug)]
pub struct Run {
    /// In the order of the processes that did them.
    pub outcomes: Vec<Outcome>,
    /// From the first login's begin to the last one's end, warm-up left out.
    pub wall: Duration,
    /// Open descriptors of the process before the first login and after the last (of the parent, where there
    /// are several processes).
    pub descriptors: (usize, usize),
}

impl Run {
    /// How many were let in.
    pub fn passed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.passed()).count()
    }

    /// How many gave this result.
    pub fn count(&self, result: &str) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.result == result).count()
    }
}

/// One login's input.
#[derive(Clone, Debug)]
pub struct Login<'a> {
    /// Who.
    pub user: &'a str,
    /// The answers to the prompts, in order.
    pub answers: Vec<&'a str>,
}

/// An application that logs in by PAM.
#[derive(Clone, Debug)]
pub struct Driver {
    service: String,
    flags: Vec<String>,
    account: Option<Account>,
}

impl Driver {
    /// An application with this PAM service name, running as root.
    pub fn new(service: &str) -> Self {
        Self { service: service.to_owned(), flags: Vec::new(), account: None }
    }

    fn with(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Takes the service from another directory than `/etc/pam.d`.
    #[must_use]
    pub fn services_in(self, dir: &str) -> Self {
        self.with(&["-c", dir])
    }

    /// Sets `PAM_RHOST`.
    #[must_use]
    pub fn from_host(self, host: &str) -> Self {
        self.with(&["-r", host])
    }

    /// So many processes at once, released together. Login `i` is done by process `i` modulo `processes`.
    #[must_use]
    pub fn at_once(self, processes: usize) -> Self {
        self.with(&["-j", &processes.to_string()])
    }

    /// The first so many logins of each process are done and not reported.
    #[must_use]
    pub fn warm_up(self, logins: usize) -> Self {
        self.with(&["-w", &logins.to_string()])
    }

    /// A new process for each login, whose start and end count as its time.
    #[must_use]
    pub fn fresh_processes(self) -> Self {
        self.with(&["-f"])
    }

    /// Leaves what is shown out of the report.
    #[must_use]
    pub fn without_messages(self) -> Self {
        self.with(&["-q"])
    }

    /// Also `pam_acct_mgmt` after a success.
    #[must_use]
    pub fn and_account(self) -> Self {
        self.with(&["-a"])
    }

    /// Also `pam_setcred` after a success.
    #[must_use]
    pub fn and_credentials(self) -> Self {
        self.with(&["-s"])
    }

    /// Runs as this account in place of root.
    #[must_use]
    pub fn as_account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// One login.
    #[track_caller]
    pub fn login(&self, user: &str, answers: &[&str]) -> Outcome {
        let mut run = self.logins(&[Login { user, answers: answers.to_vec() }]);
        run.outcomes.pop().expect("one login has one outcome")
    }

    /// Many logins.
    #[track_caller]
    pub fn logins(&self, logins: &[Login<'_>]) -> Run {
        let mut input = String::new();
        for login in logins {
            for word in std::iter::once(&login.user).chain(&login.answers) {
                assert!(!word.contains(['\t', '\n']), "the driver's input is lines of words");
            }
            let answers: String = login.answers.iter().fold(String::new(), |mut all, answer| {
                write!(all, "\t{answer}").expect("a String takes all");
                all
            });
            writeln!(input, "{}{answers}", login.user).expect("a String takes all");
        }
        self.run(&input)
    }

    /// Many logins, as lines that the driver reads.
    #[track_caller]
    pub fn run(&self, input: &str) -> Run {
        let ran = run_with(self.command().args(&self.flags).arg(&self.service), input);
        assert_eq!(ran.code, Some(0), "the driver failed: {} {}", ran.stdout, ran.stderr);
        read_report(&ran.stdout)
    }

    /// The driver before its flags, for tests that start it and look later.
    fn command(&self) -> Command {
        let program = World::built("pam_driver");
        let program = program.to_str().expect("the world's paths are ASCII");
        self.account.as_ref().map_or_else(|| Command::new(program), |account| account.command(program))
    }
}

fn read_report(report: &str) -> Run {
    let mut outcomes = Vec::new();
    let mut wall = None;
    let mut descriptors = (0, 0);
    for line in report.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["wall", time] => wall = Some(nanoseconds(time)),
            ["descriptors", before, after] => {
                let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("not a number: {text:?}"));
                descriptors = (number(before), number(after));
            }
            [index, result, time, messages] => outcomes.push(Outcome {
                index: index.parse().unwrap_or_else(|_| panic!("a report line: {line:?}")),
                result: result.to_owned(),
                time: nanoseconds(time),
                messages: messages.split('|').filter(|m| !m.is_empty()).map(str::to_owned).collect(),
            }),
            _ => panic!("no line of a report: {line:?}"),
        }
    }
    Run { outcomes, wall: wall.expect("a report ends with the wall time"), descriptors }
}

fn nanoseconds(text: &str) -> Duration {
    Duration::from_nanos(text.parse().unwrap_or_else(|_| panic!("not nanoseconds: {text:?}")))
}
