//! A database that an earlier program made: everything in it goes on as it was, and the new kinds work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use mfa_proto::{
    admin::{AuditFilter, FactorState},
    answer::{Answer, AnswerShape, OtpCode, Pin, RecoveryCode},
    tag::Serial,
};
use mfad::{
    clock::FakeClock,
    limits::Gate,
    seal::Keyring,
    store::{Channel, Judgment, Outcome, RecoveryNew, Store, StoreSettings, Target},
};
use rusqlite::Connection;
use store_common::*;

/// The files of schema 1, made by the program that had it: jane has used a time-based code, john counter 2;
/// john's second factor is disabled, june's is pending, judy's is exhausted, jill has two failures.
fn schema_1() -> Fixture {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let directory = tempfile::tempdir().unwrap();
    for (from, to) in [("schema1.key", "key"), ("schema1.db", "mfad.db")] {
        let to = directory.path().join(to);
        fs::copy(golden.join(from), &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let version: i64 = Connection::open(directory.path().join("mfad.db"))
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 1);
    let keyring = Keyring::load(&directory.path().join("key")).unwrap();
    let clock = Arc::new(FakeClock::at(NOW.plus(60)));
    let path = directory.path().join("mfad.db");
    let store =
        Store::open(&path, keyring.clone(), StoreSettings::default(), Arc::<FakeClock>::clone(&clock))
            .unwrap();
    Fixture { directory, keyring, clock, store }
}

#[tokio::test]
async fn what_was_enrolled_used_and_counted_is_as_it_was() {
    let f = schema_1();
    assert_eq!(f.store.check_audit().await.unwrap().sound, 17);
    assert!(
        matches!(f.try_code("jane", &totp(b"jane", NOW)).await, Outcome::Wrong { .. }),
        "out of its window"
    );
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW.plus(60))).await));
    assert!(matches!(f.try_code("john", &hotp(b"john", 2)).await, Outcome::Used { .. }));
    assert!(accepted(&f.try_code("john", &hotp(b"john", 3)).await));
    let john = f.store.show(user("john")).await.unwrap();
    assert_eq!(
        (john.factors[1].state, john.factors[1].digits, john.factors[1].period),
        (FactorState::Disabled, Some(8), Some(60))
    );
    let june = Answer::Code(OtpCode::parse(&hotp(b"june", 0)).unwrap());
    f.store.confirm(order("june"), None, june).await.unwrap();
    let judy = f.try_code("judy", &hotp(b"judy", 0)).await;
    assert!(matches!(judy, Outcome::Locked { gate: Gate::Exhausted }), "{judy:?}");
    let jill = f.store.show(user("jill")).await.unwrap();
    assert_eq!((jill.factors[0].failures, jill.failures_30_days), (1, 1));
    for name in ["jane", "john", "june", "judy", "jill", "nobody"] {
        let view = f.store.view(user(name), Channel::Proven).await.unwrap();
        assert!(!view.tampered, "{name}");
        assert_eq!(view.uid.is_some(), name != "nobody");
    }
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn all_kinds_work_in_it_across_a_restart_and_a_rotation() {
    let mut f = schema_1();
    let phone = f.enroll_sms("jane", "+49305556667").await;
    let corp = f.enroll_rest("jane").await;
    let codes = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 10 }).await.unwrap().codes;
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    drop(f.ticket(&login, corp).await);
    f.reopen_after(|_| ()).await;
    let old = f.keyring.current();
    let key_file = f.directory.path().join("key");
    let rotated = Keyring::rotate(&key_file).unwrap();
    f.store.replace_keyring(rotated.clone()).await.unwrap();
    while f.store.rekey(2).await.unwrap() > 0 {}
    assert!(!Store::uses_key(&f.database(), &rotated, old).unwrap());
    f.keyring = Keyring::forget(&key_file, old).unwrap();
    f.store.replace_keyring(f.keyring.clone()).await.unwrap();
    f.reopen_after(|_| ()).await;
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
    let typed = RecoveryCode::parse(&codes[3].grouped()).unwrap();
    let recovery = answering(&login, Answer::Recovery(typed));
    assert!(accepted(&f.store.attempt(recovery).await.unwrap()));
    assert!(accepted(&f.store.settle(*f.ticket(&login, corp).await, Judgment::Yes).await.unwrap()));
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW.plus(60))).await));
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    let rows = f.store.audit(AuditFilter::default(), 200).await.unwrap().rows;
    assert!(!rows.iter().any(|row| row.event == "sent_changed"), "{rows:?}");
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
    f.reopen_after(|c| {
        for table in ["challenge", "nonce"] {
            let left: i64 =
                c.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{table}: rows of a user that was removed");
        }
    })
    .await;
}

#[tokio::test]
async fn a_factor_from_before_takes_a_serial_number_and_a_pin() {
    let f = schema_1();
    let device = f.store.devices(user("jane")).await.unwrap().remove(0);
    assert_eq!((device.serial, device.description, device.pin), (None, None, false));
    let serial = Serial::new("TOTP00019E8B").unwrap();
    let target = Target { factor: Some(device.factor), label: None };
    f.store.describe(order("jane"), target.clone(), (Some(serial.clone()), None)).await.unwrap();
    f.store.set_pin(order("jane"), target, Some(Pin::new("1234").unwrap())).await.unwrap();
    assert!(f.store.find(serial).await.unwrap().is_some_and(|(.., device)| device.pin));
    let code = totp(b"jane", NOW.plus(60));
    assert!(matches!(f.try_code("jane", &code).await, Outcome::Wrong { .. }));
    let pinned = AnswerShape::PINNED.parse(&format!("1234{code}")).unwrap();
    assert!(accepted(&f.store.attempt(answering(&context("jane"), pinned)).await.unwrap()));
}

#[tokio::test]
async fn a_directory_adds_to_what_was_there_before_and_takes_nothing_of_it() {
    let mut f = schema_1();
    let kinds = vec![mfa_proto::admin::FactorKind::Totp];
    let entry = |has| mfad::store::Entry { kinds: kinds.clone(), has, unusable: Vec::new() };
    let adopt = |entry| mfad::store::Adopt { order: order("jane"), entry, most: 8, notes: false };
    f.store.adopt(adopt(entry(vec![(TOTP, seed(b"new").into())]))).await.unwrap();
    f.reopen_after(|_| ()).await;
    f.store.adopt(adopt(entry(Vec::new()))).await.unwrap();
    let jane = f.store.show(user("jane")).await.unwrap();
    let states: Vec<_> = jane.factors.iter().map(|held| held.state).collect();
    assert_eq!(states, [FactorState::Active, FactorState::Disabled]);
    assert!(accepted(&f.try_code("jane", &totp(b"jane", NOW.plus(60))).await));
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

/// What a person types or holds is nowhere in the files, nor in anything that is printed.
#[tokio::test]
async fn no_code_address_or_secret_is_in_the_files_or_in_what_is_printed() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let phone = f.enroll_sms("jane", "+49305556667").await;
    let mailbox = f.enroll_mail("jane", "marker-mailbox@example.org").await;
    let corp = f.enroll_rest("jane").await;
    let recovery = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 10 }).await.unwrap();
    let login = context("jane");
    let mut secrets = vec!["305556667".to_owned(), "marker-mailbox".to_owned(), "jane".repeat(8)];
    secrets.extend(recovery.codes.iter().map(|code| code.expose().chars().skip(2).collect::<String>()));
    let mut printed = vec![format!("{recovery:?} {:?}", f.store)];
    for factor in [phone, mailbox] {
        let sent = f.sent(&login, factor).await;
        printed.push(format!("{sent:?}"));
        secrets.push(sent.code.expose().to_owned());
    }
    let made = mfad::store::MadeCode { code: secret("MARKER-made-code"), lifetime: 300, resend_interval: 10 };
    let wanted = mfad::store::Issue { made: Some(made), ..issue(&login, corp) };
    printed.push(format!("{wanted:?}"));
    printed.push(format!("{:?}", f.store.issue(wanted).await.unwrap()));
    secrets.push("MARKER-made-code".to_owned());
    let guess = answering(&login, Answer::Text(secret("MARKER-typed-text")));
    printed.push(format!("{guess:?}"));
    printed.push(format!("{:?}", f.store.attempt(guess).await.unwrap()));
    secrets.push("MARKER-typed-text".to_owned());
    printed.push(format!("{:?}", f.ticket(&login, corp).await));
    printed.push(format!("{:?}", f.store.view(user("jane"), Channel::Proven).await.unwrap()));
    printed.push(format!("{:?}", f.store.show(user("jane")).await.unwrap()));
    printed.push(format!("{:?}", f.store.audit(AuditFilter::default(), 100).await.unwrap()));
    let files = fs::read_dir(f.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let bytes: Vec<u8> = files.flat_map(|path| fs::read(path).unwrap()).collect();
    assert!(bytes.windows(4).any(|window| window == b"jane"), "the files were read");
    for marker in &secrets {
        assert!(!printed.iter().any(|text| text.contains(marker)), "{marker} was printed");
        let found = bytes.windows(marker.len()).any(|window| window == marker.as_bytes());
        assert!(!found, "{marker} is in a file");
    }
}
