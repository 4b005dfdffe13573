//! Passwords by a directory: `OpenLDAP`'s slapd with people in it, and servers that are away, wrong or hostile. Only a
//! bind that succeeded as the one entry of that very name is a yes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::Arc,
};

use common::{LONG, TOKEN, config, credential, secret};
use mfa_outside::{Authority, Names, SLAPD_PASSWORD as PASSWORD, Slapd, Time};
use mfa_proto::{
    name::UserName,
    password::{Check, Reply},
};
use mfa_role::credentials::Credentials;
use mfad_egress::{
    errand::Outside,
    ldap::{Directory, LdapTrouble},
};

/// What `[ldap]` makes of `lines`; the account is that of the test's servers.
fn directory(servers: &str, lines: &str) -> Arc<Directory> {
    made(servers, lines).unwrap_or_else(|fault| panic!("{fault}"))
}

fn made(servers: &str, lines: &str) -> Result<Arc<Directory>, String> {
    let place = tempfile::tempdir().unwrap();
    let places = Credentials::for_group(&credential(place.path(), "ldap"));
    let base = if lines.contains("base =") { "" } else { "base = \"ou=people,dc=example,dc=org\"" };
    let text = format!(
        "[ldap]\nservers = [{servers}]\nbind_dn = \"cn=mfad,dc=example,dc=org\"\ncredential = \"ldap\"\n{base}\n{lines}\n"
    );
    match Outside::new(Arc::new(config(&text)), &places) {
        Ok(outside) => Ok(outside.directory().expect("there is a directory")),
        Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
    }
}

async fn ask(directory: &Arc<Directory>, user: &str, password: &str) -> Result<Reply, LdapTrouble> {
    let user = UserName::new(user).unwrap();
    let check = Check { user, password: secret(password), source: None };
    tokio::time::timeout(LONG, Arc::clone(directory).prove(&check)).await.expect("it ends by itself")
}

/// Over the Unix socket of a server.
fn by_socket(slapd: &Slapd, lines: &str) -> Arc<Directory> {
    directory(&format!("\"{}\"", slapd.socket().display()), lines)
}

#[tokio::test]
async fn only_the_right_password_of_the_one_entry_is_a_yes() {
    let slapd = Slapd::start(TOKEN, None);
    let directory = by_socket(&slapd, "");
    assert_eq!(ask(&directory, "jane", PASSWORD).await, Ok(Reply::Yes));
    // The server takes a bind without a password for a success: it must not be asked.
    assert!(slapd.takes_empty_passwords());
    assert_eq!(ask(&directory, "reset", PASSWORD).await, Ok(Reply::MustChange));
    for (user, password) in [
        ("jane", "wrong"),
        ("reset", "wrong"),
        ("jane", ""),
        ("jane", TOKEN),
        ("nobody", PASSWORD),
        // Two entries have this name, and both this password.
        ("twin", PASSWORD),
        // To the directory it is the same name, to mfad it is somebody else's.
        ("JANE", PASSWORD),
        // An entry with two names is nobody's.
        ("alias", PASSWORD),
        ("aliased", PASSWORD),
        // The entry has no password.
        ("bare", PASSWORD),
        // It is elsewhere in the tree.
        ("outsider", PASSWORD),
    ] {
        assert_eq!(ask(&directory, user, password).await, Ok(Reply::No), "{user} {password:?}");
    }
}

#[tokio::test]
async fn a_name_is_never_a_part_of_the_filter() {
    let slapd = Slapd::start(TOKEN, None);
    let plain = by_socket(&slapd, "");
    let filtered = by_socket(&slapd, "filter = \"(&(objectClass=person)(uid={user})(!(uid=admin)))\"");
    assert_eq!(ask(&filtered, "jane", PASSWORD).await, Ok(Reply::Yes));
    assert_eq!(ask(&filtered, "admin", PASSWORD).await, Ok(Reply::No));
    assert_eq!(ask(&plain, "admin", PASSWORD).await, Ok(Reply::Yes));
    let mut tried = 0;
    for name in [
        "jan*",
        "*",
        "jane)(uid=*",
        "jane)(objectClass=*",
        "*)(|(uid=*",
        "jan\\65",
        "admin))(|(uid=x",
        "(jane)",
    ] {
        // What cannot be a name at all is refused before.
        let Ok(user) = UserName::new(name) else { continue };
        tried += 1;
        for directory in [&plain, &filtered] {
            assert_eq!(ask(directory, user.as_str(), PASSWORD).await, Ok(Reply::No), "{name}");
        }
    }
    assert!(tried > 0, "names with such characters come this far");
    assert_eq!(ask(&plain, "star*(x)", PASSWORD).await, Ok(Reply::Yes), "such a name is found as it stands");
    assert_eq!(ask(&plain, "starry(x)", PASSWORD).await, Ok(Reply::No));
}

#[tokio::test]
async fn tls_is_with_the_server_that_was_meant_or_nothing_is_sent() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let slapd = Slapd::start(TOKEN, Some(&authority.issue_files(Names::Right, Time::Now)));
    for (tls, port) in [("tls", slapd.tls_port), ("starttls", slapd.port)] {
        let lines = |ca: &Authority| format!("tls = \"{tls}\"\nport = {port}\nca = {:?}", ca.file());
        for host in ["\"localhost\"", "\"127.0.0.1\""] {
            let right = directory(host, &lines(&authority));
            assert_eq!(ask(&right, "jane", PASSWORD).await, Ok(Reply::Yes), "{tls}");
            assert_eq!(ask(&right, "jane", "wrong").await, Ok(Reply::No), "{tls}");
        }
        let wrong = ask(&directory("\"localhost\"", &lines(&stranger)), "jane", PASSWORD).await;
        assert!(matches!(wrong, Err(LdapTrouble::Tls(_))), "{tls}: {wrong:?}");
    }
    let other = Slapd::start(TOKEN, Some(&authority.issue_files(Names::Wrong, Time::Now)));
    let lines = format!("port = {}\nca = {:?}", other.tls_port, authority.file());
    let wrong = ask(&directory("\"localhost\"", &lines), "jane", PASSWORD).await;
    assert!(matches!(wrong, Err(LdapTrouble::Tls(_))), "another host's: {wrong:?}");
    let without = Slapd::start(TOKEN, None);
    let lines = format!("tls = \"starttls\"\nport = {}\nca = {:?}", without.port, authority.file());
    let refused = ask(&directory("\"localhost\"", &lines), "jane", PASSWORD).await;
    assert_eq!(refused, Err(LdapTrouble::NoStartTls));
}

#[tokio::test]
async fn a_directory_that_refers_or_refuses_gives_no_answer() {
    let slapd = Slapd::start(TOKEN, None);
    let elsewhere = by_socket(&slapd, "base = \"ou=elsewhere,dc=example,dc=org\"");
    assert_eq!(ask(&elsewhere, "jane", PASSWORD).await, Err(LdapTrouble::Referred));
    // Jane is below this base, and so is a reference to where another one may be.
    let whole = by_socket(&slapd, "base = \"dc=example,dc=org\"");
    assert_eq!(ask(&whole, "jane", PASSWORD).await, Err(LdapTrouble::Referred));
    let nowhere = by_socket(&slapd, "base = \"ou=nowhere,dc=example,dc=org\"");
    let refused = |step, code| Err(LdapTrouble::Refused { step, code });
    assert_eq!(ask(&nowhere, "jane", PASSWORD).await, refused("the search for the person", 32));
    let place = tempfile::tempdir().unwrap();
    let places = credential(place.path(), "ldap");
    std::fs::write(places.join("ldap"), "another\n").unwrap();
    let text = format!(
        "[ldap]\nservers = [{:?}]\nbind_dn = \"cn=mfad,dc=example,dc=org\"\ncredential = \"ldap\"\nbase = \"dc=example\"\n",
        slapd.socket()
    );
    let outside = Outside::new(Arc::new(config(&text)), &Credentials::for_group(&places)).unwrap();
    let directory = outside.directory().unwrap();
    assert_eq!(ask(&directory, "jane", PASSWORD).await, refused("the bind as `bind_dn`", 49));
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_away() {
    let slapd = Slapd::start(TOKEN, None);
    let both = directory(&format!("\"/nonexistent\", {:?}", slapd.socket()), "");
    assert_eq!(ask(&both, "jane", PASSWORD).await, Ok(Reply::Yes));
    assert_eq!(ask(&both, "jane", "wrong").await, Ok(Reply::No));
    let away = directory("\"/nonexistent\"", "");
    assert!(matches!(ask(&away, "jane", PASSWORD).await, Err(LdapTrouble::Unreachable(_))));
    drop(slapd);
    assert!(matches!(ask(&both, "jane", PASSWORD).await, Err(LdapTrouble::Unreachable(_))));
}

/// A server that says `answer` to whatever it is asked, and then `end`s or waits for the client to.
fn says(answer: Vec<u8>, ends: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 512];
            drop(stream.read(&mut asked));
            drop(stream.write_all(&answer));
            if !ends {
                while matches!(stream.read(&mut asked), Ok(1..)) {}
            }
        }
    });
    format!("tls = \"none\"\nport = {port}\ntimeout = \"1s\"")
}

/// An answer of success to request `number`, of the kind that `tag` says.
fn answer(tag: u8, number: u8) -> Vec<u8> {
    vec![0x30, 0x0c, 2, 1, number, tag, 7, 0x0a, 1, 0, 4, 0, 4, 0]
}

/// That a bind is a success.
fn bound(number: u8) -> Vec<u8> {
    answer(0x61, number)
}

#[tokio::test]
async fn what_comes_before_tls_is_not_believed_after_it() {
    let authority = Authority::new();
    let agreed = answer(0x78, 1);
    for more in [Vec::new(), [bound(1), bound(2), bound(3)].concat()] {
        let lines = says([agreed.clone(), more].concat(), false).replace("\"none\"", "\"starttls\"");
        let lines = format!("{lines}\nca = {:?}", authority.file());
        let said = ask(&directory("\"127.0.0.1\"", &lines), "jane", PASSWORD).await;
        assert!(matches!(said, Err(LdapTrouble::Tls(_) | LdapTrouble::Late)), "{said:?}");
    }
}

#[tokio::test]
async fn no_answer_of_a_server_is_a_yes_by_itself() {
    let nested: Vec<u8> = (0..200_000_u32)
        .flat_map(|depth| {
            let [_, a, b, c] = (900_000 - 4 * depth).to_be_bytes();
            [0x30, 0x83, a, b, c]
        })
        .collect();
    // Success of the first bind, then everything in its place.
    let with = |more: &[u8]| [bound(1).as_slice(), more].concat();
    for (what, answer) in [
        ("nothing", Vec::new()),
        ("another answer", bound(7)),
        ("a bind for a search", with(&bound(2))),
        ("text", b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        ("an empty message", vec![0x30, 0]),
        ("nothing but a number", vec![0x30, 3, 2, 1, 1]),
        ("another kind of number", vec![0x30, 0x0c, 4, 1, 1, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0]),
        ("the head of four gigabytes", with(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff])),
        ("zeros", vec![0; 1 << 20]),
        ("too deep", nested),
    ] {
        for ends in [true, false] {
            let lines = says(answer.clone(), ends);
            let said = ask(&directory("\"127.0.0.1\"", &lines), "jane", PASSWORD).await;
            assert!(said.is_err(), "{what}: {said:?}");
        }
    }
}

#[test]
fn a_filter_or_certificates_that_are_none_show_at_the_start() {
    let told = |lines: &str| made("\"localhost\"", lines).unwrap_err();
    let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert!(told(&format!("ca = {pem:?}")).starts_with("[ldap]: "));
    let ca = Authority::new();
    let fault = told(&format!("ca = {:?}\nfilter = \"(uid={{user}}\"", ca.file()));
    assert!(fault.contains("is no LDAP filter"), "{fault}");
}
