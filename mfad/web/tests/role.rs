//! The program itself: what it says when it cannot start, that a reload changes who may ask, how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream,
    pki_types::{CertificateDer, ServerName},
};

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);
/// Of a secret that nobody has.
const HASH: &str = "63a3d47f0a9d9f3a95bba7dcb2d8ad8d5b5d3f7e4a0f1c7a5a0d1e5d6d6cfa71";

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn config(directory: &Path, rest: &str) {
    let shown = directory.display();
    write(
        &directory.join("mfad.toml"),
        &format!(
            "[log]\ntarget = \"stderr\"\n[web]\ncredentials_dir = \"{shown}\"\ncore_socket = \"{shown}/core.sock\"\n\
             [[web.listen]]\nsocket = \"{shown}/http.sock\"\n{rest}"
        ),
    );
}

fn client(name: &str, token: &str) -> String {
    format!("[[web.client]]\nname = \"{name}\"\nrights = [\"verify\"]\ntoken = \"{token}\"\n")
}

fn start(directory: &Path) -> Child {
    start_saying(directory, Stdio::piped())
}

fn start_saying(directory: &Path, where_to: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mfad-web"));
    command.arg("--config").arg(directory.join("mfad.toml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(where_to).spawn().unwrap()
}

/// What it said, once it has ended.
fn said(child: &mut Child) -> String {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

fn wait_for(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONG, "never: {what}");
        std::thread::yield_now();
    }
}

/// The status of `GET /v1/status` with a token.
fn status(directory: &Path, token: &str) -> u16 {
    let mut stream = UnixStream::connect(directory.join("http.sock")).unwrap();
    let request = format!(
        "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_is_missing_is_told_all_at_once_and_nothing_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let bad = "[[web.client]]\nname = \"c\"\nrights = [\"verify\"]\nuser = \"u\"\ndigest = \"bad\"\n";
    config(directory.path(), &format!("{}{}{bad}", client("a", "none"), client("b", "bad")));
    write(&directory.path().join("bad"), "not a hash");
    let mut child = start(directory.path());
    let said = said(&mut child);
    assert!(!child.wait().unwrap().success());
    for part in [
        "\"a\": there is no credential none",
        "\"b\": the credential of `token`",
        "\"c\": the credential of `digest`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!directory.path().join("http.sock").exists());
}

#[test]
fn without_listeners_there_is_nothing_to_run() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("mfad.toml"), "");
    let mut child = start(directory.path());
    assert!(said(&mut child).contains("add [[web.listen]]"));
    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_reload_changes_who_may_ask_and_a_faulty_one_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    write(&at.join("a"), HASH);
    config(at, &client("a", "a"));
    let mut child = start(at);
    wait_for("it listens", || UnixStream::connect(at.join("http.sock")).is_ok());
    let mode = fs::metadata(at.join("http.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (first, second) = ("first-secret", "second-secret");
    let hash = |secret: &str| {
        use sha2::Digest as _;
        format!("{:x}", hyper::body::Bytes::copy_from_slice(&sha2::Sha256::digest(secret)))
    };
    assert_eq!(status(at, first), 401);
    write(&at.join("a"), &hash(first));
    kill(pid, Signal::SIGHUP).unwrap();
    wait_for("the new secret counts", || status(at, first) == 503);
    config(at, &format!("{}surprise = 1\n", client("a", "a")));
    write(&at.join("a"), &hash(second));
    kill(pid, Signal::SIGHUP).unwrap();
    // The fault is told, and what was in force stays; then it is mended.
    config(at, &client("a", "a"));
    kill(pid, Signal::SIGHUP).unwrap();
    wait_for("the mended one counts", || status(at, second) == 503);
    assert_eq!(status(at, first), 401);
    kill(pid, Signal::SIGTERM).unwrap();
    let said = said(&mut child);
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(!at.join("http.sock").exists(), "its socket goes with it");
    assert!(said.contains("GET \"/v1/status\" 503 from 127.0.0.1") && !said.contains(first), "{said}");
}

/// A certificate for this host, which is its own authority, with its key.
fn certificate() -> CertifiedIssuer<'static, KeyPair> {
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Puts certificate and key where the listener looks for them, as tools do that renew them: by links.
fn put(directory: &Path, number: u8, own: &CertifiedIssuer<'static, KeyPair>) {
    let archive = directory.join("archive");
    fs::create_dir_all(&archive).unwrap();
    write(&archive.join(format!("cert{number}.pem")), &own.pem());
    write(&archive.join(format!("key{number}.pem")), &own.key().serialize_pem());
    for name in ["cert", "key"] {
        let (link, new) = (directory.join(format!("live/{name}.pem")), directory.join("live/new"));
        std::os::unix::fs::symlink(format!("../archive/{name}{number}.pem"), &new).unwrap();
        fs::rename(new, link).unwrap();
    }
}

/// Whether a new connection is shown this certificate.
fn is_shown(directory: &Path, own: &CertifiedIssuer<'static, KeyPair>) -> bool {
    let der: CertificateDer<'static> = own.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(der).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut session =
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut socket = UnixStream::connect(directory.join("http.sock")).unwrap();
    let mut said = [0; 12];
    let mut stream = Stream::new(&mut session, &mut socket);
    let asked = stream.write_all(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    asked.and_then(|()| stream.read_exact(&mut said)).is_ok() && said == *b"HTTP/1.1 401"
}

#[test]
fn a_reload_shows_renewed_certificates_and_with_one_that_is_faulty_nothing_changes() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let (first, second, third) = (certificate(), certificate(), certificate());
    fs::create_dir(at.join("live")).unwrap();
    put(at, 1, &first);
    write(&at.join("a"), HASH);
    let tls = format!("certificate = \"{0}/live/cert.pem\"\nkey = \"{0}/live/key.pem\"\n", at.display());
    config(at, &format!("{tls}{}", client("a", "a")));
    let log = at.join("log");
    let says = |part: &str| fs::read_to_string(&log).unwrap().contains(part);
    let mut child = start_saying(at, fs::File::create(&log).unwrap().into());
    wait_for("it listens", || UnixStream::connect(at.join("http.sock")).is_ok());
    assert!(is_shown(at, &first));
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    put(at, 2, &second);
    assert!(is_shown(at, &first) && !is_shown(at, &second), "not before it is told");
    kill(pid, Signal::SIGHUP).unwrap();
    wait_for("the second is shown", || is_shown(at, &second));
    // A key that others may read, and one of another certificate: told, and the second goes on.
    put(at, 3, &third);
    fs::set_permissions(at.join("archive/key3.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    kill(pid, Signal::SIGHUP).unwrap();
    wait_for("the key's mode is told", || says("/archive/key3.pem "));
    assert!(is_shown(at, &second) && !is_shown(at, &third));
    write(&at.join("archive/key3.pem"), &second.key().serialize_pem());
    kill(pid, Signal::SIGHUP).unwrap();
    wait_for("that they do not fit is told", || says("certificate and key: "));
    assert!(is_shown(at, &second) && !is_shown(at, &third));
    write(&at.join("archive/key3.pem"), &third.key().serialize_pem());
    kill(pid, Signal::SIGHUP).unwrap();
    wait_for("the third is shown", || is_shown(at, &third));
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
}
