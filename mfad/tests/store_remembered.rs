//! Successes that are remembered: for exactly what they are bound to, for as long as nothing voids them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::admin::{AuditFilter, RememberedRow};
use mfad::{
    clock::UnixTime,
    limits::Profile,
    policy::Binding,
    seal::Keyring,
    store::{Forgetting, LoginStore, Outcome, Proof, Remembrance, Resync, Store, StoreSettings, Target},
};
use store_common::*;

const HOUR: u32 = 3600;

fn wanted(name: &str) -> Remembrance {
    Remembrance {
        context: context(name),
        uid: Some(1000),
        binding: Binding {
            class: "sshd".to_owned(),
            source: "192.0.2.7/32".to_owned(),
            key: "SHA256:one".to_owned(),
            rule: "office".to_owned(),
            need: 1 << 16,
        },
        boot: "this boot".to_owned(),
        seconds: HOUR,
    }
}

/// Jane with a factor, and a success of hers that is remembered.
async fn remembering() -> Fixture {
    remembering_with(StoreSettings::default()).await
}

async fn remembering_with(settings: StoreSettings) -> Fixture {
    let f = Fixture::with(settings);
    f.enroll("jane", HOTP, b"jane").await;
    remember(&f, &wanted("jane"), 0).await;
    assert!(recalls(&f.store, &wanted("jane")).await);
    f
}

async fn proof(f: &Fixture, name: &str, counter: u64) -> Proof {
    let outcome = f.try_code(name, &hotp(name.as_bytes(), counter)).await;
    let Outcome::Accepted(proof) = outcome else { panic!("{outcome:?}") };
    proof
}

async fn remember(f: &Fixture, wanted: &Remembrance, counter: u64) {
    let proof = proof(f, wanted.context.user.name.as_str(), counter).await;
    LoginStore::of(&f.store).remember(&proof, wanted.clone()).await.unwrap();
}

/// Whether it is recalled, past the thread and by it.
async fn recalls(store: &Store, wanted: &Remembrance) -> bool {
    let past = LoginStore::of(store).recall(wanted.clone()).await.unwrap();
    let by = store.recall(wanted.clone()).await.unwrap();
    assert_eq!(past.is_some(), by.is_some());
    let recalled = past.is_some_and(|recalled| {
        recalled.rule() == wanted.binding.rule && *recalled.user() == wanted.context.user
    });
    assert_eq!(recalled, by.is_some());
    recalled
}

async fn listed(store: &Store) -> Vec<RememberedRow> {
    store.remembered(None, 0, 1000).await.unwrap().rows
}

#[tokio::test]
async fn a_success_is_remembered_as_it_was() {
    let f = remembering().await;
    let rows = listed(&f.store).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(
        (row.class.as_str(), row.source.as_str(), row.rule.as_str()),
        ("sshd", "192.0.2.7/32", "office")
    );
    assert_eq!(row.key.as_ref().unwrap().as_str(), "SHA256:one");
    assert_eq!((row.created, row.expires), (NOW.0, NOW.0 + i64::from(HOUR)));
    assert_eq!(f.store.show(user("jane")).await.unwrap().remembered, 1);
    let events = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let last = events.last().unwrap();
    assert_eq!((last.event.as_str(), last.rule.as_deref()), ("remember", Some("office")));
}

fn other(change: impl FnOnce(&mut Remembrance)) -> Remembrance {
    let mut other = wanted("jane");
    change(&mut other);
    other
}

#[tokio::test]
async fn another_account_is_not_recalled() {
    let f = remembering().await;
    f.enroll("john", HOTP, b"john").await;
    assert!(!recalls(&f.store, &wanted("john")).await);
    assert!(!recalls(&f.store, &wanted("nobody")).await);
}

#[tokio::test]
async fn another_uid_of_the_account_is_not_recalled() {
    let f = remembering().await;
    for uid in [None, Some(0), Some(1001)] {
        assert!(!recalls(&f.store, &other(|other| other.uid = uid)).await, "{uid:?}");
    }
}

#[tokio::test]
async fn another_uid_is_not_remembered() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    remember(&f, &other(|other| other.uid = Some(7)), 0).await;
    assert_eq!(listed(&f.store).await, []);
}

#[tokio::test]
async fn the_proof_of_another_user_is_not_remembered() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    f.enroll("john", HOTP, b"john").await;
    let johns = proof(&f, "john", 0).await;
    f.store.remember(&johns, wanted("jane")).await.unwrap();
    assert_eq!(listed(&f.store).await, []);
}

#[tokio::test]
async fn another_class_of_services_is_not_recalled() {
    let f = remembering().await;
    assert!(!recalls(&f.store, &other(|other| "sudo".clone_into(&mut other.binding.class))).await);
}

#[tokio::test]
async fn a_rule_that_asks_for_something_else_by_now_recalls_nothing() {
    let f = remembering().await;
    for need in [2 << 16, 1 << 16 | 1, 0] {
        assert!(!recalls(&f.store, &other(|other| other.binding.need = need)).await, "{need}");
    }
}

#[tokio::test]
async fn a_rule_that_remembers_for_less_long_by_now_is_obeyed() {
    let f = remembering().await;
    f.clock.advance(i64::from(HOUR) / 2);
    assert!(recalls(&f.store, &wanted("jane")).await);
    assert!(recalls(&f.store, &other(|other| other.seconds = HOUR / 2 + 1)).await);
    assert!(!recalls(&f.store, &other(|other| other.seconds = HOUR / 2)).await);
}

#[tokio::test]
async fn another_source_is_not_recalled() {
    let f = remembering().await;
    for source in ["192.0.2.8/32", "192.0.2.0/24", "local", ""] {
        assert!(
            !recalls(&f.store, &other(|other| other.binding.source = source.to_owned())).await,
            "{source}"
        );
    }
}

#[tokio::test]
async fn another_key_or_none_is_not_recalled() {
    let f = remembering().await;
    for key in ["SHA256:two", "", "SHA256:one SHA256:two"] {
        assert!(!recalls(&f.store, &other(|other| other.binding.key = key.to_owned())).await, "{key}");
    }
}

#[tokio::test]
async fn another_rule_is_not_recalled() {
    let f = remembering().await;
    assert!(!recalls(&f.store, &other(|other| "home".clone_into(&mut other.binding.rule))).await);
}

#[tokio::test]
async fn another_start_of_the_machine_is_not_recalled() {
    let f = remembering().await;
    for boot in ["next boot", ""] {
        assert!(!recalls(&f.store, &other(|other| other.boot = boot.to_owned())).await, "{boot}");
    }
}

#[tokio::test]
async fn it_expires_whatever_happens_meanwhile() {
    let f = remembering().await;
    f.clock.advance(i64::from(HOUR) - 1);
    assert!(recalls(&f.store, &wanted("jane")).await, "recalling does not lengthen it");
    f.clock.advance(1);
    assert!(!recalls(&f.store, &wanted("jane")).await);
    assert_eq!((listed(&f.store).await.len(), f.store.show(user("jane")).await.unwrap().remembered), (0, 0));
    f.store.prune_audit(UnixTime(0), u64::MAX).await.unwrap();
    let left: i64 = count(&f);
    assert_eq!(left, 0, "what has expired is swept out");
}

fn count(f: &Fixture) -> i64 {
    let connection = rusqlite::Connection::open(f.database()).unwrap();
    connection.query_row("SELECT count(*) FROM remembered", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_clock_that_was_set_back_voids_what_was_made_in_the_future() {
    let f = remembering().await;
    f.clock.set(NOW.plus(-1));
    assert!(!recalls(&f.store, &wanted("jane")).await);
    assert_eq!(listed(&f.store).await, []);
}

#[tokio::test]
async fn a_second_success_takes_the_place_of_the_first() {
    let f = remembering().await;
    f.clock.advance(60);
    remember(&f, &wanted("jane"), 1).await;
    let rows = listed(&f.store).await;
    assert_eq!((rows.len(), rows[0].created), (1, NOW.0 + 60));
}

#[tokio::test]
async fn of_too_many_the_oldest_goes() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let from = |n: u64| other(|other| other.binding.source = format!("192.0.2.{n}/32"));
    for n in 0..34 {
        remember(&f, &from(n), n).await;
        f.clock.advance(1);
    }
    assert_eq!(listed(&f.store).await.len(), 32);
    for (n, kept) in [(0, false), (1, false), (2, true), (33, true)] {
        assert_eq!(recalls(&f.store, &from(n)).await, kept, "{n}");
    }
}

/// What each change of factors does, and a lock.
async fn voiding(f: &Fixture, what: &str) {
    let target = || Target { factor: None, label: Some(label("one")) };
    match what {
        "enroll" => drop(f.store.enroll(new_factor("jane", "two", TOTP, b"two")).await.unwrap()),
        "pending" => {
            let pending =
                mfad::store::NewFactor { activate: false, ..new_factor("jane", "two", TOTP, b"two") };
            f.store.enroll(pending).await.unwrap();
        }
        "confirm" => {
            let code = mfa_proto::answer::OtpCode::parse(&totp(b"two", f.clock_now())).unwrap();
            f.store.confirm(order("jane"), None, mfa_proto::answer::Answer::Code(code)).await.unwrap();
        }
        "recovery" => drop(
            f.store.recovery_new(mfad::store::RecoveryNew { order: order("jane"), count: 3 }).await.unwrap(),
        ),
        "disable" => drop(f.store.disable(order("jane"), target()).await.unwrap()),
        "enable" => drop(f.store.enable(order("jane"), target()).await.unwrap()),
        "reset" => drop(f.store.reset(order("jane")).await.unwrap()),
        "resync" => {
            let code = |n| mfa_proto::answer::OtpCode::parse(&hotp(b"jane", n)).unwrap();
            let resync = Resync { order: order("jane"), target: target(), codes: [code(50), code(51)] };
            f.store.resync(resync).await.unwrap();
        }
        "remove" => {
            let two = Target { factor: None, label: Some(label("two")) };
            f.store.remove(order("jane"), two).await.unwrap();
        }
        "lock" => {
            for _ in 0..5 {
                drop(f.try_code("jane", &wrong(b"jane", 0)).await);
                f.clock.advance(10);
            }
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn each_change_of_factors_and_a_lock_void_it() {
    for what in [
        &["enroll"][..],
        &["pending", "confirm"],
        &["recovery"],
        &["disable", "enable"],
        &["reset"],
        &["resync"],
        &["enroll", "remove"],
        &["lock"],
    ] {
        let f = remembering().await;
        let (last, before) = what.split_last().unwrap();
        for step in before {
            voiding(&f, step).await;
            assert!(!recalls(&f.store, &wanted("jane")).await, "{step}");
        }
        if *last == "enable" {
            // Nothing can be proven before.
            voiding(&f, last).await;
            continue;
        }
        if !before.is_empty() {
            remember(&f, &wanted("jane"), 1).await;
            assert!(recalls(&f.store, &wanted("jane")).await, "{what:?}");
        }
        voiding(&f, last).await;
        assert!(!recalls(&f.store, &wanted("jane")).await, "{what:?}");
    }
}

#[tokio::test]
async fn what_is_not_to_void_it_does_not() {
    let forget = Forgetting { on_change: false, on_lock: false };
    for what in ["enroll", "recovery", "reset", "resync", "lock"] {
        let f = remembering_with(StoreSettings { forget, ..StoreSettings::default() }).await;
        voiding(&f, what).await;
        assert!(recalls(&f.store, &wanted("jane")).await, "{what}");
    }
    let f = remembering().await;
    drop(f.try_code("jane", &wrong(b"jane", 0)).await);
    f.store.unlock(order("jane")).await.unwrap();
    assert!(recalls(&f.store, &wanted("jane")).await, "one wrong code is no lock");
}

#[tokio::test]
async fn locks_of_every_kind_void_it() {
    let profile = Profile { disable_at: 1, ..StoreSettings::default().profile };
    let f = remembering_with(StoreSettings { profile, ..StoreSettings::default() }).await;
    drop(f.try_code("jane", &wrong(b"jane", 0)).await);
    assert!(!recalls(&f.store, &wanted("jane")).await, "a factor that is exhausted");

    let profile = Profile { window_failures: 1, ..StoreSettings::default().profile };
    let f = remembering_with(StoreSettings { profile, ..StoreSettings::default() }).await;
    drop(f.try_code("jane", &wrong(b"jane", 0)).await);
    assert!(!recalls(&f.store, &wanted("jane")).await, "too many failures in 30 days");

    let f = remembering().await;
    for _ in 0..3 {
        let unproven = mfad::store::Attempt {
            channel: mfad::store::Channel::Unproven,
            ..attempt("jane", &wrong(b"jane", 0))
        };
        drop(f.store.attempt(unproven).await.unwrap());
        f.clock.advance(10);
    }
    assert!(!recalls(&f.store, &wanted("jane")).await, "without password");
}

#[tokio::test]
async fn a_user_who_was_removed_and_comes_back_is_asked() {
    let f = remembering().await;
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    assert_eq!(count(&f), 0);
    f.enroll("jane", HOTP, b"jane").await;
    assert!(!recalls(&f.store, &wanted("jane")).await);
}

/// Jane's success from a second place.
async fn second(f: &Fixture) -> Remembrance {
    let second = other(|other| "local".clone_into(&mut other.binding.source));
    remember(f, &second, 1).await;
    second
}

#[tokio::test]
async fn one_is_revoked_and_the_others_stay() {
    let mut f = remembering().await;
    let second = second(&f).await;
    assert_eq!(f.store.forget(context("jane"), Some(1)).await.unwrap(), 1);
    assert!(!recalls(&f.store, &wanted("jane")).await);
    assert!(recalls(&f.store, &second).await);
    assert_eq!(f.store.forget(context("jane"), Some(1)).await.unwrap(), 0);
    let last = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows.pop().unwrap();
    assert_eq!((last.event.as_str(), last.reason.as_str()), ("forget", "row 1"));
    f.reopen_after(|_| ()).await;
    assert!(recalls(&f.store, &second).await);
}

#[tokio::test]
async fn a_row_of_somebody_else_is_not_revoked() {
    let f = remembering().await;
    f.enroll("john", HOTP, b"john").await;
    assert_eq!(f.store.forget(context("john"), Some(1)).await.unwrap(), 0);
    assert!(recalls(&f.store, &wanted("jane")).await);
    assert_eq!(f.store.forget_any(context("root"), Some(1)).await.unwrap(), 1);
    assert!(!recalls(&f.store, &wanted("jane")).await);
    let last = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows.pop().unwrap();
    assert_eq!(last.user, Some(user("jane")), "the trail says whose it was");
}

#[tokio::test]
async fn all_of_one_or_of_all_are_revoked() {
    let f = remembering().await;
    let second = second(&f).await;
    f.enroll("john", HOTP, b"john").await;
    remember(&f, &wanted("john"), 0).await;
    assert_eq!(f.store.forget(context("jane"), None).await.unwrap(), 2);
    assert!(!recalls(&f.store, &wanted("jane")).await && !recalls(&f.store, &second).await);
    assert!(recalls(&f.store, &wanted("john")).await);
    remember(&f, &wanted("jane"), 2).await;
    assert_eq!(f.store.forget_any(context("root"), None).await.unwrap(), 2);
    assert!(!recalls(&f.store, &wanted("jane")).await && !recalls(&f.store, &wanted("john")).await);
    assert_eq!(f.store.forget(context("nobody"), None).await.unwrap(), 0);
}

/// All that somebody with write access can do is to have people asked again.
#[tokio::test]
async fn a_row_that_is_put_back_counts_for_nothing() {
    for how in ["revoke", "reset"] {
        let mut f = remembering().await;
        f.reopen_after(|connection| {
            connection.execute_batch("CREATE TABLE kept AS SELECT * FROM remembered").unwrap();
        })
        .await;
        if how == "revoke" {
            assert_eq!(f.store.forget(context("jane"), Some(1)).await.unwrap(), 1);
        } else {
            voiding(&f, how).await;
        }
        f.reopen_after(|connection| {
            connection.execute_batch("INSERT INTO remembered SELECT * FROM kept").unwrap();
        })
        .await;
        assert!(!recalls(&f.store, &wanted("jane")).await, "{how}");
        assert_eq!(listed(&f.store).await, [], "{how}");
    }
}

#[tokio::test]
async fn a_row_that_was_changed_counts_for_nothing() {
    for change in [
        "class = 'sudo'",
        "source = 'local'",
        "key = ''",
        "rule = 'home'",
        "boot = 'next boot'",
        "expires = expires + 100000",
        "created = created - 1",
        "epoch = epoch + 1",
        "account_id = (SELECT id FROM account WHERE name = 'john')",
        "id = id + 1",
        "mac = zeroblob(32)",
        "key_id = zeroblob(8)",
        "mac = zeroblob(5)",
        "source = CAST(x'ff' AS TEXT)",
    ] {
        let mut f = remembering().await;
        f.enroll("john", HOTP, b"john").await;
        f.reopen_after(|connection| {
            connection.pragma_update(None, "foreign_keys", false).unwrap();
            connection.execute(&format!("UPDATE remembered SET {change}"), []).unwrap();
        })
        .await;
        for wanted in [
            wanted("jane"),
            wanted("john"),
            other(|other| "sudo".clone_into(&mut other.binding.class)),
            other(|other| "local".clone_into(&mut other.binding.source)),
            other(|other| other.binding.key = String::new()),
            other(|other| "home".clone_into(&mut other.binding.rule)),
            other(|other| "next boot".clone_into(&mut other.boot)),
        ] {
            assert!(!recalls(&f.store, &wanted).await, "{change}: {wanted:?}");
        }
        f.store.prune_audit(UnixTime(0), u64::MAX).await.unwrap();
        let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
        assert!(rows.iter().any(|row| row.event == "remembered_changed"), "{change}");
        assert_eq!(count(&f), 0, "{change}");
    }
}

#[tokio::test]
async fn it_survives_a_change_of_keys() {
    let f = remembering().await;
    let path = f.directory.path().join("key");
    let keyring = Keyring::rotate(&path).unwrap();
    f.store.replace_keyring(keyring.clone()).await.unwrap();
    while f.store.rekey(10).await.unwrap() > 0 {}
    assert!(recalls(&f.store, &wanted("jane")).await);
    f.store.shutdown().await;
    let old = f.keyring.current();
    assert!(!Store::uses_key(&f.database(), &keyring, old).unwrap());
}

#[tokio::test]
async fn nothing_is_remembered_after_a_restore() {
    for since in ["nothing", "revoked", "renewed"] {
        let f = remembering().await;
        let copy = f.store.backup().await.unwrap().path;
        match since {
            "revoked" => drop(f.store.forget(context("jane"), None).await.unwrap()),
            "renewed" => {
                f.clock.advance(5);
                f.store.forget(context("jane"), None).await.unwrap();
                remember(&f, &wanted("jane"), 1).await;
            }
            _ => {}
        }
        let mut kept = rows_of(&f);
        kept.extend(rows_of_file(&copy));
        std::fs::rename(&copy, Store::handed_over(&f.database())).unwrap();
        f.store.restore().await.unwrap();
        assert!(!recalls(&f.store, &wanted("jane")).await, "{since}");
        assert_eq!(count(&f), 0, "{since}");
        // Nor when somebody puts the rows back.
        let mut f = f;
        for row in kept {
            f.reopen_after(|connection| {
                connection.execute("DELETE FROM remembered", []).unwrap();
                let places = vec!["?"; row.len()].join(", ");
                let sql = format!("INSERT INTO remembered VALUES ({places})");
                connection.execute(&sql, rusqlite::params_from_iter(row)).unwrap();
            })
            .await;
            assert!(!recalls(&f.store, &wanted("jane")).await, "{since}");
        }
    }
}

type Values = Vec<rusqlite::types::Value>;

fn rows_of(f: &Fixture) -> Vec<Values> {
    rows_of_file(&f.database())
}

fn rows_of_file(path: &std::path::Path) -> Vec<Values> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT * FROM remembered").unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_ended() {
    let f = Fixture::new();
    for name in ["jane", "john", "june"] {
        f.enroll(name, HOTP, name.as_bytes()).await;
        remember(&f, &wanted(name), 0).await;
    }
    let first = f.store.remembered(None, 0, 2).await.unwrap();
    assert_eq!((first.rows.len(), first.more), (2, true));
    let rest = f.store.remembered(None, first.rows[1].row, 2).await.unwrap();
    assert_eq!((rest.rows.len(), rest.more), (1, false));
    assert_eq!(rest.rows[0].user, user("june"));
    let own = f.store.remembered(Some(user("john")), 0, 2).await.unwrap();
    assert_eq!((own.rows.len(), own.rows[0].user.clone(), own.more), (1, user("john"), false));
    assert_eq!(f.store.remembered(Some(user("nobody")), 0, 2).await.unwrap().rows, []);
}
