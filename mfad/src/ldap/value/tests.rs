use mfa_proto::name::{RealmName, UserName};
use proptest::prelude::*;

use super::*;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// Made by another implementation (Python's `cryptography`, from the description above): nonces 64…6f, seeds
/// `12345678901234567890` for jane, and 00…3f for john.doe.
const JANE: &str = "mfad1$aes256gcm$38a8beeec1c7e8d7$sha1$6$30$ZGVmZ2hpamtsbW5vB+SET6sSt7N/d5FztItMvpqnsV6UZk2Bx02MTqDHkRpRC5t8";
const JOHN: &str = "mfad1$aes256gcm$38a8beeec1c7e8d7$sha512$8$60$ZGVmZ2hpamtsbW5vNte1eJohhoxOTqpKi7J3h72Omn0IB9vM0uXAv9a3CgQXsqq4c41r+UTUUpQO8qOLZYrPF+XUtd0V6fbnnR2nlIXCUCYo1Vo0YVBNI167o5g=";

fn key() -> ValueKey {
    ValueKey::parse(&text(KEY)).unwrap()
}

fn text(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::local(UserName::new(name).unwrap())
}

fn opened(value: &str, user: &UserId) -> Result<Sealed, Broken> {
    open(&key(), user, &text(value))
}

fn why(value: &str) -> Broken {
    opened(value, &user("jane")).unwrap_err()
}

#[test]
fn values_of_another_implementation_open() {
    let jane = opened(JANE, &user("jane")).unwrap();
    assert_eq!(jane.seed.expose(), b"12345678901234567890");
    assert_eq!(jane.params, TotpParams { algorithm: Algorithm::Sha1, digits: 6, period: 30 });
    let john = opened(JOHN, &user("john.doe")).unwrap();
    assert_eq!(john.seed.expose(), (0..64).collect::<Vec<u8>>());
    assert_eq!(john.params, TotpParams { algorithm: Algorithm::Sha512, digits: 8, period: 60 });
}

#[test]
fn what_is_sealed_opens_and_no_two_values_are_alike() {
    let secret = Sealed {
        params: TotpParams { algorithm: Algorithm::Sha256, digits: 6, period: 15 },
        seed: Seed::generate(Algorithm::Sha256).unwrap(),
    };
    let values = [(); 2].map(|()| seal(&key(), &user("jane"), &secret).unwrap());
    assert_ne!(values[0].expose(), values[1].expose());
    for value in values {
        let again = open(&key(), &user("jane"), &value).unwrap();
        assert_eq!((again.seed.expose(), again.params), (secret.seed.expose(), secret.params));
        assert!(value.expose().is_ascii() && !value.expose().contains(char::is_whitespace));
    }
}

#[test]
fn the_largest_secret_still_fits_what_may_be_said() {
    let params = TotpParams { algorithm: Algorithm::Sha512, digits: 8, period: 120 };
    let seed = Seed::new(vec![7; Seed::MAX].into()).unwrap();
    let value = seal(&key(), &user("jane"), &Sealed { params, seed }).unwrap();
    assert!(value.expose().len() < 300, "{}", value.expose().len());
}

#[test]
fn a_value_of_another_person_realm_or_key_does_not_open() {
    assert_eq!(opened(JANE, &user("john")).unwrap_err(), Broken::Sealed);
    assert_eq!(opened(JANE, &user("jan")).unwrap_err(), Broken::Sealed);
    let elsewhere = UserId { realm: RealmName::new("corp").unwrap(), ..user("jane") };
    assert_eq!(opened(JANE, &elsewhere).unwrap_err(), Broken::Sealed);
    let other = ValueKey::parse(&text(&"ab".repeat(32))).unwrap();
    let refused = open(&other, &user("jane"), &text(JANE)).unwrap_err();
    assert!(matches!(&refused, Broken::OtherKey { found, .. } if found == "38a8beeec1c7e8d7"), "{refused}");
    // Whoever writes the other key's id into the value gains nothing.
    let renamed = JANE.replace("38a8beeec1c7e8d7", other.id());
    assert_eq!(open(&other, &user("jane"), &text(&renamed)).unwrap_err(), Broken::Sealed);
}

#[test]
fn no_character_can_be_changed_taken_away_or_added() {
    for at in 0..JANE.len() {
        let (before, rest) = JANE.split_at(at);
        let after = rest.get(1..).unwrap();
        for put in ["A", "0", "1", "b", "$", "", "\n", "="] {
            let changed = format!("{before}{put}{after}");
            assert!(changed == JANE || opened(&changed, &user("jane")).is_err(), "{changed}");
            let longer = format!("{before}{put}{rest}");
            assert!(longer == JANE || opened(&longer, &user("jane")).is_err(), "{longer}");
        }
        assert!(opened(before, &user("jane")).is_err(), "cut at {at}");
    }
    assert!(opened(&format!("{JANE} "), &user("jane")).is_err());
}

#[test]
fn other_parameters_do_not_open_it_whether_they_make_sense_or_not() {
    for (from, to, expected) in [
        ("$sha1$", "$sha256$", Broken::Sealed),
        ("$6$", "$8$", Broken::Sealed),
        ("$30$", "$60$", Broken::Sealed),
        ("$6$", "$7$", Broken::Parameters),
        ("$6$", "$300$", Broken::Parameters),
        ("$30$", "$14$", Broken::Parameters),
        ("$30$", "$121$", Broken::Parameters),
        ("$30$", "$030$", Broken::Form),
        ("$6$", "$+6$", Broken::Form),
        ("$30$", "$99999$", Broken::Form),
        ("$sha1$", "$SHA1$", Broken::Form),
        ("$sha1$", "$md5$", Broken::Form),
        ("mfad1$", "mfad2$", Broken::Form),
        ("$aes256gcm$", "$aes128gcm$", Broken::Form),
        ("$38a8beeec1c7e8d7$", "$38A8BEEEC1C7E8D7$", Broken::Form),
    ] {
        assert_eq!(why(&JANE.replacen(from, to, 1)), expected, "{to}");
    }
}

#[test]
fn a_secret_that_is_too_short_is_refused_though_it_was_sealed_here() {
    let seed = Seed::brought_along(vec![7; 15].into()).unwrap();
    let params = TotpParams { algorithm: Algorithm::Sha1, digits: 6, period: 30 };
    let value = seal(&key(), &user("jane"), &Sealed { params, seed }).unwrap();
    assert_eq!(why(value.expose()), Broken::Seed);
    let wrong = TotpParams { digits: 7, ..params };
    let seed = Seed::generate(Algorithm::Sha1).unwrap();
    let refused = seal(&key(), &user("jane"), &Sealed { params: wrong, seed }).unwrap_err();
    assert_eq!(refused, Broken::Parameters);
}

#[test]
fn nothing_of_a_secret_is_printed() {
    let jane = opened(JANE, &user("jane")).unwrap();
    assert!(!format!("{jane:?}").contains("49, 50"), "{jane:?}");
    for value in ["MARKER", &JANE.replacen("$6$", "$MARKER$", 1), &format!("{JANE}MARKER")] {
        let refused = why(value);
        assert!(!format!("{refused} {refused:?}").contains("MARKER"), "{refused}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(value in "\\PC{0,200}") {
        prop_assert!(opened(&value, &user("jane")).is_err());
    }

    #[test]
    fn no_text_of_nearly_the_form_panics(
        id in "(38a8beeec1c7e8d7|[0-9a-f]{0,20})",
        rest in "[$a-z0-9]{0,30}",
        sealed in "[A-Za-z0-9+/=]{0,120}",
    ) {
        let value = format!("mfad1$aes256gcm${id}${rest}${sealed}");
        prop_assert!(opened(&value, &user("jane")).is_err());
    }
}
