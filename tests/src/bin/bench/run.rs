//! What is measured, in which order. Contenders take turns within each round, so that a change of the
//! machine's mood meets them all.

use std::time::Duration;

use mfa_tests::world::World;

use crate::{
    contender::{Contender, user},
    measure::{Spread, median},
    options::Options,
    report::{Report, Row},
};

/// How one case is run.
struct Case {
    name: &'static str,
    logins: usize,
    at_once: usize,
    warm_up: usize,
    fresh: bool,
}

const LOOP: Case = Case { name: "one process, looping", logins: 200, at_once: 1, warm_up: 20, fresh: false };
const FRESH: Case = Case { name: "fresh process per login", logins: 80, at_once: 1, warm_up: 4, fresh: true };
const EIGHT: Case = Case { name: "8 processes at once", logins: 1600, at_once: 8, warm_up: 10, fresh: false };

const WAITING: Case =
    Case { name: "others wait for a service, looping", logins: 200, at_once: 1, warm_up: 20, fresh: false };

const TRAIL: Case =
    Case { name: "a long trail, looping", logins: 400, at_once: 1, warm_up: 20, fresh: false };

const RULES: Case =
    Case { name: "a thousand rules, looping", logins: 400, at_once: 1, warm_up: 20, fresh: false };

/// With more users than this a module that reads all of them at each login gets fewer logins.
const MANY: u32 = 1000;

/// Measures all.
pub(crate) fn all(world: &World, options: &Options) -> Report {
    let mut report = Report::begin();
    for number in 0..400 {
        world.add_quick_user(&user(number));
    }
    let setup = |contenders| set_up(contenders, options);
    let nss = |label: &str, users| Contender::mfa(world, label, users, "nss");
    let any = |label: &str, users| Contender::mfa(world, label, users, "any");
    let quiet = |label: &str, users| Contender::mfa_instance(world, (label, "mfad-quiet"), users, "nss");
    let google = |label: &str, users| Contender::google(label, users, false);
    let google_console = |label: &str, users| Contender::google(label, users, true);

    let mut field = setup(vec![
        Planned { label: "pam_permit", users: 400, make: &|_, _| Contender::permit() },
        Planned { label: "pam_mfa 400 users", users: 400, make: &nss },
        Planned { label: "pam_oath 400 users", users: 400, make: &Contender::oath },
        Planned { label: "pam_google_authenticator", users: 400, make: &google },
    ]);
    for case in [LOOP, FRESH] {
        take_turns(&mut field, &case, options.rounds, &mut report);
    }
    // It reads its file before it locks it: with several processes at once most right codes are refused,
    // and counters that moved on without it are never caught up with.
    field.retain(|contender| !contender.label.starts_with("pam_oath"));
    take_turns(&mut field, &EIGHT, options.rounds, &mut report);
    drop(field);

    rules(world, options, &mut report);

    // Set up last of its own, measured at once: those who wait do so for half a minute at most.
    let waiting = |label: &str, users| Contender::mfa_waiting(world, label, users);
    let mut field = setup(vec![
        Planned { label: "pam_mfa 400 users, nobody waits", users: 400, make: &quiet },
        Planned { label: "pam_mfa 400 users, 100 others wait", users: 400, make: &waiting },
    ]);
    take_turns(&mut field, &WAITING, options.rounds, &mut report);
    drop(field);

    let resting = |label: &str, users| Contender::mfa_trail(world, (label, "mfad-trail"), users, false);
    let verified = |label: &str, users| Contender::mfa_trail(world, (label, "mfad-verified"), users, true);
    let short = |label: &str, users| Contender::mfa_instance(world, (label, "mfad-short"), users, "nss");
    let mut field = setup(vec![
        Planned { label: "pam_mfa trail, short", users: 400, make: &short },
        Planned { label: "pam_mfa trail, 1000000 rows", users: 400, make: &resting },
        Planned { label: "pam_mfa trail, 1000000 rows being verified", users: 400, make: &verified },
    ]);
    take_turns(&mut field, &TRAIL, options.rounds, &mut report);
    report.trail(&field);
    drop(field);

    let mut field = setup(vec![
        Planned { label: "pam_mfa any name, 1 user", users: 1, make: &any },
        Planned { label: "pam_mfa any name, 400 users", users: 400, make: &any },
        Planned { label: "pam_mfa any name, 10000 users", users: 10_000, make: &any },
        Planned { label: "pam_mfa any name, 1000000 users", users: 1_000_000, make: &any },
        Planned { label: "pam_oath 10000 users", users: 10_000, make: &Contender::oath },
        Planned { label: "pam_google_authenticator, log to console", users: 400, make: &google_console },
    ]);
    let case = Case { name: "by number of users, looping", ..LOOP };
    take_turns(&mut field, &case, options.rounds, &mut report);
    for contender in &field {
        report.memory(contender);
    }
    report.judge();
    report
}

/// With as many rules as there may be, and with none.
fn rules(world: &World, options: &Options, report: &mut Report) {
    let ruled = |label: &str, users| Contender::mfa_rules(world, label, users);
    let free = |label: &str, users| Contender::mfa_instance(world, (label, "mfad-free"), users, "nss");
    let planned = vec![
        Planned { label: "pam_mfa rules, none", users: 400, make: &free },
        Planned { label: "pam_mfa rules, 1000", users: 400, make: &ruled },
    ];
    take_turns(&mut set_up(planned, options), &RULES, options.rounds, report);
}

fn set_up(contenders: Vec<Planned<'_>>, options: &Options) -> Vec<Contender> {
    let wanted = contenders.into_iter().filter(|planned| planned.is_wanted(options));
    wanted.map(|planned| (planned.make)(planned.label, planned.users)).collect()
}

/// A contender before it is set up.
struct Planned<'a> {
    label: &'static str,
    users: u32,
    make: &'a dyn Fn(&str, u32) -> Contender,
}

impl Planned<'_> {
    fn is_wanted(&self, options: &Options) -> bool {
        let wanted = self.users <= options.most_users
            && options.only.as_ref().is_none_or(|word| self.label.contains(word.as_str()));
        if wanted {
            eprintln!("bench: setting up {}", self.label);
        }
        wanted
    }
}

fn take_turns(field: &mut [Contender], case: &Case, rounds: u32, report: &mut Report) {
    let mut latencies: Vec<Vec<Vec<Duration>>> = field.iter().map(|_| Vec::new()).collect();
    let mut rates: Vec<Vec<f64>> = field.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        eprintln!("bench: {}, round {round} of {rounds}", case.name);
        for (number, contender) in field.iter_mut().enumerate() {
            let slow = contender.console || (contender.users > MANY && contender.daemon.is_none());
            let (logins, warm_up) = if slow { (case.logins / 8, 2) } else { (case.logins, case.warm_up) };
            let at_once = if contender.users == 1 && contender.daemon.is_some() { 1 } else { case.at_once };
            let run = contender.log_in(logins, at_once, warm_up, case.fresh);
            rates[number].push(Contender::per_second(&run));
            latencies[number].push(run.outcomes.iter().map(|outcome| outcome.time).collect());
        }
    }
    for (number, contender) in field.iter().enumerate() {
        report.add(Row {
            case: case.name,
            module: contender.label.clone(),
            users: contender.users,
            per_second: median(&rates[number]),
            spread: Spread::of(&latencies[number]),
        });
    }
}
