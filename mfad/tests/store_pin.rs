//! PINs before codes: nothing but both lets in, whatever is wrong looks and counts alike, and nothing that is edited
//! in the database takes a PIN away.
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
    answer::{Answer, AnswerShape, OtpCode, Pin},
    tag::Serial,
};
use mfad::{
    limits::Gate,
    seal::Keyring,
    store::{
        Attempt, Authority, Channel, Device, NewFactor, Order, Outcome, Reassign, Refused, Store,
        StoreSettings, Target,
    },
};
use store_common::*;

const PIN: &str = "1234";

fn pin(text: &str) -> Pin {
    Pin::new(text).unwrap()
}

fn device(text: &str) -> Device {
    Device { pin: Some(pin(text)), ..Device::default() }
}

/// What is typed at a prompt that takes PINs.
fn typed(text: &str) -> Attempt {
    typed_by("jane", text)
}

fn typed_by(name: &str, text: &str) -> Attempt {
    let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::EIGHT_DIGITS).or(AnswerShape::PINNED);
    answering(&context(name), shape.parse(text).unwrap())
}

async fn jane(f: &Fixture) -> FactorId {
    f.store.enroll_device(new_factor("jane", "one", HOTP, b"jane"), device(PIN)).await.unwrap().factor
}

async fn try_typed(f: &Fixture, text: &str) -> Outcome {
    f.store.attempt(typed(text)).await.unwrap()
}

fn with(pin: &str, counter: u64) -> String {
    format!("{pin}{}", hotp(b"jane", counter))
}

fn wrong_code() -> String {
    wrong(b"jane", 0)
}

fn is_wrong(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Wrong { .. })
}

#[tokio::test]
async fn the_pin_with_the_code_lets_in_once() {
    let f = Fixture::new();
    jane(&f).await;
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await));
    assert!(is_wrong(&try_typed(&f, &with(PIN, 0)).await), "a replay does not tell that its PIN is right");
    assert!(accepted(&try_typed(&f, &with(PIN, 1)).await));
}

#[tokio::test]
async fn whatever_is_wrong_looks_alike_counts_once_and_uses_up_no_code() {
    let f = Fixture::new();
    let factor = jane(&f).await;
    let answers = [
        ("a wrong PIN", with("1235", 0)),
        ("no PIN", hotp(b"jane", 0)),
        ("a PIN with more behind it", with("12345", 0)),
        ("a wrong code", format!("{PIN}{}", wrong_code())),
        ("both wrong", format!("9999{}", wrong_code())),
    ];
    for (what, answer) in answers {
        f.store.reset(order("jane")).await.unwrap();
        let outcome = try_typed(&f, &answer).await;
        let Outcome::Wrong { gate } = &outcome else { panic!("{what}: {outcome:?}") };
        assert_eq!(*gate, Gate::Open, "{what}: the first failure waits for nothing");
        assert_eq!((f.failures("jane", factor).await, f.failures_30_days("jane").await), (1, 1), "{what}");
        let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
        let last = rows.last().unwrap();
        assert_eq!((last.verdict.as_str(), last.reason.as_str()), ("deny", "wrong_code"), "{what}");
    }
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await), "the code was not used up");
}

#[tokio::test]
async fn a_used_code_with_a_guessed_pin_is_wrong_and_no_more() {
    let f = Fixture::new();
    jane(&f).await;
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await));
    for guess in [with(PIN, 0), with("1235", 0), hotp(b"jane", 0)] {
        let outcome = try_typed(&f, &guess).await;
        assert!(matches!(outcome, Outcome::Wrong { .. } | Outcome::Locked { .. }), "{outcome:?}");
        f.store.unlock(order("jane")).await.unwrap();
    }
}

#[tokio::test]
async fn locked_the_right_pin_and_code_do_not_help() {
    let f = Fixture::new();
    let factor = jane(&f).await;
    while !matches!(try_typed(&f, &with("1235", 0)).await, Outcome::Locked { .. }) {
        f.clock.advance(3);
    }
    let before = f.failures("jane", factor).await;
    let outcome = try_typed(&f, &with(PIN, 0)).await;
    assert!(matches!(outcome, Outcome::Locked { .. }), "{outcome:?}");
    assert_eq!(f.failures("jane", factor).await, before, "not judged, not counted");
    f.store.unlock(order("jane")).await.unwrap();
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await));
}

#[tokio::test]
async fn each_of_several_factors_wants_what_is_its_own() {
    let f = Fixture::new();
    let first = jane(&f).await;
    let eight = mfad::factor::Params::Hotp { algorithm: mfa_proto::admin::Algorithm::Sha256, digits: 8 };
    f.store.enroll_device(new_factor("jane", "eight", eight, b"eight"), device("12341234")).await.unwrap();
    let bare = f.store.enroll(new_factor("jane", "bare", HOTP, b"bare")).await.unwrap().factor;
    // A PIN before a code that wants none, and the other factor's PIN, are wrong for all.
    for guess in [format!("{PIN}{}", hotp(b"bare", 0)), with("12341234", 0)] {
        assert!(is_wrong(&try_typed(&f, &guess).await), "{guess}");
        f.store.unlock(order("jane")).await.unwrap();
    }
    assert_eq!((f.failures("jane", first).await, f.failures("jane", bare).await), (2, 2));
    assert!(accepted(&f.try_code("jane", &hotp(b"bare", 0)).await));
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await));
    assert_eq!(f.failures("jane", first).await, 0);
}

#[tokio::test]
async fn a_code_is_used_up_for_a_factor_with_the_same_seed_and_a_pin() {
    let f = Fixture::new();
    jane(&f).await;
    f.store.enroll(new_factor("jane", "bare", HOTP, b"jane")).await.unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
    let again = try_typed(&f, &with(PIN, 0)).await;
    assert!(is_wrong(&again), "{again:?}");
    assert!(accepted(&try_typed(&f, &with(PIN, 1)).await));
    let again = f.try_code("jane", &hotp(b"jane", 1)).await;
    assert!(matches!(again, Outcome::Used { .. }), "{again:?}");
}

#[tokio::test]
async fn no_pin_is_stretched_for_what_holds_none_and_one_for_every_name() {
    let f = Fixture::new();
    jane(&f).await;
    f.enroll("john", HOTP, b"john").await;
    let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::PINNED);
    let long = format!("{}123456", "x".repeat(Pin::LONGEST + 1));
    for nothing in ["", "123", &long, "pin 123456", "1234"] {
        assert!(shape.parse(nothing).is_none(), "{nothing}");
    }
    let before = f.store.pins_stretched();
    assert!(is_wrong(&f.try_code("jane", &wrong_code()).await));
    assert_eq!(f.store.pins_stretched(), before, "a bare code");
    // A name that holds a PIN, one that holds none, and one that nobody has.
    for (index, name) in ["jane", "john", "nobody"].into_iter().enumerate() {
        drop(f.store.attempt(typed_by(name, &format!("{PIN}{}", wrong_code()))).await.unwrap());
        assert_eq!(f.store.pins_stretched(), before + 1 + u64::try_from(index).unwrap(), "{name}");
    }
    f.store.stretch_in_vain(shape.parse("1234123456").unwrap()).await.unwrap();
    assert_eq!(f.store.pins_stretched(), before + 4);
}

fn owner_typed(text: Option<&str>) -> Order {
    let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::PINNED);
    let code = text.map(|text| shape.parse(text).unwrap().into());
    Order { authority: Authority::Owner { code, channel: Channel::Unproven }, ..order("jane") }
}

#[tokio::test]
async fn an_owner_changes_the_pin_with_the_one_before_and_never_takes_it_away() {
    let f = Fixture::new();
    jane(&f).await;
    let set = |order, text| f.store.set_pin(order, Target::default(), Some(pin(text)));
    for code in [None, Some(hotp(b"jane", 0)), Some(with("1235", 0))] {
        assert_eq!(refusal(set(owner_typed(code.as_deref()), "4321").await), Refused::WrongCode, "{code:?}");
        f.store.reset(order("jane")).await.unwrap();
    }
    let none = f.store.set_pin(owner_typed(Some(&with(PIN, 0))), Target::default(), None).await;
    assert!(matches!(refusal(none), Refused::Invalid(_)));
    set(owner_typed(Some(&with(PIN, 0))), "4321").await.unwrap();
    assert!(is_wrong(&try_typed(&f, &with(PIN, 1)).await), "the PIN before is void");
    assert!(accepted(&try_typed(&f, &with("4321", 1)).await));
    f.store.set_pin(order("jane"), Target::default(), None).await.unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 2)).await));
    let events: Vec<_> = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let events: Vec<_> =
        events.iter().map(|row| row.event.as_str()).filter(|e| e.starts_with("pin")).collect();
    assert_eq!(events, ["pin_set", "pin_clear"]);
}

#[tokio::test]
async fn a_pin_is_for_kinds_with_codes_alone() {
    let f = Fixture::new();
    f.enroll_rest("jane").await;
    let refused = f.store.set_pin(order("jane"), Target::default(), Some(pin(PIN))).await;
    assert_eq!(refusal(refused), Refused::NoSuchFactor);
    let new = f.store.enroll_device(NewFactor { activate: true, ..rest("john", true) }, device(PIN)).await;
    assert!(matches!(refusal(new), Refused::Invalid(_)));
    assert_eq!(refusal(f.store.show(user("john")).await), Refused::NotEnrolled, "it was taken back");
}

#[tokio::test]
async fn a_pin_that_is_edited_or_removed_in_the_database_denies() {
    let changes = [
        "UPDATE factor SET pin = NULL",
        "UPDATE factor SET pin = CAST(x'00' || substr(pin, 2) AS BLOB)",
        "UPDATE factor SET pin = (SELECT pin FROM factor WHERE label = 'other') WHERE label = 'one'",
        "UPDATE factor SET serial = 'OTHER' WHERE label = 'one'",
        "UPDATE factor SET description = 'other' WHERE label = 'one'",
        "UPDATE factor SET pin = sealed",
    ];
    for change in changes {
        let mut f = Fixture::new();
        jane(&f).await;
        let other = Device { serial: Some(Serial::new("X1").unwrap()), ..device("9999") };
        f.store.enroll_device(new_factor("jane", "other", HOTP, b"other"), other).await.unwrap();
        f.reopen_after(|c| assert!(c.execute(change, []).unwrap() > 0)).await;
        for answer in [with(PIN, 0), hotp(b"jane", 0), with("9999", 0)] {
            let outcome = try_typed(&f, &answer).await;
            assert!(matches!(outcome, Outcome::Tampered), "{change}: {outcome:?}");
        }
        let view = f.store.view(user("jane"), Channel::Proven).await.unwrap();
        assert!(view.tampered, "{change}");
    }
}

#[tokio::test]
async fn a_pin_survives_a_rotation_a_new_uid_and_a_restart() {
    let mut f = Fixture::new();
    jane(&f).await;
    let old = f.keyring.current();
    let key_file = f.directory.path().join("key");
    let rotated = Keyring::rotate(&key_file).unwrap();
    f.store.replace_keyring(rotated.clone()).await.unwrap();
    while f.store.rekey(2).await.unwrap() > 0 {}
    assert!(!Store::uses_key(&f.database(), &rotated, old).unwrap());
    f.keyring = Keyring::forget(&key_file, old).unwrap();
    f.store.replace_keyring(f.keyring.clone()).await.unwrap();
    f.reopen_after(|_| ()).await;
    assert!(is_wrong(&try_typed(&f, &with("1235", 0)).await));
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await));
    let present = mfad::identity::Account::Known { uid: 2000 };
    let moved = Order { uid: None, ..order("jane") };
    f.store.reassign(Reassign { order: moved, present, heir: mfad::store::Heir::SameName }).await.unwrap();
    let now = |text: &str| Attempt { uid: Some(2000), ..typed(text) };
    assert!(is_wrong(&f.store.attempt(now(&hotp(b"jane", 1))).await.unwrap()));
    assert!(accepted(&f.store.attempt(now(&with(PIN, 1))).await.unwrap()));
}

/// A copy from before the PIN was set must not open the factor without it.
#[tokio::test]
async fn a_restore_keeps_the_pin_that_was_set_since_the_copy() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let copy = f.store.backup().await.unwrap().path;
    f.store.set_pin(order("jane"), Target::default(), Some(pin(PIN))).await.unwrap();
    std::fs::rename(copy, Store::handed_over(&f.database())).unwrap();
    f.store.restore().await.unwrap();
    assert!(is_wrong(&f.try_code("jane", &hotp(b"jane", 0)).await));
    assert!(accepted(&try_typed(&f, &with(PIN, 0)).await));
}

#[tokio::test]
async fn no_pin_is_in_the_files_or_in_what_is_printed() {
    let f = Fixture::new();
    let secret = "MARKER-pin";
    let new = (new_factor("jane", "one", HOTP, b"jane"), device(secret));
    let mut printed = vec![format!("{new:?}")];
    f.store.enroll_device(new.0, new.1).await.unwrap();
    let attempt = typed(&with(secret, 0));
    printed.push(format!("{attempt:?}"));
    printed.push(format!("{:?}", f.store.attempt(attempt).await.unwrap()));
    printed.push(format!("{:?} {:?}", f.store.devices(user("jane")).await, f.store));
    printed.push(format!("{:?}", f.store.audit(AuditFilter::default(), 100).await.unwrap()));
    let printed = printed.join(" ");
    assert!(!printed.contains(secret) && !printed.contains(&hotp(b"jane", 0)), "{printed}");
    let files = std::fs::read_dir(f.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let bytes: Vec<u8> = files.flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(bytes.windows(4).any(|window| window == b"jane"), "the files were read");
    assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
}

#[tokio::test]
async fn a_code_that_was_sent_wants_the_pin_as_well() {
    let f = Fixture::with(StoreSettings::default());
    let phone = f.enroll_sms("jane", "+49305556667").await;
    f.store.set_pin(order("jane"), Target::default(), Some(pin(PIN))).await.unwrap();
    let login = context("jane");
    let sent = f.sent(&login, phone).await;
    let code = sent.code.expose();
    let answer = |text: &str| {
        let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::PINNED);
        answering(&login, shape.parse(text).unwrap())
    };
    assert!(is_wrong(&f.store.attempt(answer(code)).await.unwrap()));
    assert!(is_wrong(&f.store.attempt(answer(&format!("1235{code}"))).await.unwrap()));
    f.clock.advance(2);
    assert!(accepted(&f.store.attempt(answer(&format!("{PIN}{code}"))).await.unwrap()));
}

#[tokio::test]
async fn an_answer_that_nobody_stretched_is_not_judged() {
    let f = Fixture::new();
    let factor = jane(&f).await;
    let code = OtpCode::parse(&hotp(b"jane", 0)).unwrap();
    let confirmed = f.store.confirm(order("jane"), Some(factor), Answer::Code(code)).await;
    assert!(
        matches!(refusal(confirmed), Refused::WrongState(_)),
        "an active factor is not confirmed by a bare code"
    );
    assert_eq!(f.failures("jane", factor).await, 0);
}
