//! Codes that are sent: each counts once, in the session that asked for it, and for a short time; and no
//! more are made than the limits allow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorKind, FactorState},
    answer::{Answer, OtpCode},
    egress::Medium,
};
use mfad::{
    audit::Context,
    clock::UnixTime,
    limits::Gate,
    store::{
        Attempt, Channel, Held, Issue, Issued, MadeCode, NewFactor, Outcome, Refused, SentLimits,
        StoreSettings, Target, Undelivered,
    },
};
use store_common::*;

const NUMBER: &str = "+49 30 5556667";
const ADDRESS: &str = "Ada@Example.org";

fn limited(sent: SentLimits) -> StoreSettings {
    StoreSettings { sent, ..StoreSettings::default() }
}

fn named(label_of: &str) -> Target {
    Target { label: Some(label(label_of)), factor: None }
}

fn too_soon(issued: &Issued) -> Option<UnixTime> {
    if let Issued::TooSoon { until } = issued { Some(*until) } else { None }
}

fn capped(issued: &Issued) -> Option<UnixTime> {
    if let Issued::Capped { until } = issued { Some(*until) } else { None }
}

#[tokio::test]
async fn a_number_is_proven_by_a_code_before_it_counts() {
    let f = Fixture::new();
    let added = f.store.enroll(sms("jane", "phone", NUMBER)).await.unwrap();
    assert_eq!(added.state, FactorState::Pending);
    assert!(f.store.view(user("jane"), Channel::Proven).await.unwrap().shape.is_none());
    let at_once = NewFactor { activate: true, ..sms("jane", "other", NUMBER) };
    assert!(matches!(refusal(f.store.enroll(at_once).await), Refused::Invalid(_)), "not even for root");
    // No code was sent yet: none is right.
    let early = f.store.confirm(order("jane"), None, Answer::Code(OtpCode::parse("000000").unwrap())).await;
    assert_eq!(refusal(early), Refused::WrongCode);
    let issued = f.store.send_code(order("jane"), Target::default(), None).await.unwrap();
    let Issued::Code(sent) = issued else { panic!("{issued:?}") };
    assert_eq!((sent.to.expose(), sent.masked.as_str()), ("+49305556667", "+49 *** **667"));
    assert_eq!((sent.medium, sent.digits, sent.until), (Medium::Sms, 6, NOW.plus(300)));
    // A login does not confirm, and another session's code is none of its business.
    let in_login = f.try_in(&context("jane"), sent.code.expose()).await;
    assert!(matches!(in_login, Outcome::NoFactor), "{in_login:?}");
    f.store.confirm(order("jane"), None, Answer::Code(sent.code)).await.unwrap();
    let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
    let [Held { kind: FactorKind::Sms, digits: Some(6), target: Some(target), .. }] = &view.held[..] else {
        panic!("{view:?}")
    };
    assert_eq!(target.as_str(), "+49 *** **667");
    let shown = &f.store.show(user("jane")).await.unwrap().factors[0];
    assert_eq!(shown.target.as_ref().unwrap().as_str(), "+49 *** **667");
    assert_eq!((shown.algorithm, shown.period, shown.left), (None, None, None));
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let of_sms = |event: &str| rows.iter().any(|row| row.event == event && row.reason == "sms");
    assert!(of_sms("enroll") && of_sms("send") && of_sms("confirm"), "{rows:?}");
}

#[tokio::test]
async fn a_sent_code_serves_one_of_many_parallel_logins() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (store, attempt) = (f.store.clone(), attempt_in(&login, sent.code.expose()));
        logins.spawn(async move { store.attempt(attempt).await.unwrap() });
    }
    let outcomes = logins.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| accepted(outcome)).count(), 1);
    let proof = outcomes.into_iter().find_map(|o| if let Outcome::Accepted(p) = o { Some(p) } else { None });
    let proof = proof.unwrap();
    assert_eq!((proof.factor(), proof.kind(), proof.recovery_left()), (phone, FactorKind::Sms, None));
}

#[tokio::test]
async fn a_code_counts_in_its_own_session_only() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let (login, other) = (context("jane"), context("jane"));
    let sent = f.sent(&login, phone).await;
    assert!(matches!(f.try_in(&other, sent.code.expose()).await, Outcome::Wrong { .. }));
    // Nor does it serve to change what the account holds.
    let by_owner = owner("jane", Some(sent.code.expose()));
    assert_eq!(refusal(f.store.remove(by_owner, Target::default()).await), Refused::WrongCode);
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
}

#[tokio::test]
async fn a_new_code_kills_the_one_before_and_no_sooner_than_the_interval() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let first = f.sent(&login, phone).await;
    for (wait, again) in [(0, &login), (59, &context("jane"))] {
        f.clock.set(NOW.plus(wait));
        let issued = f.store.issue(issue(again, phone)).await.unwrap();
        assert_eq!(too_soon(&issued), Some(NOW.plus(60)), "{issued:?}");
    }
    f.clock.set(NOW.plus(60));
    let second = f.sent(&login, phone).await;
    assert!(matches!(f.try_in(&login, first.code.expose()).await, Outcome::Wrong { .. }));
    assert!(accepted(&f.try_in(&login, second.code.expose()).await));
    // A code that was used is followed by another at once: sudo after ssh.
    let third = f.sent(&context("jane"), phone).await;
    assert_ne!(third.until, second.until.plus(60));
}

#[tokio::test]
async fn a_code_expires_and_a_clock_that_is_set_back_does_not_revive_it() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    for (at, good) in [(299, true), (300, false), (-3600, false)] {
        let begin = f.clock_now();
        let sent = f.sent(&login, phone).await;
        f.clock.set(begin.plus(at));
        assert_eq!(accepted(&f.try_in(&login, sent.code.expose()).await), good, "after {at} s");
        f.clock.set(begin.plus(4000));
    }
}

#[tokio::test]
async fn no_configuration_lets_a_code_count_longer_than_ten_minutes() {
    let f = Fixture::with(limited(SentLimits { lifetime: 86_400, ..SentLimits::default() }));
    let phone = f.enroll_sms("jane", NUMBER).await;
    assert_eq!(f.sent(&context("jane"), phone).await.until, NOW.plus(600));
}

#[tokio::test]
async fn five_wrong_answers_kill_a_code_even_where_the_factor_goes_on() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    let bad = other_than(sent.code.expose());
    for round in 0..5 {
        f.store.unlock(order("jane")).await.unwrap();
        assert!(matches!(f.try_in(&login, &bad).await, Outcome::Wrong { .. }), "{round}");
    }
    f.store.unlock(order("jane")).await.unwrap();
    assert!(matches!(f.try_in(&login, sent.code.expose()).await, Outcome::Wrong { .. }));
    // The sixth had nothing to be compared with, and was counted all the same.
    assert_eq!((f.failures("jane", phone).await, f.failures_30_days("jane").await), (6, 6));
}

#[tokio::test]
async fn another_code_forgets_no_failure() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    for round in 1..=4 {
        let sent = f.sent(&login, phone).await;
        let wrong = f.try_in(&login, &other_than(sent.code.expose())).await;
        assert!(matches!(wrong, Outcome::Wrong { .. }), "{wrong:?}");
        assert_eq!(f.failures("jane", phone).await, round);
        f.clock.advance(60);
    }
    let sent = f.sent(&login, phone).await;
    let Outcome::Wrong { gate } = f.try_in(&login, &other_than(sent.code.expose())).await else { panic!() };
    assert!(matches!(gate, Gate::Wait { .. }), "the fifth failure locks");
    f.clock.advance(60);
    // While locked, none is sent: no answer would be judged.
    let issued = f.store.issue(issue(&login, phone)).await.unwrap();
    assert!(matches!(issued, Issued::Locked { gate: Gate::Wait { .. } }), "{issued:?}");
    assert!(matches!(f.try_in(&login, sent.code.expose()).await, Outcome::Locked { .. }));
}

#[tokio::test]
async fn one_wrong_answer_charges_each_factor_of_its_shape_once_and_the_account_once() {
    let f = Fixture::new();
    let totp_factor = f.enroll("jane", TOTP, b"jane").await;
    let hotp_factor = f.store.enroll(new_factor("jane", "two", HOTP, b"two")).await.unwrap().factor;
    let phone = f.enroll_sms("jane", NUMBER).await;
    let mailbox = f.enroll_mail("jane", ADDRESS).await;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    let rights = [totp(b"jane", NOW), hotp(b"two", 0), sent.code.expose().to_owned()];
    let mut wrong_code = wrong(b"jane", 60_000_000);
    while rights.contains(&wrong_code) || (0..20).any(|n| hotp(b"two", n) == wrong_code) {
        wrong_code = other_than(&wrong_code);
    }
    assert!(matches!(f.try_in(&login, &wrong_code).await, Outcome::Wrong { .. }));
    for (factor, expected) in [(totp_factor, 1), (hotp_factor, 1), (phone, 1), (mailbox, 0)] {
        assert_eq!(f.failures("jane", factor).await, expected, "{factor:?}");
    }
    assert_eq!(f.failures_30_days("jane").await, 1);
    // The right one is of one factor, and forgives that one only.
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
    assert_eq!((f.failures("jane", phone).await, f.failures("jane", totp_factor).await), (0, 1));
    assert!(accepted(&f.try_in(&login, &totp(b"jane", NOW)).await));
}

#[tokio::test]
async fn a_code_that_could_not_be_sent_is_void_and_stays_counted() {
    let f = Fixture::with(limited(SentLimits { per_user_day: 3, ..SentLimits::default() }));
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let first = f.sent(&login, phone).await;
    f.store.undelivered(Undelivered { context: login.clone(), factor: phone }).await.unwrap();
    assert!(matches!(f.try_in(&login, first.code.expose()).await, Outcome::Wrong { .. }));
    // Another is made without waiting; a late word about the first session's code does not kill it.
    let second = f.sent(&login, phone).await;
    f.store.undelivered(Undelivered { context: context("jane"), factor: phone }).await.unwrap();
    assert!(capped(&f.store.issue(issue(&context("john"), phone)).await.unwrap()).is_none());
    assert!(accepted(&f.try_in(&login, second.code.expose()).await));
    let issued = f.store.issue(issue(&login, phone)).await.unwrap();
    assert_eq!(capped(&issued), Some(NOW.plus(86_400)), "one to enroll, two for logins: {issued:?}");
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    assert!(rows.iter().any(|row| row.event == "send" && row.reason == "undelivered"));
}

/// Codes sent for a user until no more are.
async fn send_all(f: &Fixture, name: &str, phone: mfa_proto::admin::FactorId) -> (usize, UnixTime) {
    for count in 0..100 {
        let issued = f.store.issue(issue(&context(name), phone)).await.unwrap();
        if let Some(until) = capped(&issued) {
            return (count, until);
        }
        assert!(matches!(issued, Issued::Code(_)), "{issued:?}");
        f.clock.advance(60);
    }
    panic!("no cap holds")
}

#[tokio::test]
async fn caps_hold_for_a_user_a_number_and_in_all_and_across_restarts() {
    let sent = SentLimits { per_user_day: 5, per_number_day: 7, global_day: 9, ..SentLimits::default() };
    let mut f = Fixture::with(limited(sent));
    let begin = f.clock_now();
    let first = f.enroll_sms("jane", NUMBER).await;
    let second = f.enroll_sms("john", NUMBER).await;
    let third = f.enroll_sms("june", "+49 30 5556668").await;
    assert_eq!(send_all(&f, "jane", first).await, (4, begin.plus(86_400)), "a user: one went to enroll");
    f.store.shutdown().await;
    f.reopen_with(limited(sent)).await;
    assert_eq!(send_all(&f, "jane", first).await.0, 0);
    assert_eq!(send_all(&f, "john", second).await.0, 1, "a number: 6 have gone there");
    assert_eq!(send_all(&f, "june", third).await.0, 1, "in all: 8 have gone");
    // A day after the first they leave the count, one by one.
    f.clock.set(begin.plus(86_400));
    assert_eq!(send_all(&f, "june", third).await.0, 4, "the one to enroll is a day old, the other not");
    f.clock.set(begin.plus(2 * 86_400));
    assert_eq!(send_all(&f, "jane", first).await.0, 5);
}

#[tokio::test]
async fn a_clock_that_was_far_ahead_caps_for_no_longer_than_a_day() {
    let f = Fixture::with(limited(SentLimits { per_user_day: 2, ..SentLimits::default() }));
    f.clock.set(NOW.plus(400 * 86_400));
    let phone = f.enroll_sms("jane", NUMBER).await;
    assert_eq!(send_all(&f, "jane", phone).await.0, 1);
    f.clock.set(NOW);
    assert_eq!(send_all(&f, "jane", phone).await, (0, NOW.plus(86_400)));
    f.clock.set(NOW.plus(86_400));
    assert_eq!(send_all(&f, "jane", phone).await.0, 2);
}

#[tokio::test]
async fn no_code_is_sent_for_what_sends_none_or_is_not_there() {
    let f = Fixture::new();
    let totp_factor = f.enroll("jane", TOTP, b"jane").await;
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    for wanted in [
        issue(&login, totp_factor),
        issue(&login, mfa_proto::admin::FactorId(999)),
        issue(&context("john"), phone),
        Issue {
            made: Some(MadeCode { code: secret("KJU64680"), lifetime: 300, resend_interval: 60 }),
            ..issue(&login, phone)
        },
    ] {
        let what = format!("{wanted:?}");
        assert!(matches!(f.store.issue(wanted).await.unwrap(), Issued::Gone), "{what}");
    }
    let other_uid = Issue { uid: Some(7), ..issue(&login, phone) };
    assert!(matches!(f.store.issue(other_uid).await.unwrap(), Issued::Orphaned));
    f.store.disable(order("jane"), named("phone")).await.unwrap();
    assert!(matches!(f.store.issue(issue(&login, phone)).await.unwrap(), Issued::Gone));
}

#[tokio::test]
async fn an_owner_proves_a_change_by_a_code_sent_for_it() {
    let f = Fixture::new();
    f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let phone = f.store.show(user("jane")).await.unwrap().factors[0].factor;
    let in_login = f.sent(&login, phone).await;
    let second =
        |code: Option<&str>| NewFactor { order: owner("jane", code), ..mail("jane", "mailbox", ADDRESS) };
    for bad in [None, Some(in_login.code.expose())] {
        assert_eq!(refusal(f.store.enroll(second(bad)).await), Refused::WrongCode);
    }
    f.clock.advance(60);
    let sent = f.store.send_code(owner("jane", None), named("phone"), None).await.unwrap();
    let Issued::Code(sent) = sent else { panic!("{sent:?}") };
    f.store.enroll(second(Some(sent.code.expose()))).await.unwrap();
    let too_soon = f.store.send_code(owner("jane", None), named("mailbox"), None).await.unwrap();
    let Issued::Code(first) = too_soon else { panic!("{too_soon:?}") };
    assert_eq!((first.medium, first.masked.as_str()), (Medium::Mail, "A***@example.org"));
    assert_eq!(
        refusal(f.store.send_code(owner("jane", None), named("mailbox"), None).await),
        Refused::TooSoon { until: NOW.plus(120) }
    );
    f.store.code_unsent(owner("jane", None), first.factor).await.unwrap();
    let again = f.store.send_code(owner("jane", None), named("mailbox"), None).await.unwrap();
    let Issued::Code(again) = again else { panic!("{again:?}") };
    f.store.confirm(owner("jane", None), None, Answer::Code(again.code)).await.unwrap();
}

#[tokio::test]
async fn a_changed_number_is_a_new_factor_and_the_old_one_serves_until_then() {
    let f = Fixture::new();
    let old = f.enroll_sms("jane", NUMBER).await;
    let changed = NewFactor { replace: true, ..sms("jane", "phone", "+49 30 9998887") };
    let new = f.store.enroll(changed).await.unwrap().factor;
    assert_ne!(old, new);
    let login = context("jane");
    let by_old = f.sent(&login, old).await;
    assert!(accepted(&f.try_in(&login, by_old.code.expose()).await));
    let Issued::Code(sent) = f.store.send_code(order("jane"), Target::default(), None).await.unwrap() else {
        panic!("a pending one comes first")
    };
    assert_eq!(sent.masked.as_str(), "+49 *** **887");
    f.store.confirm(order("jane"), None, Answer::Code(sent.code)).await.unwrap();
    assert!(matches!(f.store.issue(issue(&login, old)).await.unwrap(), Issued::Gone));
    assert_eq!(f.store.show(user("jane")).await.unwrap().factors.len(), 1);
}

#[tokio::test]
async fn guesses_at_a_first_code_drop_what_they_were_for() {
    let f = Fixture::new();
    f.store.enroll(sms("jane", "phone", NUMBER)).await.unwrap();
    let Issued::Code(sent) = f.store.send_code(order("jane"), Target::default(), None).await.unwrap() else {
        panic!("a code is made")
    };
    let guess = || Answer::Code(OtpCode::parse(&other_than(sent.code.expose())).unwrap());
    for _ in 0..4 {
        assert_eq!(refusal(f.store.confirm(order("jane"), None, guess()).await), Refused::WrongCode);
    }
    assert_eq!(refusal(f.store.confirm(order("jane"), None, guess()).await), Refused::PendingDropped);
    assert_eq!(f.store.figures().await.unwrap().users, 0);
}

#[tokio::test]
async fn without_a_proven_password_wrong_answers_cost_that_budget_and_the_code() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    let unproven = |code: &str| Attempt { channel: Channel::Unproven, ..attempt_in(&login, code) };
    for _ in 0..3 {
        let wrong = f.store.attempt(unproven(&other_than(sent.code.expose()))).await.unwrap();
        assert!(matches!(wrong, Outcome::Wrong { .. }), "{wrong:?}");
        f.clock.advance(1);
    }
    assert_eq!(f.failures("jane", phone).await, 0);
    assert!(matches!(f.store.attempt(unproven(sent.code.expose())).await.unwrap(), Outcome::Locked { .. }));
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
}

/// A service that only delivers: core makes the code in its form, and judges it.
#[tokio::test]
async fn a_code_for_an_outside_service_to_deliver_is_judged_here() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    for (made, answer) in [
        ("KJU64680", Answer::Text(secret("KJU64680"))),
        ("123456", Answer::Code(OtpCode::parse("123456").unwrap())),
    ] {
        let wanted = |context: &Context| Issue {
            made: Some(MadeCode { code: secret(made), lifetime: 300, resend_interval: 30 }),
            ..issue(context, corp)
        };
        let issued = f.store.issue(wanted(&login)).await.unwrap();
        let Issued::Begin { outside, until } = issued else { panic!("{issued:?}") };
        assert_eq!((outside.service.as_str(), outside.remote_user.as_str()), ("corp", "jane"));
        assert_eq!(until, f.clock_now().plus(300));
        let issued = f.store.issue(wanted(&login)).await.unwrap();
        assert_eq!(too_soon(&issued), Some(f.clock_now().plus(30)));
        let text = Answer::Text(secret("KJU64681"));
        assert!(matches!(f.store.attempt(answering(&login, text)).await.unwrap(), Outcome::Wrong { .. }));
        let elsewhere = answering(&context("jane"), Answer::Text(secret(made)));
        assert!(matches!(f.store.attempt(elsewhere).await.unwrap(), Outcome::Wrong { .. }));
        assert!(accepted(&f.store.attempt(answering(&login, answer)).await.unwrap()), "{made}");
        let again = answering(&login, Answer::Text(secret(made)));
        assert!(!accepted(&f.store.attempt(again).await.unwrap()));
        f.clock.advance(100);
    }
}

#[tokio::test]
async fn reset_makes_sent_codes_void() {
    let f = Fixture::new();
    let phone = f.enroll_sms("jane", NUMBER).await;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    f.store.reset(order("jane")).await.unwrap();
    assert!(matches!(f.try_in(&login, sent.code.expose()).await, Outcome::Wrong { .. }));
    let next = f.sent(&login, phone).await;
    assert!(accepted(&f.try_in(&login, next.code.expose()).await));
}
