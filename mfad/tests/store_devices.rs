//! Devices with serial numbers: no two have one, nobody's device lets nobody in, and who gets one gets no PIN with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{
    admin::{AuditFilter, FactorState},
    answer::Pin,
    name::{RealmName, UserId, UserName},
    tag::{Description, Serial},
};
use mfad::store::{Attempt, Device, NewFactor, Order, Outcome, Refused, Target};
use rusqlite::Connection;
use store_common::*;

const SERIAL: &str = "OATH00019E8B";

fn serial(text: &str) -> Serial {
    Serial::new(text).unwrap()
}

fn device(text: &str) -> Device {
    Device { serial: Some(serial(text)), ..Device::default() }
}

fn keeper(text: &str) -> UserId {
    UserId { realm: RealmName::unassigned(), name: UserName::new(text).unwrap() }
}

/// An order for the name under which nobody's device is kept.
fn for_nobody(text: &str) -> Order {
    let mut order = Order { uid: None, ..order("jane") };
    order.context.user = keeper(text);
    order
}

fn nobodys(text: &str, bytes: &[u8]) -> NewFactor {
    NewFactor { order: for_nobody(text), ..new_factor("jane", "hotp", HOTP, bytes) }
}

async fn owner_of(f: &Fixture, text: &str) -> Option<UserId> {
    f.store.find(serial(text)).await.unwrap().map(|(user, ..)| user)
}

#[tokio::test]
async fn a_device_is_found_by_its_serial_number_in_any_case() {
    let f = Fixture::new();
    let named = Device { description: Some(Description::new("red key").unwrap()), ..device(SERIAL) };
    let added = f.store.enroll_device(new_factor("jane", "one", HOTP, b"jane"), named).await.unwrap();
    for typed in [SERIAL, "oath00019e8b"] {
        let (user, factor, device) = f.store.find(serial(typed)).await.unwrap().unwrap();
        assert_eq!((user, factor.factor), (store_common::user("jane"), added.factor));
        assert_eq!(device.serial.unwrap().as_str(), SERIAL);
        assert_eq!(device.description.unwrap().as_str(), "red key");
        assert_eq!((device.pin, device.position, device.last_failed), (false, Some(0), None));
    }
    assert_eq!(owner_of(&f, "OATH0001").await, None);
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 4)).await));
    let devices = f.store.devices(user("jane")).await.unwrap();
    assert_eq!(devices[0].position, Some(5));
}

#[tokio::test]
async fn no_two_factors_have_one_serial_number() {
    let f = Fixture::new();
    f.store.enroll_device(new_factor("jane", "one", HOTP, b"jane"), device(SERIAL)).await.unwrap();
    for taken in [SERIAL, "oath00019e8b"] {
        let doubled = f.store.enroll_device(new_factor("john", "one", HOTP, b"john"), device(taken)).await;
        assert_eq!(refusal(doubled), Refused::SerialTaken(serial(SERIAL)));
        assert_eq!(refusal(f.store.show(user("john")).await), Refused::NotEnrolled, "it was taken back");
    }
    f.enroll("john", HOTP, b"john").await;
    let target = Target::default;
    let doubled = f.store.describe(order("john"), target(), (Some(serial(SERIAL)), None)).await;
    assert_eq!(refusal(doubled), Refused::SerialTaken(serial(SERIAL)));
    f.store.describe(order("john"), target(), (Some(serial("B2")), None)).await.unwrap();
    f.store.describe(order("john"), target(), (Some(serial("b2")), None)).await.unwrap();
    assert_eq!(owner_of(&f, "B2").await, Some(user("john")));
    // The index holds where the program does not look.
    let connection = Connection::open(f.database()).unwrap();
    let doubled = connection.execute("UPDATE factor SET serial = 'oath00019E8B' WHERE serial = 'b2'", []);
    assert!(doubled.is_err());
}

#[tokio::test]
async fn a_device_that_nobody_has_goes_to_a_user_and_back_with_what_was_used() {
    let f = Fixture::new();
    f.store.enroll_device(nobodys(SERIAL, b"key"), device(SERIAL)).await.unwrap();
    assert_eq!(owner_of(&f, SERIAL).await, Some(keeper(SERIAL)));
    f.store.assign(order("jane"), serial(SERIAL)).await.unwrap();
    assert_eq!(owner_of(&f, SERIAL).await, Some(user("jane")));
    assert!(accepted(&f.try_code("jane", &hotp(b"key", 3)).await));
    f.store.set_pin(order("jane"), Target::default(), Some(Pin::new("1234").unwrap())).await.unwrap();
    let again = f.store.assign(order("john"), serial(SERIAL)).await;
    assert!(matches!(refusal(again), Refused::WrongState(_)), "somebody has it");
    f.store.unassign(order("jane"), serial(SERIAL)).await.unwrap();
    assert!(matches!(f.try_code("jane", &hotp(b"key", 4)).await, Outcome::NoFactor));
    f.store.assign(order("john"), serial(SERIAL)).await.unwrap();
    assert!(!f.store.devices(user("john")).await.unwrap()[0].pin, "the PIN was the owner's before");
    assert!(matches!(f.try_code("john", &hotp(b"key", 3)).await, Outcome::Used { .. }));
    assert!(accepted(&f.try_code("john", &hotp(b"key", 4)).await));
    let figures = f.store.figures().await.unwrap();
    assert_eq!((figures.users, figures.active_factors), (1, 1));
    let copy = f.store.backup().await.unwrap();
    assert_eq!(copy.users, 1, "the ring and all rows are sound");
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let moves: Vec<_> = rows.iter().filter(|row| row.event.contains("assign")).collect();
    let told: Vec<_> = moves.iter().map(|row| (row.event.as_str(), row.reason.as_str())).collect();
    assert_eq!(told, [("assign", SERIAL), ("unassign", SERIAL), ("assign", SERIAL)]);
}

#[tokio::test]
async fn users_that_hold_more_keep_it_when_a_device_comes_and_goes() {
    let f = Fixture::new();
    for name in ["jane", "john", "june", "jill"] {
        f.enroll(name, HOTP, name.as_bytes()).await;
        f.store.enroll_device(nobodys(&name.to_uppercase(), b"key"), device(name)).await.unwrap();
    }
    for name in ["jane", "john", "june", "jill"] {
        f.store.assign(order(name), serial(name)).await.unwrap();
    }
    for name in ["jill", "june", "john", "jane"] {
        f.store.unassign(order(name), serial(name)).await.unwrap();
        assert!(accepted(&f.try_code(name, &hotp(name.as_bytes(), 0)).await), "{name}");
        assert_eq!(owner_of(&f, name).await, Some(keeper(&name.to_uppercase())));
    }
    assert_eq!(f.store.backup().await.unwrap().users, 8);
}

#[tokio::test]
async fn nobodys_device_lets_nobody_in_and_holds_nothing_else() {
    let f = Fixture::new();
    f.store.enroll_device(nobodys(SERIAL, b"key"), device(SERIAL)).await.unwrap();
    let mut attempt = Attempt { uid: None, ..attempt("jane", &hotp(b"key", 0)) };
    attempt.context.user = keeper(SERIAL);
    let outcome = f.store.attempt(attempt).await.unwrap();
    assert!(matches!(outcome, Outcome::NoFactor), "{outcome:?}");
    for (new, named) in [
        (nobodys(SERIAL, b"two"), Device::default()),
        (nobodys("OTHER", b"two"), device("THIRD")),
        (nobodys("OTHER", b"two"), Device { pin: Some(Pin::new("1234").unwrap()), ..device("OTHER") }),
    ] {
        let refused = f.store.enroll_device(NewFactor { label: label("two"), ..new }, named).await;
        assert!(matches!(refusal(refused), Refused::Invalid(_)));
    }
    let pin = f.store.set_pin(for_nobody(SERIAL), Target::default(), Some(Pin::new("1234").unwrap())).await;
    assert!(matches!(refusal(pin), Refused::Invalid(_)));
    assert_eq!(f.store.remove(for_nobody(SERIAL), Target::default()).await, Ok(1));
    assert_eq!(owner_of(&f, SERIAL).await, None);
}

#[tokio::test]
async fn what_cannot_change_hands_stays() {
    let f = Fixture::new();
    let missing = f.store.assign(order("jane"), serial("X1")).await;
    assert_eq!(refusal(missing), Refused::NoSuchFactor);
    let phone = f.enroll_sms("jane", "+49305556667").await;
    let target = Target { factor: Some(phone), label: None };
    f.store.describe(order("jane"), target, (Some(serial("LSSM1")), None)).await.unwrap();
    assert!(matches!(refusal(f.store.unassign(order("jane"), serial("LSSM1")).await), Refused::Invalid(_)));
    assert_eq!(refusal(f.store.unassign(order("john"), serial("LSSM1")).await), Refused::NoSuchFactor);
    f.store.enroll_device(nobodys(SERIAL, b"key"), device(SERIAL)).await.unwrap();
    assert!(matches!(
        refusal(f.store.unassign(for_nobody(SERIAL), serial(SERIAL)).await),
        Refused::WrongState(_)
    ));
    let other_uid = Order { uid: Some(7), ..order("jane") };
    assert_eq!(refusal(f.store.assign(other_uid, serial(SERIAL)).await), Refused::Orphaned);
    for n in 0..7 {
        f.store.enroll(new_factor("jane", &format!("n{n}"), HOTP, b"n")).await.unwrap();
    }
    assert_eq!(refusal(f.store.assign(order("jane"), serial(SERIAL)).await), Refused::TooMany(8));
    let held = f.store.show(user("jane")).await.unwrap().factors;
    assert!(held.len() == 8 && held.iter().all(|factor| factor.state == FactorState::Active));
}

/// A seed that was moved to another owner by hand is not one that this program gave.
#[tokio::test]
async fn a_device_that_is_given_away_in_the_database_denies() {
    let mut f = Fixture::new();
    f.store.enroll_device(nobodys(SERIAL, b"key"), device(SERIAL)).await.unwrap();
    f.enroll("jane", HOTP, b"jane").await;
    f.reopen_after(|c| {
        let sql = "UPDATE factor SET account_id = (SELECT id FROM account WHERE name = 'jane') WHERE serial IS NOT NULL";
        assert_eq!(c.execute(sql, []).unwrap(), 1);
    })
    .await;
    for code in [hotp(b"key", 0), hotp(b"jane", 0)] {
        assert!(matches!(f.try_code("jane", &code).await, Outcome::Tampered));
    }
    assert!(f.store.find(serial(SERIAL)).await.is_err());
}
