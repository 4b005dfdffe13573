//! Gateways for text messages: what they are sent, in which order they are tried, what counts as taken.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::{
    CODE, NUMBER, TOKEN, credential, outside, outside_with, run, text_message, text_message_to, why,
};
use mfa_outside::{Authority, Names, Reply, Server, Then, Time};
use mfa_proto::egress::Done;
use mfa_role::config::GatewayKind;

fn taken() -> Reply {
    Reply::new(200, "", "")
}

fn gateway(name: &str, server: &Server, more: &str) -> String {
    let url = server.url("127.0.0.1", "/send");
    format!(
        "[sms.gateway.{name}]\ntype = \"http\"\nurl = \"{url}\"\nform = {{ to = \"{{number}}\", text = \"{{text}}\" }}\n{more}\n"
    )
}

fn via(gateway: &str) -> Done {
    Done::Delivered { via: mfa_proto::text::ShownText::clean(gateway) }
}

#[tokio::test]
async fn gateways_are_tried_in_order_until_one_takes_the_message() {
    let servers: BTreeMap<_, _> = ["a", "b", "c"].map(|name| (name, Server::start(None, taken()))).into();
    let tables: String = servers.iter().map(|(name, server)| gateway(name, server, "")).collect();
    let outside =
        outside(&format!("[egress]\ntimeout = \"1s\"\n[sms]\ngateways = [\"b\", \"c\", \"a\"]\n{tables}"));
    let counts = || ["b", "c", "a"].map(|name| servers[name].seen().len());
    assert_eq!(run(&outside, text_message()).await, via("b"));
    assert_eq!(counts(), [1, 0, 0], "one message, one call");
    servers["b"].answer(Reply::new(500, "", ""));
    assert_eq!(run(&outside, text_message()).await, via("c"));
    assert_eq!(counts(), [2, 1, 0]);
    servers["b"].answer(Reply::raw("", Then::Hang));
    servers["c"].answer(Reply::new(302, "Location: /send\r\n", ""));
    assert_eq!(run(&outside, text_message()).await, via("a"));
    assert_eq!(counts(), [3, 2, 1]);
    servers["a"].answer(Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Then::Close));
    let told = why(run(&outside, text_message()).await);
    assert_eq!(
        told,
        "b does not answer in time; c answers with status 302; a breaks off, or does not speak HTTP"
    );
    assert_eq!(counts(), [4, 3, 2], "nobody is asked twice");
}

#[tokio::test]
async fn a_gateway_gets_number_and_text_and_nothing_else() {
    let server = Server::start(None, taken());
    let table = gateway("a", &server, "");
    let outside = outside(&format!("[egress]\nhost = \"h.example.org\"\n[sms]\ngateways = [\"a\"]\n{table}"));
    assert_eq!(run(&outside, text_message()).await, via("a"));
    let seen = server.seen();
    assert_eq!(seen[0].line(), "POST /send HTTP/1.1");
    let text = format!(
        "{CODE}%20is%20your%20code%20for%20h.example.org%2C%20good%20for%205%20min.%0A%0A%40h.example.org%20%23{CODE}"
    );
    assert_eq!(seen[0].body, format!("text={text}&to=%2B{}", NUMBER.trim_start_matches('+')));
    assert_eq!(seen[0].header("user-agent"), Some("mfad"));
    for bad in ["", "4917055501234", "+49170 5501234", "+49170555&text=x", "+4917055501234\r\n", "+0"] {
        let told = why(run(&outside, text_message_to(bad)).await);
        assert!(told.contains("no telephone number"), "{told}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_is_not_who_it_should_be_is_told_nothing() {
    let authority = Authority::new();
    let server = Server::start(Some(&authority.issue(Names::Wrong, Time::Now)), taken());
    let table = gateway("a", &server, &format!("ca = \"{}\"", authority.file().display()));
    let told = why(run(&outside(&format!("[sms]\ngateways = [\"a\"]\n{table}")), text_message()).await);
    assert!(told.starts_with("a is not trusted: "), "{told}");
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn credentials_go_where_they_are_named() {
    let authority = Authority::new();
    let server = Server::start(Some(&authority.issue(Names::Right, Time::Now)), taken());
    let places = credential(authority.directory(), "key");
    let url = server.url("localhost", "/{credential:key}/x?k={credential:key}");
    let text = format!(
        "[sms]\ngateways = [\"a\"]\n[sms.gateway.a]\ntype = \"http\"\nmethod = \"PUT\"\nurl = \"{url}\"\nca = \"{}\"\ncredential = \"key\"\nheaders = {{ X-Key = \"k {{credential:key}}\" }}\nquery = {{ q = \"{{user}}\" }}\njson = {{ to = [\"{{msisdn}}\"], n = 1, b = true, o = {{ text = \"{{code}}\", k = \"{{credential:key}}\" }} }}",
        authority.file().display()
    );
    assert_eq!(run(&outside_with(&text, &places), text_message()).await, via("a"));
    let seen = server.seen();
    assert_eq!(seen[0].line(), format!("PUT /{TOKEN}/x?k={TOKEN}&q=jane HTTP/1.1"));
    assert_eq!(seen[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(seen[0].header("x-key"), Some(format!("k {TOKEN}").as_str()));
    let msisdn = NUMBER.trim_start_matches('+');
    let sent = format!(r#"{{"b":true,"n":1,"o":{{"k":"{TOKEN}","text":"{CODE}"}},"to":["{msisdn}"]}}"#);
    assert_eq!(seen[0].body, sent);
}

#[tokio::test]
async fn messages_as_files_are_for_development() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("sms");
    let text = format!(
        "[sms]\ngateways = [\"a\"]\ntext = \"{{code}}\"\n[sms.gateway.a]\ntype = \"file\"\ndirectory = \"{}\"",
        folder.display()
    );
    let outside = outside(&text);
    for file in ["000001.txt", "000002.txt"] {
        assert_eq!(run(&outside, text_message()).await, via("a"));
        assert_eq!(fs::read_to_string(folder.join(file)).unwrap(), format!("{NUMBER}\n\n{CODE}\n"));
    }
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    assert!(why(run(&outside, text_message()).await).contains("cannot be written to"));
}

/// What the service of each ready gateway is sent, and an answer of its that means success.
fn ready() -> Vec<(&'static str, &'static str, &'static str, Reply)> {
    vec![
        (
            "android",
            "POST /3rdparty/v1/messages HTTP/1.1",
            r#"{"phoneNumbers":["NUMBER"],"textMessage":{"text":"CODE"},"ttl":300,"withDeliveryReport":false}"#,
            Reply::json(202, r#"{"id":"1","state":"Pending"}"#),
        ),
        (
            "aws",
            "POST /publish HTTP/1.1",
            r#"{"Message":"CODE","PhoneNumber":"NUMBER"}"#,
            Reply::json(200, "{}"),
        ),
        ("gammu", "POST /sms HTTP/1.1", r#"{"number":"NUMBER","text":"CODE"}"#, taken()),
        (
            "kannel",
            "GET /cgi-bin/sendsms?charset=UTF-8&from=mfad&password=TOKEN&text=CODE&to=ENCODED&username=mfad HTTP/1.1",
            "",
            Reply::new(202, "", "0: Accepted for delivery"),
        ),
        (
            "twilio",
            "POST /2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json HTTP/1.1",
            "Body=CODE&From=%2B15005550006&To=ENCODED",
            Reply::json(201, r#"{"sid":"SM1"}"#),
        ),
        (
            "vonage",
            "POST /sms/json HTTP/1.1",
            "api_key=TOKEN&api_secret=TOKEN&from=mfad&text=CODE&to=MSISDN",
            Reply::json(200, r#"{"message-count":"1","messages":[{"to":"1","status":"0"}]}"#),
        ),
    ]
}

fn filled(text: &str) -> String {
    let msisdn = NUMBER.trim_start_matches('+');
    text.replace("NUMBER", NUMBER)
        .replace("ENCODED", &format!("%2B{msisdn}"))
        .replace("MSISDN", msisdn)
        .replace("CODE", CODE)
        .replace("TOKEN", TOKEN)
}

#[tokio::test]
async fn the_ready_gateways_send_what_their_services_take() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc/gateways");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let ready = ready();
    assert_eq!(names, ready.iter().map(|(name, ..)| format!("{name}.toml")).collect::<Vec<_>>());
    for (name, line, body, success) in ready {
        let text = fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let config = common::config(&text);
        let GatewayKind::Http(http) = &config.sms().gateways[0].kind else { panic!("{name}") };
        let server = Server::start(None, success);
        let text = text.replace(&http.url.origin, &server.url("127.0.0.1", ""));
        let text = text.replace("[sms]\n", "[sms]\ntext = \"{code}\"\n");
        let directory = tempfile::tempdir().unwrap();
        let credentials = config.credentials();
        assert!(!credentials.is_empty(), "{name} sends to anyone who asks");
        for (_, wanted) in credentials {
            credential(directory.path(), wanted);
        }
        let outside = outside_with(&text, &directory.path().join("credentials"));
        assert_eq!(run(&outside, text_message()).await, via(name));
        let seen = &server.seen()[0];
        assert_eq!((seen.line(), &seen.body), (filled(line).as_str(), &filled(body)), "{name}");
        for failure in [Reply::new(401, "", ""), Reply::json(200, r#"{"messages":[{"status":"4"}]}"#)] {
            let lenient =
                failure.bytes.starts_with(b"HTTP/1.1 200") && ["android", "aws", "gammu"].contains(&name);
            server.answer(failure);
            let done = run(&outside, text_message()).await;
            assert_eq!(done == via(name), lenient, "{name}: {done:?}");
        }
    }
}
