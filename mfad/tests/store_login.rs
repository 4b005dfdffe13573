//! Logins against a store on disk: what is accepted, what is counted, what is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::answer::AnswerShape;
use mfad::{
    limits::{Gate, Profile, ProfileName},
    store::{Channel, Outcome, StoreSettings},
};
use store_common::*;

#[tokio::test]
async fn a_right_code_is_accepted_once() {
    let f = Fixture::new();
    let id = f.enroll("jane", TOTP, b"jane").await;
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!((view.shape, view.gate, view.uid), (Some(AnswerShape::SIX_DIGITS), Gate::Open, Some(1000)));
    let Outcome::Accepted(proof) = f.try_code("jane", &totp(b"jane", NOW)).await else {
        panic!("a right code is right")
    };
    assert_eq!((proof.factor(), proof.user()), (id, &user("jane")));
    assert!(matches!(f.try_code("jane", &totp(b"jane", NOW)).await, Outcome::Used { gate: Gate::Open }));
    f.clock.advance(30);
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW.plus(30))).await));
    // The code before the last one is used up with it.
    assert!(matches!(f.try_code("jane", &totp(b"jane", NOW)).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn of_many_logins_with_one_code_exactly_one_passes() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    for round in 0..10 {
        let code = hotp(b"jane", round);
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (store, attempt) = (f.store.clone(), attempt("jane", &code));
            logins.spawn(async move { store.attempt(attempt).await.unwrap() });
        }
        let outcomes = logins.join_all().await;
        assert_eq!(outcomes.iter().filter(|o| accepted(o)).count(), 1, "round {round}");
        f.store.unlock(order("jane")).await.unwrap();
    }
}

#[tokio::test]
async fn parallel_guesses_are_judged_up_to_the_limit_only() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let code = wrong(b"jane", 0);
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (store, attempt) = (f.store.clone(), attempt("jane", &code));
        guesses.spawn(async move { store.attempt(attempt).await.unwrap() });
    }
    let outcomes = guesses.join_all().await;
    let judged = outcomes.iter().filter(|o| matches!(o, Outcome::Wrong { .. })).count();
    let locked = outcomes.iter().filter(|o| matches!(o, Outcome::Locked { .. })).count();
    assert!((1..=5).contains(&judged), "{judged} guesses were judged");
    assert_eq!(judged + locked, 200);
    // While locked, the right code is not judged either.
    assert!(matches!(f.try_code("jane", &hotp(b"jane", 0)).await, Outcome::Locked { .. }));
    f.clock.advance(7200);
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
}

#[tokio::test]
async fn a_hundred_failures_exhaust_a_factor_and_it_does_not_pass_for_unenrolled() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let code = wrong(b"jane", 0);
    for _ in 0..99 {
        assert!(matches!(f.try_code("jane", &code).await, Outcome::Wrong { .. }));
        f.clock.advance(4000);
    }
    assert!(matches!(f.try_code("jane", &code).await, Outcome::Wrong { gate: Gate::Exhausted }));
    f.clock.advance(1_000_000);
    let right = hotp(b"jane", 0);
    assert!(matches!(f.try_code("jane", &right).await, Outcome::Locked { gate: Gate::Exhausted }));
    f.store.unlock(order("jane")).await.unwrap();
    f.store.reset(order("jane")).await.unwrap();
    assert!(matches!(f.try_code("jane", &right).await, Outcome::Locked { gate: Gate::Exhausted }));
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert!(view.exhausted && view.shape.is_none() && view.gate == Gate::Exhausted);
}

#[tokio::test]
async fn failures_without_password_lock_only_that_channel() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let unproven = |code: &str| mfad::store::Attempt { channel: Channel::Unproven, ..attempt("jane", code) };
    let code = wrong(b"jane", 0);
    for _ in 0..3 {
        assert!(matches!(f.store.attempt(unproven(&code)).await.unwrap(), Outcome::Wrong { .. }));
        f.clock.advance(1);
    }
    let right = hotp(b"jane", 0);
    assert!(matches!(f.store.attempt(unproven(&right)).await.unwrap(), Outcome::Locked { .. }));
    assert!(!f.store.view(user("jane"), Channel::Unproven).await.unwrap().gate.is_open());
    assert!(f.store.view(user("jane"), Channel::Proven).await.unwrap().gate.is_open());
    assert!(accepted(&f.try_code("jane", &right).await));
    // The success with password opened the other channel again.
    assert!(accepted(&f.store.attempt(unproven(&hotp(b"jane", 1))).await.unwrap()));
}

#[tokio::test]
async fn many_failures_between_successes_lock_the_account() {
    let profile = Profile { window_failures: 10, ..Profile::named(ProfileName::Default) };
    let f = Fixture::with(StoreSettings { profile, ..StoreSettings::default() });
    f.enroll("jane", HOTP, b"jane").await;
    let mut gate = Gate::Open;
    for counter in 0..5 {
        for _ in 0..2 {
            let Outcome::Wrong { gate: after } = f.try_code("jane", &wrong(b"jane", counter)).await else {
                panic!("two failures are below every limit")
            };
            gate = after;
        }
        if gate.is_open() {
            assert!(accepted(&f.try_code("jane", &hotp(b"jane", counter)).await));
        }
    }
    assert_eq!(gate, Gate::UntilAdmin);
    f.clock.advance(10_000_000);
    let right = hotp(b"jane", 4);
    assert!(matches!(f.try_code("jane", &right).await, Outcome::Locked { gate: Gate::UntilAdmin }));
    f.store.unlock(order("jane")).await.unwrap();
    assert!(accepted(&f.try_code("jane", &right).await));
}

#[tokio::test]
async fn one_code_serves_the_factor_it_is_of_and_failures_charge_each_once() {
    let f = Fixture::new();
    let first = f.enroll("jane", HOTP, b"first").await;
    let second = f.store.enroll(new_factor("jane", "two", HOTP, b"second")).await.unwrap().factor;
    let Outcome::Accepted(proof) = f.try_code("jane", &hotp(b"second", 0)).await else { panic!("right") };
    assert_eq!(proof.factor(), second);
    assert!(matches!(f.try_code("jane", "000000").await, Outcome::Wrong { .. }));
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!(shown.factors.iter().map(|factor| factor.failures).collect::<Vec<_>>(), [1, 1]);
    assert!(accepted(&f.try_code("jane", &hotp(b"first", 0)).await));
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!(shown.factors[0].factor, first);
    assert_eq!(shown.factors.iter().map(|factor| factor.failures).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn two_factors_with_one_seed_do_not_make_a_code_work_twice() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"same").await;
    f.store.enroll(new_factor("jane", "two", HOTP, b"same")).await.unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"same", 0)).await));
    assert!(matches!(f.try_code("jane", &hotp(b"same", 0)).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn another_uid_or_no_factor_denies() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    for uid in [None, Some(0), Some(1001)] {
        let attempt = mfad::store::Attempt { uid, ..attempt("jane", &hotp(b"jane", 0)) };
        assert!(matches!(f.store.attempt(attempt).await.unwrap(), Outcome::Orphaned));
    }
    assert!(matches!(f.try_code("john", "000000").await, Outcome::NoFactor));
    f.store.decoy().await.unwrap();
    let view = f.store.view(user("john"), Channel::Proven).await.unwrap();
    assert!(view.shape.is_none() && !view.exhausted && !view.tampered);
}

#[tokio::test]
async fn what_was_used_stays_used_after_a_restart() {
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW)).await));
    f.reopen_after(|_| ()).await;
    assert!(matches!(f.try_code("jane", &totp(b"jane", NOW)).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn a_clock_set_back_is_told_once_and_replays_nothing() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW)).await));
    f.clock.advance(-3600);
    for _ in 0..3 {
        assert!(matches!(f.try_code("jane", &totp(b"jane", NOW)).await, Outcome::ClockUnusable));
    }
    let rows = f.store.audit(mfa_proto::admin::AuditFilter::default(), 100).await.unwrap().rows;
    assert_eq!(rows.iter().filter(|row| row.event == "clock_back").count(), 1);
    f.clock.set(NOW);
    assert!(matches!(f.try_code("jane", &totp(b"jane", NOW)).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn a_code_of_another_length_is_wrong_and_counted() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    assert!(matches!(f.try_code("jane", "12345678").await, Outcome::Wrong { gate: Gate::Open }));
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!((shown.failures_30_days, shown.factors[0].failures), (1, 0));
}

#[tokio::test]
async fn stig_locks_until_an_administrator_unlocks() {
    let profile = Profile::named(ProfileName::Stig);
    let f = Fixture::with(StoreSettings { profile, ..StoreSettings::default() });
    f.enroll("jane", HOTP, b"jane").await;
    for _ in 0..3 {
        assert!(matches!(f.try_code("jane", &wrong(b"jane", 0)).await, Outcome::Wrong { .. }));
    }
    f.clock.advance(100_000_000);
    let right = hotp(b"jane", 0);
    assert!(matches!(f.try_code("jane", &right).await, Outcome::Locked { gate: Gate::UntilAdmin }));
    f.store.unlock(order("jane")).await.unwrap();
    assert!(accepted(&f.try_code("jane", &right).await));
}
