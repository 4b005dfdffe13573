//! Which device shows a code: found, and used up, so that a search gives nobody a code that works.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, AuditRow, FactorId, FactorKind, FactorState},
    answer::OtpCode,
    name::{ClientName, RealmName, UserId, UserName},
    tag::Serial,
};
use mfad::{
    audit::SessionId,
    clock::UnixTime,
    factor::Params,
    limits::Gate,
    store::{
        Among, Asker, Device, Identified, MOST_DEVICES, NewFactor, Order, Outcome, Refused, Search, Store,
        Target,
    },
};
use store_common::*;

fn search(client: &str, code: &str, among: Among) -> Search {
    let client = Some(ClientName::new(client).unwrap());
    let asker = Asker { session: SessionId::fresh(), source: None, actor: 990, client };
    Search { asker, code: OtpCode::parse(code).unwrap(), among }
}

/// A search a second after the one before; the serial number that was found, or what else came of it.
async fn found(f: &Fixture, code: &str, among: Among) -> Result<(UserId, String), &'static str> {
    f.clock.advance(1);
    told(f.store.identify(search("console", code, among)).await.unwrap())
}

fn told(identified: Identified) -> Result<(UserId, String), &'static str> {
    match identified {
        Identified::One(found) => Ok((found.0, found.2.serial.unwrap().as_str().to_owned())),
        Identified::None => Err("none"),
        Identified::Several => Err("several"),
        Identified::TooMany => Err("too many"),
        Identified::TooSoon { .. } => Err("too soon"),
    }
}

fn of(name: &str, serial: &str) -> (UserId, String) {
    (user(name), serial.to_owned())
}

async fn enroll(f: &Fixture, name: &str, serial: &str, (params, seed): (Params, &[u8])) -> FactorId {
    enroll_in(&f.store, new_factor(name, &serial.to_lowercase(), params, seed), serial).await
}

async fn enroll_in(store: &Store, new: NewFactor, serial: &str) -> FactorId {
    let device = Device { serial: Some(Serial::new(serial).unwrap()), ..Device::default() };
    store.enroll_device(new, device).await.unwrap().factor
}

fn keeper(serial: &str) -> UserId {
    UserId { realm: RealmName::unassigned(), name: UserName::new(serial).unwrap() }
}

/// A device that nobody has.
async fn enroll_free(f: &Fixture, serial: &str, seed: &[u8]) -> FactorId {
    let mut order = Order { uid: None, ..order("jane") };
    order.context.user = keeper(serial);
    enroll_in(&f.store, NewFactor { order, ..new_factor("jane", "hotp", HOTP, seed) }, serial).await
}

async fn position(f: &Fixture, serial: &str) -> i64 {
    let (_, _, device) = f.store.find(Serial::new(serial).unwrap()).await.unwrap().unwrap();
    device.position.unwrap()
}

async fn searches(f: &Fixture) -> Vec<AuditRow> {
    let filter = AuditFilter { event: Some("identify".to_owned()), ..AuditFilter::default() };
    f.store.audit(filter, 1_000).await.unwrap().rows
}

#[tokio::test]
async fn a_device_is_found_once_and_its_code_lets_nobody_in() {
    for (params, code, next) in
        [(HOTP, hotp(b"jane", 3), hotp(b"jane", 4)), (TOTP, totp(b"jane", NOW), totp(b"jane", NOW.plus(30)))]
    {
        let f = Fixture::new();
        let hers = enroll(&f, "jane", "OATH1", (params, b"jane")).await;
        enroll(&f, "john", "OATH2", (params, b"john")).await;
        assert_eq!(found(&f, &code, Among::default()).await, Ok(of("jane", "OATH1")));
        assert_eq!(found(&f, &code, Among::default()).await, Err("none"), "it is used up");
        let outcome = f.try_code("jane", &code).await;
        assert!(matches!(outcome, Outcome::Used { .. }), "{outcome:?}");
        f.clock.advance(4);
        assert!(accepted(&f.try_code("jane", &next).await), "the next one counts");
        let rows = searches(&f).await;
        assert_eq!((rows[0].verdict.as_str(), rows[0].reason.as_str()), ("done", "OATH1"));
        assert_eq!((rows[0].user.clone(), rows[0].factor), (Some(user("jane")), Some(hers)));
        assert_eq!((rows[0].client.as_deref(), rows[0].actor), (Some("console"), 990));
        assert_eq!((rows[1].verdict.as_str(), rows[1].reason.as_str()), ("deny", "no_device"));
        assert_eq!((rows[1].user.clone(), rows[1].client.as_deref()), (None, Some("console")));
        assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
    }
}

#[tokio::test]
async fn what_was_used_up_stays_so_after_a_restart() {
    let mut f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    assert_eq!(found(&f, &hotp(b"jane", 0), Among::default()).await, Ok(of("jane", "OATH1")));
    f.reopen_after(|_| ()).await;
    assert!(matches!(f.try_code("jane", &hotp(b"jane", 0)).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn a_wrong_a_used_and_an_early_code_find_nothing_and_move_nothing() {
    let f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 4)).await));
    for code in [hotp(b"jane", 4), hotp(b"jane", 0), hotp(b"jane", 16), wrong(b"jane", 5), "12345678".into()]
    {
        assert_eq!(found(&f, &code, Among::default()).await, Err("none"), "{code}");
    }
    assert_eq!(position(&f, "OATH1").await, 5);
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!((shown.factors[0].failures, shown.failures_30_days), (0, 0), "nobody is blamed");
}

/// A token that was found is often switched off already, and may be nobody's.
#[tokio::test]
async fn locked_and_switched_off_devices_are_found_and_stay_so() {
    let f = Fixture::new();
    let off = enroll(&f, "jane", "OFF1", (HOTP, b"jane")).await;
    f.store.disable(order("jane"), Target { factor: Some(off), label: None }).await.unwrap();
    enroll(&f, "john", "LOCKED1", (HOTP, b"john")).await;
    for _ in 0..5 {
        assert!(!accepted(&f.try_code("john", &wrong(b"john", 0)).await));
        f.clock.advance(3);
    }
    enroll_free(&f, "FREE1", b"free").await;
    assert_eq!(found(&f, &hotp(b"jane", 0), Among::default()).await, Ok(of("jane", "OFF1")));
    assert_eq!(found(&f, &hotp(b"john", 0), Among::default()).await, Ok(of("john", "LOCKED1")));
    let free = found(&f, &hotp(b"free", 0), Among::default()).await;
    assert_eq!(free, Ok((keeper("FREE1"), "FREE1".to_owned())));
    let state = |name: &'static str| {
        let f = &f;
        async move { f.store.show(user(name)).await.unwrap().factors[0].clone() }
    };
    assert_eq!(state("jane").await.state, FactorState::Disabled);
    assert_eq!((state("john").await.failures, state("john").await.last_used), (5, None));
    let locked = f.try_code("john", &hotp(b"john", 1)).await;
    assert!(matches!(locked, Outcome::Locked { gate: Gate::Wait { .. } }), "{locked:?}");
    f.store.enable(order("jane"), Target { factor: Some(off), label: None }).await.unwrap();
    assert!(!accepted(&f.try_code("jane", &hotp(b"jane", 0)).await), "it was used up meanwhile");
}

/// An app beside the token has the same seed, and no serial number.
#[tokio::test]
async fn a_code_is_used_up_for_whatever_else_of_the_owner_shows_it() {
    let f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    f.store.enroll(new_factor("jane", "app", HOTP, b"jane")).await.unwrap();
    assert_eq!(found(&f, &hotp(b"jane", 2), Among::default()).await, Ok(of("jane", "OATH1")));
    let outcome = f.try_code("jane", &hotp(b"jane", 2)).await;
    assert!(matches!(outcome, Outcome::Used { .. }), "{outcome:?}");
}

#[tokio::test]
async fn of_several_none_is_named_and_the_code_is_used_up_for_all() {
    let f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"same")).await;
    enroll(&f, "john", "OATH2", (HOTP, b"same")).await;
    assert_eq!(found(&f, &hotp(b"same", 0), Among::default()).await, Err("several"));
    for name in ["jane", "john"] {
        assert!(matches!(f.try_code(name, &hotp(b"same", 0)).await, Outcome::Used { .. }), "{name}");
    }
    let rows = searches(&f).await;
    let told: Vec<_> = rows.iter().map(|row| (row.verdict.as_str(), row.user.is_some())).collect();
    assert_eq!(told, [("noticed", true), ("noticed", true), ("deny", false)]);
    let among = Among { serial: Some("*2".to_owned()), ..Among::default() };
    assert_eq!(
        found(&f, &hotp(b"same", 1), among).await,
        Ok(of("john", "OATH2")),
        "of those meant it is one"
    );
}

#[tokio::test]
async fn only_those_that_are_meant_are_looked_at() {
    let f = Fixture::new();
    enroll(&f, "jane", "AA1", (HOTP, b"jane")).await;
    enroll(&f, "john", "AB2", (TOTP, b"john")).await;
    enroll_free(&f, "BB3", b"free").await;
    f.enroll("judy", HOTP, b"judy").await;
    let hotp_of = |name: &'static [u8], counter| hotp(name, counter);
    let among = |kind, assigned, realm: Option<&str>, serial: Option<&str>| Among {
        kind,
        assigned,
        realm: realm.map(|realm| RealmName::new(realm).unwrap()),
        serial: serial.map(str::to_owned),
    };
    assert_eq!(found(&f, &hotp_of(b"judy", 0), Among::default()).await, Err("none"), "it is no device");
    for (round, not) in (0..).zip([
        among(Some(FactorKind::Totp), None, None, None),
        among(None, Some(false), None, None),
        among(None, None, Some("vpn"), None),
        among(None, None, None, Some("ab*")),
        among(None, None, None, Some("AA")),
        among(None, None, None, Some("%")),
    ]) {
        let told = format!("{not:?}");
        assert_eq!(found(&f, &hotp_of(b"jane", round), not).await, Err("none"), "{told}");
    }
    assert_eq!(position(&f, "AA1").await, 0);
    for (round, meant) in (0..).zip([
        among(Some(FactorKind::Hotp), Some(true), Some("local"), Some("a*1")),
        among(None, None, None, Some("*")),
        among(None, Some(true), None, None),
    ]) {
        assert_eq!(found(&f, &hotp_of(b"jane", round), meant).await, Ok(of("jane", "AA1")), "{round}");
    }
    let free = found(&f, &hotp_of(b"free", 0), among(None, Some(false), None, None)).await;
    assert_eq!(free, Ok((keeper("BB3"), "BB3".to_owned())));
    assert_eq!(found(&f, &hotp_of(b"free", 1), among(None, Some(true), None, None)).await, Err("none"));
    let code = totp(b"john", f.clock_now());
    assert_eq!(
        found(&f, &code, among(Some(FactorKind::Totp), None, None, None)).await,
        Ok(of("john", "AB2"))
    );
}

#[tokio::test]
async fn a_client_searches_once_a_second_however_many_it_sends() {
    let f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    let mut tasks = tokio::task::JoinSet::new();
    for counter in 0..10 {
        let (store, wanted) = (f.store.clone(), search("console", &hotp(b"jane", counter), Among::default()));
        tasks.spawn(async move { told(store.identify(wanted).await.unwrap()).is_ok() });
    }
    let judged = tasks.join_all().await.into_iter().filter(|found| *found).count();
    assert_eq!((judged, searches(&f).await.len()), (1, 1));
    let other = f.store.identify(search("other", &hotp(b"jane", 10), Among::default())).await.unwrap();
    assert_eq!(told(other), Ok(of("jane", "OATH1")), "another client has a pace of its own");
}

#[tokio::test]
async fn twenty_misses_an_hour_end_the_search_and_a_restart_gives_no_more() {
    let mut f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    assert_eq!(found(&f, &hotp(b"jane", 0), Among::default()).await, Ok(of("jane", "OATH1")), "no miss");
    let first = f.clock_now().plus(1);
    for _ in 0..20 {
        assert_eq!(found(&f, &wrong(b"jane", 1), Among::default()).await, Err("none"));
    }
    let code = hotp(b"jane", 1);
    assert_eq!(found(&f, &code, Among::default()).await, Err("too soon"), "the right one too");
    f.reopen_after(|_| ()).await;
    let refused = f.store.identify(search("console", &code, Among::default())).await.unwrap();
    assert!(matches!(refused, Identified::TooSoon { until } if until == first.plus(3600)), "{refused:?}");
    assert_eq!(searches(&f).await.len(), 21, "what is refused is not judged");
    let other = f.store.identify(search("other", &code, Among::default())).await.unwrap();
    assert_eq!(told(other), Ok(of("jane", "OATH1")));
    f.clock.set(first.plus(3600));
    assert_eq!(found(&f, &hotp(b"jane", 2), Among::default()).await, Ok(of("jane", "OATH1")));
}

#[tokio::test]
async fn a_clock_that_was_far_ahead_keeps_nobody_from_searching_for_long() {
    let f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    f.clock.set(NOW.plus(86_400 * 365));
    for _ in 0..20 {
        assert_eq!(found(&f, &wrong(b"jane", 0), Among::default()).await, Err("none"));
    }
    f.clock.set(NOW);
    assert_eq!(found(&f, &hotp(b"jane", 0), Among::default()).await, Ok(of("jane", "OATH1")));
    f.clock.set(UnixTime(1_700_000_000));
    let unset = f.store.identify(search("console", &hotp(b"jane", 1), Among::default())).await;
    assert_eq!(refusal(unset), Refused::ClockUnusable);
}

#[tokio::test]
async fn a_thousand_devices_are_looked_at_and_no_more() {
    let f = Fixture::new();
    let mut tasks = tokio::task::JoinSet::new();
    let count = MOST_DEVICES;
    for number in 0..=count {
        let (store, name) = (f.store.clone(), format!("user{number:04}"));
        tasks.spawn(async move {
            let serial = format!("KEY{number:04}");
            enroll_in(&store, new_factor(&name, "one", HOTP, name.as_bytes()), &serial).await
        });
    }
    tasks.join_all().await;
    // Of so many, others may show the same by chance: then it is the next one.
    let code = |counter| hotp(b"user0777", counter);
    assert_eq!(found(&f, &code(0), Among::default()).await, Err("too many"));
    assert!(searches(&f).await.is_empty(), "nothing was judged");
    let all_but_one = Among { serial: Some("key0*".to_owned()), ..Among::default() };
    let mut last = Err("never asked");
    for counter in 0..5 {
        last = found(&f, &code(counter), all_but_one.clone()).await;
        if last.is_ok() {
            break;
        }
    }
    assert_eq!(last, Ok(of("user0777", "KEY0777")));
}

#[tokio::test]
async fn an_account_whose_rows_were_changed_is_passed_over() {
    let mut f = Fixture::new();
    enroll(&f, "jane", "OATH1", (HOTP, b"jane")).await;
    enroll(&f, "john", "OATH2", (HOTP, b"john")).await;
    f.reopen_after(|database| {
        let changed = database.execute("UPDATE factor SET position = 1 WHERE serial = 'OATH1'", []);
        assert_eq!(changed.unwrap(), 1);
    })
    .await;
    assert_eq!(found(&f, &hotp(b"jane", 3), Among::default()).await, Err("none"));
    assert_eq!(found(&f, &hotp(b"john", 0), Among::default()).await, Ok(of("john", "OATH2")));
}
