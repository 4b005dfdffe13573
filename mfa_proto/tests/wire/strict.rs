//! Two byte strings never mean the same message, and nothing that is not a message is taken for one.

use std::fmt::Debug;

use mfa_proto::{
    admin::{Reply, Request},
    codec::{self, CodecError},
    egress::{Done, Errand, MAX_SEALED},
    frame::{self, FrameError},
    front::{Ask, FrontMessage},
    hello::{Hello, Welcome},
    login::{ClientMessage, ServerMessage},
    password,
    secret::SecretText,
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{samples, strategies};

fn payload<T: Serialize>(message: &T) -> Vec<u8> {
    codec::encode(message).unwrap()[frame::HEADER..].to_vec()
}

/// What decodes must encode to the very same bytes; what does not must say so and not panic.
fn decodes_strictly<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(message) = codec::decode::<T>(bytes) {
        prop_assert_eq!(payload(&message), bytes);
    }
    Ok(())
}

fn all_decode_strictly(bytes: &[u8]) -> Result<(), TestCaseError> {
    decodes_strictly::<Hello>(bytes)?;
    decodes_strictly::<Welcome>(bytes)?;
    decodes_strictly::<ClientMessage>(bytes)?;
    decodes_strictly::<ServerMessage>(bytes)?;
    decodes_strictly::<password::Request>(bytes)?;
    decodes_strictly::<password::Reply>(bytes)?;
    decodes_strictly::<Errand>(bytes)?;
    decodes_strictly::<Done>(bytes)?;
    decodes_strictly::<Ask>(bytes)?;
    decodes_strictly::<FrontMessage>(bytes)?;
    decodes_strictly::<Request>(bytes)?;
    decodes_strictly::<Reply>(bytes)
}

fn comes_back<T: Debug + DeserializeOwned + Serialize>(message: &T) -> Result<T, TestCaseError> {
    let bytes = payload(message);
    let back: T = codec::decode(&bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(format!("{:?}", back), format!("{message:?}"));
    prop_assert_eq!(payload(&back), bytes);
    Ok(back)
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    for sample in samples::all() {
        let whole = sample.payload();
        for cut in 0..whole.len() {
            assert!((sample.decode)(&whole[..cut]).is_err(), "{} cut to {cut} bytes", sample.name);
        }
        for more in 0..=u8::MAX {
            let longer = [whole, &[more]].concat();
            assert!((sample.decode)(&longer).is_err(), "{} with {more} behind it", sample.name);
        }
    }
}

#[test]
fn a_number_written_longer_than_needed_is_refused() {
    for sample in samples::all().iter().filter(|sample| !sample.name.starts_with("hello/")) {
        let whole = sample.payload();
        assert!(whole[0] < 0x80, "{}: the tag fits seven bits", sample.name);
        let longer = [&[whole[0] | 0x80, 0], &whole[1..]].concat();
        let error = (sample.decode)(&longer).unwrap_err();
        assert_eq!(error, CodecError::NotCanonical, "{}", sample.name);
    }
    // The length of a text, and the number in a version.
    let answer = codec::decode::<ClientMessage>(&[1, 0x86, 0, b'1', b'2', b'3', b'4', b'5', b'6']);
    assert_eq!(answer.unwrap_err(), CodecError::NotCanonical);
    assert_eq!(codec::decode::<Welcome>(&[0, 0x81, 0]).unwrap_err(), CodecError::NotCanonical);
    assert_eq!(codec::decode::<Welcome>(&[0, 0x81, 0x80, 0]).unwrap_err(), CodecError::NotCanonical);
}

#[test]
fn numbers_out_of_range_and_unknown_kinds_are_refused() {
    let malformed = |result: Result<(), CodecError>| {
        assert!(matches!(result, Err(CodecError::Malformed { .. })), "{result:?}");
    };
    malformed(codec::decode::<Welcome>(&[0, 0xff, 0xff, 0x7f]).map(drop));
    malformed(codec::decode::<Welcome>(&[3]).map(drop));
    malformed(codec::decode::<ServerMessage>(&[2, 5]).map(drop));
    malformed(codec::decode::<Request>(&[13]).map(drop));
    malformed(codec::decode::<Reply>(&[8]).map(drop));
    malformed(codec::decode::<ServerMessage>(&[0, 1, b'x', 2, 1]).map(drop));
}

#[test]
fn fields_are_checked_by_their_types_while_decoding() {
    let refused = |bytes: &[u8]| {
        let error = codec::decode::<ClientMessage>(bytes).unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }), "{bytes:?}: {error}");
    };
    let start = |user: &[u8]| {
        let length = u8::try_from(user.len()).unwrap();
        [&[0, length], user, b"\x04sshd\x00\x00\x00\x00\x00"].concat()
    };
    assert!(codec::decode::<ClientMessage>(&start(b"jane")).is_ok());
    for user in [&b""[..], b"a/b", b" a", b"a\n", b"a:b", b"\xff", b"a\0"] {
        refused(&start(user));
    }
    let long = [&[1, 0x81, 0x04][..], &[b'1'; 513]].concat();
    refused(&long);
}

#[test]
fn what_does_not_fit_a_frame_is_refused_on_both_sides() {
    let text = "x".repeat(frame::MAX_PAYLOAD + 1);
    let error = codec::encode(&text).unwrap_err();
    assert!(matches!(error, CodecError::Frame(FrameError::TooLong(_))), "{error}");
    let error = codec::decode::<ClientMessage>(&vec![0; frame::MAX_PAYLOAD + 1]).unwrap_err();
    assert_eq!(error, CodecError::Frame(FrameError::TooLong(frame::MAX_PAYLOAD + 1)));
    assert_eq!(codec::decode::<ClientMessage>(&[]).unwrap_err(), CodecError::Frame(FrameError::Empty));
}

#[test]
fn a_secret_arrives_as_it_was_sent() {
    let sent = ClientMessage::Answer(SecretText::new("123 456".into()).unwrap());
    match codec::decode(&payload(&sent)).unwrap() {
        ClientMessage::Answer(secret) => assert_eq!(secret.expose(), "123 456"),
        other @ (ClientMessage::Start(_) | ClientMessage::Withheld(_)) => panic!("{other:?}"),
    }
}

#[test]
fn what_was_found_has_few_secrets_and_is_like_nothing() {
    let found = |secrets: usize| {
        let count = u8::try_from(secrets).unwrap();
        [&[5, 0, 0, count][..], &b"\x01s".repeat(secrets)].concat()
    };
    for secrets in 0..=MAX_SEALED {
        let (one, other) = (codec::decode::<Done>(&found(secrets)), codec::decode::<Done>(&found(secrets)));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one, other);
        assert_ne!(one, Done::No);
    }
    for secrets in [MAX_SEALED + 1, 100] {
        let error = codec::decode::<Done>(&found(secrets)).unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        all_decode_strictly(&bytes)?;
    }

    #[test]
    fn small_numbers_in_a_row_reach_deep_into_the_decoders(bytes in prop::collection::vec(0_u8..14, 0..64)) {
        all_decode_strictly(&bytes)?;
    }

    #[test]
    fn one_changed_byte_never_panics(which: prop::sample::Index, at: prop::sample::Index, with: u8) {
        let samples = samples::all();
        let mut bytes = which.get(&samples).payload().to_vec();
        *at.get_mut(&mut bytes) = with;
        all_decode_strictly(&bytes)?;
    }

    #[test]
    fn what_is_sent_is_what_arrives(
        hello in strategies::hello(),
        welcome in strategies::welcome(),
        start in strategies::start(),
        server in strategies::server_message(),
    ) {
        prop_assert_eq!(comes_back(&hello)?, hello);
        prop_assert_eq!(comes_back(&welcome)?, welcome);
        prop_assert_eq!(comes_back(&start)?, start);
        prop_assert_eq!(comes_back(&server)?, server);
    }

    #[test]
    fn what_is_asked_and_answered_is_what_arrives(
        client in strategies::client_message(),
        request in strategies::request(),
        reply in strategies::reply(),
        (errand, done) in strategies::look(),
    ) {
        comes_back(&client)?;
        comes_back(&errand)?;
        drop(comes_back(&done)?);
        comes_back(&request)?;
        comes_back(&reply)?;
    }

    #[test]
    fn a_secret_of_any_text_arrives_as_it_was_sent(secret in strategies::secret(), user in strategies::user()) {
        let sent = Request::Confirm { user, factor: None, code: secret };
        let back = comes_back(&sent)?;
        let code = |request: &Request| {
            let Request::Confirm { code, .. } = request else { return None };
            Some(code.expose().to_owned())
        };
        prop_assert_eq!(code(&back), code(&sent));
    }

    #[test]
    fn cut_or_lengthened_requests_are_refused(request in strategies::request(), cut: prop::sample::Index, more: u8) {
        let whole = payload(&request);
        prop_assert!(codec::decode::<Request>(&whole[..cut.index(whole.len())]).is_err());
        prop_assert!(codec::decode::<Request>(&[&whole[..], &[more]].concat()).is_err());
    }
}
