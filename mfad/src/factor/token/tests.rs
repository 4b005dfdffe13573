//! The format, against what Prosody's own module says and against itself.

use proptest::prelude::*;

use super::*;

/// When the vectors were made.
const NOW: UnixTime = UnixTime(1_700_000_000);

fn text(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn token(typed: &str) -> SignedToken {
    SignedToken::parse(typed).unwrap_or_else(|| panic!("{typed:?} is a token"))
}

/// Two secrets, to be signed with.
struct Secrets(Seed, SecretText);

impl Secrets {
    fn of(seed: &str, signing: &str) -> Self {
        Self(Seed::brought_along_base32(&text(seed)).unwrap(), text(signing))
    }

    fn signer(&self) -> Signer<'_> {
        Signer { seed: &self.0, signing: &self.1 }
    }

    fn verify(&self, token: &SignedToken, jid: &Jid, now: UnixTime) -> Option<i64> {
        self.signer().verify(token, jid, now)
    }
}

const SIGNING: &str = "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7";

/// The secrets that the vectors were made with.
fn example_secrets() -> Secrets {
    Secrets::of("XVGR73KMZH2M4XMY", SIGNING)
}

fn alice() -> Jid {
    Jid::new("alice", "example.org")
}

const VALID: &str = "8095230901234567890123456789012345678901 WXbY0ciiLjRUajOrsRC8g7/HsqrN8erXnAoVYqMpIxI=";

#[test]
fn tokens_of_mod_auth_token_are_right_in_their_step() {
    let rows = [
        (-30, "2047009901234567890123456789012345678901 7QAuHVRxu2RfqA+hxp8iki+sTBxH0MZIjp6SA3gtpRk="),
        (0, VALID),
        (30, "0901786101234567890123456789012345678901 h2TCfy1/uUWnJ/yG6r02jt21NWXkcjtx/DFtHzRq9CY="),
    ];
    for (offset, typed) in rows {
        let step = step_at(NOW.plus(offset));
        for at in [-30, 0, 30] {
            let now = NOW.plus(offset + at);
            assert_eq!(example_secrets().verify(&token(typed), &alice(), now), Some(step), "{typed}");
        }
        for at in [-60, 60] {
            let now = NOW.plus(offset + at);
            assert_eq!(example_secrets().verify(&token(typed), &alice(), now), None, "two steps off");
        }
    }
}

#[test]
fn the_window_ends_where_the_steps_do() {
    // 1_700_000_000 is 20 seconds into its step: this token counts from 50 s before to 39 s after.
    for (offset, right) in [(-51, false), (-50, true), (39, true), (40, false)] {
        let step = example_secrets().verify(&token(VALID), &alice(), NOW.plus(offset));
        assert_eq!(step.is_some(), right, "{offset} s");
    }
}

#[test]
fn a_second_pair_of_secrets_and_another_host() {
    let secrets = Secrets::of("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", SIGNING);
    let typed = "8040605899999999999999999999999999999999 3VgeqKdi8u31nPvN2FwXPCE+4fLOV6wXML5x/2E7E8k=";
    let bob = Jid::new("bob", "chat.example.net");
    assert_eq!(secrets.verify(&token(typed), &bob, NOW), Some(step_at(NOW)));
    assert_eq!(example_secrets().verify(&token(typed), &bob, NOW), None);
}

#[test]
fn a_token_is_for_one_name_on_one_host() {
    for (name, host) in [("bob", "example.org"), ("alice", "example.com"), ("Alice", "example.org"), ("", "")]
    {
        assert_eq!(
            example_secrets().verify(&token(VALID), &Jid::new(name, host), NOW),
            None,
            "{name}@{host}"
        );
    }
    let shouted = Jid::new("alice", "EXAMPLE.org");
    assert!(example_secrets().verify(&token(VALID), &shouted, NOW).is_some(), "hosts have no case");
}

#[test]
fn a_signing_secret_that_looks_like_base32_is_taken_as_it_stands() {
    let decoded = "8095230901234567890123456789012345678901 MR7MOki/T34Z3Q7s19zPdqo9jFgP6BT2A7RbUPA9DCs=";
    assert_eq!(example_secrets().verify(&token(decoded), &alice(), NOW), None);
}

#[test]
fn a_signature_has_one_form_only() {
    // `I=` holds two bits that a lax decoder would drop: `J=`, `K=` and `L=` stand for the same bytes.
    let stem = VALID.strip_suffix("I=").unwrap();
    for end in ["J=", "K=", "L="] {
        let typed = format!("{stem}{end}");
        assert_eq!(example_secrets().verify(&token(&typed), &alice(), NOW), None, "{typed}");
    }
}

#[test]
fn one_wrong_bit_anywhere_is_wrong() {
    let secrets = example_secrets();
    for place in (0..VALID.len()).filter(|place| ![40, VALID.len() - 1].contains(place)) {
        let mut typed = VALID.as_bytes().to_vec();
        typed[place] = if typed[place] == b'1' { b'2' } else { b'1' };
        let typed = String::from_utf8(typed).unwrap();
        assert_eq!(secrets.verify(&token(&typed), &alice(), NOW), None, "{typed}");
    }
}

/// The file of verdicts, in its order, with the plainest of memories; the store's tests do it with its own.
#[test]
fn every_row_of_the_vectors_gets_the_verdict_of_the_fourth_column() {
    let mut seen_before: Vec<(i64, String)> = Vec::new();
    let mut rows = 0;
    for line in include_str!("../../../tests/golden/prosody-vectors.tsv").lines() {
        if line.starts_with('#') {
            continue;
        }
        let [user, typed, _theirs, ours, label] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("five columns in {line:?}");
        };
        let judged = SignedToken::parse(typed).and_then(|token| {
            let step = example_secrets().verify(&token, &Jid::new(user, "example.org"), NOW)?;
            Some((step, token.signed().to_owned()))
        });
        let accepted = judged.is_some_and(|seen| {
            let new = !seen_before.contains(&seen);
            seen_before.push(seen);
            new
        });
        assert_eq!(accepted.to_string(), ours, "{label}");
        rows += 1;
    }
    assert_eq!(rows, 11);
}

#[test]
fn issued_tokens_are_right_for_one_window_and_never_the_same() {
    let secrets = Secrets(Seed::generate(Algorithm::Sha1).unwrap(), fresh_signing().unwrap());
    let issue = || secrets.signer().issue(&alice(), NOW).unwrap();
    let (a, b) = (issue(), issue());
    assert_ne!(a.expose(), b.expose());
    for (offset, right) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
        let step = secrets.verify(&token(a.expose()), &alice(), NOW.plus(offset));
        assert_eq!(step, right.then(|| step_at(NOW)), "{offset} s");
    }
    assert_eq!(token(a.expose()).nonce().len(), usize::from(NONCE_DIGITS));
}

#[test]
fn what_is_issued_is_what_mod_auth_token_makes() {
    let made =
        example_secrets().signer().issue_with("01234567890123456789012345678901", &alice(), NOW).unwrap();
    assert_eq!(made.expose(), VALID);
    let next = example_secrets()
        .signer()
        .issue_with("01234567890123456789012345678901", &alice(), NOW.plus(30))
        .unwrap();
    assert!(next.expose().starts_with("09017861"), "a leading zero is kept");
}

#[test]
fn signing_secrets_are_visible_ascii_of_some_length() {
    for sound in [SIGNING, "sixteen-and-more", &"x".repeat(128)] {
        assert_eq!(check_signing(&text(sound)), Ok(()), "{sound}");
    }
    for faulty in ["", "fifteen-of-them", &"x".repeat(129), "two words, or even more", "sixteen-and-é-more"]
    {
        assert_eq!(check_signing(&text(faulty)), Err(NotASigningSecret), "{faulty}");
    }
    let (a, b) = (fresh_signing().unwrap(), fresh_signing().unwrap());
    assert_eq!((a.expose().len(), check_signing(&a)), (32, Ok(())));
    assert_ne!(a.expose(), b.expose());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_issued_token_is_right_where_it_was_meant(name in "[a-z][a-z0-9-]{0,30}", now in 0_i64..1 << 40) {
        let (jid, now) = (Jid::new(&name, "example.org"), UnixTime(now));
        let made = example_secrets().signer().issue(&jid, now).unwrap();
        prop_assert_eq!(example_secrets().verify(&token(made.expose()), &jid, now), Some(step_at(now)));
        prop_assert_eq!(example_secrets().verify(&token(made.expose()), &alice(), now).is_some(), name == "alice");
    }
}
