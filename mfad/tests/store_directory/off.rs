//! What is gone from the directory, or does not open there, lets nobody in, and makes nobody new.

use std::sync::Arc;

use mfa_proto::{
    admin::{FactorKind, FactorState},
    answer::OtpCode,
};
use mfad::store::{EnrollFirst, FirstFactor, GraceLogin, GraceTerms, Member, Outcome, Refused, Target};

use crate::{common::*, store_common::*};

use FactorKind as K;
use FactorState as S;

/// Neither a first factor nor a time of grace is for somebody whose factor is merely switched off.
async fn is_no_newcomer(f: &Fixture, name: &str) {
    let view = f.view(name).await;
    assert!(view.withheld && !view.newcomer && view.held.is_empty(), "{view:?}");
    let member =
        Member { label: label("own"), params: TOTP, start: TOTP.start(0), secret: seed(b"own").into() };
    let first = EnrollFirst {
        context: context(name),
        rule: None,
        uid: 1000,
        factor: Arc::new(FirstFactor { member, invitation: None }),
        code: OtpCode::parse(&totp(b"own", f.clock_now())).unwrap(),
    };
    let outcome = f.store.enroll_first(first).await.unwrap();
    assert!(matches!(outcome, Outcome::NoFactor), "{outcome:?}");
    let terms = GraceTerms { until: Some(NOW.plus(1_000_000)), logins: Some(9) };
    let grace = GraceLogin { context: context(name), rule: None, uid: 1000, terms };
    assert!(f.store.grace(grace).await.unwrap().is_none());
    let mut new = new_factor(name, "own", TOTP, b"own");
    (new.order, new.activate) = (owner(name, None), false);
    assert_eq!(refusal(f.store.enroll(new).await), Refused::WrongState("disabled"));
}

#[tokio::test]
async fn what_is_gone_is_switched_off_and_makes_no_newcomer() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a"), phone("+49305556667")])).await;
    f.clock.advance(30);
    let gone = f.adopt("jane", nothing()).await;
    assert_eq!(gone, [(Change::Gone, K::Sms), (Change::Gone, K::Totp)]);
    let off = states(&[("directory-sms", S::Disabled), ("directory", S::Disabled)]);
    assert_eq!(f.states("jane").await, off);
    assert!(matches!(f.try_code("jane", &totp(b"a", f.clock_now())).await, Outcome::NoFactor));
    is_no_newcomer(&f, "jane").await;
    assert_eq!(f.store.figures().await.unwrap().active_factors, 0);
    // Again says nothing new.
    assert_eq!(f.adopt("jane", nothing()).await, []);
}

#[tokio::test]
async fn what_is_not_asked_for_stays_as_it_is() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a"), phone("+49305556667")])).await;
    let mut entry = nothing();
    entry.kinds = vec![K::Sms];
    assert_eq!(f.adopt("jane", entry).await, [(Change::Gone, K::Sms)]);
    f.clock.advance(30);
    assert!(accepted(&f.try_code("jane", &totp(b"a", f.clock_now())).await));
}

#[tokio::test]
async fn a_value_that_does_not_open_leaves_all_as_it_is() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    assert_eq!(f.adopt("jane", garbled(nothing())).await, []);
    f.clock.advance(30);
    assert!(accepted(&f.try_code("jane", &totp(b"a", f.clock_now())).await));
    // What opens beside it is taken in all the same.
    assert_eq!(f.adopt("jane", garbled(has([secret_of(b"b")]))).await, [(Change::Adopted, K::Totp)]);
    assert_eq!(f.states("jane").await, states(&[("directory", S::Active), ("directory-2", S::Active)]));
    assert_eq!(f.events().await.iter().filter(|e| *e == "directory_refused noticed totp sealed").count(), 2);
}

#[tokio::test]
async fn one_who_holds_only_what_does_not_open_has_not_failed_to_enroll() {
    let f = Fixture::new();
    assert_eq!(f.adopt("jane", garbled(nothing())).await, [(Change::Withheld, K::Totp)]);
    is_no_newcomer(&f, "jane").await;
    assert_eq!(f.adopt("jane", garbled(nothing())).await, [], "once");
    // Nobody can switch it on, and to take the value away does not make her new.
    let enabled = f.store.enable(order("jane"), Target::default()).await;
    assert_eq!(refusal(enabled), Refused::GoneFromDirectory);
    assert_eq!(f.adopt("jane", nothing()).await, []);
    is_no_newcomer(&f, "jane").await;
    let mended = f.adopt("jane", has([secret_of(b"a")])).await;
    assert_eq!(mended, [(Change::Adopted, K::Totp), (Change::Dropped, K::Totp)]);
    assert_eq!(f.states("jane").await, states(&[("directory-2", S::Active)]));
    assert!(!f.view("jane").await.withheld);
}

#[tokio::test]
async fn an_address_that_is_none_leaves_the_number_before_in_force() {
    let f = Fixture::new();
    f.adopt("jane", has([phone("+49305556667")])).await;
    let unusable =
        mfad::store::Unusable { kind: K::Sms, word: "address", why: "a number begins with +".to_owned() };
    let mut entry = nothing();
    entry.unusable.push(unusable);
    assert_eq!(f.adopt("jane", entry).await, []);
    assert_eq!(f.states("jane").await, states(&[("directory-sms", S::Active)]));
}

#[tokio::test]
async fn what_a_person_switched_off_stays_off() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a"), phone("+49305556667")])).await;
    for label in ["directory", "directory-sms"] {
        f.store.disable(order("jane"), by_label(label)).await.unwrap();
    }
    let off = states(&[("directory-sms", S::Disabled), ("directory", S::Disabled)]);
    for entry in [
        has([secret_of(b"a"), phone("+49305556667")]),
        nothing(),
        has([secret_of(b"a"), phone("+49305556667")]),
        has([secret_of(b"a"), phone("+49305559999")]),
    ] {
        f.adopt("jane", entry).await;
        assert_eq!(f.states("jane").await, off);
    }
    f.store.enable(order("jane"), by_label("directory")).await.unwrap();
    f.clock.advance(30);
    assert!(accepted(&f.try_code("jane", &totp(b"a", f.clock_now())).await));
}

#[tokio::test]
async fn what_is_gone_is_not_switched_on_by_hand() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    f.adopt("jane", nothing()).await;
    let enabled = f.store.enable(order("jane"), Target::default()).await;
    assert_eq!(refusal(enabled), Refused::GoneFromDirectory);
    assert_eq!(f.states("jane").await, states(&[("directory", S::Disabled)]));
}
