//! Finding the counter of a device again, and adding what was brought along.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{FactorId, FactorState},
    answer::OtpCode,
};
use mfad::{
    factor::{Address, Moving, Params, Secret, Seed, TokenSecret},
    limits::Gate,
    store::{
        Channel, EnrollAll, Member, NewFactor, Outcome, RecoveryNew, Refused, Resync, StoreError,
        StoreSettings, Target,
    },
};
use store_common::*;
use zeroize::Zeroizing;

fn codes(first: u64, second: u64) -> [OtpCode; 2] {
    [first, second].map(|counter| OtpCode::parse(&hotp(b"jane", counter)).unwrap())
}

async fn resync(f: &Fixture, first: u64, second: u64) -> Result<FactorId, StoreError> {
    let codes = codes(first, second);
    f.store.resync(Resync { order: order("jane"), target: Target::default(), codes }).await
}

#[tokio::test]
async fn two_consecutive_codes_within_a_hundred_find_the_counter() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"time").await;
    let device = f.store.enroll(new_factor("jane", "device", HOTP, b"jane")).await.unwrap().factor;
    assert_eq!(resync(&f, 98, 99).await.unwrap(), device, "the only one that counts");
    assert!(!accepted(&f.try_code("jane", &hotp(b"jane", 99)).await));
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 100)).await));
    // From 101 on, counter 202 is one too far.
    assert_eq!(refusal(resync(&f, 201, 202).await), Refused::WrongCode);
    resync(&f, 200, 201).await.unwrap();
    assert_eq!(f.failures("jane", device).await, 0);
}

#[tokio::test]
async fn a_wrong_pair_costs_one_attempt_and_moves_nothing() {
    let f = Fixture::new();
    let device = f.enroll("jane", HOTP, b"jane").await;
    resync(&f, 20, 21).await.unwrap();
    for (round, (first, second)) in (1_u32..).zip([(20, 21), (30, 32), (41, 40), (22, 22)]) {
        assert_eq!(refusal(resync(&f, first, second).await), Refused::WrongCode, "{first} {second}");
        assert_eq!((f.failures("jane", device).await, f.failures_30_days("jane").await), (round, round));
        f.clock.advance(4);
    }
    assert_eq!(refusal(resync(&f, 20, 21).await), Refused::WrongCode, "a pair serves once");
    let locked = resync(&f, 30, 31).await;
    assert!(matches!(refusal(locked), Refused::Locked { gate: Gate::Wait { .. } }));
    f.clock.advance(1000);
    resync(&f, 30, 31).await.unwrap();
    assert_eq!(f.failures("jane", device).await, 0);
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 32)).await));
}

#[tokio::test]
async fn an_owner_pays_with_the_smaller_budget_and_needs_no_other_code() {
    let f = Fixture::new();
    let device = f.enroll("jane", HOTP, b"jane").await;
    let by_owner = |first, second| Resync {
        order: owner("jane", None),
        target: Target::default(),
        codes: codes(first, second),
    };
    for _ in 0..3 {
        assert_eq!(refusal(f.store.resync(by_owner(50, 52)).await), Refused::WrongCode);
        f.clock.advance(1);
    }
    let locked = f.store.resync(by_owner(50, 51)).await;
    assert!(matches!(refusal(locked), Refused::Locked { .. }));
    assert_eq!(f.failures("jane", device).await, 0);
    f.clock.advance(7200);
    f.store.resync(by_owner(50, 51)).await.unwrap();
    let other = Resync {
        order: mfad::store::Order { uid: Some(7), ..owner("jane", None) },
        target: Target::default(),
        codes: codes(60, 61),
    };
    assert_eq!(refusal(f.store.resync(other).await), Refused::Orphaned);
}

#[tokio::test]
async fn what_is_switched_off_is_found_and_stays_off() {
    let f = Fixture::new();
    let device = f.enroll("jane", HOTP, b"jane").await;
    f.store.disable(order("jane"), Target::default()).await.unwrap();
    assert_eq!(resync(&f, 40, 41).await.unwrap(), device);
    assert!(matches!(f.try_code("jane", &hotp(b"jane", 42)).await, Outcome::NoFactor));
    f.store.enable(order("jane"), Target::default()).await.unwrap();
    assert!(!accepted(&f.try_code("jane", &hotp(b"jane", 41)).await));
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 42)).await));
    assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
    f.enroll("john", TOTP, b"john").await;
    let wanted = Resync { order: order("john"), target: Target::default(), codes: codes(0, 1) };
    assert_eq!(refusal(f.store.resync(wanted).await), Refused::NoSuchFactor);
}

fn member(called: &str, params: Params, bytes: &[u8], counter: i64) -> Member {
    Member { label: label(called), params, start: params.start(counter), secret: seed(bytes).into() }
}

fn all(factors: Vec<Member>, recovery: &[&str], replace: bool) -> EnrollAll {
    let recovery = recovery.iter().map(|code| OtpCode::parse(code).unwrap()).collect();
    EnrollAll { order: order("jane"), factors, recovery, replace }
}

async fn labels(f: &Fixture) -> Vec<(String, FactorState)> {
    let shown = f.store.show(user("jane")).await.unwrap();
    shown.factors.into_iter().map(|factor| (factor.label.to_string(), factor.state)).collect()
}

#[tokio::test]
async fn all_that_is_brought_along_counts_at_once() {
    let f = Fixture::new();
    let short = Seed::brought_along(Zeroizing::new(b"0123456789".to_vec())).unwrap();
    let old = Member { secret: short.into(), ..member("old", TOTP, b"x", 0) };
    let factors = vec![member("time", TOTP, b"time", 0), member("device", HOTP, b"jane", 7), old];
    assert_eq!(f.store.enroll_all(all(factors, &["11112222", "33334444"], false)).await.unwrap(), 4);
    let active = |name: &str| (name.to_owned(), FactorState::Active);
    assert_eq!(labels(&f).await, [active("time"), active("device"), active("old"), active("recovery")]);
    assert_eq!(f.store.figures().await.unwrap().active_factors, 4);
    assert!(!accepted(&f.try_code("jane", &totp(b"time", NOW)).await), "it may have been used elsewhere");
    assert!(accepted(&f.try_code("jane", &totp(b"time", NOW.plus(30))).await));
    assert!(!accepted(&f.try_code("jane", &hotp(b"jane", 6)).await), "used elsewhere");
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 7)).await));
    assert!(accepted(&f.try_code("jane", "33334444").await));
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

/// What cannot be added to a user with a factor "one" who may hold three.
fn impossible() -> Vec<(&'static str, EnrollAll)> {
    let good = || member("good", TOTP, b"good", 0);
    let number = Secret::Address(Address::number(&secret("+4930555666")).unwrap());
    vec![
        ("nothing", all(Vec::new(), &[], false)),
        ("the same label twice", all(vec![good(), good()], &[], false)),
        ("a label in use", all(vec![good(), member("one", TOTP, b"x", 0)], &[], false)),
        ("too many", all(vec![good(), member("b", TOTP, b"b", 0), member("c", TOTP, b"c", 0)], &[], false)),
        ("codes of six digits", all(vec![good()], &["123456"], false)),
        ("too many codes", all(vec![good()], &["12345678"; 61], false)),
        (
            "an address nobody has proven",
            all(
                vec![good(), Member { secret: number, ..member("n", Params::Sms { digits: 6 }, b"x", 0) }],
                &[],
                false,
            ),
        ),
        ("another secret", all(vec![good(), member("n", Params::Rest, b"x", 0)], &[], false)),
        (
            "parameters that are not valid",
            all(
                vec![
                    good(),
                    member(
                        "n",
                        Params::Hotp { algorithm: mfa_proto::admin::Algorithm::Sha1, digits: 7 },
                        b"x",
                        0,
                    ),
                ],
                &[],
                false,
            ),
        ),
        ("the label of the set", all(vec![member("recovery", TOTP, b"x", 0)], &["12345678"], false)),
        ("by an owner", EnrollAll { order: owner("jane", None), ..all(vec![good()], &[], false) }),
        (
            "for another uid",
            EnrollAll {
                order: mfad::store::Order { uid: Some(7), ..order("jane") },
                ..all(vec![good()], &[], false)
            },
        ),
        (
            "too many while replacing",
            all(
                vec![
                    member("one", TOTP, b"x", 0),
                    member("b", TOTP, b"b", 0),
                    member("c", TOTP, b"c", 0),
                    good(),
                ],
                &[],
                true,
            ),
        ),
    ]
}

#[tokio::test]
async fn one_that_cannot_be_added_leaves_all_as_it_was() {
    let f = Fixture::with(StoreSettings { max_factors: 3, ..StoreSettings::default() });
    f.enroll("jane", HOTP, b"jane").await;
    let before = (labels(&f).await, f.store.figures().await.unwrap());
    for (what, wanted) in impossible() {
        assert!(matches!(f.store.enroll_all(wanted).await, Err(StoreError::Refused(_))), "{what}");
        let figures = f.store.figures().await.unwrap();
        assert_eq!((labels(&f).await, figures), before, "{what}");
    }
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
}

#[tokio::test]
async fn what_has_the_same_label_is_replaced_when_asked_and_the_rest_stays() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"old").await;
    f.store.enroll(new_factor("jane", "stays", HOTP, b"stays")).await.unwrap();
    f.store.recovery_new(RecoveryNew { order: order("jane"), count: 5 }).await.unwrap();
    let recovery = all(Vec::new(), &["12345678"], false);
    assert_eq!(refusal(f.store.enroll_all(recovery).await), Refused::LabelTaken(label("recovery")));
    let wanted = all(vec![member("one", HOTP, b"new", 3)], &["12345678"], true);
    assert_eq!(f.store.enroll_all(wanted).await.unwrap(), 2);
    assert_eq!(labels(&f).await.len(), 3);
    assert!(!accepted(&f.try_code("jane", &hotp(b"old", 0)).await));
    assert!(accepted(&f.try_code("jane", &hotp(b"new", 3)).await));
    assert!(accepted(&f.try_code("jane", &hotp(b"stays", 0)).await));
    assert!(accepted(&f.try_code("jane", "12345678").await));
    assert_eq!(f.store.figures().await.unwrap().active_factors, 3);
}

#[tokio::test]
async fn secrets_of_another_kind_are_refused() {
    let f = Fixture::new();
    let start = Moving::default();
    let own = TokenSecret::Own { seed: seed(b"x"), signing: secret("signing") };
    for (params, secret) in [
        (TOTP, Secret::Address(Address::number(&secret("+4930555666")).unwrap())),
        (Params::Mail { digits: 6 }, Secret::Address(Address::number(&secret("+4930555666")).unwrap())),
        (Params::Token, seed(b"x").into()),
        (Params::Rest, Secret::Token(own)),
    ] {
        let new =
            NewFactor { params, start, secret, activate: false, ..new_factor("jane", "one", HOTP, b"x") };
        assert!(matches!(refusal(f.store.enroll(new).await), Refused::Invalid(_)), "{params:?}");
    }
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert!(view.held.is_empty() && !view.tampered);
}
