//! Emergency codes: each lets in once and for its time, whatever else is lost or locked, and nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorKind, FactorState, LockState},
    answer::{Answer, AnswerShape, RecoveryCode},
    text::ShownText,
};
use mfad::{
    clock::UnixTime,
    limits::{Gate, Profile},
    store::{
        Attempt, Authority, BreakGlass, Channel, NewBreakGlass, Order, Outcome, RecoveryNew, Refused, Store,
        StoreError, StoreSettings, Target,
    },
};
use store_common::*;

fn wish(name: &str) -> BreakGlass {
    BreakGlass { order: order(name), minutes: 120, reason: ShownText::clean("phone lost") }
}

async fn made(f: &Fixture, name: &str) -> NewBreakGlass {
    f.store.break_glass(wish(name)).await.unwrap()
}

fn typed(code: &RecoveryCode) -> Answer {
    Answer::Recovery(RecoveryCode::parse(&code.grouped()).unwrap())
}

/// An emergency code that is nobody's.
fn nobodys() -> Answer {
    Answer::Recovery(RecoveryCode::emergency(b"0123456789"))
}

async fn answer(f: &Fixture, name: &str, answer: Answer) -> Outcome {
    f.store.attempt(answering(&context(name), answer)).await.unwrap()
}

async fn events(f: &Fixture) -> Vec<String> {
    let page = f.store.audit(AuditFilter::default(), 1_000).await.unwrap();
    page.rows.into_iter().map(|row| row.event).collect()
}

/// Wrong codes until the account's 30 days lock it.
async fn lock_for_long(f: &Fixture, name: &str, seed: &[u8]) {
    let mut last = None;
    for _ in 0..400 {
        let code = wrong(seed, u64::try_from(f.clock_now().0 / 30).unwrap());
        let outcome = f.try_code(name, &code).await;
        if matches!(outcome, Outcome::Locked { gate: Gate::UntilAdmin }) {
            return;
        }
        last = Some(outcome);
        f.clock.advance(3_601);
    }
    panic!("it never locked: {last:?}");
}

#[tokio::test]
async fn a_code_lets_in_once_and_takes_its_row_with_it() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let new = made(&f, "jane").await;
    assert_eq!(new.until, NOW.plus(7_200));
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!(view.shape, Some(AnswerShape::SIX_DIGITS.or(AnswerShape::RECOVERY)));
    assert_eq!(view.held[1].kind, FactorKind::BreakGlass);
    let Outcome::Accepted(proof) = answer(&f, "jane", typed(&new.code)).await else { panic!("it is right") };
    assert_eq!((proof.factor(), proof.kind()), (new.factor, FactorKind::BreakGlass));
    assert_eq!((proof.emergency(), proof.recovery_left()), (Some(NOW), None));
    assert!(matches!(answer(&f, "jane", typed(&new.code)).await, Outcome::Wrong { .. }));
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 1);
    assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW)).await), "what else is held goes on");
    let rows = f.store.audit(AuditFilter::default(), 1_000).await.unwrap().rows;
    let row = |event: &str| rows.iter().find(|row| row.event == event).unwrap();
    assert_eq!((row("breakglass").reason.as_str(), row("breakglass").actor), ("phone lost", 0));
    assert_eq!(row("breakglass_used").factor, Some(new.factor));
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn of_many_parallel_logins_with_one_code_exactly_one_passes() {
    for held in [true, false] {
        let f = Fixture::new();
        if held {
            f.enroll("jane", TOTP, b"jane").await;
        }
        let new = made(&f, "jane").await;
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (store, answer) = (f.store.clone(), typed(&new.code));
            logins.spawn(async move { store.attempt(answering(&context("jane"), answer)).await.unwrap() });
        }
        let outcomes = logins.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| accepted(outcome)).count(), 1, "{outcomes:?}");
    }
}

#[tokio::test]
async fn a_user_without_a_factor_holds_one_until_it_is_used_or_over() {
    let f = Fixture::new();
    f.enroll("john", TOTP, b"john").await;
    let new = made(&f, "jane").await;
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!((view.shape, view.uid), (Some(AnswerShape::RECOVERY), Some(1000)));
    assert_eq!(f.store.figures().await.unwrap().users, 2);
    assert!(matches!(f.try_code("jane", "000000").await, Outcome::Wrong { .. }));
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    let gone = |view: mfad::store::AccountView| view.shape.is_none() && view.uid.is_none() && !view.tampered;
    assert!(gone(f.store.view(user("jane"), Channel::Proven).await.unwrap()), "no row is left of jane");
    let figures = f.store.figures().await.unwrap();
    assert_eq!((figures.users, figures.active_factors), (1, 1));
    assert!(matches!(answer(&f, "jane", typed(&new.code)).await, Outcome::NoFactor));

    made(&f, "jane").await;
    f.clock.advance(7_200);
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert!(view.shape.is_none() && !view.exhausted, "its time is over, though its row is there");
    assert_eq!(f.store.expire_break_glass().await.unwrap(), [user("jane")]);
    assert!(gone(f.store.view(user("jane"), Channel::Proven).await.unwrap()));
    assert_eq!(f.store.expire_break_glass().await.unwrap(), []);
    assert!(events(&f).await.contains(&"breakglass_expired".to_owned()));
    assert!(accepted(&f.try_code("john", &totp(b"john", f.clock_now())).await), "the ring is whole");
}

#[tokio::test]
async fn it_ends_by_the_clock_and_a_clock_set_back_gives_it_no_more() {
    let f = Fixture::new();
    let new = made(&f, "jane").await;
    f.clock.set(NOW.plus(7_200));
    assert!(matches!(answer(&f, "jane", typed(&new.code)).await, Outcome::NoFactor));
    f.clock.set(NOW.plus(-1));
    assert!(matches!(answer(&f, "jane", typed(&new.code)).await, Outcome::NoFactor));
    assert_eq!(f.store.expire_break_glass().await.unwrap(), [], "it may be no fault of the code");
    f.clock.set(NOW.plus(7_199));
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    f.clock.set(UnixTime(1_700_000_000));
    assert_eq!(refusal(f.store.break_glass(wish("jane")).await), Refused::ClockUnusable);
}

#[tokio::test]
async fn a_new_one_voids_the_one_before() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let (first, second) = (made(&f, "jane").await, made(&f, "jane").await);
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 2);
    assert!(matches!(answer(&f, "jane", typed(&first.code)).await, Outcome::Wrong { .. }));
    assert!(accepted(&answer(&f, "jane", typed(&second.code)).await));
}

#[tokio::test]
async fn it_works_when_all_else_is_locked() {
    let profile = Profile { window_failures: 20, ..StoreSettings::default().profile };
    let f = Fixture::with(StoreSettings { profile, ..StoreSettings::default() });
    f.enroll("jane", TOTP, b"jane").await;
    lock_for_long(&f, "jane", b"jane").await;
    let set = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
    let new = made(&f, "jane").await;
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert_eq!(view.gate, Gate::Open, "the person is asked");
    for other in [typed(&set.codes[0]), Answer::Code(mfa_proto::answer::OtpCode::parse("123456").unwrap())] {
        let outcome = answer(&f, "jane", other).await;
        assert!(matches!(outcome, Outcome::Locked { .. }), "it opens nothing else: {outcome:?}");
    }
    let locked = f.store.show(user("jane")).await.unwrap().lock;
    assert!(matches!(locked, LockState::UntilAdmin { .. }));
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    assert_eq!(f.store.show(user("jane")).await.unwrap().lock, locked, "and leaves the rest as it was");
}

#[tokio::test]
async fn it_works_when_all_else_is_switched_off_or_exhausted() {
    let f = Fixture::new();
    let totp_of = f.enroll("jane", TOTP, b"jane").await;
    f.store.disable(order("jane"), Target::default()).await.unwrap();
    let new = made(&f, "jane").await;
    assert!(matches!(f.try_code("jane", &totp(b"jane", f.clock_now())).await, Outcome::Wrong { .. }));
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    f.store.enable(order("jane"), Target { factor: Some(totp_of), label: None }).await.unwrap();
    exhaust(&f, "jane", b"jane").await;
    let new = made(&f, "jane").await;
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert!(view.exhausted, "and leaves the rest as it was");
}

async fn exhaust(f: &Fixture, name: &str, seed: &[u8]) {
    for _ in 0..150 {
        let code = wrong(seed, u64::try_from(f.clock_now().0 / 30).unwrap());
        let outcome = f.try_code(name, &code).await;
        if matches!(outcome, Outcome::Wrong { gate: Gate::Exhausted }) {
            return;
        }
        let before = matches!(outcome, Outcome::Locked { gate: Gate::UntilAdmin });
        assert!(!before, "the long window came first");
        f.clock.advance(3_601);
    }
    panic!("it never ended");
}

#[tokio::test]
async fn wrong_ones_cost_its_own_counter_the_account_and_nothing_else() {
    let f = Fixture::new();
    let totp_of = f.enroll("jane", TOTP, b"jane").await;
    let set = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
    let new = made(&f, "jane").await;
    for _ in 0..5 {
        assert!(matches!(answer(&f, "jane", nobodys()).await, Outcome::Wrong { .. }));
        f.clock.advance(5);
    }
    let outcome = answer(&f, "jane", typed(&new.code)).await;
    assert!(matches!(outcome, Outcome::Locked { gate: Gate::Wait { .. } }), "{outcome:?}");
    assert_eq!((f.failures("jane", new.factor).await, f.failures_30_days("jane").await), (5, 5));
    assert_eq!((f.failures("jane", totp_of).await, f.failures("jane", set.factor).await), (0, 0));
    let wrong = Answer::Recovery(RecoveryCode::new(1, b"0123456789").unwrap());
    assert!(matches!(answer(&f, "jane", wrong).await, Outcome::Wrong { .. }));
    assert_eq!((f.failures("jane", new.factor).await, f.failures("jane", set.factor).await), (5, 1));
}

#[tokio::test]
async fn without_proven_password_the_small_budget_holds_it_back() {
    let f = Fixture::new();
    let new = made(&f, "jane").await;
    let unproven =
        |answer: Answer| Attempt { channel: Channel::Unproven, ..answering(&context("jane"), answer) };
    let mut locked = false;
    for _ in 0..5 {
        locked |= matches!(f.store.attempt(unproven(nobodys())).await.unwrap(), Outcome::Locked { .. });
    }
    assert!(locked);
    let outcome = f.store.attempt(unproven(typed(&new.code))).await.unwrap();
    assert!(matches!(outcome, Outcome::Locked { .. }), "{outcome:?}");
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await), "the owner is not locked out by it");
}

#[tokio::test]
async fn an_account_with_another_uid_gets_none_and_uses_none() {
    let f = Fixture::new();
    let new = made(&f, "jane").await;
    let other = Attempt { uid: Some(2000), ..answering(&context("jane"), typed(&new.code)) };
    assert!(matches!(f.store.attempt(other).await.unwrap(), Outcome::Orphaned));
    let wish = BreakGlass { order: Order { uid: Some(2000), ..order("jane") }, ..wish("jane") };
    assert_eq!(refusal(f.store.break_glass(wish).await), Refused::Orphaned);
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
}

#[tokio::test]
async fn a_code_is_good_for_nobody_else() {
    let f = Fixture::new();
    let (of_jane, of_john) = (made(&f, "jane").await, made(&f, "john").await);
    assert!(matches!(answer(&f, "jane", typed(&of_john.code)).await, Outcome::Wrong { .. }));
    assert!(matches!(answer(&f, "john", typed(&of_jane.code)).await, Outcome::Wrong { .. }));
    assert!(accepted(&answer(&f, "jane", typed(&of_jane.code)).await));
}

#[tokio::test]
async fn owners_make_change_and_confirm_nothing_with_it() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let new = made(&f, "jane").await;
    let by_owner = |code: Option<Answer>| Order {
        authority: Authority::Owner { code: code.map(Into::into), channel: Channel::Unproven },
        ..order("jane")
    };
    let wish = BreakGlass { order: by_owner(Some(typed(&new.code))), ..wish("jane") };
    assert!(matches!(refusal(f.store.break_glass(wish).await), Refused::Invalid(_)));
    let its = Target { factor: Some(new.factor), label: None };
    for order in [by_owner(Some(typed(&new.code))), order("jane")] {
        assert!(matches!(refusal(f.store.disable(order, its.clone()).await), Refused::Invalid(_)));
    }
    assert!(matches!(
        refusal(f.store.enable(order("jane"), its.clone()).await),
        Refused::NoSuchFactor | Refused::WrongState(_)
    ));
    let right = || Some(Answer::Code(mfa_proto::answer::OtpCode::parse(&totp(b"jane", NOW)).unwrap()));
    assert!(matches!(refusal(f.store.remove(by_owner(right()), its.clone()).await), Refused::Invalid(_)));
    let all = f.store.remove(by_owner(Some(typed(&new.code))), Target::default()).await;
    assert_eq!(refusal(all), Refused::WrongCode, "it proves a login and nothing else");
    // Whoever switches off the only other factor need not say which.
    assert!(f.store.disable(order("jane"), Target::default()).await.is_ok());
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    made(&f, "jane").await;
    let label = Target { factor: None, label: Some(label("breakglass")) };
    assert_eq!(f.store.remove(order("jane"), label).await, Ok(1), "root takes it back");
}

#[tokio::test]
async fn it_takes_nobodys_room_and_nobodys_name() {
    let f = Fixture::with(StoreSettings { max_factors: 1, ..StoreSettings::default() });
    f.store.enroll(new_factor("jane", "breakglass", TOTP, b"jane")).await.unwrap();
    let new = made(&f, "jane").await;
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!(shown.factors[1].label.as_str(), "breakglass-2");
    assert_eq!((shown.factors[1].until, shown.factors[0].until), (Some(new.until.0), None));
    assert_eq!(f.store.list(None, 10).await.unwrap().users[0].emergency_until, Some(new.until.0));
    let one_more = f.store.enroll(new_factor("john", "two", TOTP, b"john")).await;
    assert!(one_more.is_ok());
    for minutes in [0, 4, 24 * 60 + 1, u16::MAX] {
        let wish = BreakGlass { minutes, ..wish("jane") };
        assert!(matches!(refusal(f.store.break_glass(wish).await), Refused::Invalid(_)), "{minutes}");
    }
}

#[tokio::test]
async fn rows_that_were_changed_deny() {
    let changes = [
        "UPDATE factor SET period = 1440 WHERE kind = 'breakglass'",
        "UPDATE factor SET created = created + 7200 WHERE kind = 'breakglass'",
        "UPDATE factor SET failures = 0, state = 'active' WHERE kind = 'breakglass'",
        "UPDATE factor SET kind = 'recovery' WHERE kind = 'breakglass'",
    ];
    for change in changes {
        let mut f = Fixture::new();
        f.enroll("jane", TOTP, b"jane").await;
        let new = made(&f, "jane").await;
        assert!(matches!(answer(&f, "jane", nobodys()).await, Outcome::Wrong { .. }));
        f.reopen_after(|database| assert_eq!(database.execute(change, []).unwrap(), 1)).await;
        f.clock.advance(7_300);
        assert!(matches!(answer(&f, "jane", typed(&new.code)).await, Outcome::Tampered), "{change}");
        assert_eq!(f.store.expire_break_glass().await.unwrap(), [], "what is told elsewhere stops no chore");
        let again = f.store.break_glass(wish("jane")).await;
        assert!(matches!(again, Err(StoreError::Tampered(_))), "{change}");
    }
}

/// A code that was used and whose row is put back is a row that nobody's manifest has.
#[tokio::test]
async fn a_row_that_is_put_back_denies() {
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let new = made(&f, "jane").await;
    f.reopen_after(|database| {
        database
            .execute_batch("CREATE TABLE kept AS SELECT * FROM factor WHERE kind = 'breakglass'")
            .unwrap();
    })
    .await;
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
    f.reopen_after(|database| {
        database.execute_batch("INSERT INTO factor SELECT * FROM kept; DROP TABLE kept").unwrap();
    })
    .await;
    assert!(matches!(answer(&f, "jane", typed(&new.code)).await, Outcome::Tampered));
}

#[tokio::test]
async fn a_restored_copy_brings_none_back() {
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let (of_jane, of_john) = (made(&f, "jane").await, made(&f, "john").await);
    let copy = f.store.backup().await.unwrap();
    assert_eq!(copy.users, 2);
    std::fs::rename(&copy.path, Store::handed_over(&f.database())).unwrap();
    let restored = f.store.restore().await.unwrap();
    assert_eq!(restored.users, 1, "john held nothing else");
    for (name, code) in [("jane", of_jane.code), ("john", of_john.code)] {
        let outcome = answer(&f, name, typed(&code)).await;
        assert!(!accepted(&outcome), "{name}: {outcome:?}");
    }
    let figures = f.store.figures().await.unwrap();
    assert_eq!((figures.users, figures.active_factors), (1, 1));
    let shown = f.store.show(user("jane")).await.unwrap();
    assert_eq!(shown.factors.iter().map(|factor| factor.state).collect::<Vec<_>>(), [FactorState::Active]);
    f.reopen_after(|_| ()).await;
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn a_rotated_key_keeps_it() {
    let mut f = Fixture::new();
    let new = made(&f, "jane").await;
    let rotated = mfad::seal::Keyring::rotate(&f.directory.path().join("key")).unwrap();
    f.store.replace_keyring(rotated.clone()).await.unwrap();
    f.keyring = rotated;
    while f.store.rekey(10).await.unwrap() > 0 {}
    f.reopen_after(|_| ()).await;
    assert!(accepted(&answer(&f, "jane", typed(&new.code)).await));
}
