//! The bytes of version 1 never change: each message of `golden/v1.txt` encodes to them and back.
//!
//! A difference means that modules and daemons of different builds no longer understand each other:
//! it takes a new version (`hello::NEWEST`) and a golden file of its own, not a new line here.

use std::{collections::BTreeSet, fmt::Write as _};

use mfa_proto::{
    admin::{Reply, Request},
    codec, frame,
    login::{ClientMessage, ServerMessage},
};

use super::samples::{self, Sample};

const GOLDEN: &str = include_str!("../golden/v1.txt");

fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let lines = GOLDEN.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, hex) = line.split_once(" = ").unwrap();
            let digits: Vec<_> = hex.chars().filter(|c| !c.is_whitespace()).collect();
            let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
            (name, digits.chunks(2).map(byte).collect())
        })
        .collect()
}

fn as_line(sample: &Sample) -> String {
    let mut line = format!("{} = ", sample.name);
    for byte in &sample.frame {
        write!(line, "{byte:02x}").unwrap();
    }
    line
}

#[test]
fn every_message_encodes_to_its_golden_bytes() {
    let ours: Vec<_> = samples::all().iter().map(as_line).collect();
    let theirs: Vec<_> = GOLDEN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(ours, theirs, "what is encoded now:\n{}", ours.join("\n"));
}

#[test]
fn golden_bytes_decode_to_the_message_they_are_named_after() {
    let samples = samples::all();
    let golden = golden();
    assert_eq!(samples.len(), golden.len());
    for (sample, (name, bytes)) in samples.iter().zip(golden) {
        let (header, payload) = bytes.split_at(frame::HEADER);
        assert_eq!(frame::payload_length([header[0], header[1]]), Ok(payload.len()), "{name}");
        let (again, shown) = (sample.decode)(payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again, bytes, "{name}");
        assert_eq!(shown, sample.shown, "{name}");
    }
}

/// The numbers of all golden messages whose names start so; asserts that each is what `tag` says.
fn tags<T: serde::Serialize + serde::de::DeserializeOwned>(prefix: &str, tag: fn(&T) -> u8) -> BTreeSet<u8> {
    let golden = golden();
    let of_this_kind = golden.iter().filter(|(name, _)| name.starts_with(prefix));
    of_this_kind
        .map(|(name, bytes)| {
            let message: T = codec::decode(&bytes[frame::HEADER..]).unwrap();
            assert_eq!(bytes[frame::HEADER], tag(&message), "{name}");
            bytes[frame::HEADER]
        })
        .collect()
}

#[test]
fn every_kind_of_message_is_in_the_golden_file() {
    assert_eq!(tags::<Request>("request/", samples::request_tag), (0..=40).collect());
    assert_eq!(tags::<Reply>("reply/", samples::reply_tag), (0..=23).collect());
    assert_eq!(tags::<ClientMessage>("client/", samples::client_tag), (0..=2).collect());
    assert_eq!(tags::<ServerMessage>("server/", samples::server_tag), (0..=2).collect());
    let verdicts: BTreeSet<_> = golden()
        .iter()
        .filter(|(name, _)| name.starts_with("server/settled/"))
        .map(|(name, bytes)| match codec::decode(&bytes[frame::HEADER..]).unwrap() {
            ServerMessage::Settled(verdict) => samples::verdict_tag(verdict),
            ServerMessage::Prompt { .. } | ServerMessage::Info(_) => panic!("{name} is no verdict"),
        })
        .collect();
    assert_eq!(verdicts, (0..=4).collect());
}
