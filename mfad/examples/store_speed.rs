//! Prints what a login costs the store: `cargo run --release -p mfad --example store_speed -- DIR USERS LOGINS AT_ONCE ROUND`,
//! with ROUND counting from 0 with each run on the same DIR.
//!
//! Figures for a person to read; nothing is asserted. DIR decides which disk is measured.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a measurement for people, not part of the daemon"
)]

use std::{path::PathBuf, sync::Arc, time::Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use mfa_proto::{
    admin::Algorithm,
    answer::{Answer, OtpCode},
    name::{FactorLabel, ServiceName, UserId, UserName},
};
use mfad::{
    audit::{Context, SessionId},
    clock::SystemClock,
    factor::{Params, Seed},
    seal::Keyring,
    store::{Attempt, Channel, Counting, Outcome, Seeded, Store, StoreSettings},
};
use nix::sys::resource::{UsageWho, getrusage};
use zeroize::Zeroizing;

const PARAMS: Params = Params::Hotp { algorithm: Algorithm::Sha256, digits: 6 };
const SEED: [u8; 32] = [7; 32];

fn user(n: usize) -> UserId {
    UserId::local(UserName::new(format!("user{n}")).unwrap())
}

fn code(counter: u64) -> OtpCode {
    let mut hmac = Hmac::<sha2::Sha256>::new_from_slice(&SEED).unwrap();
    hmac.update(&counter.to_be_bytes());
    let hash: [u8; 32] = hmac.finalize().into_bytes().into();
    let at = usize::from(hash[31] & 15);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    OtpCode::parse(&format!("{:06}", number % 1_000_000)).unwrap()
}

fn attempt(n: usize, counter: u64) -> Attempt {
    let context = Context {
        session: SessionId::fresh(),
        user: user(n),
        service: ServiceName::new("sshd").unwrap(),
        source: None,
        actor: 0,
        client: None,
    };
    Attempt {
        context,
        rule: None,
        uid: Some(1000),
        answer: Answer::Code(code(counter)).into(),
        channel: Channel::Proven,
        counting: Counting::default(),
    }
}

/// Seconds of user and of system time.
fn cpu() -> (f64, f64) {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    (seconds(usage.user_time()), seconds(usage.system_time()))
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |n: usize| arguments[n].parse::<usize>().unwrap();
    let (directory, users, logins, at_once) = (PathBuf::from(&arguments[1]), number(2), number(3), number(4));
    let (key, database) = (directory.join("key"), directory.join("mfad.db"));
    if !database.exists() {
        let keyring = Keyring::create(&key).unwrap();
        Store::create(&database, &keyring, &SystemClock).unwrap();
        let store = open(&database, keyring);
        let began = Instant::now();
        store.fill((0..users).map(user).collect(), seeded).await.unwrap();
        println!("filled {users} users in {:.1} s", began.elapsed().as_secs_f64());
        store.shutdown().await;
        println!("fill once; run again to measure logins");
        return;
    }
    let began = Instant::now();
    let store = open(&database, Keyring::load(&key).unwrap());
    println!("opened in {:.3} s, {}", began.elapsed().as_secs_f64(), resident());
    let (began, used) = (Instant::now(), cpu());
    let each = logins / at_once;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..at_once {
        tasks.spawn(log_in(store.clone(), number(5) as u64, (task, at_once, each, users)));
    }
    tasks.join_all().await;
    let (took, now) = (began.elapsed().as_secs_f64(), cpu());
    let count = (each * at_once) as f64;
    println!(
        "{count} logins, {at_once} at once: {:.0} a second, {:.1} us each, {:.1} us of user and {:.1} us of system time each, {}",
        count / took,
        took / count * 1e6,
        (now.0 - used.0) / count * 1e6,
        (now.1 - used.1) / count * 1e6,
        resident()
    );
    store.shutdown().await;
}

fn open(database: &std::path::Path, keyring: Keyring) -> Store {
    Store::open(database, keyring, StoreSettings::default(), Arc::new(SystemClock)).unwrap()
}

fn seeded(n: usize) -> Seeded {
    Seeded {
        user: user(n),
        uid: Some(1000),
        label: FactorLabel::new("one").unwrap(),
        params: PARAMS,
        start: PARAMS.start(0),
        seed: Seed::new(Zeroizing::new(SEED.to_vec())).unwrap(),
    }
}

/// Views and attempts, each user at most once a run, so that the code of the run's number is right.
async fn log_in(store: Store, round: u64, (task, at_once, each, users): (usize, usize, usize, usize)) {
    for login in 0..each {
        let n = (task + login * at_once).wrapping_mul(7919) % users;
        let view = store.view(user(n), Channel::Proven).await.unwrap();
        assert!(view.shape.is_some());
        let outcome = store.attempt(attempt(n, round)).await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
}
