//! Signed tokens in the store: once each, for one user, within one window, and whose.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

#[path = "store_token/signing.rs"]
mod signing;
mod store_common;

use mfa_proto::{
    admin::{FactorKind, FactorState},
    answer::{Answer, SignedToken},
};
use mfad::{
    clock::UnixTime,
    store::{Channel, Outcome, Refused, StoreError, Target},
};
use signing::{Scene, alice_at, as_code, domain_factor, nonce, token_at};
use store_common::{NOW, accepted, label, order, owner, totp, user};

/// The rows of the reference, in order and re-made at a time that the store does not take for an unset clock.
#[tokio::test]
async fn every_row_of_the_vectors_gets_the_verdict_of_the_fourth_column() {
    let scene = Scene::new();
    let steps = [("88701728", -60), ("20470099", -30), ("80952309", 0), ("09017861", 30)];
    let mut rows = 0;
    for line in include_str!("golden/prosody-vectors.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [name, typed, _theirs, ours, told] = line.split('\t').collect::<Vec<_>>()[..] else { panic!() };
        rows += 1;
        let (digits, signature) = typed.split_once(' ').unwrap_or((typed, ""));
        let Some((otp, offset)) = steps.iter().find(|(otp, _)| digits.starts_with(otp)) else {
            assert_eq!((SignedToken::parse(typed).is_some(), ours), (false, "false"), "{told}");
            continue;
        };
        let mut again = alice_at(NOW.plus(*offset), digits.strip_prefix(otp).unwrap());
        if !signature.ends_with('=') {
            again.truncate(again.len() - 1);
        }
        let verdict = match SignedToken::parse(&again) {
            Some(_) => accepted(&scene.try_token(name, &again).await),
            None => false,
        };
        assert_eq!(verdict.to_string(), ours, "{told}");
    }
    assert_eq!(rows, 11);
}

#[tokio::test]
async fn of_thirty_two_uses_of_one_nonce_exactly_one_passes() {
    for known in [false, true] {
        let scene = Scene::new();
        if known {
            assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
        }
        let typed = alice_at(NOW, &nonce(2));
        let uses: Vec<_> = (0..32)
            .map(|_| {
                let (store, attempt) = (scene.fixture.store.clone(), signing::attempt("alice", &typed));
                tokio::spawn(async move { store.attempt(attempt).await.unwrap() })
            })
            .collect();
        let mut passed = 0;
        for one in uses {
            passed += u32::from(accepted(&one.await.unwrap()));
        }
        assert_eq!(passed, 1, "known: {known}");
    }
}

#[tokio::test]
async fn what_was_used_stays_used_over_a_restart() {
    let mut scene = Scene::new();
    let typed = alice_at(NOW, &nonce(1));
    assert!(accepted(&scene.try_token("alice", &typed).await));
    scene.reopen_after(|_| ()).await;
    assert!(matches!(scene.try_token("alice", &typed).await, Outcome::Used { .. }));
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(2))).await));
}

#[tokio::test]
async fn rows_that_somebody_touched_deny() {
    const CHANGES: [&str; 6] = [
        "DELETE FROM nonce WHERE serial = 1",
        "DELETE FROM nonce WHERE serial = 2",
        "DELETE FROM nonce",
        "UPDATE nonce SET hash = zeroblob(32) WHERE serial = 2",
        "UPDATE nonce SET step = step - 9 WHERE serial = 1",
        "INSERT INTO nonce SELECT factor_id, 3, hash, step, key_id, mac FROM nonce WHERE serial = 2",
    ];
    for change in CHANGES {
        let mut scene = Scene::new();
        for n in [1, 2] {
            assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(n))).await));
        }
        scene.reopen_after(|file| assert!(file.execute(change, []).unwrap() > 0)).await;
        for n in [1, 3] {
            let outcome = scene.try_token("alice", &alice_at(NOW, &nonce(n))).await;
            assert!(matches!(outcome, Outcome::Tampered), "{change}: {outcome:?}");
        }
        assert!(accepted(&scene.try_token("bob", &token_at("bob", NOW, &nonce(1))).await), "{change}");
    }
}

/// A row that was genuine once does not stand in for one that is missing.
#[tokio::test]
async fn a_forgotten_row_put_back_for_another_denies() {
    let mut scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
    let mut old = Vec::new();
    scene.reopen_after(|file| old = signing::rows(file)).await;
    scene.fixture.clock.advance(120);
    let later = alice_at(NOW.plus(120), &nonce(2));
    assert!(accepted(&scene.try_token("alice", &later).await));
    scene
        .reopen_after(|file| {
            assert_eq!(signing::rows(file).len(), 1, "the first was forgotten");
            file.execute("DELETE FROM nonce", []).unwrap();
            signing::put_back(file, &old);
        })
        .await;
    assert!(matches!(scene.try_token("alice", &later).await, Outcome::Tampered));
}

#[tokio::test]
async fn the_window_is_one_step_either_way() {
    // NOW begins a step.
    for (offset, passes) in [(-31, false), (-30, true), (-1, true), (59, true), (60, false)] {
        let scene = Scene::new();
        scene.fixture.clock.set(NOW.plus(offset));
        let outcome = scene.try_token("alice", &alice_at(NOW, &nonce(1))).await;
        assert_eq!(accepted(&outcome), passes, "{offset} s: {outcome:?}");
    }
}

#[tokio::test]
async fn a_code_that_begins_with_zero_counts_as_any() {
    let scene = Scene::new();
    let when = (0..1000).map(|n| NOW.plus(n * 30)).find(|at| alice_at(*at, "").starts_with('0')).unwrap();
    scene.fixture.clock.set(when);
    assert!(accepted(&scene.try_token("alice", &alice_at(when, &nonce(1))).await));
}

#[tokio::test]
async fn a_token_is_for_one_user_and_one_host() {
    let scene = Scene::new();
    for (name, typed) in [
        ("bob", alice_at(NOW, &nonce(1))),
        ("Alice", alice_at(NOW, &nonce(2))),
        ("alice", signing::sign("alice@example.com", NOW, &nonce(3))),
        ("alice", signing::sign("alice", NOW, &nonce(4))),
        ("alice", signing::sign("Alice@example.org", NOW, &nonce(5))),
        // Nothing stands between nonce and name: what was signed for one user must not be read for another.
        ("1alice", alice_at(NOW, &format!("{}1", nonce(6)))),
        ("alice", token_at("1alice", NOW, &nonce(7)).replacen(&nonce(7), &format!("{}1", nonce(7)), 1)),
        ("alice", alice_at(NOW, nonce(8).strip_prefix('7').unwrap())),
    ] {
        let outcome = scene.try_token(name, &typed).await;
        assert!(matches!(outcome, Outcome::NoFactor), "{name} with {typed}: {outcome:?}");
    }
    assert_eq!(scene.fixture.store.figures().await.unwrap().users, 0, "nobody was enrolled by them");
}

#[tokio::test]
async fn the_first_token_of_a_domain_enrolls_its_user() {
    let scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
    let shown = scene.fixture.store.show(user("alice")).await.unwrap();
    assert_eq!((shown.factors.len(), shown.uid), (1, Some(1000)));
    let factor = &shown.factors[0];
    assert_eq!((factor.kind, factor.state), (FactorKind::Token, FactorState::Active));
    assert_eq!((factor.label.as_str(), factor.last_used), ("example.org", Some(NOW.0)));
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(2))).await));
    assert_eq!(scene.fixture.store.show(user("alice")).await.unwrap().factors.len(), 1);
    assert_eq!(scene.fixture.store.check_audit().await.unwrap().broken_at, None);

    scene.fixture.enroll("bob", store_common::TOTP, b"bob").await;
    assert!(accepted(&scene.try_token("bob", &token_at("bob", NOW, &nonce(1))).await));
    assert!(accepted(&scene.fixture.try_code("bob", &totp(b"bob", NOW)).await), "the other factor stays");
    assert_eq!(scene.fixture.store.figures().await.unwrap().active_factors, 3);
}

#[tokio::test]
async fn an_account_of_another_uid_is_not_let_in() {
    let scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
    let mut attempt = signing::attempt("alice", &alice_at(NOW, &nonce(2)));
    attempt.uid = Some(2000);
    assert!(matches!(scene.fixture.store.attempt(attempt).await.unwrap(), Outcome::Orphaned));
}

#[tokio::test]
async fn a_factor_that_is_switched_off_keeps_its_domain_out() {
    let scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
    scene.fixture.store.disable(order("alice"), Target::default()).await.unwrap();
    let outcome = scene.try_token("alice", &alice_at(NOW, &nonce(2))).await;
    assert!(matches!(outcome, Outcome::NoFactor), "{outcome:?}");
    scene.fixture.enroll("alice", store_common::TOTP, b"alice").await;
    let outcome = scene.try_token("alice", &alice_at(NOW, &nonce(3))).await;
    assert!(matches!(outcome, Outcome::Wrong { .. }), "{outcome:?}");
    let target = Target { factor: None, label: Some(label("example.org")) };
    scene.fixture.store.enable(order("alice"), target).await.unwrap();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(4))).await));
}

#[tokio::test]
async fn a_factor_that_failed_too_often_keeps_its_domain_out() {
    let scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(0))).await));
    let mut now = NOW;
    for n in 1..=100 {
        now = now.plus(7200);
        scene.fixture.clock.set(now);
        let outcome = scene.try_token("alice", &signing::sign("x", now, &nonce(n))).await;
        assert!(matches!(outcome, Outcome::Wrong { .. }), "{n}: {outcome:?}");
    }
    scene.fixture.clock.set(now.plus(7200));
    let outcome = scene.try_token("alice", &alice_at(now.plus(7200), &nonce(101))).await;
    assert!(matches!(outcome, Outcome::Locked { gate: mfad::limits::Gate::Exhausted }), "{outcome:?}");
}

/// A token that was used stays used, also when the factor it was used with is gone and the domain's next
/// token would make another.
#[tokio::test]
async fn removing_a_factor_frees_no_token() {
    let mut scene = Scene::new();
    let typed = alice_at(NOW, &nonce(1));
    assert!(accepted(&scene.try_token("alice", &typed).await));
    scene.fixture.store.remove(order("alice"), Target::default()).await.unwrap();
    assert!(matches!(scene.try_token("alice", &typed).await, Outcome::NoFactor));
    scene.fixture.store.prune_audit(UnixTime(0), 1000).await.unwrap();
    assert!(matches!(scene.try_token("alice", &typed).await, Outcome::NoFactor));
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(2))).await), "a new one is welcome");
    assert!(matches!(scene.try_token("alice", &typed).await, Outcome::Used { .. }));
    scene.fixture.store.remove(order("alice"), Target::default()).await.unwrap();
    scene.fixture.clock.advance(300);
    scene.fixture.store.prune_audit(UnixTime(0), 1000).await.unwrap();
    scene.reopen_after(|file| assert_eq!(signing::rows(file), [])).await;
}

#[tokio::test]
async fn wrong_tokens_are_charged() {
    let scene = Scene::new();
    let wrong = |n| signing::sign("mallory@example.org", NOW, &nonce(n));
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(0))).await));
    for (n, waits) in [(1, false), (2, false), (3, true)] {
        let Outcome::Wrong { gate } = scene.try_token("alice", &wrong(n)).await else { panic!("{n}") };
        assert_eq!(!gate.is_open(), waits, "{n}");
    }
    assert_eq!(scene.fixture.store.show(user("alice")).await.unwrap().factors[0].failures, 3);
    let outcome = scene.try_token("alice", &alice_at(NOW, &nonce(4))).await;
    assert!(matches!(outcome, Outcome::Locked { .. }), "a right one has to wait too: {outcome:?}");
    scene.fixture.clock.advance(10);
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(4))).await));
    assert_eq!(scene.fixture.store.show(user("alice")).await.unwrap().factors[0].failures, 0);

    // Without a factor of this kind, the others are charged.
    scene.fixture.enroll("bob", store_common::TOTP, b"bob").await;
    assert!(matches!(scene.try_token("bob", &wrong(1)).await, Outcome::Wrong { .. }));
    let bob = scene.fixture.store.show(user("bob")).await.unwrap();
    assert_eq!((bob.failures_30_days, bob.factors[0].failures), (1, 1));
    for n in 0..3 {
        let mut attempt = signing::attempt("bob", &wrong(n));
        attempt.channel = Channel::Unproven;
        assert!(matches!(scene.fixture.store.attempt(attempt).await.unwrap(), Outcome::Wrong { .. }));
    }
    let mut attempt = signing::attempt("bob", &token_at("bob", NOW, &nonce(9)));
    attempt.channel = Channel::Unproven;
    assert!(matches!(scene.fixture.store.attempt(attempt).await.unwrap(), Outcome::Locked { .. }));
}

#[tokio::test]
async fn whoever_holds_nothing_leaves_no_row_behind() {
    let scene = Scene::new();
    let outcome = scene.try_token("nobody", &signing::sign("x@example.org", NOW, &nonce(1))).await;
    assert!(matches!(outcome, Outcome::NoFactor), "{outcome:?}");
    assert_eq!(scene.fixture.store.figures().await.unwrap().users, 0);
    let bare = store_common::Fixture::new();
    let attempt = signing::attempt("alice", &alice_at(NOW, &nonce(1)));
    assert!(matches!(bare.store.attempt(attempt).await.unwrap(), Outcome::NoFactor), "no domain signs there");
}

#[tokio::test]
async fn a_domain_that_is_gone_from_the_configuration_signs_for_nobody() {
    let scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
    scene.fixture.store.replace_settings(mfad::store::StoreSettings::default()).await.unwrap();
    assert!(matches!(scene.try_token("alice", &alice_at(NOW, &nonce(2))).await, Outcome::Wrong { .. }));
    let issued = scene.fixture.store.token_issue(order("alice"), Target::default()).await;
    assert!(matches!(issued, Err(StoreError::Refused(Refused::Invalid(_)))), "{issued:?}");
    scene.fixture.store.replace_settings(signing::settings()).await.unwrap();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(3))).await));
}

#[tokio::test]
async fn a_label_that_is_taken_and_a_full_account_keep_a_domain_out() {
    let scene = Scene::new();
    let taken = store_common::new_factor("alice", "example.org", store_common::TOTP, b"alice");
    scene.fixture.store.enroll(taken).await.unwrap();
    assert!(matches!(scene.try_token("alice", &alice_at(NOW, &nonce(1))).await, Outcome::Wrong { .. }));
    for n in 0..8 {
        let one = store_common::new_factor("bob", &n.to_string(), store_common::TOTP, b"bob");
        scene.fixture.store.enroll(one).await.unwrap();
    }
    let outcome = scene.try_token("bob", &token_at("bob", NOW, &nonce(1))).await;
    assert!(matches!(outcome, Outcome::Wrong { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_unset_clock_judges_nothing_and_counts_nothing() {
    let scene = Scene::new();
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(1))).await));
    let unset = UnixTime(1_700_000_000);
    scene.fixture.clock.set(unset);
    let outcome = scene.try_token("alice", &alice_at(unset, &nonce(2))).await;
    assert!(matches!(outcome, Outcome::ClockUnusable), "{outcome:?}");
    let outcome = scene.try_token("bob", &token_at("bob", unset, &nonce(2))).await;
    assert!(matches!(outcome, Outcome::NoFactor), "{outcome:?}");
    assert_eq!(scene.fixture.store.show(user("alice")).await.unwrap().factors[0].failures, 0);
}

/// Nonces are forgotten by the newest step that was used, not by the clock: a clock that goes back brings no
/// token back.
#[tokio::test]
async fn a_clock_that_is_set_back_frees_no_token() {
    let scene = Scene::new();
    let first = alice_at(NOW, &nonce(1));
    assert!(accepted(&scene.try_token("alice", &first).await));
    scene.fixture.clock.advance(300);
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW.plus(300), &nonce(2))).await));
    scene.fixture.clock.set(NOW);
    let outcome = scene.try_token("alice", &first).await;
    assert!(matches!(outcome, Outcome::ClockUnusable), "{outcome:?}");
    scene.fixture.clock.set(NOW.plus(240));
    let early = alice_at(NOW.plus(210), &nonce(3));
    assert!(
        matches!(scene.try_token("alice", &early).await, Outcome::Used { .. }),
        "as old as the forgotten"
    );
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW.plus(240), &nonce(3))).await));
}

#[tokio::test]
async fn a_reset_mends_a_clock_that_was_far_ahead_and_frees_no_token() {
    let scene = Scene::new();
    let used = alice_at(NOW, &nonce(1));
    assert!(accepted(&scene.try_token("alice", &used).await));
    scene.fixture.store.reset(order("alice")).await.unwrap();
    assert!(matches!(scene.try_token("alice", &used).await, Outcome::Used { .. }), "a reset frees no token");
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(2))).await), "and burns none");

    let far = NOW.plus(86_400 * 365);
    scene.fixture.clock.set(far);
    assert!(accepted(&scene.try_token("alice", &alice_at(far, &nonce(3))).await));
    scene.fixture.clock.set(NOW);
    let outcome = scene.try_token("alice", &alice_at(NOW, &nonce(4))).await;
    assert!(matches!(outcome, Outcome::ClockUnusable), "{outcome:?}");
    scene.fixture.store.reset(order("alice")).await.unwrap();
    assert!(
        !accepted(&scene.try_token("alice", &used).await),
        "what was used has been forgotten, and is fenced"
    );
    assert!(!accepted(&scene.try_token("alice", &alice_at(NOW.plus(30), &nonce(5))).await));
    scene.fixture.clock.advance(60);
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW.plus(60), &nonce(6))).await));
}

#[tokio::test]
async fn nonces_survive_the_rotation_of_keys() {
    let mut scene = Scene::new();
    let used = alice_at(NOW, &nonce(1));
    assert!(accepted(&scene.try_token("alice", &used).await));
    let path = scene.fixture.directory.path().join("key");
    let old = scene.fixture.keyring.current();
    scene.fixture.keyring = mfad::seal::Keyring::rotate(&path).unwrap();
    scene.fixture.store.replace_keyring(scene.fixture.keyring.clone()).await.unwrap();
    while scene.fixture.store.rekey(10).await.unwrap() > 0 {}
    let needs_old = |scene: &Scene| {
        mfad::store::Store::uses_key(&scene.fixture.database(), &scene.fixture.keyring, old).unwrap()
    };
    assert!(!needs_old(&scene));
    scene.fixture.keyring = mfad::seal::Keyring::forget(&path, old).unwrap();
    scene.reopen_after(|_| ()).await;
    assert!(matches!(scene.try_token("alice", &used).await, Outcome::Used { .. }));
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(2))).await));
}

#[tokio::test]
async fn what_is_remembered_is_bounded_and_the_rest_waits() {
    let scene = Scene::new();
    let uses: Vec<_> = (0..1025)
        .map(|n| {
            let attempt = signing::attempt("alice", &alice_at(NOW, &nonce(n)));
            let store = scene.fixture.store.clone();
            tokio::spawn(async move { store.attempt(attempt).await.unwrap() })
        })
        .collect();
    let mut passed = 0;
    for one in uses {
        let outcome = one.await.unwrap();
        if let Outcome::Locked { gate } = outcome {
            assert_eq!(gate, mfad::limits::Gate::Wait { until: NOW.plus(90) });
        } else {
            assert!(accepted(&outcome), "{outcome:?}");
            passed += 1;
        }
    }
    assert_eq!(passed, 1024);
    scene.fixture.clock.advance(90);
    assert!(accepted(&scene.try_token("alice", &alice_at(NOW.plus(90), &nonce(1))).await));
}

#[tokio::test]
async fn a_factor_of_ones_own_is_proven_by_a_token_and_issues_them() {
    let scene = Scene::new();
    let store = &scene.fixture.store;
    let added = store.enroll(signing::own_factor("robot", false)).await.unwrap();
    assert_eq!(added.state, FactorState::Pending);
    let first = signing::sign_own("robot@robots.example.org", NOW, &nonce(1));
    assert!(
        matches!(scene.try_token("robot", &first).await, Outcome::NoFactor),
        "pending counts for nothing"
    );
    let confirm = |typed: &str| store.confirm(order("robot"), None, as_code(typed));
    let wrong = confirm(&signing::sign_own("robot@elsewhere", NOW, &nonce(1))).await;
    assert!(matches!(wrong, Err(StoreError::Refused(Refused::WrongCode))), "{wrong:?}");
    confirm(&first).await.unwrap();
    assert!(matches!(scene.try_token("robot", &first).await, Outcome::Used { .. }));

    let issued = store.token_issue(order("robot"), Target::default()).await.unwrap();
    assert!(accepted(&scene.try_token("robot", issued.expose()).await));
    assert!(matches!(scene.try_token("robot", issued.expose()).await, Outcome::Used { .. }));
    assert!(!accepted(&scene.try_token("alice", issued.expose()).await));
    let one_of_few_digits = signing::sign_own("robot@robots.example.org", NOW, nonce(2).get(..16).unwrap());
    assert!(accepted(&scene.try_token("robot", &one_of_few_digits).await), "nobody else's name is signed");
}

#[tokio::test]
async fn two_factors_with_the_same_secrets_share_their_tokens() {
    let scene = Scene::new();
    scene.fixture.store.enroll(signing::own_factor("robot", true)).await.unwrap();
    let mut twin = signing::own_factor("robot", true);
    twin.label = label("twin");
    scene.fixture.store.enroll(twin).await.unwrap();
    let typed = signing::sign_own("robot@robots.example.org", NOW, &nonce(1));
    assert!(accepted(&scene.try_token("robot", &typed).await));
    assert!(matches!(scene.try_token("robot", &typed).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn an_owner_needs_a_code_to_be_given_a_token() {
    let scene = Scene::new();
    let store = &scene.fixture.store;
    store.enroll(signing::own_factor("robot", true)).await.unwrap();
    let refused = store.token_issue(owner("robot", None), Target::default()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::WrongCode))), "{refused:?}");
    scene.fixture.enroll("robot", store_common::TOTP, b"robot").await;
    let code = totp(b"robot", NOW);
    let issued = store.token_issue(owner("robot", Some(&code)), Target::default()).await.unwrap();
    assert!(accepted(&scene.try_token("robot", issued.expose()).await));
}

#[tokio::test]
async fn a_token_authorizes_its_owners_change_once() {
    let scene = Scene::new();
    scene.fixture.store.enroll(signing::own_factor("robot", true)).await.unwrap();
    let typed = signing::sign_own("robot@robots.example.org", NOW, &nonce(1));
    let order = || {
        let mut order = owner("robot", None);
        if let mfad::store::Authority::Owner { code, .. } = &mut order.authority {
            *code = Some(as_code(&typed).into());
        }
        order
    };
    scene.fixture.enroll("robot", store_common::TOTP, b"robot").await;
    let target = |text: &str| Target { factor: None, label: Some(label(text)) };
    scene.fixture.store.disable(order(), target("one")).await.unwrap();
    let again = scene.fixture.store.disable(order(), target("token")).await;
    assert!(matches!(again, Err(StoreError::Refused(Refused::WrongCode))), "{again:?}");
}

#[tokio::test]
async fn secrets_that_cannot_sign_and_domains_that_are_not_there_are_refused() {
    let scene = Scene::new();
    for faulty in [signing::own_factor_with("robot", "short"), domain_factor("robot", "example.com")] {
        let refused = scene.fixture.store.enroll(faulty).await;
        assert!(matches!(refused, Err(StoreError::Refused(Refused::Invalid(_)))), "{refused:?}");
    }
    scene.fixture.store.enroll(domain_factor("robot", "example.org")).await.unwrap();
    let issued = scene.fixture.store.token_issue(order("robot"), Target::default()).await.unwrap();
    assert!(accepted(&scene.try_token("robot", issued.expose()).await));
}

#[tokio::test]
async fn neither_nonce_nor_secret_stands_in_the_database() {
    let scene = Scene::new();
    scene.fixture.store.enroll(signing::own_factor("robot", true)).await.unwrap();
    let (theirs, own) =
        (alice_at(NOW, &nonce(1)), signing::sign_own("robot@robots.example.org", NOW, &nonce(2)));
    assert!(accepted(&scene.try_token("alice", &theirs).await));
    assert!(accepted(&scene.try_token("robot", &own).await));
    scene.fixture.store.shutdown().await;
    let mut all = Vec::new();
    for file in std::fs::read_dir(scene.fixture.directory.path()).unwrap() {
        all.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let own_secrets = [signing::OWN_SEED, signing::OWN_SIGNING.as_bytes(), signing::SIGNING.as_bytes()];
    for marker in own_secrets.into_iter().chain([nonce(1).as_bytes(), nonce(2).as_bytes(), b"example.org\0"])
    {
        assert!(!all.windows(marker.len()).any(|part| part == marker), "{}", String::from_utf8_lossy(marker));
    }
}

#[tokio::test]
async fn an_answer_of_another_kind_is_no_token() {
    let scene = Scene::new();
    scene.fixture.store.enroll(signing::own_factor("robot", true)).await.unwrap();
    let mut attempt = signing::attempt("robot", &alice_at(NOW, &nonce(1)));
    attempt.answer = Answer::Empty.into();
    assert!(!accepted(&scene.fixture.store.attempt(attempt).await.unwrap()));
}

/// What was used since a copy was made stays used when the copy is put back, whoever the copy knows.
#[tokio::test]
async fn a_restored_copy_frees_no_token() {
    let scene = Scene::new();
    let store = &scene.fixture.store;
    store.enroll(signing::own_factor("robot", true)).await.unwrap();
    assert!(accepted(&scene.try_token("bob", &token_at("bob", NOW, &nonce(0))).await));
    let copy = scene.fixture.directory.path().join("kept");
    std::fs::rename(&store.backup().await.unwrap().path, &copy).unwrap();
    let own = |n| signing::sign_own("robot@robots.example.org", NOW, &nonce(n));
    let (alice, bob, robot) = (alice_at(NOW, &nonce(1)), token_at("bob", NOW, &nonce(2)), own(3));
    for (name, typed) in [("alice", &alice), ("bob", &bob), ("robot", &robot)] {
        assert!(accepted(&scene.try_token(name, typed).await), "{name}");
    }
    store.remove(order("bob"), Target::default()).await.unwrap();
    for round in ["first", "second"] {
        std::fs::copy(&copy, mfad::store::Store::handed_over(&scene.fixture.database())).unwrap();
        store.restore().await.unwrap();
        for (name, typed) in [("alice", &alice), ("bob", &bob), ("robot", &robot)] {
            assert!(!accepted(&scene.try_token(name, typed).await), "{name}, {round}");
        }
        let fresh = if round == "first" { 4 } else { 5 };
        assert!(accepted(&scene.try_token("robot", &own(fresh)).await), "what is known goes on");
        assert!(accepted(&scene.try_token("alice", &alice_at(NOW, &nonce(fresh))).await), "as do newcomers");
    }
    // Of bob, nobody knew what was used: no token that could have been, but those of later steps.
    scene.fixture.clock.advance(30);
    assert!(!accepted(&scene.try_token("bob", &token_at("bob", NOW.plus(30), &nonce(6))).await));
    scene.fixture.clock.advance(30);
    assert!(accepted(&scene.try_token("bob", &token_at("bob", NOW.plus(60), &nonce(7))).await));
}
