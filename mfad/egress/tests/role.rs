//! The program itself: who may ask, what the environment has no say in, what the log holds, how it ends.
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
    os::unix::{fs::PermissionsExt as _, net::UnixStream as StdStream},
};

use common::{
    CODE, LONG, NUMBER, TOKEN,
    egress::{Egress, read, write_config},
    judge, secret, text_message,
};
use mfa_outside::{Authority, Names, Reply, SLAPD_PASSWORD as PASSWORD, Server, Slapd, Then, Time};
use mfa_proto::{
    codec,
    egress::{Done, Errand},
    hello::{Hello, Protocol, Welcome},
    name::UserName,
    password::{Check, Reply as Proof, Request},
};
use mfa_role::wire::Wire;
use nix::sys::signal::Signal;
use tokio::net::UnixStream;

const YES: &str = r#"{"result":true}"#;

fn rest(url: &str, more: &str) -> String {
    format!("[rest.corp]\nverify_url = \"{url}\"\n{more}\n")
}

#[tokio::test]
async fn errands_come_over_the_socket_one_by_one() {
    let server = Server::start(None, Reply::json(200, YES));
    let egress = Egress::start(&rest(&server.url("127.0.0.1", "/"), ""), &[]);
    assert_eq!(fs::metadata(egress.socket()).unwrap().permissions().mode() & 0o777, 0o660);
    let mut wire = egress.connect().await;
    for errand in [Errand::Ping, judge(), judge()] {
        wire.write(&errand).await.unwrap();
        assert_eq!(read::<Done>(&mut wire).await, Done::Yes);
    }
    assert_eq!(server.seen().len(), 2);
    for protocol in [Protocol::Login, Protocol::Admin] {
        let mut wire = Wire::new(UnixStream::connect(egress.socket()).await.unwrap());
        wire.write(&Hello::new(protocol)).await.unwrap();
        assert_eq!(read::<Welcome>(&mut wire).await, Welcome::Version(1));
        wire.write(&Errand::Ping).await.ok();
        let more = tokio::time::timeout(LONG, wire.read::<Done>()).await.expect("it hangs up");
        assert!(more.is_err(), "{protocol:?} is core's");
    }
    assert!(egress.stop().contains("stopping"));
}

#[tokio::test]
async fn strangers_are_hung_up_on() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can be somebody else");
        return;
    }
    let egress = Egress::start("", &[]);
    fs::set_permissions(egress.socket(), fs::Permissions::from_mode(0o666)).unwrap();
    let hello = || codec::encode(&Hello::new(Protocol::Egress)).unwrap();
    let greeted_as = |account: &str| egress.heard_as(account, &[&hello()])[0].len();
    assert!(greeted_as("nobody") > 0, "the account that core runs as, here");
    assert_eq!(greeted_as("games"), 0, "a stranger");
    let log = egress.stop();
    assert!(log.contains("only core's user and root may ask"), "{log}");
}

#[tokio::test]
async fn proxies_of_the_environment_have_no_say() {
    let authority = Authority::new();
    let server = Server::start(Some(&authority.issue(Names::Right, Time::Now)), Reply::json(200, YES));
    let proxy = Server::start(None, Reply::json(200, YES));
    let url = proxy.url("127.0.0.1", "");
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let environment: Vec<_> = names.iter().map(|name| (*name, url.as_str())).collect();
    let ca = format!("ca = \"{}\"", authority.file().display());
    for host in ["localhost", "127.0.0.1"] {
        let egress = Egress::start(&rest(&server.url(host, "/"), &ca), &environment);
        assert_eq!(egress.ask(judge()).await, Done::Yes);
        egress.stop();
    }
    let plain = Server::start(None, Reply::json(200, YES));
    let egress = Egress::start(&rest(&plain.url("127.0.0.1", "/"), ""), &environment);
    assert_eq!(egress.ask(judge()).await, Done::Yes);
    assert_eq!((server.seen().len(), plain.seen().len(), proxy.connections()), (2, 1, 0));
}

#[tokio::test]
async fn no_secret_is_in_log_command_line_or_environment() {
    let echo = Reply::json(500, &format!(r#"{{"to":"{NUMBER}","code":"{CODE}","token":"{TOKEN}"}}"#));
    let gateway = Server::start(None, echo.clone());
    let service = Server::start(None, echo);
    let sms = format!(
        "[sms]\ngateways = [\"a\", \"b\"]\n[sms.gateway.a]\ntype = \"http\"\nmethod = \"GET\"\nurl = \"{}\"\ncredential = \"token\"\nquery = {{ to = \"{{number}}\", text = \"{{text}}\", key = \"{{credential:token}}\" }}\n[sms.gateway.b]\ntype = \"http\"\nurl = \"http://127.0.0.1:1/{{credential:token}}/{{number}}/{{code}}\"\n",
        gateway.url("127.0.0.1", "/send")
    );
    let auth = "user = \"mfad\"\ncredential = \"token\"";
    let egress = Egress::start(&format!("{sms}{}", rest(&service.url("127.0.0.1", "/"), auth)), &[]);
    for reply in [None, Some(Reply::raw("garbage", Then::Close)), Some(Reply::json(200, YES))] {
        if let Some(reply) = reply {
            gateway.answer(reply.clone());
            service.answer(reply);
        }
        for errand in [text_message(), judge()] {
            let done = format!("{:?}", egress.ask(errand).await);
            assert!(!holds_secret(&done), "{done}");
        }
    }
    assert!(gateway.seen()[0].line().contains(CODE), "it was sent, to who is to have it");
    for what in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{}/{what}", egress.child.id())).unwrap_or_default();
        assert!(!holds_secret(&String::from_utf8_lossy(&bytes)), "{what}");
    }
    let log = egress.stop();
    assert!(!holds_secret(&log), "{log}");
    for part in ["gateway=\"a\"", "gateway=\"b\"", "status 500", "gateway=corp", "user=jane", "ms="] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
}

fn holds_secret(text: &str) -> bool {
    [CODE, TOKEN, NUMBER.trim_start_matches('+')].iter().any(|secret| text.contains(secret))
}

#[tokio::test]
async fn a_reload_takes_what_is_valid_and_keeps_what_was() {
    let (old, new) = (Server::start(None, Reply::json(200, YES)), Server::start(None, Reply::json(200, YES)));
    let mut egress = Egress::start(&rest(&old.url("127.0.0.1", "/"), ""), &[]);
    assert_eq!(egress.ask(judge()).await, Done::Yes);
    let place = egress.directory.path().to_owned();
    // One that is not valid, one whose credential is not there, one that is right: in this order.
    write_config(&place, "[rest.corp]\nverify_url = \"http://example.org/\"\n");
    egress.signal(Signal::SIGHUP);
    assert_eq!(egress.ask(judge()).await, Done::Yes);
    write_config(&place, &rest(&new.url("127.0.0.1", "/"), "credential = \"gone\""));
    egress.signal(Signal::SIGHUP);
    assert_eq!(egress.ask(judge()).await, Done::Yes);
    assert_eq!((old.seen().len(), new.seen().len()), (3, 0));
    write_config(&place, &rest(&new.url("127.0.0.1", "/"), "credential = \"token\""));
    egress.signal(Signal::SIGHUP);
    for _ in 0..10_000 {
        assert_eq!(egress.ask(judge()).await, Done::Yes, "no errand is lost on the way");
        if !new.seen().is_empty() {
            break;
        }
    }
    egress.wait("the new service is asked", |_| !new.seen().is_empty());
    assert_eq!(new.seen()[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert!(egress.stop().contains("read again"));
}

#[tokio::test]
async fn a_call_under_way_does_not_hold_up_the_end() {
    let hanging = Server::start(None, Reply::raw("", Then::Hang));
    let mut egress = Egress::start(&rest(&hanging.url("127.0.0.1", "/"), ""), &[]);
    let mut wire = egress.connect().await;
    wire.write(&judge()).await.unwrap();
    egress.wait("the call is under way", |_| !hanging.seen().is_empty());
    drop(egress.child.stdin.take());
    // Only a child was told to end with its standard input.
    assert_eq!(egress.ask(Errand::Ping).await, Done::Yes);
    egress.stop();
    assert!(tokio::time::timeout(LONG, wire.read::<Done>()).await.unwrap().is_err(), "nothing is made up");
}

#[tokio::test]
async fn an_errand_ends_when_its_asker_hangs_up() {
    let server = Server::start(None, Reply::raw("", Then::Hang));
    let sections = format!("max_calls = 1\n{}", rest(&server.url("127.0.0.1", "/"), ""));
    let mut egress = Egress::start(&sections, &[]);
    let mut wire = egress.connect().await;
    wire.write(&judge()).await.unwrap();
    egress.wait("the call is under way", |_| !server.seen().is_empty());
    assert_eq!(egress.ask(judge()).await, Done::Busy);
    server.answer(Reply::json(200, YES));
    drop(wire);
    let begun = std::time::Instant::now();
    while egress.ask(judge()).await != Done::Yes {
        assert!(begun.elapsed() < LONG, "its place is never free again");
    }
    let log = egress.stop();
    assert!(log.contains("given up: its asker is gone"), "{log}");
}

#[test]
fn a_child_ends_with_its_parent() {
    let mut child = Egress::start_with("", &[], &["--until-stdin-ends"]);
    drop(child.child.stdin.take());
    let begun = std::time::Instant::now();
    let status = loop {
        match child.child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(begun.elapsed() < LONG, "it goes on"),
        }
        std::thread::yield_now();
    };
    assert!(status.success());
}

#[test]
fn what_keeps_it_from_starting_is_told_all_at_once() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let told = |sections: &str| {
        write_config(directory.path(), sections);
        let output = Egress::command(directory.path(), &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let invalid = told("[rest.a]\nverify_url = \"http://example.org/\"\n[sms]\ndigits = 5\n");
    assert!(invalid.contains("unencrypted") && invalid.contains("from 6 to 8"), "{invalid}");
    let gone = "[rest.a]\nverify_url = \"https://a/\"\ncredential = \"one\"\n[rest.b]\nverify_url = \"https://b/\"\ncredential = \"two\"\n";
    let gone = told(gone);
    assert!(
        gone.contains("[rest.a]: there is no credential one") && gone.contains("credential two"),
        "{gone}"
    );
    assert!(!directory.path().join("egress.sock").exists());
}

#[tokio::test]
async fn garbage_ends_its_own_connection_and_nobody_elses() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let egress = Egress::start("", &[]);
    let mut well = egress.connect().await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0, 0], &[0, 1, 9]] {
        let mut stream = UnixStream::connect(egress.socket()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(LONG, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{garbage:?}");
        well.write(&Errand::Ping).await.unwrap();
        assert_eq!(read::<Done>(&mut well).await, Done::Yes);
    }
    let _silent: Vec<_> = (0..50).map(|_| StdStream::connect(egress.socket()).unwrap()).collect();
    assert_eq!(egress.ask(Errand::Ping).await, Done::Yes);
}

#[tokio::test]
async fn passwords_are_proven_by_a_directory_at_a_socket_of_their_own() {
    let slapd = Slapd::start(TOKEN, None);
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("password.sock");
    let sections = format!(
        "[ldap]\nservers = [{:?}]\nbind_dn = \"cn=mfad,dc=example,dc=org\"\ncredential = \"token\"\nbase = \"ou=people,dc=example,dc=org\"\npassword_socket = {socket:?}\n",
        slapd.socket()
    );
    let mut egress = Egress::start(&sections, &[]);
    egress.wait("it proves passwords", |_| StdStream::connect(&socket).is_ok());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    let greet = async |protocol| {
        let mut wire = Wire::new(UnixStream::connect(&socket).await.unwrap());
        wire.write(&Hello::new(protocol)).await.unwrap();
        assert_eq!(read::<Welcome>(&mut wire).await, Welcome::Version(1));
        wire
    };
    let check = |password: &str| {
        let user = UserName::new("jane").unwrap();
        Box::new(Check { user, password: secret(password), source: None })
    };
    for (request, proof) in [
        (Request::Check(check(PASSWORD)), Proof::Yes),
        (Request::Check(check("wrong")), Proof::No),
        (Request::Check(check("")), Proof::No),
        (Request::Change { check: check(PASSWORD), new: secret("Another-8") }, Proof::Refused),
    ] {
        let mut wire = greet(Protocol::Password).await;
        wire.write(&request).await.unwrap();
        assert_eq!(read::<Proof>(&mut wire).await, proof, "{request:?}");
    }
    // Errands are not done there.
    let mut wire = greet(Protocol::Egress).await;
    drop(wire.write(&Errand::Ping).await);
    assert!(tokio::time::timeout(LONG, wire.read::<Done>()).await.unwrap().is_err());
    drop(slapd);
    let mut wire = greet(Protocol::Password).await;
    wire.write(&Request::Check(check(PASSWORD))).await.unwrap();
    assert_eq!(read::<Proof>(&mut wire).await, Proof::Unavailable);
    let log = egress.stop();
    assert!(log.contains("password of \"jane\" from -: yes"), "{log}");
    for marker in [PASSWORD, TOKEN, "Another-8"] {
        assert!(!log.contains(marker), "{log}");
    }
}
