//! What a directory has of people: `OpenLDAP`'s slapd, and servers that are away, wrong or hostile. Something odd is
//! never taken for somebody who has nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod common;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    sync::Arc,
};

use common::{
    NUMBER, TOKEN, credential,
    egress::{Egress, read, write_config},
    outside, outside_with, run, why,
};
use mfa_outside::{Authority, Names, Slapd, Time};
use mfa_proto::{
    codec,
    egress::{Done, Errand, Found, Look},
    hello::{Hello, Protocol},
    name::{RealmName, UserId, UserName},
};
use mfad_egress::errand::Outside;
use nix::sys::signal::Signal;

const ADDRESS: &str = "whole@example.org";
const SEALED: [&str; 2] = ["{1}marker-sealed-YW5vdGhlcg==", "{1}marker-sealed-c2VhbGVk"];
const ALL: &str = "phone_attribute = \"mobile\"\nmail_attribute = \"mail\"\nsecret_attribute = \"mfadTotpSecret\"\nsecret_key = \"core-key\"\n";
const LOOKER: &str = "cn=mfad,dc=example,dc=org";

/// A server with people who have something.
fn slapd() -> Slapd {
    Slapd::start_with(TOKEN, None, &people())
}

fn people() -> String {
    let sealed =
        |count: usize| (0..count).map(|n| format!("mfadTotpSecret: s{n}\n")).collect::<Vec<_>>().concat();
    [
        (
            "whole",
            format!(
                "mobile: {NUMBER}\nmail: {ADDRESS}\nmfadTotpSecret: {}\nmfadTotpSecret: {}",
                SEALED[0], SEALED[1]
            ),
        ),
        ("phones", format!("mobile: {NUMBER}\nmobile: +1\nmail: {ADDRESS}\nmfadTotpSecret: s")),
        ("mails", format!("mobile: {NUMBER}\nmail: a@example.org\nmail: b@example.org")),
        // " spaced@example.org "
        ("spaced", "mail:: IHNwYWNlZEBleGFtcGxlLm9yZyA=\ndescription:: IA==".to_owned()),
        ("four", sealed(4)),
        ("five", sealed(5)),
        ("longest", format!("mfadTotpSecret: {}", "s".repeat(512))),
        ("long", format!("description: {0}\nmfadTotpSecret: {0}\nmfadTotpSecret: s", "s".repeat(513))),
        ("huge", format!("mobile: {NUMBER}\nmfadTotpSecret: {}", "s".repeat(20_000))),
        // A line feed, and a letter that is not ASCII.
        ("lines", "mfadTotpSecret:: YQpi\nmfadTotpSecret: s".to_owned()),
        ("letters", "description:: w6Q=".to_owned()),
        ("binary", format!("mobile: {NUMBER}\njpegPhoto:: /9j/4A==")),
        ("twin", format!("mobile: {NUMBER}\nemployeeType: second")),
        ("Mixed", format!("mobile: {NUMBER}")),
        ("options", "mfadTotpSecret;lang-en: s".to_owned()),
        ("star*(y)", format!("mobile: {NUMBER}")),
    ]
    .iter()
    // The other of this name is there already.
    .map(|(uid, lines)| match *uid {
        "twin" => Slapd::person(uid, lines).replacen("uid=twin", "employeeType=second", 1),
        _ => Slapd::person(uid, lines),
    })
    .collect()
}

/// What errands are made of with `[ldap]` of these servers, with `lines` more.
fn outside_of(servers: &str, lines: &str) -> Outside {
    let place = tempfile::tempdir().unwrap();
    outside_with(&section(servers, lines), &credential(place.path(), "token"))
}

fn section(servers: &str, lines: &str) -> String {
    let base = if lines.contains("base =") { "" } else { "base = \"ou=people,dc=example,dc=org\"\n" };
    format!("[ldap]\nservers = [{servers}]\nbind_dn = \"{LOOKER}\"\ncredential = \"token\"\n{base}{lines}\n")
}

fn socket(slapd: &Slapd) -> String {
    format!("\"{}\"", slapd.socket().display())
}

/// Over the Unix socket of a server.
fn by_socket(slapd: &Slapd, lines: &str) -> Outside {
    outside_of(&socket(slapd), lines)
}

fn errand(user: &str) -> Errand {
    Errand::Look(Box::new(Look { user: UserId::local(UserName::new(user).unwrap()) }))
}

/// Found, in plain words: number, address, secrets in order.
type Plain = (Option<String>, Option<String>, Vec<String>);

#[track_caller]
fn plain(done: Done) -> Plain {
    let Done::Found(found) = done else { panic!("nobody was found: {done:?}") };
    let Found { phone, mail, sealed } = *found;
    let text = |secret: &mfa_proto::secret::SecretText| secret.expose().to_owned();
    let mut sealed: Vec<_> = sealed.iter().map(text).collect();
    sealed.sort();
    (phone.as_ref().map(text), mail.as_ref().map(text), sealed)
}

async fn look(outside: &Outside, user: &str) -> Done {
    run(outside, errand(user)).await
}

#[tokio::test]
async fn what_is_there_and_was_asked_for_is_found() {
    let slapd = slapd();
    let all = by_socket(&slapd, ALL);
    let both = SEALED.map(str::to_owned).to_vec();
    assert_eq!(plain(look(&all, "whole").await), (Some(NUMBER.to_owned()), Some(ADDRESS.to_owned()), both));
    assert_eq!(plain(look(&all, "jane").await), (None, None, vec![]), "she has nothing, and is there");
    let addresses = by_socket(&slapd, "phone_attribute = \"mobile\"\nmail_attribute = \"MAIL\"");
    assert_eq!(
        plain(look(&addresses, "whole").await),
        (Some(NUMBER.to_owned()), Some(ADDRESS.to_owned()), vec![]),
        "no secret was asked for"
    );
    let other = by_socket(&slapd, "phone_attribute = \"homePhone\"");
    assert_eq!(plain(look(&other, "whole").await), (None, None, vec![]));
    let names = by_socket(&slapd, "mail_attribute = \"UID\"");
    assert_eq!(
        plain(look(&names, "whole").await),
        (None, Some("whole".to_owned()), vec![]),
        "who logs in by address"
    );
    // The realm is core's to judge.
    let user = UserId { realm: RealmName::new("corp").unwrap(), name: UserName::new("whole").unwrap() };
    assert_eq!(plain(run(&all, Errand::Look(Box::new(Look { user }))).await).0, Some(NUMBER.to_owned()));
    slapd.change(
        "dn: uid=whole,ou=people,dc=example,dc=org\nchangetype: modify\nreplace: mobile\nmobile: +1\n",
    );
    assert_eq!(plain(look(&all, "whole").await).0, Some("+1".to_owned()), "nothing is kept");
}

#[tokio::test]
async fn of_several_addresses_none_is_taken() {
    let slapd = slapd();
    let all = by_socket(&slapd, ALL);
    assert_eq!(plain(look(&all, "phones").await), (None, Some(ADDRESS.to_owned()), vec!["s".to_owned()]));
    assert_eq!(plain(look(&all, "mails").await), (Some(NUMBER.to_owned()), None, vec![]));
    assert_eq!(plain(look(&all, "spaced").await), (None, Some("spaced@example.org".to_owned()), vec![]));
    let odd = by_socket(&slapd, "phone_attribute = \"description\"\nmail_attribute = \"jpegPhoto\"");
    for user in ["spaced", "long", "binary"] {
        assert_eq!(plain(look(&odd, user).await), (None, None, vec![]), "{user}");
    }
}

#[tokio::test]
async fn odd_secrets_are_never_none() {
    let slapd = slapd();
    let all = by_socket(&slapd, ALL);
    assert_eq!(plain(look(&all, "four").await).2.len(), 4);
    assert_eq!(plain(look(&all, "longest").await).2[0].len(), 512);
    for (user, part) in [
        ("five", "more sealed secrets of the person than the 4 allowed"),
        ("long", "longer than 512 bytes"),
        ("huge", "more was answered than an answer may have"),
        ("lines", "no printable ASCII"),
        ("options", "other attributes than asked for"),
    ] {
        let told = why(look(&all, user).await);
        assert!(told.contains(part), "{user}: {told}");
    }
    for (attribute, user) in [("jpegPhoto", "binary"), ("description", "letters")] {
        let outside = by_socket(&slapd, &ALL.replace("mfadTotpSecret", attribute));
        let told = why(look(&outside, user).await);
        assert!(told.contains("no printable ASCII"), "{told}");
    }
    // The server answers by its own name for it.
    let renamed = by_socket(&slapd, "secret_attribute = \"rfc822Mailbox\"\nsecret_key = \"k\"");
    let told = why(look(&renamed, "whole").await);
    assert!(told.contains("other attributes than asked for"), "{told}");
    assert_eq!(plain(look(&renamed, "jane").await), (None, None, vec![]));
}

#[tokio::test]
async fn only_the_one_entry_of_the_very_name_is_the_persons() {
    let slapd = slapd();
    let all = by_socket(&slapd, ALL);
    for user in [
        "nobody",
        "twin",
        "WHOLE",
        "Whole",
        "mixed",
        "outsider",
        "*",
        "whol*",
        "whole)(uid=*",
        "*)(|(uid=*",
        "whole))(|(uid=x",
        "whol\\65",
        "alias",
        "aliased",
    ] {
        assert_eq!(look(&all, user).await, Done::No, "{user}");
    }
    assert_eq!(plain(look(&all, "Mixed").await).0, Some(NUMBER.to_owned()));
    assert_eq!(
        plain(look(&all, "star*(y)").await).0,
        Some(NUMBER.to_owned()),
        "such a name is found as it stands"
    );
    let filtered = by_socket(&slapd, &format!("{ALL}filter = \"(&(uid={{user}})(!(mail=*)))\""));
    assert_eq!(look(&filtered, "whole").await, Done::No);
    assert_eq!(plain(look(&filtered, "four").await).2.len(), 4);
}

#[tokio::test]
async fn a_directory_that_gives_no_answer_is_no_answer() {
    let slapd = slapd();
    for (lines, part) in [
        ("base = \"dc=example,dc=org\"", "refers to another server"),
        ("base = \"ou=elsewhere,dc=example,dc=org\"", "refers to another server"),
        ("base = \"ou=nowhere,dc=example,dc=org\"", "the search for the person with result code 32"),
    ] {
        let told = why(look(&by_socket(&slapd, &format!("{lines}\n{ALL}")), "whole").await);
        assert!(told.contains(part), "{told}");
    }
    let place = tempfile::tempdir().unwrap();
    let places = credential(place.path(), "token");
    fs::write(places.join("token"), "another\n").unwrap();
    let text = section(&socket(&slapd), ALL);
    let told = why(look(&outside_with(&text, &places), "whole").await);
    assert!(told.contains("the bind as `bind_dn` with result code 49"), "{told}");
    let both = outside_of(&format!("\"/nonexistent\", {}", socket(&slapd)), ALL);
    assert_eq!(plain(look(&both, "whole").await).0, Some(NUMBER.to_owned()), "the next server has it");
    drop(slapd);
    let told = why(look(&both, "whole").await);
    assert!(told.contains("cannot be reached"), "{told}");
    // It takes the connection, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let lines = format!("tls = \"none\"\nport = {port}\ntimeout = \"1s\"\n{ALL}");
    let told = why(look(&outside_of("\"127.0.0.1\"", &lines), "whole").await);
    assert!(told.contains("no answer in time"), "{told}");
}

/// A server that gives these answers, one to each question of a connection.
fn answers(said: Vec<Vec<u8>>) -> Outside {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            for answer in &said {
                drop(stream.read(&mut [0; 1024]));
                drop(stream.write_all(answer));
            }
            while matches!(stream.read(&mut [0; 1024]), Ok(1..)) {}
        }
    });
    let attributes = "mail_attribute = \"mail\"\nsecret_attribute = \"s\"\nsecret_key = \"k\"";
    outside_of("\"127.0.0.1\"", &format!("tls = \"none\"\nport = {port}\ntimeout = \"1s\"\n{attributes}"))
}

/// One element of BER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, content.len().try_into().unwrap()], content.as_slice()].concat()
}

/// An answer to question `number`.
fn answer(number: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, number], operation])
}

#[tokio::test]
async fn an_answer_that_is_none_fails_the_look_up_and_nothing_else() {
    let success = |tag| element(tag, &[&[0x0a, 1, 0, 4, 0, 4, 0]]);
    let bound = answer(1, &success(0x61));
    let attribute = |name: &[u8], values: &[&[u8]]| {
        let values: Vec<_> = values.iter().map(|value| element(4, &[value])).collect();
        let values: Vec<_> = values.iter().map(Vec::as_slice).collect();
        element(0x30, &[&element(4, &[name]), &element(0x31, &values)])
    };
    let entry = |attributes: &[&[u8]]| {
        let found = element(0x64, &[&element(4, &[b"uid=whole"]), &element(0x30, attributes)]);
        [answer(2, &found), answer(2, &success(0x65))].concat()
    };
    let uid = attribute(b"UID", &[b"whole"]);
    let mail = attribute(b"Mail", &[b" a@b "]);
    let right = answers(vec![bound.clone(), entry(&[&uid, &mail])]);
    assert_eq!(plain(look(&right, "whole").await), (None, Some("a@b".to_owned()), vec![]));
    for (what, found) in [
        ("an entry without anything", [answer(2, &element(0x64, &[])), answer(2, &success(0x65))].concat()),
        ("attributes that are none", entry(&[&uid, &[4, 1, b'x']])),
        ("a secret without a value", entry(&[&uid, &attribute(b"s", &[])])),
        ("an empty secret", entry(&[&uid, &attribute(b"s", &[b""])])),
        ("a secret that is no text", entry(&[&uid, &attribute(b"s", &[b"s", b"\xff"])])),
        ("a control character", entry(&[&uid, &attribute(b"s", &[b"s\x7f"])])),
        (
            "a reference",
            [answer(2, &element(0x73, &[&element(4, &[b"ldap://a"])])), answer(2, &success(0x65))].concat(),
        ),
        ("no end", answer(2, &element(0x64, &[&element(4, &[b"x"]), &element(0x30, &[&uid])]))),
        ("no LDAP", b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
    ] {
        let outside = answers(vec![bound.clone(), found]);
        let done = look(&outside, "whole").await;
        assert!(matches!(done, Done::Failed { .. }), "{what}: {done:?}");
        assert_eq!(run(&outside, Errand::Ping).await, Done::Yes);
    }
    for (what, found) in [
        ("another's", entry(&[&attribute(b"uid", &[b"Whole"])])),
        ("nobody", answer(2, &success(0x65))),
        ("no name", entry(&[&mail])),
    ] {
        assert_eq!(look(&answers(vec![bound.clone(), found]), "whole").await, Done::No, "{what}");
    }
}

#[tokio::test]
async fn tls_is_with_the_server_that_was_meant() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let slapd = Slapd::start_with(TOKEN, Some(&authority.issue_files(Names::Right, Time::Now)), &people());
    let by = |ca: &Authority| format!("port = {}\nca = {:?}\n{ALL}", slapd.tls_port, ca.file());
    let right = outside_of("\"localhost\"", &by(&authority));
    assert_eq!(plain(look(&right, "whole").await).0, Some(NUMBER.to_owned()));
    let told = why(look(&outside_of("\"localhost\"", &by(&stranger)), "whole").await);
    assert!(told.contains("TLS failed"), "{told}");
}

#[tokio::test]
async fn without_an_attribute_or_a_directory_nothing_is_looked_up() {
    let told = why(look(&outside(""), "whole").await);
    assert!(told.contains("[ldap] servers"), "{told}");
    let slapd = slapd();
    let told = why(look(&by_socket(&slapd, ""), "whole").await);
    assert!(told.contains("[ldap] phone_attribute"), "{told}");
}

#[tokio::test]
async fn look_ups_leave_places_to_others() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let lines = format!("tls = \"none\"\nport = {port}\ntimeout = \"25s\"\n{ALL}[egress]\nmax_calls = 8\n");
    let outside = Arc::new(outside_of("\"127.0.0.1\"", &lines));
    let waiting = [(); 2].map(|()| {
        let outside = Arc::clone(&outside);
        tokio::spawn(async move { outside.run(errand("whole")).await })
    });
    let accepted = tokio::task::spawn_blocking(move || [(); 2].map(|()| silent.accept().unwrap()));
    let _open = tokio::time::timeout(common::LONG, accepted).await.expect("both ask").unwrap();
    assert_eq!(look(&outside, "whole").await, Done::Busy, "a quarter of the places");
    let told = why(run(&outside, common::text_message()).await);
    assert!(told.contains("[sms] gateways"), "others have a place: {told}");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn core_is_answered_at_the_socket_of_errands_and_nobody_else() {
    let slapd = slapd();
    let egress = Egress::start(&section(&socket(&slapd), ALL), &[]);
    assert_eq!(plain(egress.ask(errand("whole")).await).0, Some(NUMBER.to_owned()));
    assert_eq!(egress.ask(errand("nobody")).await, Done::No);
    let [phones, five] = ["phones", "five"].map(errand);
    assert_eq!(plain(egress.ask(phones).await).0, None);
    why(egress.ask(five).await);
    if nix::unistd::geteuid().is_root() {
        fs::set_permissions(egress.socket(), fs::Permissions::from_mode(0o666)).unwrap();
        let hello = codec::encode(&Hello::new(Protocol::Egress)).unwrap();
        let asked = codec::encode(&errand("whole")).unwrap();
        let heard = egress.heard_as("nobody", &[&hello, &asked]);
        let done = codec::decode::<Done>(&heard[1][2..]).unwrap();
        assert_eq!(plain(done).0, Some(NUMBER.to_owned()), "the account that core runs as, here");
        assert_eq!(egress.heard_as("games", &[&hello, &asked]), [[0_u8; 0]; 2], "a stranger");
    }
    let log = egress.stop();
    for part in
        ["user=whole", "phone=true", "sealed=2", "more than one value of mobile", "more sealed secrets"]
    {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    for marker in [NUMBER, "7055501234", ADDRESS, "marker-sealed", TOKEN, "core-key"] {
        assert!(!log.contains(marker), "{marker} is in {log}");
    }
}

#[tokio::test]
async fn a_reload_begins_and_ends_it() {
    let slapd = slapd();
    let egress = Egress::start("", &[]);
    assert!(why(egress.ask(errand("whole")).await).contains("no directory"));
    let place = egress.directory.path().to_owned();
    let has = async |sections: &str, so: fn(&Done) -> bool| {
        write_config(&place, sections);
        egress.signal(Signal::SIGHUP);
        let begun = std::time::Instant::now();
        while !so(&egress.ask(errand("whole")).await) {
            assert!(begun.elapsed() < common::LONG, "never: {sections}");
        }
    };
    has(&section(&socket(&slapd), ALL), |done| matches!(done, Done::Found(_))).await;
    has("", |done| matches!(done, Done::Failed { .. })).await;
    let mut wire = egress.connect().await;
    wire.write(&errand("whole")).await.unwrap();
    assert!(why(read(&mut wire).await).contains("no directory"));
}
