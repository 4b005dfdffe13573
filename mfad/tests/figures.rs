//! The figures as those who read them get them: over the administration protocol, the socket, and as a file;
//! and what Prometheus' own parser thinks of them.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use mfa_proto::{
    admin::{Reply, Request},
    hello::Protocol,
    login::Verdict,
};
use mfad::metrics;
use support::{Client, Daemon, hotp};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

/// A daemon that has let jane in once, and refused her once, with a name that no figure may tell.
async fn busy() -> Daemon {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane-of-nowhere").await;
    assert_eq!(daemon.login("jane-of-nowhere", &[&hotp(0)]).await.verdict, Verdict::Accept);
    assert_eq!(daemon.login("jane-of-nowhere", &["000000", "000000", "000000"]).await.verdict, Verdict::Deny);
    daemon
}

/// The whole text, part by part over one connection.
async fn by_verb(daemon: &Daemon) -> String {
    let mut client = Client::greet(&daemon.socket(), Protocol::Admin).await;
    let mut whole = String::new();
    loop {
        client.send(&Request::Metrics { after: u32::try_from(whole.len()).unwrap() }).await;
        let reply = client.receive().await;
        let Reply::Metrics { text, more } = reply else { panic!("{reply:?}") };
        whole.push_str(&text);
        if !more {
            return whole;
        }
        assert!(!text.is_empty());
    }
}

/// The socket, served.
fn served(daemon: &Daemon) -> (PathBuf, JoinHandle<()>) {
    let path = daemon.directory.path().join("figures.sock");
    let socket = UnixListener::bind(&path).unwrap();
    (path, tokio::spawn(metrics::serve(Arc::clone(&daemon.core), socket)))
}

/// What comes when `said` is said.
async fn answer(path: &Path, said: &[u8], half_close: bool) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(said).await.unwrap();
    if half_close {
        stream.shutdown().await.unwrap();
    }
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut text));
    // What is left unread of a request that is too long ends the connection with an error, behind the answer.
    let _all_or_reset = read.await.expect("it answers");
    String::from_utf8(text).unwrap()
}

fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn what_happened_is_what_is_told_and_no_name_is_in_it() {
    let daemon = busy().await;
    let text = by_verb(&daemon).await;
    for (sample, expected) in [
        ("mfad_logins_total{verdict=\"accept\"}", 1.0),
        ("mfad_logins_total{verdict=\"deny\"}", 1.0),
        ("mfad_logins_total{verdict=\"locked\"}", 0.0),
        ("mfad_denials_total{reason=\"wrong_code\"}", 1.0),
        ("mfad_factors_accepted_total{kind=\"hotp\"}", 1.0),
        ("mfad_factors_accepted_total{kind=\"totp\"}", 0.0),
        ("mfad_judging_seconds_count", 4.0),
        ("mfad_judging_seconds_bucket{le=\"+Inf\"}", 4.0),
        ("mfad_users", 1.0),
        ("mfad_active_factors", 1.0),
        ("mfad_store_up", 1.0),
        ("mfad_store_errors_total", 0.0),
        ("mfad_users_locked", 1.0),
    ] {
        assert_eq!(value(&text, sample).to_bits(), f64::to_bits(expected), "{sample} in\n{text}");
    }
    assert!(value(&text, "mfad_locks_total") >= 1.0);
    assert!(!text.contains("jane"), "{text}");
    daemon.core.store().shutdown().await;
    let text = by_verb(&daemon).await;
    assert_eq!(value(&text, "mfad_store_up").to_bits(), 0.0_f64.to_bits());
    assert!(text.ends_with("# EOF\n") && !text.contains("mfad_users ") && !text.contains("NaN"), "{text}");
}

/// The parser of the client library that Prometheus keeps, with its checks of names, units and buckets.
#[tokio::test]
async fn the_parser_of_prometheus_takes_it() {
    let text = by_verb(&busy().await).await;
    let script = "import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
from prometheus_client.parser import text_string_to_metric_families as parse_old
text = sys.stdin.read()
families = list(parse(text))
assert len(families) >= 15, len(families)
assert all(family.documentation for family in families)
# As node-exporter reads it from a file.
assert len(list(parse_old(text))) >= len(families)
print(sorted(family.name for family in families if family.type == 'counter'))
";
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut python = python.spawn().expect("python3 is there");
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let ran = python.wait_with_output().unwrap();
    let (told, wrong) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(
        ran.status.success(),
        "{wrong} (python3-prometheus-client: tests/setup/packages.sh test)\n{text}"
    );
    assert!(told.contains("'mfad_logins'"), "{told}");
}

#[tokio::test]
async fn the_socket_answers_http_and_everyone_else() {
    let daemon = busy().await;
    let (path, server) = served(&daemon);
    for (said, half_close) in [(&b""[..], true), (b"", false), (b"hello\n", true), (b"\x16\x03\x01", false)] {
        let plain = answer(&path, said, half_close).await;
        assert!(plain.starts_with("# TYPE mfad_build_info gauge\n") && plain.ends_with("# EOF\n"), "{plain}");
    }
    let http = answer(&path, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", false).await;
    let (head, body) = http.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0"));
    assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    assert!(body.ends_with("# EOF\n"));
    let head_only = answer(&path, b"HEAD /metrics HTTP/1.1\r\n\r\n", false).await;
    assert!(head_only.starts_with("HTTP/1.0 200 ") && head_only.ends_with("\r\n\r\n"), "{head_only}");
    assert!(answer(&path, b"POST /metrics HTTP/1.1\r\n\r\n", false).await.starts_with("HTTP/1.0 405 "));
    assert!(answer(&path, b"GET /x HTTP/1.1\r\n\r\n", false).await.starts_with("HTTP/1.0 404 "));
    let endless = [&b"GET / HTTP/1.1\r\n"[..], &b"x: y\r\n".repeat(2000)].concat();
    assert!(answer(&path, &endless, false).await.starts_with("HTTP/1.0 431 "));
    server.abort();
}

/// Clients that keep silent, or never end their request, are given up; the rest wait for their turn.
#[tokio::test]
async fn clients_that_hold_on_keep_nobody_out() {
    let daemon = busy().await;
    let (path, server) = served(&daemon);
    let mut held = Vec::new();
    for _ in 0..9 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        held.push(stream);
    }
    let text = answer(&path, b"GET / HTTP/1.1\r\n\r\n", false).await;
    assert!(text.starts_with("HTTP/1.0 200 "), "{text}");
    server.abort();
}

/// By curl and through the daemon's own chores: what an administrator sets up.
#[tokio::test]
async fn the_file_is_written_by_the_chores() {
    let daemon = Daemon::start("[metrics]\ntextfile = \"{dir}/mfad.prom\"\ninterval = \"5s\"").await;
    let file = daemon.directory.path().join("mfad.prom");
    let chores = tokio::spawn(mfad::upkeep::run(Arc::clone(&daemon.core)));
    let written = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), written).await.expect("it is written");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    chores.abort();
}

#[tokio::test]
async fn the_status_tells_the_same() {
    let daemon = busy().await;
    let reply = daemon.admin(Request::Status).await;
    let Reply::Status(status) = reply else { panic!("{reply:?}") };
    assert_eq!((status.accepted, status.denied, status.skipped, status.store_errors), (1, 1, 0, 0));
    assert_eq!((status.locked, status.notices, status.egress), (1, 0, None));
}

/// Egress that is needed and does not run is told, and soon.
#[tokio::test]
async fn the_status_tells_that_egress_is_away() {
    let daemon = Daemon::start(support::outside::OUTSIDE).await;
    let reply = daemon.admin(Request::Status).await;
    let Reply::Status(status) = reply else { panic!("{reply:?}") };
    let why = status.egress.expect("it is needed").expect_err("it does not run");
    assert!(why.as_str().contains("does mfad-egress run?"), "{why}");
}
