//! Recovery codes: each works once, whoever else tries at the same time, and a new set voids the old.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer::{Answer, AnswerShape, OtpCode, RecoveryCode},
};
use mfad::{
    limits::Gate,
    store::{
        Attempt, Authority, Channel, EnrollAll, NewFactor, NewRecovery, Order, Outcome, RecoveryNew, Refused,
        StoreSettings, Target,
    },
};
use store_common::*;

async fn new_set(f: &Fixture, name: &str, count: u8) -> NewRecovery {
    f.store.recovery_new(RecoveryNew { order: order(name), count }).await.unwrap()
}

fn typed(code: &RecoveryCode) -> Answer {
    Answer::Recovery(RecoveryCode::parse(&code.grouped()).unwrap())
}

fn by_owner(code: Option<Answer>) -> Order {
    let code = code.map(Into::into);
    Order { authority: Authority::Owner { code, channel: Channel::Unproven }, ..order("jane") }
}

async fn answer(f: &Fixture, answer: Answer) -> Outcome {
    f.store.attempt(answering(&context("jane"), answer)).await.unwrap()
}

/// A code of the set's form that is none of it.
fn none_of_it(number: u8) -> Answer {
    Answer::Recovery(RecoveryCode::new(number, b"0123456789").unwrap())
}

async fn left(f: &Fixture, set: FactorId) -> Option<u32> {
    let shown = f.store.show(user("jane")).await.unwrap();
    shown.factors.into_iter().find(|factor| factor.factor == set).unwrap().left
}

#[tokio::test]
async fn each_code_works_once_and_says_how_many_are_left() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let set = new_set(&f, "jane", 10).await;
    assert_eq!(set.codes.iter().map(RecoveryCode::number).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!(view.shape, Some(AnswerShape::SIX_DIGITS.or(AnswerShape::RECOVERY)));
    assert_eq!((view.held[1].kind, view.held[1].left), (FactorKind::Recovery, Some(10)));
    let mut remaining = 10;
    for code in &set.codes {
        let Outcome::Accepted(proof) = answer(&f, typed(code)).await else { panic!("it is right") };
        remaining -= 1;
        assert_eq!((proof.factor(), proof.recovery_left()), (set.factor, Some(remaining)));
        assert!(matches!(answer(&f, typed(code)).await, Outcome::Used { .. }));
        f.store.reset(order("jane")).await.unwrap();
    }
    assert_eq!(left(&f, set.factor).await, Some(0));
    // An administrator's reset gives no code back.
    assert!(matches!(answer(&f, typed(&set.codes[0])).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn of_many_parallel_logins_with_one_code_exactly_one_passes() {
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let set = new_set(&f, "jane", 3).await;
    for code in &set.codes {
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (store, attempt) = (f.store.clone(), answering(&context("jane"), typed(code)));
            logins.spawn(async move { store.attempt(attempt).await.unwrap() });
        }
        let outcomes = logins.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| accepted(outcome)).count(), 1);
        f.reopen_after(|_| ()).await;
        f.store.reset(order("jane")).await.unwrap();
        assert!(matches!(answer(&f, typed(code)).await, Outcome::Used { .. }), "after a restart");
        f.store.reset(order("jane")).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_code_charges_its_set_once_and_no_other_factor() {
    let f = Fixture::new();
    let totp_factor = f.enroll("jane", TOTP, b"jane").await;
    let set = new_set(&f, "jane", 10).await;
    for (round, number) in [(1, 1), (2, 60)] {
        assert!(matches!(answer(&f, none_of_it(number)).await, Outcome::Wrong { gate: Gate::Open }));
        assert_eq!(f.failures("jane", set.factor).await, round);
        assert_eq!(f.failures_30_days("jane").await, round);
    }
    assert_eq!(f.failures("jane", totp_factor).await, 0);
    // The code of another number is as wrong as any.
    let mut shifted = set.codes[4].expose().to_owned();
    shifted.replace_range(..2, "06");
    let shifted = Answer::Recovery(RecoveryCode::parse(&shifted).unwrap());
    assert!(matches!(answer(&f, shifted).await, Outcome::Wrong { .. }));
    // A wrong time-based code costs the set nothing.
    f.clock.advance(10);
    assert!(matches!(f.try_code("jane", &wrong(b"jane", 60_000_000)).await, Outcome::Wrong { .. }));
    assert_eq!((f.failures("jane", set.factor).await, f.failures("jane", totp_factor).await), (3, 1));
}

#[tokio::test]
async fn a_new_set_voids_the_one_before() {
    let f = Fixture::with(StoreSettings { max_factors: 1, ..StoreSettings::default() });
    f.enroll("jane", TOTP, b"jane").await;
    let old = new_set(&f, "jane", 5).await;
    let new = new_set(&f, "jane", 7).await;
    assert_ne!(old.factor, new.factor);
    assert!(matches!(answer(&f, typed(&old.codes[0])).await, Outcome::Wrong { .. }));
    assert!(accepted(&answer(&f, typed(&new.codes[0])).await));
    let kinds: Vec<FactorKind> =
        f.store.show(user("jane")).await.unwrap().factors.iter().map(|factor| factor.kind).collect();
    assert_eq!(kinds, [FactorKind::Totp, FactorKind::Recovery], "a set takes no place of a factor");
    assert_eq!(f.store.figures().await.unwrap().active_factors, 2);
    for count in [0, RecoveryCode::MOST + 1] {
        let bad = f.store.recovery_new(RecoveryNew { order: order("jane"), count }).await;
        assert!(matches!(refusal(bad), Refused::Invalid(_)), "{count}");
    }
    assert_eq!(new_set(&f, "jane", RecoveryCode::MOST).await.codes.len(), usize::from(RecoveryCode::MOST));
}

#[tokio::test]
async fn an_owner_needs_an_active_factor_and_a_current_code_for_a_set() {
    let f = Fixture::new();
    let wish = |order| RecoveryNew { order, count: 4 };
    assert_eq!(refusal(f.store.recovery_new(wish(by_owner(None))).await), Refused::NotEnrolled);
    f.store.enroll(NewFactor { activate: false, ..new_factor("jane", "one", HOTP, b"jane") }).await.unwrap();
    assert_eq!(refusal(f.store.recovery_new(wish(by_owner(None))).await), Refused::NotEnrolled);
    let code = |counter| Answer::Code(OtpCode::parse(&hotp(b"jane", counter)).unwrap());
    f.store.confirm(order("jane"), None, code(0)).await.unwrap();
    assert_eq!(refusal(f.store.recovery_new(wish(by_owner(None))).await), Refused::WrongCode);
    assert_eq!(refusal(f.store.recovery_new(wish(by_owner(Some(code(0))))).await), Refused::WrongCode);
    let set = f.store.recovery_new(wish(by_owner(Some(code(1))))).await.unwrap();
    // A recovery code is a current code as well: whoever lost the device has nothing else.
    let next = f.store.recovery_new(wish(by_owner(Some(typed(&set.codes[2]))))).await.unwrap();
    assert!(matches!(answer(&f, typed(&set.codes[0])).await, Outcome::Wrong { .. }));
    assert!(accepted(&answer(&f, typed(&next.codes[0])).await));
}

#[tokio::test]
async fn the_set_is_locked_and_used_up_like_any_factor() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let set = new_set(&f, "jane", 10).await;
    for _ in 0..99 {
        assert!(matches!(answer(&f, none_of_it(1)).await, Outcome::Wrong { .. }));
        f.clock.advance(4000);
    }
    let last = answer(&f, none_of_it(1)).await;
    assert!(matches!(last, Outcome::Wrong { gate: Gate::Exhausted }), "{last:?}");
    let right = answer(&f, typed(&set.codes[0])).await;
    assert!(matches!(right, Outcome::Locked { gate: Gate::Exhausted }), "{right:?}");
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!(shown.factors[1].state, FactorState::Exhausted);
    assert!(accepted(&f.try_code("jane", &totp(b"jane", f.clock_now())).await), "the other goes on");
    let anew = new_set(&f, "jane", 10).await;
    assert!(accepted(&answer(&f, typed(&anew.codes[0])).await));
}

#[tokio::test]
async fn codes_that_were_brought_along_have_no_number_and_work_once_each() {
    let f = Fixture::new();
    let digits = |text: &str| OtpCode::parse(text).unwrap();
    let all = EnrollAll {
        order: order("jane"),
        factors: Vec::new(),
        recovery: vec![digits("12345678"), digits("87654321"), digits("11112222")],
        replace: false,
    };
    assert_eq!(f.store.enroll_all(all).await.unwrap(), 1);
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!((view.shape, view.held[0].left), (Some(AnswerShape::EIGHT_DIGITS), Some(3)));
    let Outcome::Accepted(proof) = f.try_code("jane", "8765 4321").await else { panic!("it is right") };
    assert_eq!(proof.recovery_left(), Some(2));
    assert!(matches!(f.try_code("jane", "87654321").await, Outcome::Used { .. }));
    assert!(matches!(f.try_code("jane", "00000000").await, Outcome::Wrong { .. }));
    assert!(matches!(f.try_code("jane", "123456").await, Outcome::Wrong { .. }));
    f.clock.advance(10);
    assert!(accepted(&f.try_code("jane", "12345678").await));
    assert!(matches!(answer(&f, none_of_it(1)).await, Outcome::Wrong { .. }));
}

#[tokio::test]
async fn codes_of_one_set_are_no_codes_of_another_user() {
    let f = Fixture::new();
    let set = new_set(&f, "jane", 5).await;
    let other = new_set(&f, "john", 5).await;
    for (of, name) in [(&set, "john"), (&other, "jane")] {
        let attempt = answering(&context(name), typed(&of.codes[0]));
        assert!(matches!(f.store.attempt(attempt).await.unwrap(), Outcome::Wrong { .. }), "{name}");
    }
}

#[tokio::test]
async fn the_label_of_the_set_is_its_own() {
    let f = Fixture::new();
    let called = |params| NewFactor { ..new_factor("jane", "recovery", params, b"jane") };
    f.store.enroll(called(HOTP)).await.unwrap();
    let refused = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 5 }).await;
    assert_eq!(refusal(refused), Refused::LabelTaken(label("recovery")));
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    new_set(&f, "jane", 5).await;
    assert_eq!(refusal(f.store.enroll(called(HOTP)).await), Refused::LabelTaken(label("recovery")));
    let as_factor = NewFactor {
        params: mfad::factor::Params::Recovery { digits: 0 },
        ..new_factor("jane", "other", HOTP, b"jane")
    };
    assert!(matches!(refusal(f.store.enroll(as_factor).await), Refused::Invalid(_)));
}

#[tokio::test]
async fn a_set_that_is_used_up_does_not_make_a_user_look_as_if_not_enrolled() {
    let f = Fixture::new();
    let set = new_set(&f, "jane", 1).await;
    assert!(accepted(&answer(&f, typed(&set.codes[0])).await));
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!((view.shape, view.held[0].left), (Some(AnswerShape::RECOVERY), Some(0)));
    let unproven = Attempt { channel: Channel::Unproven, ..answering(&context("jane"), none_of_it(1)) };
    assert!(matches!(f.store.attempt(unproven).await.unwrap(), Outcome::Wrong { .. }));
    assert_eq!(f.failures("jane", set.factor).await, 0, "that budget was charged");
}
