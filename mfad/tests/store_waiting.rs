//! Users without a factor: invitations, the first factor of a login, the time of grace; and every way in which
//! they let nobody in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc};

use mfa_proto::{
    admin::{AuditFilter, FactorState},
    answer::{Answer, OtpCode, RecoveryCode},
    text::ShownText,
};
use mfad::{
    clock::{FakeClock, UnixTime},
    seal::Keyring,
    store::{
        Authority, BreakGlass, Channel, CheckInvitation, EnrollFirst, FirstFactor, GraceLogin, GraceTerms,
        InvitationCheck, LoginStore, Member, NewFactor, Order, Outcome, Refused, Store, StoreError, Target,
    },
};
use store_common::*;

const HOUR: u32 = 3600;

async fn invite(f: &Fixture, name: &str) -> RecoveryCode {
    f.store.invite(order(name), HOUR).await.unwrap().code
}

fn again(code: &RecoveryCode) -> RecoveryCode {
    RecoveryCode::parse(code.expose()).unwrap()
}

async fn check_as(f: &Fixture, name: &str, uid: u32, code: &RecoveryCode) -> Result<bool, StoreError> {
    let typed = CheckInvitation { context: context(name), uid, code: again(code) };
    Ok(matches!(f.store.check_invitation(typed).await?, InvitationCheck::Right(_)))
}

async fn check(f: &Fixture, name: &str, code: &RecoveryCode) -> bool {
    check_as(f, name, 1000, code).await.unwrap()
}

fn first(name: &str, invitation: Option<&RecoveryCode>, code: &str) -> EnrollFirst {
    let member =
        Member { label: label("totp"), params: TOTP, start: TOTP.start(0), secret: seed(b"new").into() };
    EnrollFirst {
        context: context(name),
        rule: None,
        uid: 1000,
        factor: Arc::new(FirstFactor { member, invitation: invitation.map(again) }),
        code: OtpCode::parse(code).unwrap(),
    }
}

async fn enroll_first(f: &Fixture, name: &str, invitation: Option<&RecoveryCode>) -> Outcome {
    f.store.enroll_first(first(name, invitation, &totp(b"new", f.clock_now()))).await.unwrap()
}

/// By `mfactl enroll`, as the owner.
async fn begin(f: &Fixture, name: &str, invitation: &RecoveryCode) -> Result<FactorState, StoreError> {
    let authority = Authority::Invited { invitation: again(invitation) };
    let new = NewFactor {
        order: Order { authority, ..order(name) },
        activate: false,
        ..new_factor(name, "totp", TOTP, b"new")
    };
    f.store.enroll(new).await.map(|added| added.state)
}

async fn confirm(f: &Fixture, name: &str) -> Result<(), StoreError> {
    let code = Answer::Code(OtpCode::parse(&totp(b"new", f.clock_now())).unwrap());
    f.store.confirm(owner(name, None), None, code).await.map(drop)
}

async fn is_invited(f: &Fixture, name: &str) -> bool {
    f.store.show(user(name)).await.is_ok_and(|shown| shown.invited_until.is_some())
}

fn grace_login(name: &str, until: Option<UnixTime>, logins: Option<u32>) -> GraceLogin {
    GraceLogin { context: context(name), rule: None, uid: 1000, terms: GraceTerms { until, logins } }
}

/// What is left after a login of grace; `None` when there was none.
async fn grace(f: &Fixture, name: &str, logins: u32) -> Option<u32> {
    let graced = f.store.grace(grace_login(name, None, Some(logins))).await.unwrap();
    graced.map(|graced| graced.left().logins.unwrap())
}

async fn events(f: &Fixture, name: &str) -> Vec<String> {
    let filter = AuditFilter { user: Some(user(name)), ..AuditFilter::default() };
    let rows = f.store.audit(filter, 1000).await.unwrap().rows;
    rows.into_iter().map(|row| format!("{} {} {}", row.event, row.verdict, row.reason)).collect()
}

#[tokio::test]
async fn a_code_of_the_new_factor_proves_it_and_the_login_at_once() {
    let f = Fixture::new();
    assert!(f.store.view(user("jane"), Channel::Proven).await.unwrap().newcomer);
    let wrong_code = wrong(b"new", u64::try_from(NOW.0 / 30).unwrap());
    let refused = f.store.enroll_first(first("jane", None, &wrong_code)).await.unwrap();
    assert!(matches!(refused, Outcome::Wrong { .. }), "{refused:?}");
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    assert!(view.newcomer && view.shape.is_none(), "nothing is left behind");
    let accepted_by = enroll_first(&f, "jane", None).await;
    let Outcome::Accepted(proof) = &accepted_by else { panic!("{accepted_by:?}") };
    assert_eq!(proof.user(), &user("jane"));
    assert_eq!(events(&f, "jane").await, ["login deny wrong_code", "enroll done ok", "login accept ok"]);
    assert!(matches!(f.try_code("jane", &totp(b"new", NOW)).await, Outcome::Used { .. }), "used once");
    f.clock.advance(30);
    assert!(accepted(&f.try_code("jane", &totp(b"new", NOW.plus(30))).await));
    assert!(!f.store.view(user("jane"), Channel::Proven).await.unwrap().newcomer);
    assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

/// Whatever is or was held: exhausted, disabled, another uid's.
#[tokio::test]
async fn nobody_who_holds_or_held_a_factor_is_a_newcomer() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    f.enroll("john", HOTP, b"john").await;
    f.store.disable(order("john"), Target::default()).await.unwrap();
    let pending = NewFactor { activate: false, ..new_factor("june", "totp", TOTP, b"x") };
    let order_of_another = Order { uid: Some(7), ..order("june") };
    f.store.enroll(NewFactor { order: order_of_another, ..pending }).await.unwrap();
    for name in ["jane", "john", "june"] {
        let outcome = enroll_first(&f, name, None).await;
        assert!(matches!(outcome, Outcome::NoFactor), "{name}: {outcome:?}");
        assert_eq!(grace(&f, name, 5).await, None, "{name}");
        let refused = refusal(f.store.invite(order(name), HOUR).await);
        assert!(matches!(refused, Refused::Invalid(_)), "{name}: {refused}");
    }
    for name in ["jane", "john"] {
        assert!(!f.store.view(user(name), Channel::Proven).await.unwrap().newcomer, "{name}");
    }
}

#[tokio::test]
async fn what_was_begun_elsewhere_and_never_proven_gives_way() {
    let f = Fixture::new();
    let pending = NewFactor { activate: false, ..new_factor("jane", "totp", TOTP, b"old") };
    f.store.enroll(pending).await.unwrap();
    assert!(f.store.view(user("jane"), Channel::Proven).await.unwrap().newcomer);
    assert!(accepted(&enroll_first(&f, "jane", None).await));
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 1);
}

#[tokio::test]
async fn an_invitation_serves_once_and_nobody_else() {
    let f = Fixture::new();
    let code = invite(&f, "jane").await;
    assert_eq!(f.store.show(user("jane")).await.unwrap().invited_until, Some(NOW.plus(3600).0));
    assert!(!check(&f, "john", &code).await, "another user");
    assert!(!check_as(&f, "jane", 1001, &code).await.unwrap(), "another uid");
    assert!(check(&f, "jane", &code).await && check(&f, "jane", &code).await, "a look uses nothing up");
    assert!(accepted(&enroll_first(&f, "jane", Some(&code)).await));
    assert!(!is_invited(&f, "jane").await);
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    assert!(!check(&f, "jane", &code).await, "it does not come back with the user");
    f.clock.advance(60);
    assert!(matches!(enroll_first(&f, "jane", Some(&code)).await, Outcome::NoFactor));
}

#[tokio::test]
async fn an_invitation_ends_by_time_by_guesses_by_another_and_by_hand() {
    let f = Fixture::new();
    let other = RecoveryCode::new(1, b"0123456789").unwrap();
    let old = invite(&f, "jane").await;
    let code = invite(&f, "jane").await;
    assert!(!check(&f, "jane", &old).await, "there is one at a time");
    f.clock.advance(3599);
    assert!(check(&f, "jane", &code).await);
    f.clock.advance(1);
    assert!(!check(&f, "jane", &code).await, "its time is over");
    assert!(!is_invited(&f, "jane").await);

    let code = invite(&f, "jane").await;
    for _ in 0..5 {
        assert!(!check(&f, "jane", &other).await);
    }
    assert!(!check(&f, "jane", &code).await, "five guesses void it");
    assert!(matches!(enroll_first(&f, "jane", Some(&code)).await, Outcome::NoFactor));

    let code = invite(&f, "jane").await;
    assert_eq!(begin(&f, "jane", &code).await, Ok(FactorState::Pending));
    assert_eq!(f.store.uninvite(order("jane")).await, Ok(1));
    assert!(!check(&f, "jane", &code).await);
    assert_eq!(refusal(confirm(&f, "jane").await), Refused::NotEnrolled, "what it began goes with it");
    assert!(matches!(refusal(f.store.uninvite(order("jane")).await), Refused::Invalid(_)));
    let written = events(&f, "jane").await;
    for event in
        ["invite done ok", "uninvite done ok", "invitation deny wrong_code", "pending_dropped done ok"]
    {
        assert!(written.iter().any(|row| row == event), "{event}: {written:?}");
    }
}

#[tokio::test]
async fn by_mfactl_it_is_used_up_when_the_factor_is_proven() {
    let f = Fixture::new();
    let (code, other) = (invite(&f, "jane").await, RecoveryCode::new(1, b"0123456789").unwrap());
    assert_eq!(refusal(begin(&f, "jane", &other).await), Refused::WrongInvitation);
    assert_eq!(begin(&f, "jane", &code).await, Ok(FactorState::Pending));
    assert!(is_invited(&f, "jane").await);
    // Given up, and begun again: the pending one gives way.
    assert_eq!(begin(&f, "jane", &code).await, Ok(FactorState::Pending));
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 1);
    confirm(&f, "jane").await.unwrap();
    assert!(!is_invited(&f, "jane").await);
    let second = begin(&f, "jane", &code).await;
    assert!(matches!(refusal(second), Refused::WrongState(_)), "a further factor needs a code");
    // Root's own way ends it as well.
    drop(invite(&f, "john").await);
    f.enroll("john", TOTP, b"john").await;
    assert!(!is_invited(&f, "john").await);
}

#[tokio::test]
async fn only_one_of_many_logins_gets_in_by_one_invitation() {
    let f = Fixture::new();
    let code = invite(&f, "jane").await;
    let now = totp(b"new", NOW);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, one) = (f.store.clone(), first("jane", Some(&code), &now));
        tasks.spawn(async move { store.enroll_first(one).await.unwrap() });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| accepted(outcome)).count(), 1);
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 1);
}

#[tokio::test]
async fn the_time_of_grace_counts_and_ends() {
    let f = Fixture::new();
    for left in [2, 1, 0] {
        assert_eq!(grace(&f, "jane", 3).await, Some(left));
        assert_eq!(f.store.view(user("jane"), Channel::Proven).await.unwrap().graced, 3 - left);
    }
    assert_eq!(grace(&f, "jane", 3).await, None);
    assert_eq!(f.store.show(user("jane")).await.unwrap().graced, Some(3));
    assert_eq!(grace(&f, "john", 3).await, Some(2), "everyone has their own");
    let until = Some(NOW.plus(10));
    assert!(f.store.grace(grace_login("june", until, None)).await.unwrap().is_some());
    assert!(f.store.grace(grace_login("june", until, Some(1))).await.unwrap().is_none(), "both have to hold");
    f.clock.advance(10);
    assert!(f.store.grace(grace_login("june", until, None)).await.unwrap().is_none(), "the day is over");
    assert!(f.store.grace(grace_login("june", None, None)).await.unwrap().is_none(), "there is none");
    assert_eq!(events(&f, "jane").await, ["login skip grace"; 3]);
    // A factor that comes and goes gives nothing back.
    f.enroll("jane", TOTP, b"jane").await;
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    assert_eq!(grace(&f, "jane", 3).await, None);
}

#[tokio::test]
async fn a_clock_that_is_not_set_gives_no_grace_and_takes_no_invitation() {
    let f = Fixture::new();
    let code = invite(&f, "jane").await;
    f.clock.set(UnixTime(1_000_000));
    assert!(f.store.grace(grace_login("jane", Some(NOW), None)).await.unwrap().is_none());
    assert!(!check(&f, "jane", &code).await);
    assert_eq!(refusal(f.store.invite(order("john"), HOUR).await), Refused::ClockUnusable);
    let outcome = enroll_first(&f, "john", None).await;
    assert!(matches!(outcome, Outcome::ClockUnusable), "{outcome:?}");
}

/// Rows as they once were, together with those of others, so that the sums may be right.
#[tokio::test]
async fn a_row_that_is_put_back_denies_all_who_have_no_factor() {
    let put_aside = "CREATE TABLE aside AS SELECT * FROM waiting";
    let put_back = "DELETE FROM waiting WHERE name = 'jane'; \
                    INSERT INTO waiting SELECT * FROM aside WHERE name = 'jane'; DROP TABLE aside";
    for evened_out in ["", "; UPDATE waiting SET serial = serial + 1 WHERE name = 'john'"] {
        let mut f = Fixture::new();
        let code = invite(&f, "jane").await;
        assert_eq!(grace(&f, "john", 3).await, Some(2));
        f.reopen_after(|c| c.execute_batch(put_aside).unwrap()).await;
        f.store.uninvite(order("jane")).await.unwrap();
        f.reopen_after(|c| c.execute_batch(&format!("{put_back}{evened_out}")).unwrap()).await;
        for name in ["jane", "john", "nobody"] {
            let graced = f.store.grace(grace_login(name, None, Some(9))).await;
            assert!(matches!(graced, Err(StoreError::Tampered(_))), "{name}: {graced:?}");
            let outcome = enroll_first(&f, name, None).await;
            assert!(matches!(outcome, Outcome::Tampered), "{name}: {outcome:?}");
        }
        let checked = check_as(&f, "jane", 1000, &code).await;
        assert!(matches!(checked, Err(StoreError::Tampered(_))), "{checked:?}");
        if evened_out.is_empty() {
            let view = LoginStore::of(&f.store).view(user("nobody"), Channel::Proven).await.unwrap();
            assert!(view.tampered);
        }
        // Whoever has a factor is none of this.
        f.enroll("june", TOTP, b"june").await;
        assert!(accepted(&f.try_code("june", &totp(b"june", NOW)).await));
    }
}

#[tokio::test]
async fn another_key_file_takes_these_rows_along() {
    let mut f = Fixture::new();
    let code = invite(&f, "jane").await;
    for n in 0..30 {
        assert_eq!(grace(&f, &format!("user{n}"), 2).await, Some(1));
    }
    let old = f.keyring.current();
    let path = f.directory.path().join("key");
    Keyring::rotate(&path).unwrap();
    f.keyring = Keyring::load(&path).unwrap();
    f.store.replace_keyring(f.keyring.clone()).await.unwrap();
    while f.store.rekey(7).await.unwrap() > 0 {}
    assert!(!Store::uses_key(&f.database(), &f.keyring, old).unwrap());
    assert!(check(&f, "jane", &code).await);
    assert_eq!(grace(&f, "user7", 2).await, Some(0));
    assert_eq!(grace(&f, "user7", 2).await, None);
}

async fn back_up(f: &Fixture) -> PathBuf {
    let made = f.store.backup().await.unwrap();
    let kept = f.directory.path().join("kept.db");
    fs::rename(&made.path, &kept).unwrap();
    kept
}

fn lay(f: &Fixture, copy: &PathBuf) {
    let to = Store::handed_over(&f.database());
    fs::copy(copy, &to).unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_restored_copy_has_no_invitation_and_forgets_no_login_of_grace() {
    let f = Fixture::new();
    let code = invite(&f, "jane").await;
    assert_eq!(grace(&f, "jane", 3).await, Some(2));
    let copy = back_up(&f).await;
    assert_eq!(grace(&f, "jane", 3).await, Some(1));
    assert_eq!(grace(&f, "john", 3).await, Some(2), "not known to the copy");
    lay(&f, &copy);
    f.store.restore().await.unwrap();
    assert!(!check(&f, "jane", &code).await);
    assert_eq!(grace(&f, "jane", 3).await, Some(0));
    assert_eq!(grace(&f, "john", 3).await, Some(1));
    assert_eq!(grace(&f, "june", 3).await, Some(2));
    // Nothing is known of what was used since: who was let in before has no grace left.
    f.store.shutdown().await;
    fs::remove_file(f.database()).unwrap();
    lay(&f, &copy);
    let settings = mfad::store::StoreSettings::default();
    let how = (NOW, mfad::store::Trail::Whole);
    Store::restore_offline(&f.database(), &f.keyring, &settings, how).unwrap();
    let store = open(&f.database(), &f.keyring, Arc::<FakeClock>::clone(&f.clock)).unwrap();
    assert!(store.grace(grace_login("jane", None, Some(3))).await.unwrap().is_none());
    assert!(store.grace(grace_login("june", None, Some(3))).await.unwrap().is_some());
}

#[tokio::test]
async fn a_copy_whose_rows_were_changed_is_not_restored() {
    for damage in
        ["DELETE FROM waiting", "UPDATE waiting SET graced = 0", "UPDATE waiting SET invite_tries = 0"]
    {
        let f = Fixture::new();
        drop(invite(&f, "jane").await);
        assert!(!check(&f, "jane", &RecoveryCode::new(1, b"0123456789").unwrap()).await);
        assert_eq!(grace(&f, "jane", 3).await, Some(2));
        let copy = back_up(&f).await;
        rusqlite::Connection::open(&copy).unwrap().execute_batch(damage).unwrap();
        lay(&f, &copy);
        let refused = f.store.restore().await;
        assert!(matches!(refused, Err(StoreError::Tampered(_))), "{damage}: {refused:?}");
    }
}

/// An emergency code of somebody who holds nothing else, for two hours.
async fn emergency(f: &Fixture, name: &str) {
    let reason = ShownText::clean("phone lost");
    f.store.break_glass(BreakGlass { order: order(name), minutes: 120, reason }).await.unwrap();
}

#[tokio::test]
async fn who_had_but_an_emergency_code_is_new_from_the_moment_it_is_over() {
    let f = Fixture::new();
    emergency(&f, "jane").await;
    let is_new = || async { f.store.view(user("jane"), Channel::Proven).await.unwrap().newcomer };
    f.clock.set(NOW.plus(7_199));
    assert!(!is_new().await);
    assert!(matches!(f.store.invite(order("jane"), HOUR).await, Err(StoreError::Refused(_))));
    let code = totp(b"new", f.clock_now());
    assert!(matches!(f.store.enroll_first(first("jane", None, &code)).await.unwrap(), Outcome::NoFactor));
    // A clock that was set back makes it void, but it may count again.
    f.clock.set(NOW.plus(-1));
    assert!(!is_new().await);

    f.clock.set(NOW.plus(7_200));
    assert!(is_new().await, "nothing was swept");
    let invitation = invite(&f, "jane").await;
    assert!(check(&f, "jane", &invitation).await);
    // Nobody else's account, whoever it is now.
    assert!(!check_as(&f, "jane", 1001, &invitation).await.unwrap());
    let code = totp(b"new", f.clock_now());
    assert!(accepted(&enroll_first(&f, "jane", Some(&invitation)).await), "{code}");
    assert!(!is_new().await);
    assert_eq!(f.store.expire_break_glass().await.unwrap(), [user("jane")]);
    assert_eq!(
        f.store.show(user("jane")).await.unwrap().factors.len(),
        1,
        "the code is swept, the factor stays"
    );
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn to_take_an_invitation_back_leaves_a_code_that_is_over_to_the_sweep() {
    let f = Fixture::new();
    emergency(&f, "jane").await;
    f.clock.advance(7_200);
    invite(&f, "jane").await;
    assert_eq!(f.store.uninvite(order("jane")).await.unwrap(), 1);
    assert_eq!(f.store.expire_break_glass().await.unwrap(), [user("jane")]);
    let rows = f.store.audit(AuditFilter::default(), 1_000).await.unwrap().rows;
    assert!(rows.iter().any(|row| row.event == "breakglass_expired"));
    assert!(rows.iter().all(|row| row.event != "pending_dropped"));
}
