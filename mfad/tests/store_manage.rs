//! What administrators and owners can do, and what neither can.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorState, LockReason, LockState},
    answer::{Answer, OtpCode},
};
use mfad::{
    limits::Gate,
    store::{Attempt, Channel, NewFactor, Outcome, Refused, StoreError, StoreSettings, Target},
};
use store_common::*;

fn pending(name: &str, called: &str, bytes: &[u8]) -> NewFactor {
    NewFactor { activate: false, ..new_factor(name, called, HOTP, bytes) }
}

fn code(text: &str) -> Answer {
    Answer::Code(OtpCode::parse(text).unwrap())
}

async fn states(f: &Fixture, name: &str) -> Vec<(String, FactorState)> {
    let shown = f.store.show(user(name)).await.unwrap();
    shown.factors.into_iter().map(|factor| (factor.label.to_string(), factor.state)).collect()
}

async fn exhaust(f: &Fixture, name: &str, bytes: &[u8]) {
    for _ in 0..100 {
        assert!(matches!(f.try_code(name, &wrong(bytes, 0)).await, Outcome::Wrong { .. }));
        f.clock.advance(4000);
    }
}

#[tokio::test]
async fn a_pending_factor_counts_for_nothing_until_it_is_proven() {
    let f = Fixture::new();
    let added = f.store.enroll(pending("jane", "one", b"jane")).await.unwrap();
    assert_eq!(added.state, FactorState::Pending);
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert!(view.shape.is_none() && !view.tampered && !view.exhausted);
    assert!(matches!(f.try_code("jane", &hotp(b"jane", 0)).await, Outcome::NoFactor));
    let confirmed = f.store.confirm(order("jane"), None, code(&hotp(b"jane", 0))).await.unwrap();
    assert_eq!(confirmed, added.factor);
    // The code that proved it is used up.
    assert!(matches!(f.try_code("jane", &hotp(b"jane", 0)).await, Outcome::Used { .. }));
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 1)).await));
}

#[tokio::test]
async fn the_fifth_wrong_first_code_drops_a_pending_factor() {
    let f = Fixture::new();
    f.store.enroll(pending("jane", "one", b"jane")).await.unwrap();
    let bad = wrong(b"jane", 0);
    for _ in 0..4 {
        assert_eq!(refusal(f.store.confirm(order("jane"), None, code(&bad)).await), Refused::WrongCode);
    }
    assert_eq!(refusal(f.store.confirm(order("jane"), None, code(&bad)).await), Refused::PendingDropped);
    let late = f.store.confirm(order("jane"), None, code(&hotp(b"jane", 0))).await;
    assert_eq!(refusal(late), Refused::NotEnrolled);
    assert_eq!(f.store.figures().await.unwrap().users, 0);
}

#[tokio::test]
async fn an_active_factor_stays_in_force_until_its_replacement_is_proven() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"old").await;
    assert_eq!(
        refusal(f.store.enroll(pending("jane", "one", b"new")).await),
        Refused::LabelTaken(label("one"))
    );
    let replacement = || NewFactor { replace: true, ..pending("jane", "one", b"new") };
    f.store.enroll(replacement()).await.unwrap();
    // Asking again takes the place of the pending one only.
    f.store.enroll(replacement()).await.unwrap();
    assert_eq!(states(&f, "jane").await.len(), 2);
    assert!(accepted(&f.try_code("jane", &hotp(b"old", 0)).await));
    f.store.confirm(order("jane"), None, code(&hotp(b"new", 0))).await.unwrap();
    assert_eq!(states(&f, "jane").await, [("one".to_owned(), FactorState::Active)]);
    assert!(matches!(f.try_code("jane", &hotp(b"old", 1)).await, Outcome::Wrong { .. }));
    assert!(accepted(&f.try_code("jane", &hotp(b"new", 1)).await));
    assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
}

#[tokio::test]
async fn an_owner_with_an_active_factor_needs_a_code_for_everything() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let second =
        |code: Option<&str>| NewFactor { order: owner("jane", code), ..pending("jane", "two", b"two") };
    assert_eq!(refusal(f.store.enroll(second(None)).await), Refused::WrongCode);
    assert_eq!(refusal(f.store.enroll(second(Some(&wrong(b"jane", 0)))).await), Refused::WrongCode);
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 1);
    f.store.enroll(second(Some(&hotp(b"jane", 0)))).await.unwrap();
    // The same code again is no code, nor is one of a factor that is only pending.
    for used_or_pending in [hotp(b"jane", 0), hotp(b"two", 0)] {
        let removed = f.store.remove(owner("jane", Some(&used_or_pending)), Target::default()).await;
        assert_eq!(refusal(removed), Refused::WrongCode);
    }
    f.clock.advance(7200);
    let disabled = f.store.disable(owner("jane", Some(&hotp(b"jane", 1))), Target::default()).await;
    disabled.unwrap();
    // What was switched off is not the owner's to enroll around.
    assert_eq!(refusal(f.store.enroll(second(None)).await), Refused::WrongState("disabled"));
}

#[tokio::test]
async fn wrong_codes_of_an_owner_are_charged_to_the_budget_without_password() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let bad = wrong(b"jane", 0);
    for _ in 0..3 {
        assert_eq!(
            refusal(f.store.remove(owner("jane", Some(&bad)), Target::default()).await),
            Refused::WrongCode
        );
        f.clock.advance(1);
    }
    let right = hotp(b"jane", 0);
    let locked = f.store.remove(owner("jane", Some(&right)), Target::default()).await;
    assert!(matches!(refusal(locked), Refused::Locked { gate: Gate::Wait { .. } }));
    assert!(accepted(&f.try_code("jane", &right).await), "logins with password go on");
}

#[tokio::test]
async fn a_factor_disabled_by_failures_is_enrolled_anew_by_an_administrator_only() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    exhaust(&f, "jane", b"jane").await;
    let by_owner = NewFactor { order: owner("jane", None), ..pending("jane", "two", b"two") };
    assert_eq!(refusal(f.store.enroll(by_owner).await), Refused::WrongState("exhausted"));
    let target = || Target { label: Some(label("one")), ..Target::default() };
    assert_eq!(refusal(f.store.enable(order("jane"), target()).await), Refused::WrongState("exhausted"));
    let anew = NewFactor { replace: true, ..new_factor("jane", "one", HOTP, b"anew") };
    f.store.enroll(anew).await.unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"anew", 0)).await));
    assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
}

#[tokio::test]
async fn factors_are_switched_off_and_on_and_removed() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"one").await;
    let two = f.store.enroll(new_factor("jane", "two", HOTP, b"two")).await.unwrap().factor;
    assert_eq!(refusal(f.store.disable(order("jane"), Target::default()).await), Refused::Ambiguous);
    let target = || Target { factor: Some(two), label: None };
    f.store.disable(order("jane"), target()).await.unwrap();
    assert!(matches!(f.try_code("jane", &hotp(b"two", 0)).await, Outcome::Wrong { .. }));
    assert_eq!(refusal(f.store.disable(order("jane"), target()).await), Refused::WrongState("disabled"));
    f.store.enable(order("jane"), target()).await.unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"two", 0)).await));
    assert_eq!(f.store.remove(order("jane"), target()).await.unwrap(), 1);
    assert_eq!(refusal(f.store.remove(order("jane"), target()).await), Refused::NoSuchFactor);
    assert_eq!(f.store.remove(order("jane"), Target::default()).await.unwrap(), 1);
    assert_eq!(refusal(f.store.show(user("jane")).await), Refused::NotEnrolled);
    let figures = f.store.figures().await.unwrap();
    assert_eq!((figures.users, figures.active_factors), (0, 0));
    // A name that was removed is absent for sure, and can come back.
    assert!(!f.store.view(user("jane"), Channel::Proven).await.unwrap().tampered);
    f.enroll("jane", HOTP, b"again").await;
    assert!(accepted(&f.try_code("jane", &hotp(b"again", 0)).await));
}

#[tokio::test]
async fn users_come_and_go_in_any_order() {
    let f = Fixture::new();
    let names: Vec<String> = (0..60).map(|n| format!("user{:02}", (n * 37) % 60)).collect();
    for name in &names {
        f.enroll(name, HOTP, name.as_bytes()).await;
    }
    for name in names.iter().step_by(3) {
        f.store.remove(order(name), Target::default()).await.unwrap();
    }
    for (n, name) in names.iter().enumerate() {
        let view = f.store.view(user(name), Channel::Proven).await.unwrap();
        assert_eq!((view.shape.is_none(), view.tampered), (n % 3 == 0, false), "{name}");
    }
    let first = f.store.list(None, 25).await.unwrap();
    assert!(first.more && first.users.len() == 25);
    let rest = f.store.list(first.users.last().map(|u| u.user.clone()), 25).await.unwrap();
    assert!(!rest.more && rest.users.len() == 15);
    let listed: Vec<String> =
        first.users.iter().chain(&rest.users).map(|summary| summary.user.to_string()).collect();
    assert!(listed.is_sorted());
}

#[tokio::test]
async fn bounds_hold() {
    let f = Fixture::with(StoreSettings { max_factors: 2, ..StoreSettings::default() });
    f.enroll("jane", HOTP, b"one").await;
    f.store.enroll(pending("jane", "two", b"two")).await.unwrap();
    assert_eq!(refusal(f.store.enroll(pending("jane", "three", b"three")).await), Refused::TooMany(2));
    let by_owner = NewFactor { order: owner("john", None), ..new_factor("john", "one", HOTP, b"john") };
    assert!(matches!(refusal(f.store.enroll(by_owner).await), Refused::Invalid(_)), "activation is root's");
    let other_uid = NewFactor {
        order: mfad::store::Order { uid: Some(1001), ..order("jane") },
        ..pending("jane", "other", b"x")
    };
    assert_eq!(refusal(f.store.enroll(other_uid).await), Refused::Orphaned);
    f.store.replace_settings(StoreSettings { max_factors: 3, ..StoreSettings::default() }).await.unwrap();
    f.store.enroll(pending("jane", "three", b"three")).await.unwrap();
}

#[tokio::test]
async fn unlock_ends_waits_and_reset_forgets_failures_but_no_used_code() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    // A code of the next step is accepted ahead of time.
    let early = totp(b"jane", NOW.plus(30));
    assert!(accepted(&f.try_code("jane", &early).await));
    for _ in 0..5 {
        f.clock.advance(4);
        assert!(matches!(f.try_code("jane", "000000").await, Outcome::Wrong { .. }));
    }
    let LockState::Until { reason: LockReason::Failures, .. } =
        f.store.show(user("jane")).await.unwrap().factors[0].lock
    else {
        panic!("five failures lock")
    };
    f.store.unlock(order("jane")).await.unwrap();
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!((shown.factors[0].failures, shown.factors[0].lock), (5, LockState::Open));
    assert_eq!(shown.failures_30_days, 5);
    f.store.reset(order("jane")).await.unwrap();
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!((shown.factors[0].failures, shown.failures_30_days), (0, 0));
    assert!(matches!(f.try_code("jane", &early).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn reset_mends_a_watermark_from_a_clock_that_was_far_ahead() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let future = NOW.plus(400 * 86_400);
    f.clock.set(future);
    assert!(accepted(&f.try_code("jane", &totp(b"jane", future)).await));
    f.clock.set(NOW);
    let right = totp(b"jane", NOW.plus(60));
    assert!(matches!(f.try_code("jane", &right).await, Outcome::ClockUnusable));
    f.store.reset(order("jane")).await.unwrap();
    f.clock.advance(60);
    assert!(accepted(&f.try_code("jane", &right).await));
}

#[tokio::test]
async fn the_trail_is_searched_in_pages_and_pruned_in_one_piece() {
    let f = Fixture::new();
    for name in ["jane", "john"] {
        f.enroll(name, HOTP, name.as_bytes()).await;
    }
    for counter in 0..40 {
        f.clock.advance(1000);
        for name in ["jane", "john"] {
            assert!(accepted(&f.try_code(name, &hotp(name.as_bytes(), counter)).await));
        }
    }
    let of_jane = AuditFilter { user: Some(user("jane")), ..AuditFilter::default() };
    let all = f.store.audit(of_jane.clone(), 100).await.unwrap();
    assert!(!all.more && all.rows.len() == 41 && all.rows[0].event == "enroll");
    let page = f.store.audit(AuditFilter { after: all.rows[9].seq, ..of_jane.clone() }, 10).await.unwrap();
    assert!(page.more && page.rows == all.rows[10..20]);
    let last = f.store.audit(AuditFilter { last: Some(3), ..of_jane.clone() }, 100).await.unwrap();
    assert_eq!(last.rows, all.rows[38..]);
    let (since, until) = (Some(all.rows[5].time), Some(all.rows[7].time));
    let between = f.store.audit(AuditFilter { since, until, ..of_jane }, 100).await.unwrap();
    assert_eq!(between.rows, all.rows[5..7]);

    let whole = f.store.check_audit().await.unwrap();
    assert_eq!((whole.sound, whole.broken_at), (83, None));
    assert_eq!(f.store.prune_audit(NOW.plus(10_500), 1000).await.unwrap(), 3 + 20);
    // Each pruning is a row itself.
    assert_eq!(f.store.prune_audit(NOW, 30).await.unwrap(), (83 + 1 - 23) + 1 - 30);
    let check = f.store.check_audit().await.unwrap();
    assert_eq!(check.broken_at, None, "{check:?}");
    assert_eq!(check.sound, f.store.figures().await.unwrap().audit_rows);
    assert_eq!(check.sound, 30);
}

#[tokio::test]
async fn a_decoy_leaves_no_row() {
    let f = Fixture::new();
    let before = f.store.figures().await.unwrap();
    f.store.decoy().await.unwrap();
    assert_eq!(f.store.figures().await.unwrap(), before);
    assert_eq!(f.store.list(None, 10).await.unwrap().users.len(), 0);
}

#[tokio::test]
async fn rotation_reseals_everything_and_the_old_key_can_go() {
    let mut f = Fixture::new();
    for n in 0..7 {
        f.enroll(&format!("user{n}"), HOTP, format!("user{n}").as_bytes()).await;
    }
    let (key_file, old) = (f.directory.path().join("key"), f.keyring.current());
    let rotated = mfad::seal::Keyring::rotate(&key_file).unwrap();
    f.store.replace_keyring(rotated.clone()).await.unwrap();
    assert_eq!(f.store.figures().await.unwrap().rows_with_old_key, 8);
    assert!(accepted(&f.try_code("user0", &hotp(b"user0", 0)).await), "old rows are readable meanwhile");
    f.enroll("late", HOTP, b"late").await;
    assert!(mfad::store::Store::uses_key(&f.database(), &rotated, old).unwrap());
    let mut done = 0;
    loop {
        match f.store.rekey(3).await.unwrap() {
            0 => break,
            n => done += n,
        }
    }
    assert!((8..=9).contains(&done), "{done}");
    assert_eq!(f.store.figures().await.unwrap().rows_with_old_key, 0);
    assert_eq!(f.store.rekey(3).await.unwrap(), 0);
    assert!(!mfad::store::Store::uses_key(&f.database(), &rotated, old).unwrap());
    f.keyring = mfad::seal::Keyring::forget(&key_file, old).unwrap();
    f.store.replace_keyring(f.keyring.clone()).await.unwrap();
    for n in 1..7 {
        let name = format!("user{n}");
        assert!(accepted(&f.try_code(&name, &hotp(name.as_bytes(), 0)).await), "{name}");
    }
    assert!(accepted(&f.try_code("late", &hotp(b"late", 0)).await));
    f.reopen_after(|_| ()).await;
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn a_keyring_that_lacks_the_key_in_use_is_not_taken() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let stranger = mfad::seal::Keyring::generate().unwrap();
    let refused = f.store.replace_keyring(stranger).await.unwrap_err();
    assert_eq!(refused, StoreError::KeyMissing(f.keyring.current()));
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
}

#[tokio::test]
async fn a_store_filled_at_once_is_like_one_filled_by_hand() {
    let f = Fixture::new();
    let users: Vec<_> = (0..500).map(|n| user(&format!("user{n}"))).collect();
    let of = users.clone();
    let make = move |n: usize| mfad::store::Seeded {
        user: of[n].clone(),
        uid: Some(1000),
        label: label("one"),
        params: HOTP,
        start: HOTP.start(0),
        seed: seed(b"same"),
    };
    f.store.fill(users, make.clone()).await.unwrap();
    assert_eq!(f.store.figures().await.unwrap().users, 500);
    assert!(accepted(&f.try_code("user77", &hotp(b"same", 0)).await));
    assert!(matches!(f.try_code("nobody", "000000").await, Outcome::NoFactor));
    f.store.remove(order("user78"), Target::default()).await.unwrap();
    f.enroll("by-hand", HOTP, b"hand").await;
    for n in 0..500 {
        assert!(!f.store.view(user(&format!("user{n}")), Channel::Proven).await.unwrap().tampered);
    }
    let again = f.store.fill(vec![user("x")], make).await;
    assert!(matches!(refusal(again), Refused::Invalid(_)));
    let unproven = Attempt { channel: Channel::Unproven, ..attempt("by-hand", &hotp(b"hand", 0)) };
    assert!(accepted(&f.store.attempt(unproven).await.unwrap()));
}
