//! Outside services that answer in every wrong way: what they say counts only as their contract has it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod common;

use common::{CODE, LONG, TOKEN, consultation, credential, judge, outside, outside_with, run, why};
use mfa_outside::{Authority, Identity, Names, Reply, Server, Then, Time};
use mfa_proto::{
    egress::{Consultation, Done, Errand},
    name::Claim,
};

const YES: &str = r#"{"result":true}"#;

fn service(url: &str, more: &str) -> String {
    format!("[egress]\ntimeout = \"2s\"\n[rest.corp]\nverify_url = \"{url}\"\n{more}")
}

fn pinned(server: &Server, authority: &Authority) -> String {
    service(&server.url("localhost", "/verify"), &format!("ca = \"{}\"", authority.file().display()))
}

#[tokio::test]
async fn a_service_is_asked_as_lemonldap_asks_and_its_boolean_counts() {
    let authority = Authority::new();
    let server = Server::start(Some(&authority.issue(Names::Right, Time::Now)), Reply::json(200, YES));
    let places = credential(authority.directory(), "corp");
    let more =
        "user = \"mfad\"\ncredential = \"corp\"\nverify_args = { ip = \"source\", realm = \"'example'\" }\n";
    let outside = outside_with(&format!("{}\n{more}", pinned(&server, &authority)), &places);
    assert_eq!(run(&outside, judge()).await, Done::Yes);
    server.answer(Reply::json(200, r#"{"result":false}"#));
    let unknown = Consultation { source: None, ..consultation(Some("quo\"te")) };
    assert_eq!(run(&outside, Errand::Judge(Box::new(unknown))).await, Done::No);
    let seen = server.seen();
    assert_eq!((seen.len(), server.connections()), (2, 2));
    assert_eq!(seen[0].line(), "POST /verify HTTP/1.1");
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(seen[0].header("authorization"), Some("Basic bWZhZDptYXJrZXItdG9rZW4tOGYzYg=="));
    assert_eq!((seen[0].header("accept-encoding"), seen[0].header("cookie")), (None, None));
    let sent = format!(r#"{{"code":"{CODE}","ip":"192.0.2.7","realm":"example","user":"jane.doe"}}"#);
    assert_eq!(seen[0].body, sent);
    assert_eq!(seen[1].body, r#"{"code":"quo\"te","ip":null,"realm":"example","user":"jane.doe"}"#);
}

#[tokio::test]
async fn who_cannot_prove_to_be_the_host_is_told_nothing() {
    let authority = Authority::new();
    let ca = format!("ca = \"{}\"", authority.file().display());
    let cases: [(&str, Identity, &str); 5] = [
        ("another host's certificate", authority.issue(Names::Wrong, Time::Now), &ca),
        ("self-signed", Authority::self_signed(), &ca),
        ("expired", authority.issue(Names::Right, Time::Past), &ca),
        ("not yet valid", authority.issue(Names::Right, Time::Future), &ca),
        ("an authority the system does not know", authority.issue(Names::Right, Time::Now), ""),
    ];
    for (what, identity, trust) in cases {
        let server = Server::start(Some(&identity), Reply::json(200, YES));
        for host in ["localhost", "127.0.0.1"] {
            let outside = outside(&service(&server.url(host, "/"), trust));
            let told = why(run(&outside, judge()).await);
            assert!(told.contains("not trusted"), "{what}: {told}");
        }
        assert_eq!((server.seen().len(), server.connections()), (0, 2), "{what}");
    }
}

#[tokio::test]
async fn a_pinned_authority_is_the_only_one() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::start(Some(&theirs.issue(Names::Right, Time::Now)), Reply::json(200, YES));
    let told = why(run(&outside(&pinned(&server, &ours)), judge()).await);
    assert!(told.contains("not trusted"), "{told}");
    assert_eq!(server.seen(), []);
    assert_eq!(run(&outside(&pinned(&server, &theirs)), judge()).await, Done::Yes);
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_plain() {
    let authority = Authority::new();
    let server = Server::start(None, Reply::json(200, YES));
    let url = server.url("localhost", "/").replace("http:", "https:");
    let ca = format!("ca = \"{}\"", authority.file().display());
    why(run(&outside(&service(&url, &ca)), judge()).await);
    assert_eq!(server.seen(), []);
}

fn chunked(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
}

/// Answers that must not be taken for yes, nor for no, with what the log says.
fn misbehavior() -> Vec<(&'static str, Reply, &'static str)> {
    vec![
        ("a text", Reply::json(200, r#"{"result":"true"}"#), "JSON that its contract"),
        ("a number", Reply::json(200, r#"{"result":1}"#), "JSON that its contract"),
        ("a list", Reply::json(200, "[true]"), "JSON that its contract"),
        ("both", Reply::json(200, r#"{"result":false,"result":true}"#), "holds a key twice"),
        ("twice", Reply::json(200, r#"{"result":true,"result":true}"#), "holds a key twice"),
        ("more after it", Reply::json(200, r#"{"result":true}{"result":false}"#), "not JSON"),
        ("HTML", Reply::new(200, "Content-Type: text/html\r\n", "<html>true</html>"), "not JSON"),
        ("nothing", Reply::new(204, "", ""), "not JSON"),
        ("401", Reply::json(401, YES), "status 401"),
        ("500", Reply::json(500, YES), "status 500"),
        ("300", Reply::json(300, YES), "status 300"),
    ]
}

/// Answers that do not keep to HTTP, to bounds, or to the time.
fn breakage() -> Vec<(&'static str, Reply, &'static str)> {
    let text = |text: &str| Reply::raw(text, Then::Close);
    let mib = "x".repeat(1024 * 1024);
    vec![
        ("switching protocols", text("HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), ""),
        ("huge, by its length", Reply::new(200, "", &mib), "64 KiB"),
        (
            "huge and endless",
            Reply::raw(
                chunked(""),
                Then::Flood(b"400\r\n".iter().chain(&[b' '; 1024]).chain(b"\r\n").copied().collect()),
            ),
            "64 KiB",
        ),
        ("huge headers", Reply::raw("HTTP/1.1 200 OK\r\n", Then::Flood(b"X-More: more\r\n".to_vec())), ""),
        ("endless interim answers", Reply::raw("", Then::Flood(b"HTTP/1.1 103 Early\r\n\r\n".to_vec())), ""),
        ("no answer", Reply::raw("", Then::Hang), "in time"),
        ("half a head", Reply::raw("HTTP/1.1 200 OK\r\nConte", Then::Hang), "in time"),
        (
            "half a body",
            Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"result\":", Then::Hang),
            "in time",
        ),
        (
            "a body bit by bit",
            Reply::raw(
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", YES.len() + 999),
                Then::Dribble(vec![b' '; 999]),
            ),
            "in time",
        ),
        ("nothing and gone", text(""), "breaks off"),
        (
            "a body that ends early",
            text(&format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{YES}")),
            "breaks off",
        ),
        ("chunks that end early", Reply::raw(chunked(&format!("f\r\n{YES}\r\n")), Then::Close), "breaks off"),
        (
            "a body cut off by who knows whom",
            Reply::raw(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{YES}"), Then::Vanish),
            "breaks off",
        ),
        (
            "a body shorter than sent",
            Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"result\":true}", Then::Close),
            "not JSON",
        ),
        (
            "two lengths",
            text(&format!("HTTP/1.1 200 OK\r\nContent-Length: 15\r\nContent-Length: 16\r\n\r\n{YES} ")),
            "",
        ),
        ("compressed", Reply::new(200, "Content-Encoding: gzip\r\n", "\u{1f}\u{8b}"), "not JSON"),
        ("no HTTP", text("SSH-2.0-OpenSSH_9.2p1\r\n"), "breaks off"),
        ("HTTP 0.9", text(YES), "breaks off"),
    ]
}

#[tokio::test]
async fn an_answer_that_is_not_as_agreed_is_neither_yes_nor_no() {
    let authority = Authority::new();
    let server = Server::start(Some(&authority.issue(Names::Right, Time::Now)), Reply::json(200, YES));
    let outside = outside(&pinned(&server, &authority));
    let cases = misbehavior().into_iter().chain(breakage());
    for (asked, (what, reply, told)) in cases.enumerate() {
        server.answer(reply);
        let why = why(run(&outside, judge()).await);
        assert!(why.contains(told), "{what}: {why}");
        assert_eq!(server.seen().len(), asked + 1, "{what}: asked once");
    }
    server.answer(Reply::json(200, YES));
    assert_eq!(run(&outside, judge()).await, Done::Yes, "the one before does not linger");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(None, Reply::json(200, YES));
    let to = elsewhere.url("127.0.0.1", "/yes");
    let server = Server::start(None, Reply::json(200, YES));
    let outside = outside(&service(&server.url("127.0.0.1", "/verify"), ""));
    for status in [301, 302, 303, 307, 308] {
        for to in [to.as_str(), "/yes"] {
            server.answer(Reply::new(status, &format!("Location: {to}\r\n"), YES));
            let told = why(run(&outside, judge()).await);
            assert!(told.contains(&format!("status {status}")), "{told}");
        }
    }
    assert_eq!((server.seen().len(), elsewhere.connections()), (10, 0));
    assert!(server.seen().iter().all(|seen| seen.line() == "POST /verify HTTP/1.1"));
}

#[tokio::test]
async fn what_a_connection_still_holds_answers_no_other_question() {
    let server = Server::start(None, Reply::json(200, r#"{"result":false}"#));
    let outside = outside(&service(&server.url("127.0.0.1", "/"), ""));
    let no = Reply::json(200, r#"{"result":false}"#).bytes;
    let yes = Reply::json(200, YES).bytes;
    server.answer(Reply::raw([no.clone(), yes].concat(), Then::Stay));
    for question in 1..=3 {
        assert_eq!(run(&outside, judge()).await, Done::No);
        assert_eq!(server.connections(), question);
    }
    server.answer(Reply::raw(no, Then::Stay));
    assert_eq!(run(&outside, judge()).await, Done::No);
    assert_eq!((server.seen().len(), server.connections()), (4, 4));
}

#[tokio::test]
async fn a_service_that_refuses_to_begin_is_a_failure() {
    let server = Server::start(None, Reply::json(200, YES));
    let url = server.url("127.0.0.1", "/init");
    let text = format!(
        "[rest.corp]\ninit_url = \"{url}\"\ninit_args = {{ from = \"service\" }}\ncode_regex = '\\d{{8}}'"
    );
    let outside = outside(&text);
    let begin = |code| Errand::Begin(Box::new(consultation(code)));
    assert_eq!(run(&outside, begin(Some(CODE))).await, Done::Yes);
    assert_eq!(server.seen()[0].body, format!(r#"{{"code":"{CODE}","from":"sshd","user":"jane.doe"}}"#));
    for reply in [Reply::json(200, r#"{"result":false}"#), Reply::json(500, YES), Reply::json(200, "{}")] {
        server.answer(reply);
        why(run(&outside, begin(Some(CODE))).await);
    }
    let told = why(run(&outside, judge()).await);
    assert!(told.contains("no address for that"), "{told}");
}

#[tokio::test]
async fn the_plain_contract_posts_the_code_and_reads_the_status() {
    let server = Server::start(None, Reply::new(200, "", "whatever"));
    let url = server.url("127.0.0.1", "/otp/{remote_user}/check");
    let outside = outside(&service(&url, "contract = \"pam_2fa\""));
    let ask = |user: &str, code: &str| {
        Errand::Judge(Box::new(Consultation { remote_user: Claim::clean(user), ..consultation(Some(code)) }))
    };
    assert_eq!(run(&outside, ask("jane&d/e", CODE)).await, Done::Yes);
    let seen = server.seen();
    assert_eq!((seen[0].line(), seen[0].body.as_str()), ("POST /otp/jane%26d%2Fe/check HTTP/1.1", CODE));
    for (status, done) in [(401, Done::No), (403, Done::No)] {
        server.answer(Reply::new(status, "", ""));
        assert_eq!(run(&outside, ask("jane", CODE)).await, done);
    }
    for status in [201, 204, 302, 404, 500] {
        server.answer(Reply::new(status, "", ""));
        why(run(&outside, ask("jane", CODE)).await);
    }
    let asked = server.seen().len();
    server.answer(Reply::new(200, "", ""));
    // A name that would lead elsewhere, and an answer that would be read as a form of several fields.
    for name in ["..", "."] {
        why(run(&outside, ask(name, CODE)).await);
    }
    for code in ["1&user=root", "", "1\r\n", "ü"] {
        assert_eq!(run(&outside, ask("jane", code)).await, Done::No, "{code:?}");
    }
    assert_eq!(server.seen().len(), asked);
}

#[tokio::test]
async fn linotp_is_asked_by_a_form_and_its_value_counts() {
    let answer = |value: &str| {
        Reply::json(
            200,
            &format!(r#"{{"version":"LinOTP 2.11.2","result":{{"status":true,"value":{value}}},"id":0}}"#),
        )
    };
    let server = Server::start(None, answer("true"));
    let url = server.url("127.0.0.1", "/validate/check");
    let outside = outside(&service(&url, "contract = \"validate\"\nverify_args = { realm = \"'a&b'\" }"));
    assert_eq!(run(&outside, judge()).await, Done::Yes);
    let seen = server.seen();
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[0].body, format!("user=jane.doe&pass={CODE}&realm=a%26b"));
    let tricky = Errand::Judge(Box::new(consultation(Some("1&user=root%00+"))));
    assert_eq!(run(&outside, tricky).await, Done::Yes);
    assert_eq!(server.seen()[1].body, "user=jane.doe&pass=1%26user%3Droot%2500%2B&realm=a%26b");
    server.answer(answer("false"));
    assert_eq!(run(&outside, judge()).await, Done::No);
    for value in ["\"true\"", "1", "{\"value\":true}"] {
        server.answer(answer(value));
        why(run(&outside, judge()).await);
    }
}

#[tokio::test]
async fn what_is_not_configured_fails() {
    let outside = outside("");
    for (errand, part) in [(judge(), "[rest.corp]"), (common::text_message(), "[sms] gateways")] {
        let told = why(run(&outside, errand).await);
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(run(&outside, Errand::Ping).await, Done::Yes);
}

#[tokio::test]
async fn a_service_that_hangs_stops_no_other_and_one_too_many_is_told_so() {
    let hanging = Server::start(None, Reply::raw("", Then::Hang));
    let well = Server::start(None, Reply::json(200, YES));
    let (stuck, url) = (hanging.url("127.0.0.1", "/"), well.url("127.0.0.1", "/"));
    let services: String =
        ["a", "b", "c", "d"].map(|n| format!("[rest.{n}]\nverify_url = \"{stuck}\"\n")).concat();
    let text =
        format!("[egress]\nmax_calls = 8\ntimeout = \"50s\"\n{services}[rest.corp]\nverify_url = \"{url}\"");
    let outside = std::sync::Arc::new(outside(&text));
    let of = |name: &str| {
        let consultation = Consultation { outside: name.parse().unwrap(), ..consultation(Some(CODE)) };
        Errand::Judge(Box::new(consultation))
    };
    let begin = |name: &str| {
        let (outside, errand) = (std::sync::Arc::clone(&outside), of(name));
        tokio::spawn(async move { outside.run(errand).await })
    };
    let mut waiting = vec![begin("a"), begin("a")];
    until(|| hanging.seen().len() == 2).await;
    assert_eq!(run(&outside, of("a")).await, Done::Busy, "one service has a quarter of the places");
    for _ in 0..20 {
        assert_eq!(run(&outside, judge()).await, Done::Yes);
    }
    waiting.extend(["b", "b", "c", "c", "d", "d"].map(begin));
    until(|| hanging.seen().len() == 8).await;
    assert_eq!(run(&outside, judge()).await, Done::Busy);
    assert_eq!(run(&outside, Errand::Ping).await, Done::Yes, "to be there is no call");
    assert!(waiting.iter().all(|task| !task.is_finished()));
    let gone = waiting.pop().unwrap();
    gone.abort();
    assert!(gone.await.is_err());
    assert_eq!(run(&outside, judge()).await, Done::Yes, "who goes makes room");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn credentials_and_certificates_that_are_not_there_are_all_told_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let places = credential(directory.path(), "here");
    let text = "[rest.a]\nverify_url = \"https://a/\"\ncredential = \"gone\"\n[rest.b]\nverify_url = \"https://b/\"\ncredential = \"here\"\n[sms]\ngateways = [\"c\"]\n[sms.gateway.c]\ntype = \"http\"\nurl = \"https://c/{credential:lost}\"\nform = { a = \"{number}{text}\" }";
    let places = mfa_role::credentials::Credentials::for_group(&places);
    let faults = mfad_egress::errand::Outside::new(common::config(text).into(), &places).unwrap_err();
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("[sms.gateway.c]: there is no credential lost"), "{told:#?}");
    assert!(told[1].starts_with("[rest.a]: there is no credential gone"), "{told:#?}");
    assert!(!told.concat().contains(TOKEN));
    let text = "[rest.a]\nverify_url = \"https://a/\"\nca = \"/nonexistent/ca.pem\"";
    let faults = mfad_egress::errand::Outside::new(common::config(text).into(), &places).unwrap_err();
    assert!(faults[0].to_string().contains("/nonexistent/ca.pem"), "{faults:?}");
}

/// Waits until something is so.
async fn until(so: impl Fn() -> bool) {
    tokio::time::timeout(LONG, async {
        while !so() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("what was waited for happens");
}
