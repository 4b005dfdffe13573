//! Codes that are only carried: what the store lets through, what it counts, and what it does with rows that
//! somebody changed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorId},
    egress::Medium,
};
use mfad::store::{Addressed, Carry, Hindrance, SentLimits, StoreSettings};
use store_common::*;

const NUMBER: &str = "+49 30 5556667";

fn carry(name: &str, by: FactorId) -> Carry {
    Carry { context: context(name), rule: None, uid: Some(1000), by: Ok(by) }
}

/// Where it went, or why it did not.
async fn carried(f: &Fixture, name: &str, by: FactorId) -> Result<Addressed, Hindrance> {
    f.store.carry(carry(name, by)).await.unwrap()
}

async fn hindrance(f: &Fixture, name: &str, by: FactorId) -> Hindrance {
    carried(f, name, by).await.map(|addressed| addressed.masked).unwrap_err()
}

/// Somebody with a number to which nothing has gone for a while.
async fn holder(f: &Fixture, name: &str) -> FactorId {
    let factor = f.enroll_sms(name, NUMBER).await;
    f.clock.advance(60);
    factor
}

async fn last_row(f: &Fixture) -> (String, String, String) {
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let row = rows.into_iter().next_back().unwrap();
    (row.event, row.verdict, row.reason)
}

fn row(verdict: &str, reason: &str) -> (String, String, String) {
    ("deliver".to_owned(), verdict.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn where_a_code_goes_is_told_once_it_is_counted() {
    let f = Fixture::new();
    let phone = holder(&f, "jane").await;
    let addressed = carried(&f, "jane", phone).await.unwrap();
    assert_eq!((addressed.to.expose(), addressed.masked.as_str()), ("+49305556667", "+49 *** **667"));
    assert_eq!((addressed.factor, addressed.medium), (phone, Medium::Sms));
    assert_eq!(last_row(&f).await, row("done", "sms"));
    f.store.not_carried(&context("jane"), phone).await.unwrap();
    assert_eq!(last_row(&f).await, row("unavailable", "undelivered"));
    assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::TooSoon, "it stays counted");
}

#[tokio::test]
async fn what_is_no_active_address_of_that_account_is_sent_nothing() {
    let f = Fixture::new();
    let phone = holder(&f, "jane").await;
    let app = f.store.enroll(new_factor("jane", "app", TOTP, b"jane")).await.unwrap().factor;
    let corp = f.enroll_rest("jane").await;
    let pending = f.store.enroll(sms("jane", "other", "+49 30 9998887")).await.unwrap().factor;
    for (name, by) in
        [("jane", app), ("jane", corp), ("jane", pending), ("jane", FactorId(999)), ("john", phone)]
    {
        assert_eq!(hindrance(&f, name, by).await, Hindrance::NoAddress, "{name} {by:?}");
        assert_eq!(last_row(&f).await, row("deny", "no_address"));
    }
    let other_uid = Carry { uid: Some(7), ..carry("jane", phone) };
    assert_eq!(f.store.carry(other_uid).await.unwrap().map(drop), Err(Hindrance::Orphaned));
    let none = Carry { by: Err(Hindrance::Policy), ..carry("jane", phone) };
    assert_eq!(f.store.carry(none).await.unwrap().map(drop), Err(Hindrance::Policy));
    assert_eq!(last_row(&f).await, row("deny", "policy"));
    assert!(carried(&f, "jane", phone).await.is_ok(), "none of these counted");
}

#[tokio::test]
async fn rows_that_were_changed_have_nothing_sent() {
    for change in [
        "UPDATE factor SET failures = 1",
        "UPDATE factor SET drift = drift + 1",
        "UPDATE account SET window_locked = 1 WHERE name = 'jane'",
        "UPDATE challenge SET expires = expires + 1",
        "DELETE FROM challenge",
    ] {
        let mut f = Fixture::new();
        let phone = f.enroll_sms("jane", NUMBER).await;
        drop(f.sent(&context("jane"), phone).await);
        f.clock.advance(60);
        f.reopen_after(|database| {
            assert_eq!(database.execute(change, []).unwrap(), 1, "{change}");
        })
        .await;
        assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::Tampered, "{change}");
        assert_eq!(last_row(&f).await, row("deny", "tampered"));
    }
}

#[tokio::test]
async fn a_count_that_was_taken_away_holds_all_up_for_the_interval() {
    let mut f = Fixture::new();
    let phone = holder(&f, "jane").await;
    f.reopen_after(|database| {
        assert_eq!(database.execute("DELETE FROM sent", []).unwrap(), 1);
    })
    .await;
    assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::TooSoon);
    f.clock.advance(60);
    assert!(carried(&f, "jane", phone).await.is_ok());
}

#[tokio::test]
async fn the_interval_lasts_over_a_restart_and_no_longer_when_the_clock_is_set_back() {
    let mut f = Fixture::new();
    let phone = holder(&f, "jane").await;
    assert!(carried(&f, "jane", phone).await.is_ok());
    f.reopen_after(|_| ()).await;
    assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::TooSoon);
    f.clock.advance(-3600);
    assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::TooSoon);
    f.clock.advance(60);
    assert!(carried(&f, "jane", phone).await.is_ok());
}

#[tokio::test]
async fn a_code_that_was_used_holds_the_next_message_up_as_well() {
    let f = Fixture::new();
    let phone = holder(&f, "jane").await;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
    assert_eq!(
        hindrance(&f, "jane", phone).await,
        Hindrance::TooSoon,
        "what was carried never counts as used"
    );
    // But not the other way round: nobody who has messages sent keeps a login waiting.
    f.clock.advance(60);
    assert!(carried(&f, "jane", phone).await.is_ok());
    drop(f.sent(&context("jane"), phone).await);
}

#[tokio::test]
async fn whoever_is_locked_or_had_too_many_is_sent_nothing() {
    let limits = SentLimits { per_user_day: 3, ..SentLimits::default() };
    let f = Fixture::with(StoreSettings { sent: limits, ..StoreSettings::default() });
    let phone = holder(&f, "jane").await;
    for _ in 0..5 {
        drop(f.try_code("jane", "000000").await);
        f.clock.advance(10);
    }
    f.clock.advance(60);
    assert_eq!(f.failures("jane", phone).await, 5);
    assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::Locked);
    f.store.unlock(order("jane")).await.unwrap();
    for _ in 0..2 {
        assert!(carried(&f, "jane", phone).await.is_ok());
        f.clock.advance(60);
    }
    assert_eq!(hindrance(&f, "jane", phone).await, Hindrance::Capped);
}
