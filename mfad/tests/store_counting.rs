//! Logins that need several factors, or factors of some kinds: what does not count is wrong, and not used up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorId, FactorKind},
    answer::{Answer, OtpCode, RecoveryCode},
};
use mfad::{
    audit::Context,
    policy::Kinds,
    session::Settled,
    store::{
        Attempt, Channel, Consult, Consulted, Counting, Issue, Issued, Judgment, Outcome, Proof, RecoveryNew,
    },
};
use store_common::*;

fn only(kinds: &[FactorKind]) -> Counting {
    Counting { kinds: Kinds::of(kinds.iter().copied()), ..Counting::default() }
}

fn of_several(needed: u8, proven: &[FactorId]) -> Counting {
    Counting { needed, proven: proven.to_vec(), ..Counting::default() }
}

async fn attempt_counting(f: &Fixture, context: &Context, code: &str, counting: Counting) -> Outcome {
    f.store.attempt(Attempt { counting, ..attempt_in(context, code) }).await.unwrap()
}

fn proof(outcome: Outcome) -> Proof {
    let Outcome::Accepted(proof) = outcome else { panic!("{outcome:?}") };
    proof
}

#[tokio::test]
async fn a_code_of_a_kind_that_does_not_count_is_wrong_and_stays_good() {
    let f = Fixture::new();
    let app = f.enroll("jane", TOTP, b"app").await;
    let key = f.store.enroll(new_factor("jane", "two", HOTP, b"key")).await.unwrap().factor;
    let login = context("jane");
    let code = totp(b"app", NOW);
    let outcome = attempt_counting(&f, &login, &code, only(&[FactorKind::Hotp])).await;
    assert!(matches!(outcome, Outcome::Wrong { .. }), "{outcome:?}");
    assert_eq!((f.failures("jane", app).await, f.failures("jane", key).await), (0, 1));
    assert!(accepted(&f.try_in(&login, &code).await), "it was not used up");
    let outcome = attempt_counting(&f, &login, &hotp(b"key", 0), only(&[FactorKind::Hotp])).await;
    assert_eq!(proof(outcome).factor(), key);
}

#[tokio::test]
async fn without_a_factor_that_counts_there_is_none() {
    let f = Fixture::new();
    let app = f.enroll("jane", TOTP, b"app").await;
    let outcome =
        attempt_counting(&f, &context("jane"), &totp(b"app", NOW), only(&[FactorKind::Recovery])).await;
    assert!(matches!(outcome, Outcome::NoFactor), "{outcome:?}");
    assert_eq!(f.failures("jane", app).await, 0);
    assert!(accepted(&f.try_code("jane", &totp(b"app", NOW)).await));
}

#[tokio::test]
async fn a_recovery_code_that_does_not_count_is_not_used_up() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"app").await;
    let made = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
    let typed = || Answer::Recovery(RecoveryCode::parse(&made.codes[0].grouped()).unwrap());
    let login = context("jane");
    let refused = Attempt { counting: only(&[FactorKind::Totp]), ..answering(&login, typed()) };
    let outcome = f.store.attempt(refused).await.unwrap();
    assert!(matches!(outcome, Outcome::Wrong { .. }), "{outcome:?}");
    assert!(accepted(&f.store.attempt(answering(&login, typed())).await.unwrap()));
}

#[tokio::test]
async fn nothing_is_sent_or_asked_for_a_factor_that_does_not_count() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", "+49305556667").await;
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    let kinds = only(&[FactorKind::Totp]);
    let wanted = Issue { counting: kinds.clone(), ..issue(&login, phone) };
    assert!(matches!(f.store.issue(wanted).await.unwrap(), Issued::Gone));
    let wanted = Consult { counting: kinds, ..consult(&login, corp) };
    assert!(matches!(f.store.consult(wanted).await.unwrap(), Consulted::Gone));
    for (proven, gone) in [(phone, true), (corp, false)] {
        let wanted = Issue { counting: of_several(2, &[proven]), ..issue(&login, phone) };
        let issued = f.store.issue(wanted).await.unwrap();
        assert_eq!(matches!(issued, Issued::Gone), gone, "{issued:?}");
    }
    let wanted = Consult { counting: of_several(2, &[corp]), ..consult(&login, corp) };
    assert!(matches!(f.store.consult(wanted).await.unwrap(), Consulted::Gone));
}

#[tokio::test]
async fn two_different_factors_are_a_login_and_the_trail_tells_the_first_from_it() {
    let f = Fixture::new();
    let app = f.enroll("jane", TOTP, b"app").await;
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    let first = proof(attempt_counting(&f, &login, &totp(b"app", NOW), of_several(2, &[])).await);
    assert!(!first.is_last());
    let wanted = Consult { counting: of_several(2, &[app]), ..consult(&login, corp) };
    let Consulted::Ticket(ticket) = f.store.consult(wanted).await.unwrap() else { panic!() };
    let second = proof(f.store.settle(*ticket, Judgment::Yes).await.unwrap());
    assert!(second.is_last());
    let settled = Settled::accepted(vec![first, second], 2);
    assert_eq!(settled.verdict(), mfa_proto::login::Verdict::Accept);
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let logins: Vec<_> = rows
        .iter()
        .filter(|row| row.event == "login")
        .map(|row| (row.verdict.as_str(), row.reason.as_str(), row.factor))
        .collect();
    assert_eq!(logins, [("partial", "ok", Some(app)), ("accept", "ok", Some(corp))]);
}

#[tokio::test]
async fn a_factor_that_was_proven_is_not_proven_again() {
    let f = Fixture::new();
    let key = f.enroll("jane", HOTP, b"key").await;
    f.enroll_rest("jane").await;
    let login = context("jane");
    let first = proof(attempt_counting(&f, &login, &hotp(b"key", 0), of_several(2, &[])).await);
    let again = attempt_counting(&f, &login, &hotp(b"key", 1), of_several(2, &[key])).await;
    assert!(matches!(again, Outcome::Wrong { .. } | Outcome::NoFactor), "{again:?}");
    assert!(accepted(&f.try_in(&login, &hotp(b"key", 1)).await), "it was not used up");
    // Whoever forgets to say what was proven gets nowhere, either.
    let other = proof(attempt_counting(&f, &login, &hotp(b"key", 2), of_several(2, &[])).await);
    assert_eq!(Settled::accepted(vec![first, other], 2).verdict(), mfa_proto::login::Verdict::Deny);
}

#[tokio::test]
async fn two_factors_with_one_seed_count_once() {
    let f = Fixture::new();
    let one = f.enroll("jane", HOTP, b"shared").await;
    let two = f.store.enroll(new_factor("jane", "two", HOTP, b"shared")).await.unwrap().factor;
    let app = f.store.enroll(new_factor("jane", "three", TOTP, b"shared")).await.unwrap().factor;
    let login = context("jane");
    let first = proof(attempt_counting(&f, &login, &hotp(b"shared", 0), of_several(2, &[])).await);
    assert_eq!((first.factor(), first.twins()), (one, Some(&[two, app][..])));
    for code in [hotp(b"shared", 1), totp(b"shared", NOW)] {
        let outcome = attempt_counting(&f, &login, &code, of_several(2, &[one])).await;
        assert!(!accepted(&outcome), "{outcome:?}");
    }
    let second = proof(attempt_counting(&f, &login, &totp(b"shared", NOW), of_several(2, &[])).await);
    assert_eq!(second.factor(), app);
    assert_eq!(Settled::accepted(vec![first, second], 2).verdict(), mfa_proto::login::Verdict::Deny);
}

#[tokio::test]
async fn the_first_of_two_ends_no_lock_of_those_without_password() {
    let f = Fixture::new();
    let key = f.enroll("jane", HOTP, b"key").await;
    f.enroll_rest("jane").await;
    for _ in 0..3 {
        let unproven = Attempt { channel: Channel::Unproven, ..attempt("jane", &wrong(b"key", 0)) };
        drop(f.store.attempt(unproven).await.unwrap());
        f.clock.advance(10);
    }
    let locked = || async { f.store.show(user("jane")).await.unwrap().unproven_lock };
    let open = mfa_proto::admin::LockState::Open;
    assert_ne!(locked().await, open);
    let login = context("jane");
    drop(proof(attempt_counting(&f, &login, &hotp(b"key", 0), of_several(2, &[])).await));
    assert_ne!(locked().await, open);
    let code = Answer::Code(OtpCode::parse(&hotp(b"key", 1)).unwrap());
    let last = Attempt { counting: of_several(2, &[FactorId(key.0 + 1)]), ..answering(&login, code) };
    assert!(accepted(&f.store.attempt(last).await.unwrap()));
    assert_eq!(locked().await, open);
}
