//! What the trail says by itself, and what failed since the last login: written with what causes it, and with
//! nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, AuditRow},
    name::Claim,
};
use mfad::{
    audit::Context,
    store::{Attempt, Channel, Failed, Judgment, NewFactor, Outcome, RecoveryNew, Target},
};
use store_common::*;

async fn rows(f: &Fixture) -> Vec<AuditRow> {
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
    f.store.audit(AuditFilter::default(), 500).await.unwrap().rows
}

/// Event, verdict, reason of the rows about one login or change, but for those of its enrollment.
async fn noted(f: &Fixture, what: &str) -> Vec<(String, Option<i64>, String)> {
    let fits = rows(f).await.into_iter().filter(|row| row.event == what && row.verdict == "noticed");
    fits.map(|row| (row.session, row.factor.map(|id| id.0), row.reason)).collect()
}

fn from(name: &str, source: &str) -> Context {
    Context { source: Some(Claim::clean(source)), ..context(name) }
}

fn failed(count: u32, from: &str) -> Failed {
    Failed { count, from: from.to_owned() }
}

fn carried(outcome: Outcome) -> Option<Failed> {
    let Outcome::Accepted(proof) = outcome else { panic!("{outcome:?}") };
    proof.failed().cloned()
}

#[tokio::test]
async fn a_lock_has_a_row_of_its_own_before_the_verdict_that_began_it() {
    let f = Fixture::new();
    let factor = f.enroll("jane", HOTP, b"jane").await;
    let wrong = wrong(b"jane", 0);
    for _ in 0..4 {
        drop(f.try_code("jane", &wrong).await);
        f.clock.advance(10);
    }
    assert_eq!(noted(&f, "locked").await, []);
    let last = from("jane", "203.0.113.7");
    drop(f.try_in(&last, &wrong).await);
    let session = last.session.as_str().to_owned();
    assert_eq!(noted(&f, "locked").await, [(session, Some(factor.0), "900 s".to_owned())]);
    let all = rows(&f).await;
    let [.., lock, login] = all.as_slice() else { panic!() };
    assert_eq!((lock.event.as_str(), login.event.as_str(), &lock.source), ("locked", "login", &login.source));
    // What is locked already is not locked again.
    drop(f.try_code("jane", &wrong).await);
    assert_eq!(noted(&f, "locked").await.len(), 1);
}

#[tokio::test]
async fn the_budget_without_password_locks_with_a_row_too() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let wrong = wrong(b"jane", 0);
    for _ in 0..4 {
        let attempt = Attempt { channel: Channel::Unproven, ..attempt("jane", &wrong) };
        drop(f.store.attempt(attempt).await.unwrap());
    }
    let reasons: Vec<_> = noted(&f, "locked").await.into_iter().map(|(_, id, why)| (id, why)).collect();
    assert_eq!(reasons, [(None, "unproven 900 s".to_owned())]);
}

#[tokio::test]
async fn a_code_that_comes_twice_and_a_recovery_code_have_rows_too() {
    let f = Fixture::new();
    let factor = f.enroll("jane", HOTP, b"jane").await;
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
    assert!(matches!(f.try_code("jane", &hotp(b"jane", 0)).await, Outcome::Used { .. }));
    let reused: Vec<_> = noted(&f, "code_reused").await.into_iter().map(|(_, id, why)| (id, why)).collect();
    assert_eq!(reused, [(Some(factor.0), "hotp".to_owned())]);
    let set = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
    let typed = mfa_proto::answer::RecoveryCode::parse(&set.codes[0].grouped()).unwrap();
    let answer = mfa_proto::answer::Answer::Recovery(typed);
    assert!(accepted(&f.store.attempt(answering(&context("jane"), answer)).await.unwrap()));
    let used: Vec<_> = noted(&f, "recovery_used").await.into_iter().map(|(_, id, why)| (id, why)).collect();
    assert_eq!(used, [(Some(set.factor.0), "2 left".to_owned())]);
}

#[tokio::test]
async fn an_ordinary_accept_writes_one_row_and_leaves_the_account_alone() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let connection = rusqlite::Connection::open(f.database()).unwrap();
    let account = || -> Vec<u8> {
        connection.query_row("SELECT mac FROM account WHERE name = 'jane'", [], |row| row.get(0)).unwrap()
    };
    let (before, count) = (account(), rows(&f).await.len());
    assert_eq!(carried(f.try_code("jane", &hotp(b"jane", 0)).await), None);
    assert_eq!((account(), rows(&f).await.len()), (before.clone(), count + 1));
    drop(f.try_code("jane", &wrong(b"jane", 0)).await);
    assert_ne!(account(), before, "a failure is counted there");
}

#[tokio::test]
async fn failures_are_told_once_at_the_next_success() {
    let mut f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let wrong = wrong(b"jane", 0);
    drop(f.try_in(&from("jane", "192.0.2.1"), &wrong).await);
    let unproven = Attempt { channel: Channel::Unproven, ..attempt_in(&from("jane", "203.0.113.7"), &wrong) };
    drop(f.store.attempt(unproven).await.unwrap());
    f.reopen_after(|_| ()).await;
    assert_eq!(carried(f.try_code("jane", &hotp(b"jane", 0)).await), Some(failed(2, "203.0.113.7")));
    assert_eq!(carried(f.try_code("jane", &hotp(b"jane", 1)).await), None);
    // Without a source nothing is said of one.
    drop(f.try_code("jane", &wrong).await);
    assert_eq!(carried(f.try_code("jane", &hotp(b"jane", 2)).await), Some(failed(1, "")));
}

#[tokio::test]
async fn a_locked_answer_is_not_an_attempt() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    for _ in 0..10 {
        drop(f.try_in(&from("jane", "203.0.113.7"), &wrong(b"jane", 0)).await);
    }
    f.clock.advance(100_000);
    let told = carried(f.try_code("jane", &hotp(b"jane", 0)).await).unwrap();
    assert!(told.count < 10, "{told:?}: those that were not judged do not count");
}

#[tokio::test]
async fn a_change_by_the_owner_leaves_it_to_the_next_login_to_tell() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    drop(f.try_in(&from("jane", "203.0.113.7"), &wrong(b"jane", 0)).await);
    let code = hotp(b"jane", 0);
    let more = NewFactor {
        order: owner("jane", Some(&code)),
        activate: false,
        ..new_factor("jane", "two", HOTP, b"2")
    };
    f.store.enroll(more).await.unwrap();
    assert_eq!(carried(f.try_code("jane", &hotp(b"jane", 1)).await), Some(failed(1, "203.0.113.7")));
}

#[tokio::test]
async fn what_was_charged_before_a_service_said_yes_is_no_failure() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let (before, login) = (from("jane", "203.0.113.7"), from("jane", "192.0.2.1"));
    let no = f.ticket(&before, corp).await;
    drop(f.store.settle(*no, Judgment::No).await.unwrap());
    let yes = f.ticket(&login, corp).await;
    let told = carried(f.store.settle(*yes, Judgment::Yes).await.unwrap());
    assert_eq!(told, Some(failed(1, "203.0.113.7")));
    let yes = f.ticket(&login, corp).await;
    assert_eq!(carried(f.store.settle(*yes, Judgment::Yes).await.unwrap()), None);
    // One that failed while the service was asked is told, and where from.
    let slow = f.ticket(&login, corp).await;
    let other = f.ticket(&before, corp).await;
    drop(f.store.settle(*other, Judgment::No).await.unwrap());
    let told = carried(f.store.settle(*slow, Judgment::Yes).await.unwrap());
    assert_eq!(told, Some(failed(1, "203.0.113.7")));
}

#[tokio::test]
async fn people_are_told_of_factors_that_count_and_never_of_rows_before() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let events = async |seq| {
        let page = f.store.news_after(seq, 100).await.unwrap();
        assert!(!page.more);
        page.news.into_iter().map(|news| news.row.event).collect::<Vec<_>>()
    };
    assert_eq!(events(0).await, ["enroll"]);
    assert_eq!(f.store.news_waiting(NOW.plus(-10)).await.unwrap(), 0, "nobody follows");
    let end = f.store.follow_news().await.unwrap();
    assert_eq!(f.store.follow_news().await.unwrap(), end, "once begun, it goes on where it was");
    f.enroll_mail("jane", "jane@example.org").await;
    assert_eq!(events(end).await, ["confirm"], "a pending factor is none");
    assert_eq!(f.store.news_waiting(NOW.plus(-10)).await.unwrap(), 1);
    let page = f.store.news_after(end, 100).await.unwrap();
    assert_eq!(page.news[0].mail.as_ref().unwrap().expose(), "jane@example.org");
    assert_eq!(page.news[0].factor.as_ref().unwrap().1, label("mailbox"));
    f.store.news_told(page.upto).await.unwrap();
    assert_eq!(f.store.news_waiting(NOW.plus(-10)).await.unwrap(), 0);
    f.store.news_told(end).await.unwrap();
    assert_eq!(f.store.follow_news().await.unwrap(), page.upto, "it never goes back");

    let target = Target { factor: None, label: Some(label("mailbox")) };
    f.store.remove(order("jane"), target).await.unwrap();
    let page = f.store.news_after(page.upto, 100).await.unwrap();
    let news = &page.news[0];
    assert_eq!((news.row.event.as_str(), news.factor.is_none(), news.mail.is_none()), ("remove", true, true));
    f.store.unfollow_news().await.unwrap();
    assert_eq!(f.store.news_waiting(NOW.plus(-10)).await.unwrap(), 0);
    assert!(f.store.follow_news().await.unwrap() >= page.upto);
}

#[tokio::test]
async fn a_page_ends_before_what_does_not_fit() {
    let f = Fixture::new();
    for n in 0..5 {
        f.enroll(&format!("user{n}"), HOTP, b"x").await;
    }
    let (mut seq, mut seen) = (0, Vec::new());
    loop {
        let page = f.store.news_after(seq, 2).await.unwrap();
        assert!(page.news.len() <= 2);
        seen.extend(page.news.into_iter().map(|news| news.row.user.unwrap().to_string()));
        seq = page.upto;
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, ["user0", "user1", "user2", "user3", "user4"]);
}
