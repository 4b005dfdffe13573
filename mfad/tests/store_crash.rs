//! Kills the process that holds the store, at random points, many times.
//!
//! No code is accepted twice, no wrong code that was judged is uncounted, the database stays sound, and
//! a key rotation goes on where it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Lines, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use mfa_proto::{admin::FactorId, answer::OtpCode};
use mfad::{
    clock::FakeClock,
    limits::{Profile, ProfileName},
    seal::Keyring,
    store::{Consulted, EnrollAll, Judgment, Member, Outcome, Store, StoreSettings},
};
use store_common::*;

const USERS: usize = 4;
const ROUNDS: usize = 25;

/// Where the child works; set only for it.
const DIRECTORY: &str = "MFAD_TEST_DIRECTORY";

/// No waits: the point is how many are judged, not how many are let through.
fn settings() -> StoreSettings {
    let profile =
        Profile { burst: u32::MAX, window_failures: u32::MAX, ..Profile::named(ProfileName::Default) };
    let quick = Profile { lock: 0, lock_max: 0, burst: 1, ..profile };
    StoreSettings { profile: quick, unproven: quick, ..StoreSettings::default() }
}

fn open_at(directory: &Path) -> Store {
    let keyring = Keyring::load(&directory.join("key")).unwrap();
    Store::open(&directory.join("mfad.db"), keyring, settings(), Arc::new(FakeClock::at(NOW))).unwrap()
}

fn name(n: usize) -> String {
    format!("user{n}")
}

/// One line, whole, to the parent.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n>{line}").unwrap();
    out.flush().unwrap();
}

/// A run of one of the ignored tests below, in a process of its own.
struct Worker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(test: &str, directory: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What it tells next; `None` at the end.
    fn next(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            if let Some(told) = line.strip_prefix('>') {
                return Some(told.to_owned());
            }
        }
    }

    /// Lets it take `steps` steps, and kills it while it takes the last of them.
    fn kill_in_step(mut self, steps: usize) -> Vec<String> {
        let mut words = self.child.stdin.take().unwrap();
        words.write_all("go\n".repeat(steps).as_bytes()).unwrap();
        // It waits for the next word after these, so it cannot run ahead.
        self.kill_after(steps - 1)
    }

    /// SIGKILL after `lines` lines, then what was told before it died.
    fn kill_after(mut self, lines: usize) -> Vec<String> {
        let mut told: Vec<String> = std::iter::from_fn(|| self.next()).take(lines).collect();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        told.extend(std::iter::from_fn(|| self.next()));
        told
    }
}

fn directory_of_child() -> PathBuf {
    std::env::var_os(DIRECTORY).expect("started by the test that needs it").into()
}

fn random(below: usize) -> usize {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    usize::try_from(u32::from_be_bytes(bytes)).unwrap() % below
}

#[test]
#[ignore = "the process that is killed: run by killed_at_random_nothing_is_accepted_twice_or_uncounted"]
fn log_in_without_end() {
    let directory = directory_of_child();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open_at(&directory);
        let mut users = tokio::task::JoinSet::new();
        for n in 0..USERS {
            let begin = fs::read_to_string(directory.join(name(n))).unwrap().parse().unwrap();
            users.spawn(log_in_as(store.clone(), n, begin));
        }
        users.join_all().await;
    });
}

async fn log_in_as(store: Store, n: usize, begin: u64) {
    let name = name(n);
    // The first code may be used up by a login that was killed before it could be told.
    for counter in begin.. {
        let outcome = store.attempt(attempt(&name, &hotp(name.as_bytes(), counter))).await.unwrap();
        if accepted(&outcome) {
            tell(&format!("accepted {n} {counter}"));
        } else {
            assert!(matches!(outcome, Outcome::Used { .. }) && counter == begin, "{counter}: {outcome:?}");
            tell(&format!("used {n} {counter}"));
        }
        let outcome = store.attempt(attempt(&name, &wrong(name.as_bytes(), counter))).await.unwrap();
        assert!(matches!(outcome, Outcome::Wrong { .. }), "{outcome:?}");
        tell(&format!("wrong {n} {counter}"));
    }
}

#[tokio::test]
async fn killed_at_random_nothing_is_accepted_twice_or_uncounted() {
    let directory = tempfile::tempdir().unwrap();
    let keyring = Keyring::create(&directory.path().join("key")).unwrap();
    Store::create(&directory.path().join("mfad.db"), &keyring, &FakeClock::at(NOW)).unwrap();
    let store = open_at(directory.path());
    for n in 0..USERS {
        store.enroll(new_factor(&name(n), "one", HOTP, name(n).as_bytes())).await.unwrap();
    }
    store.shutdown().await;
    let mut accepted_codes: HashMap<(usize, u64), usize> = HashMap::new();
    let (mut failures, mut next) = ([0_u32; USERS], [0_u64; USERS]);
    for round in 0..ROUNDS {
        for (n, next) in next.iter().enumerate() {
            fs::write(directory.path().join(name(n)), next.to_string()).unwrap();
        }
        let told = Worker::start("log_in_without_end", directory.path()).kill_after(1 + random(60));
        assert!(!told.is_empty(), "round {round}: the child did nothing");
        for line in &told {
            let words: Vec<&str> = line.split(' ').collect();
            let (n, counter): (usize, u64) = (words[1].parse().unwrap(), words[2].parse().unwrap());
            next[n] = next[n].max(counter + 1);
            if words[0] == "accepted" {
                let before = accepted_codes.insert((n, counter), round);
                assert_eq!(before, None, "round {round}: {line}, and in that round before");
            } else {
                failures[n] += 1;
            }
        }
        let connection = rusqlite::Connection::open(directory.path().join("mfad.db")).unwrap();
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok", "round {round}");
        drop(connection);
        let store = open_at(directory.path());
        assert_eq!(store.check_audit().await.unwrap().broken_at, None, "round {round}");
        for (n, judged) in failures.iter().enumerate() {
            let in_store = store.show(user(&name(n))).await.unwrap().failures_30_days;
            assert!(in_store >= *judged, "round {round}: {judged} judged, {in_store} counted for user {n}");
        }
        store.shutdown().await;
    }
    assert!(accepted_codes.len() > ROUNDS, "only {} codes were accepted in all", accepted_codes.len());
}

#[test]
#[ignore = "the process that is killed: run by a_rotation_that_is_killed_goes_on_where_it_was"]
fn reseal_without_end() {
    let directory = directory_of_child();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open_at(&directory);
        for word in std::io::stdin().lines() {
            word.unwrap();
            tell(if store.rekey(2).await.unwrap() > 0 { "step" } else { "done" });
        }
    });
}

#[tokio::test]
async fn a_rotation_that_is_killed_goes_on_where_it_was() {
    let users = 120;
    let directory = tempfile::tempdir().unwrap();
    let (key, database) = (directory.path().join("key"), directory.path().join("mfad.db"));
    let old = Keyring::create(&key).unwrap();
    Store::create(&database, &old, &FakeClock::at(NOW)).unwrap();
    let store = open_at(directory.path());
    for n in 0..users {
        store.enroll(new_factor(&name(n), "one", HOTP, name(n).as_bytes())).await.unwrap();
    }
    store.shutdown().await;
    let rotated = Keyring::rotate(&key).unwrap();
    let mut kills = 0;
    loop {
        let told = Worker::start("reseal_without_end", directory.path()).kill_in_step(1 + random(12));
        if told.iter().any(|line| line == "done") {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 4, "{kills} processes of at most 12 steps did the work of 60 steps");
    assert!(!Store::uses_key(&database, &rotated, old.current()).unwrap());
    Keyring::forget(&key, old.current()).unwrap();
    let store = open_at(directory.path());
    for n in 0..users {
        let outcome = store.attempt(attempt(&name(n), &hotp(name(n).as_bytes(), 0))).await.unwrap();
        assert!(accepted(&outcome), "{n}: {outcome:?}");
    }
    store.shutdown().await;
}

/// What a copy is called beside the database, and in between.
const STAGES: [&str; 4] = ["restore.db", "restoring.db", "restoring.db-journal", "replaced.db"];

#[test]
#[ignore = "the process that is killed: run by a_restore_that_is_killed_leaves_the_one_or_the_other"]
fn restore_without_end() {
    let directory = directory_of_child();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open_at(&directory);
        loop {
            tell("again");
            // Seen by the parent each time anew.
            let _not_there = fs::remove_file(directory.join("replaced.db"));
            let laid = Store::handed_over(&directory.join("mfad.db"));
            fs::copy(directory.join("kept.db"), &laid).unwrap();
            let restored = store.restore().await.unwrap();
            assert_eq!(restored.need_resync, 0, "the database before could not be asked");
        }
    });
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_the_one_or_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let keyring = Keyring::create(&at("key")).unwrap();
    Store::create(&at("mfad.db"), &keyring, &FakeClock::at(NOW)).unwrap();
    let store = open_at(directory.path());
    for n in 0..40 {
        store.enroll(new_factor(&name(n), "one", HOTP, name(n).as_bytes())).await.unwrap();
    }
    let copy = store.backup().await.unwrap();
    fs::rename(copy.path, at("kept.db")).unwrap();
    for n in 0..USERS {
        let outcome = store.attempt(attempt(&name(n), &hotp(name(n).as_bytes(), 5))).await.unwrap();
        assert!(accepted(&outcome), "{n}: {outcome:?}");
    }
    store.shutdown().await;
    for round in 0..4 * STAGES.len() {
        let stage = at(STAGES[round % STAGES.len()]);
        let _of_the_round_before = fs::remove_file(&stage);
        let mut worker = Worker::start("restore_without_end", directory.path());
        assert_eq!(worker.next().as_deref(), Some("again"));
        // It restores again and again, and passes each stage each time.
        while !stage.exists() {
            assert_eq!(worker.child.try_wait().unwrap(), None, "round {round}: the child has ended");
            std::hint::spin_loop();
        }
        worker.kill_after(0);
        let store = open_at(directory.path());
        assert_eq!(store.figures().await.unwrap().users, 40, "round {round}");
        assert_eq!(store.check_audit().await.unwrap().broken_at, None, "round {round}");
        for n in 0..USERS {
            for counter in [0, 5] {
                let used = attempt(&name(n), &hotp(name(n).as_bytes(), counter));
                let outcome = store.attempt(used).await.unwrap();
                assert!(!accepted(&outcome), "round {round}: {n}, {counter}");
            }
            store.reset(order(&name(n))).await.unwrap();
        }
        store.shutdown().await;
    }
}

/// Two factors and recovery codes of one user, all or none.
fn all_of(n: usize) -> EnrollAll {
    let member = |called: &str| Member {
        label: label(called),
        params: HOTP,
        start: HOTP.start(0),
        secret: seed(name(n).as_bytes()).into(),
    };
    EnrollAll {
        order: order(&name(n)),
        factors: vec![member("one"), member("two")],
        recovery: vec![OtpCode::parse("12345678").unwrap()],
        replace: false,
    }
}

#[test]
#[ignore = "the process that is killed: run by killed_at_random_nothing_is_half_enrolled_or_asked_for_free"]
fn enroll_and_ask_without_end() {
    let directory = directory_of_child();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open_at(&directory);
        let factor = fs::read_to_string(directory.join("factor")).unwrap().parse().unwrap();
        let begin: usize = fs::read_to_string(directory.join("begin")).unwrap().parse().unwrap();
        for n in begin.. {
            store.enroll_all(all_of(n)).await.unwrap();
            tell(&format!("enrolled {n}"));
            let wanted = consult(&context("asker"), FactorId(factor));
            let Consulted::Ticket(ticket) = store.consult(wanted).await.unwrap() else { panic!("refused") };
            tell(&format!("asked {n}"));
            drop(store.settle(*ticket, Judgment::No).await.unwrap());
        }
    });
}

#[tokio::test]
async fn killed_at_random_nothing_is_half_enrolled_or_asked_for_free() {
    let directory = tempfile::tempdir().unwrap();
    let keyring = Keyring::create(&directory.path().join("key")).unwrap();
    Store::create(&directory.path().join("mfad.db"), &keyring, &FakeClock::at(NOW)).unwrap();
    let store = open_at(directory.path());
    let factor = store.enroll(rest("asker", true)).await.unwrap().factor;
    fs::write(directory.path().join("factor"), factor.0.to_string()).unwrap();
    store.shutdown().await;
    let (mut next, mut asked) = (0, 0);
    for round in 0..10 {
        fs::write(directory.path().join("begin"), next.to_string()).unwrap();
        let told = Worker::start("enroll_and_ask_without_end", directory.path()).kill_after(1 + random(12));
        asked += told.iter().filter(|line| line.starts_with("asked")).count();
        let store = open_at(directory.path());
        // A failure is counted before anybody is asked, so none that was asked is missing.
        let shown = store.show(user("asker")).await.unwrap();
        let counted = usize::try_from(shown.failures_30_days).unwrap();
        assert!(counted >= asked, "round {round}: {asked} were asked, {counted} counted");
        let page = store.list(None, 200).await.unwrap();
        let users = page.users.len() - 1;
        assert!(users >= told.iter().filter(|line| line.starts_with("enrolled")).count(), "round {round}");
        for n in 0..users {
            let held = store.show(user(&name(n))).await.unwrap().factors.len();
            assert_eq!(held, 3, "round {round}: user {n} is half enrolled");
        }
        next = users;
        assert_eq!(store.check_audit().await.unwrap().broken_at, None, "round {round}");
        store.shutdown().await;
    }
    assert!(next > 10 && asked > 10, "{next} users, {asked} asked");
}
