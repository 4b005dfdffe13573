//! Factors of accounts that are gone or have another uid: they deny, an account can take them over with all
//! that was used and counted, and only what is orphaned is taken away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorState},
    answer::{Answer, OtpCode, RecoveryCode},
};
use mfad::{
    identity::Account,
    store::{
        Attempt, Channel, Heir, Issued, Order, Outcome, Reassign, RecoveryNew, Refused, StoreError, Target,
    },
};
use store_common::*;

const NEW_UID: u32 = 2000;
const REUSED: Account = Account::Known { uid: NEW_UID };
const SAME: Account = Account::Known { uid: 1000 };

fn wish(name: &str, present: Account, heir: Heir) -> Reassign {
    Reassign { order: Order { uid: None, ..order(name) }, present, heir }
}

fn to(name: &str, uid: u32) -> Heir {
    Heir::Other { user: user(name), uid: Some(uid) }
}

async fn try_as(f: &Fixture, name: &str, uid: u32, answer: Answer) -> Outcome {
    f.store.attempt(Attempt { uid: Some(uid), ..answering(&context(name), answer) }).await.unwrap()
}

fn digits(code: &str) -> Answer {
    Answer::Code(OtpCode::parse(code).unwrap())
}

/// The rows of the trail about a user, as event and reason.
async fn trail(f: &Fixture, name: &str) -> Vec<(String, String)> {
    let filter = AuditFilter { user: Some(user(name)), ..Default::default() };
    let page = f.store.audit(filter, 100).await.unwrap();
    page.rows.into_iter().map(|row| (row.event, row.reason)).collect()
}

/// Neighbors in the ring can still be proven, present and absent.
async fn is_sound(f: &Fixture, present: &[&str], absent: &[&str]) {
    for name in present {
        let view = f.store.view(user(name), Channel::Proven).await.unwrap();
        assert!(!view.tampered && !view.held.is_empty(), "{name}");
    }
    for name in absent {
        let view = f.store.view(user(name), Channel::Proven).await.unwrap();
        assert!(!view.tampered && view.held.is_empty() && view.uid.is_none(), "{name}");
    }
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn an_account_with_a_new_uid_takes_its_factors_over_as_they_are() {
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    f.enroll("john", TOTP, b"john").await;
    let set = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
    let typed = |n: usize| Answer::Recovery(RecoveryCode::parse(&set.codes[n].grouped()).unwrap());
    let code = totp(b"jane", NOW);
    assert!(accepted(&try_as(&f, "jane", 1000, digits(&code)).await));
    assert!(accepted(&try_as(&f, "jane", 1000, typed(0)).await));
    assert!(matches!(try_as(&f, "jane", 1000, digits(&other_than(&code))).await, Outcome::Wrong { .. }));
    let failed = f.failures_30_days("jane").await;
    // Another account by the name: nothing of it counts.
    f.clock.advance(60);
    let next = totp(b"jane", f.clock_now());
    assert!(matches!(try_as(&f, "jane", NEW_UID, digits(&next)).await, Outcome::Orphaned));
    assert!(matches!(try_as(&f, "jane", NEW_UID, typed(1)).await, Outcome::Orphaned));

    assert_eq!(f.store.reassign(wish("jane", REUSED, Heir::SameName)).await.unwrap(), 2);
    assert!(matches!(try_as(&f, "jane", 1000, digits(&next)).await, Outcome::Orphaned));
    assert!(!accepted(&try_as(&f, "jane", NEW_UID, digits(&code)).await), "used codes stay used");
    assert!(matches!(try_as(&f, "jane", NEW_UID, typed(0)).await, Outcome::Used { .. }));
    assert!(f.failures_30_days("jane").await >= failed, "limits stay");
    f.reopen_after(|_| ()).await;
    f.clock.advance(60);
    let next = totp(b"jane", f.clock_now());
    assert!(accepted(&try_as(&f, "jane", NEW_UID, typed(1)).await));
    assert!(accepted(&try_as(&f, "jane", NEW_UID, digits(&next)).await));
    assert!(trail(&f, "jane").await.contains(&("reassign".into(), "uid 1000 to 2000".into())));
    is_sound(&f, &["jane", "john"], &["jana"]).await;
}

/// Names on all sides of the ring, so that the row moves past its neighbors, stays, and wraps around.
#[tokio::test]
async fn a_renamed_account_takes_its_factors_along_and_the_ring_stays_whole() {
    for heir in ["a", "b", "c", "d", "e", "f", "g"] {
        let mut f = Fixture::new();
        for name in ["jane", "john", "mary"] {
            f.enroll(name, TOTP, name.as_bytes()).await;
        }
        let set = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 2 }).await.unwrap();
        let typed = |n: usize| Answer::Recovery(RecoveryCode::parse(&set.codes[n].grouped()).unwrap());
        assert!(accepted(&try_as(&f, "jane", 1000, typed(0)).await));
        assert_eq!(f.store.reassign(wish("jane", Account::Unknown, to(heir, NEW_UID))).await.unwrap(), 2);
        f.reopen_after(|_| ()).await;
        is_sound(&f, &[heir, "john", "mary"], &["jane", "x", "y", "z"]).await;
        assert!(matches!(try_as(&f, "jane", 1000, typed(1)).await, Outcome::NoFactor));
        assert!(matches!(try_as(&f, heir, NEW_UID, typed(0)).await, Outcome::Used { .. }));
        assert!(accepted(&try_as(&f, heir, NEW_UID, typed(1)).await));
        assert!(accepted(&try_as(&f, heir, NEW_UID, digits(&totp(b"jane", NOW))).await));
        let away = ("reassign_away".into(), format!("to {heir}, uid 1000 to 2000"));
        assert!(trail(&f, "jane").await.contains(&away));
        assert!(trail(&f, heir).await.contains(&("reassign".into(), "from jane, uid 1000 to 2000".into())));
        assert_eq!(f.store.figures().await.unwrap().users, 3);
        // The old name is free, and the new one can be left again.
        f.enroll("jane", TOTP, b"other").await;
        f.store.remove(order(heir), Target::default()).await.unwrap();
        is_sound(&f, &["jane", "john", "mary"], &[heir]).await;
    }
}

#[tokio::test]
async fn a_code_that_was_sent_before_does_not_count_after() {
    let f = Fixture::new();
    let factor = f.enroll_sms("jane", "+491701234321").await;
    f.clock.advance(120);
    let context_before = context("jane");
    let sent = f.sent(&context_before, factor).await;
    f.store.reassign(wish("jane", REUSED, Heir::SameName)).await.unwrap();
    let old = Attempt { uid: Some(NEW_UID), ..attempt_in(&context_before, sent.code.expose()) };
    assert!(!accepted(&f.store.attempt(old).await.unwrap()));
    f.clock.advance(120);
    let again = f.store.issue(mfad::store::Issue { uid: Some(NEW_UID), ..issue(&context("jane"), factor) });
    assert!(matches!(again.await.unwrap(), Issued::Code(_)), "the address moved along");
    is_sound(&f, &["jane"], &[]).await;
}

#[tokio::test]
async fn what_is_not_orphaned_and_whoever_holds_something_is_left_alone() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    f.enroll("john", TOTP, b"john").await;
    for (wish, why) in [
        (wish("jane", SAME, Heir::SameName), Refused::NotOrphaned),
        (wish("jane", SAME, to("mary", NEW_UID)), Refused::NotOrphaned),
        (wish("jane", REUSED, to("john", 1000)), Refused::HeirHolds),
        (wish("nobody", REUSED, Heir::SameName), Refused::NotEnrolled),
    ] {
        assert_eq!(refusal(f.store.reassign(wish).await), why);
    }
    let gone = f.store.reassign(wish("jane", Account::Unknown, Heir::SameName)).await;
    assert!(matches!(refusal(gone), Refused::Invalid(_)));
    assert_eq!(refusal(f.store.prune(order("jane"), SAME).await), Refused::NotOrphaned);
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW)).await));
    // One account by two names of its own is a change of name.
    f.store.reassign(wish("jane", SAME, to("jana", 1000))).await.unwrap();
    is_sound(&f, &["jana", "john"], &["jane"]).await;
    assert_eq!(f.store.prune(order("jana"), Account::Unknown).await.unwrap(), 1);
    is_sound(&f, &["john"], &["jana", "jane"]).await;
}

#[tokio::test]
async fn rows_that_fail_their_integrity_check_are_neither_taken_over_nor_removed() {
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    f.reopen_after(|database| {
        database.execute("UPDATE account SET uid = 2000 WHERE name = 'jane'", []).unwrap();
    })
    .await;
    let taken = f.store.reassign(wish("jane", SAME, Heir::SameName)).await;
    assert!(matches!(taken, Err(StoreError::Tampered(_))), "{taken:?}");
    let removed = f.store.prune(order("jane"), SAME).await;
    assert!(matches!(removed, Err(StoreError::Tampered(_))), "{removed:?}");
}

#[tokio::test]
async fn switched_off_factors_stay_so() {
    let f = Fixture::new();
    let factor = f.enroll("jane", TOTP, b"jane").await;
    f.store.disable(order("jane"), Target { factor: Some(factor), label: None }).await.unwrap();
    f.store.reassign(wish("jane", Account::Unknown, to("jana", NEW_UID))).await.unwrap();
    let shown = f.store.show(user("jana")).await.unwrap();
    assert_eq!((shown.uid, shown.factors[0].state), (Some(NEW_UID), FactorState::Disabled));
}
