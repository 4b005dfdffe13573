//! A factor that was lost: off, with a code in its place, or nothing of both; and no more than that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorId, FactorKind, FactorState},
    answer::{Answer, RecoveryCode},
    name::{RealmName, UserId, UserName},
    tag::Serial,
    text::ShownText,
};
use mfad::{
    clock::UnixTime,
    limits::{Gate, Profile},
    store::{
        BreakGlass, Device, Lost, NewFactor, Order, Outcome, Refused, StoreError, StoreSettings, Target,
    },
};
use store_common::*;

fn lost(name: &str, factor: FactorId) -> Lost {
    let code = BreakGlass { order: order(name), minutes: 120, reason: ShownText::clean("left on a train") };
    Lost { code, target: Target { factor: Some(factor), label: None } }
}

fn typed(code: &RecoveryCode) -> Answer {
    Answer::Recovery(RecoveryCode::parse(&code.grouped()).unwrap())
}

async fn answer(f: &Fixture, name: &str, answer: Answer) -> Outcome {
    f.store.attempt(answering(&context(name), answer)).await.unwrap()
}

/// All that a user holds, and the trail.
async fn all(f: &Fixture, name: &str) -> String {
    let held = f.store.show(user(name)).await;
    let rows = f.store.audit(AuditFilter::default(), 10_000).await.unwrap().rows.len();
    format!("{held:?} {rows} {:?}", f.store.figures().await.unwrap())
}

async fn states(f: &Fixture, name: &str) -> Vec<(FactorKind, FactorState)> {
    let held = f.store.show(user(name)).await.unwrap().factors;
    held.into_iter().map(|factor| (factor.kind, factor.state)).collect()
}

#[tokio::test]
async fn a_lost_factor_is_off_and_its_owner_gets_in_once() {
    let f = Fixture::new();
    let phone = f.enroll("jane", TOTP, b"jane").await;
    let made = f.store.lost(lost("jane", phone)).await.unwrap();
    assert_eq!(made.until, NOW.plus(7_200));
    let now = [(FactorKind::Totp, FactorState::Disabled), (FactorKind::BreakGlass, FactorState::Active)];
    assert_eq!(states(&f, "jane").await, now);
    assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
    assert!(!accepted(&f.try_code("jane", &totp(b"jane", NOW)).await), "whoever found it gets in nowhere");
    f.clock.advance(5);
    assert!(accepted(&answer(&f, "jane", typed(&made.code)).await));
    assert!(!accepted(&answer(&f, "jane", typed(&made.code)).await));
    let rows = f.store.audit(AuditFilter::default(), 1_000).await.unwrap().rows;
    let row = |event: &str| rows.iter().find(|row| row.event == event).unwrap();
    assert_eq!((row("disable").factor, row("breakglass").factor), (Some(phone), Some(made.factor)));
    assert_eq!(row("breakglass").reason, "left on a train");
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn whoever_needs_another_code_gets_one_in_place_of_the_first() {
    let f = Fixture::new();
    let phone = f.enroll("jane", TOTP, b"jane").await;
    let first = f.store.lost(lost("jane", phone)).await.unwrap();
    let second = f.store.lost(lost("jane", phone)).await.unwrap();
    assert!(!accepted(&answer(&f, "jane", typed(&first.code)).await));
    assert!(accepted(&answer(&f, "jane", typed(&second.code)).await));
    assert_eq!(states(&f, "jane").await, [(FactorKind::Totp, FactorState::Disabled)]);
}

/// The database refuses one of the two: then the other has not happened either.
#[tokio::test]
async fn both_happen_or_neither() {
    for (why, index) in [
        ("no code can be made", "CREATE UNIQUE INDEX one_each ON factor (account_id)"),
        ("nothing is switched off", "CREATE UNIQUE INDEX one_off ON factor (state) WHERE state = 'disabled'"),
    ] {
        let mut f = Fixture::new();
        let phone = f.enroll("jane", TOTP, b"jane").await;
        let off = f.enroll("john", TOTP, b"john").await;
        f.store.disable(order("john"), Target { factor: Some(off), label: None }).await.unwrap();
        f.reopen_after(|database| database.execute_batch(index).unwrap()).await;
        let before = all(&f, "jane").await;
        let failed = f.store.lost(lost("jane", phone)).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{why}: {failed:?}");
        assert_eq!(all(&f, "jane").await, before, "{why}");
        assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW)).await), "{why}");
        assert_eq!(f.store.check_audit().await.unwrap().broken_at, None, "{why}");
    }
}

/// What the code is refused for shows after the factor was switched off: that is taken back.
#[tokio::test]
async fn a_code_that_is_refused_leaves_the_factor_on() {
    let f = Fixture::new();
    let phone = f.enroll("jane", TOTP, b"jane").await;
    let first = f.store.lost(lost("jane", phone)).await.unwrap();
    f.store.enable(order("jane"), Target { factor: Some(phone), label: None }).await.unwrap();
    let before = all(&f, "jane").await;
    for minutes in [0, 4, 24 * 60 + 1, u16::MAX] {
        let mut wanted = lost("jane", phone);
        wanted.code.minutes = minutes;
        assert!(matches!(refusal(f.store.lost(wanted).await), Refused::Invalid(_)), "{minutes}");
    }
    let mut another = lost("jane", phone);
    another.code.order.uid = Some(1001);
    assert_eq!(refusal(f.store.lost(another).await), Refused::Orphaned);
    let mut owners = lost("jane", phone);
    owners.code.order = owner("jane", Some(&totp(b"jane", NOW)));
    assert!(matches!(refusal(f.store.lost(owners).await), Refused::Invalid(_)));
    assert_eq!(all(&f, "jane").await, before);
    f.clock.set(UnixTime(1_700_000_000));
    assert_eq!(refusal(f.store.lost(lost("jane", phone)).await), Refused::ClockUnusable);
    f.clock.set(NOW);
    assert_eq!(states(&f, "jane").await[0].1, FactorState::Active);
    assert!(accepted(&answer(&f, "jane", typed(&first.code)).await), "the code before still counts");
}

#[tokio::test]
async fn what_nobody_has_lost_is_refused_and_nothing_changes() {
    let f = Fixture::new();
    assert_eq!(refusal(f.store.lost(lost("jane", FactorId(1))).await), Refused::NotEnrolled);
    let phone = f.enroll("jane", TOTP, b"jane").await;
    let pending = NewFactor { activate: false, ..new_factor("jane", "two", TOTP, b"two") };
    let pending = f.store.enroll(pending).await.unwrap().factor;
    let his = f.enroll("john", TOTP, b"john").await;
    let made = f.store.lost(lost("jane", phone)).await.unwrap();
    let before = all(&f, "jane").await;
    for (factor, refused) in [
        (FactorId(99), Refused::NoSuchFactor),
        (his, Refused::NoSuchFactor),
        (made.factor, Refused::NoSuchFactor),
        (pending, Refused::WrongState("pending")),
    ] {
        assert_eq!(refusal(f.store.lost(lost("jane", factor)).await), refused, "{factor:?}");
    }
    let serial = Serial::new("OATH1").unwrap();
    let keeper = UserId { realm: RealmName::unassigned(), name: UserName::new("OATH1").unwrap() };
    let mut for_nobody = Order { uid: None, ..order("jane") };
    for_nobody.context.user = keeper.clone();
    let new = NewFactor { order: for_nobody, ..new_factor("jane", "hotp", HOTP, b"free") };
    let device = Device { serial: Some(serial), ..Device::default() };
    let free = f.store.enroll_device(new, device).await.unwrap().factor;
    let mut nobodys = lost("jane", free);
    nobodys.code.order.uid = None;
    nobodys.code.order.context.user = keeper.clone();
    assert!(matches!(refusal(f.store.lost(nobodys).await), Refused::Invalid(_)));
    assert_eq!(f.store.show(keeper).await.unwrap().factors.len(), 1, "no code for nobody");
    assert_eq!(states(&f, "jane").await.len(), 3);
    assert_ne!(all(&f, "jane").await, before, "the device is there");
}

/// Failures, and an administrator on the host, decide about what they have closed.
#[tokio::test]
async fn it_opens_nothing_that_failures_have_closed() {
    let profile = Profile { window_failures: 20, ..StoreSettings::default().profile };
    let f = Fixture::with(StoreSettings { profile, ..StoreSettings::default() });
    let phone = f.enroll("jane", TOTP, b"jane").await;
    fail_until(&f, |outcome| matches!(outcome, Outcome::Locked { gate: Gate::UntilAdmin })).await;
    let before = all(&f, "jane").await;
    assert_eq!(
        refusal(f.store.lost(lost("jane", phone)).await),
        Refused::Locked { gate: Gate::UntilAdmin },
        "the account"
    );
    assert_eq!(all(&f, "jane").await, before);
    f.store.unlock(order("jane")).await.unwrap();
    assert!(f.store.lost(lost("jane", phone)).await.is_ok(), "the wait of the factor is another matter");

    let f = Fixture::new();
    let phone = f.enroll("jane", TOTP, b"jane").await;
    fail_until(&f, |outcome| matches!(outcome, Outcome::Wrong { gate: Gate::Exhausted })).await;
    let before = all(&f, "jane").await;
    assert_eq!(refusal(f.store.lost(lost("jane", phone)).await), Refused::WrongState("exhausted"));
    assert_eq!(all(&f, "jane").await, before);
}

async fn fail_until(f: &Fixture, reached: impl Fn(&Outcome) -> bool) {
    for _ in 0..400 {
        let code = wrong(b"jane", u64::try_from(f.clock_now().0 / 30).unwrap());
        if reached(&f.try_code("jane", &code).await) {
            return;
        }
        f.clock.advance(3_601);
    }
    panic!("it never came to that");
}
