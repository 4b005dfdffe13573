//! A mail server for one test, and certificates for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use mfa_proto::secret::SecretText;
use mfad_egress::mail::{Letter, MailError, MailLogin, MailOptions, MailTls, Mailer};
use serde_json::Value;
use tokio::time::Instant;

/// Markers: what must not be seen where it does not belong.
pub(crate) const TO: &str = "jane.marker@example.org";
pub(crate) const CODE: &str = "755224";

/// Debian's, which has aiosmtpd; `python3` may be another one.
const PYTHON: &str = "/usr/bin/python3";

/// Enough for a slow machine; what is expected to happen ends the wait.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A running server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    events: BufReader<ChildStdout>,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one that does what `server.py` understands by `what`.
    pub(crate) fn start(what: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py");
        let mut child = Command::new(PYTHON)
            .arg(script)
            .arg(what.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut events = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        events.read_line(&mut line).unwrap();
        let port =
            line.trim().parse().expect("a port: is python3-aiosmtpd installed? tests/setup/packages.sh test");
        Self { child, events, port }
    }

    /// Ends the server and tells what happened there.
    pub(crate) fn end(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        let lines = self.events.by_ref().lines().map(Result::unwrap);
        lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Authority, and certificates signed by it, made by openssl.
pub(crate) struct Certificates {
    directory: tempfile::TempDir,
}

impl Certificates {
    pub(crate) fn new(authority: &str) -> Self {
        let made = Self { directory: tempfile::tempdir().unwrap() };
        let subject = format!("/CN={authority}");
        made.run(&["req", "-x509", "-days", "2", "-subj", &subject, "-keyout", "ca.key", "-out", "ca.pem"]);
        made
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> Vec<u8> {
        std::fs::read(self.directory.path().join("ca.pem")).unwrap()
    }

    /// Certificate and key in one file, for the host `name`.
    pub(crate) fn chain(&self, name: &str) -> PathBuf {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        let signed = ["req", "-x509", "-days", "2", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", &subject];
        let rest = ["-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"];
        self.run(&[&signed[..], &rest, &["-keyout", &key, "-out", &certificate]].concat());
        let path = |name: &str| self.directory.path().join(name);
        let both = [std::fs::read(path(&certificate)).unwrap(), std::fs::read(path(&key)).unwrap()].concat();
        let chain = path(&format!("{name}.chain"));
        std::fs::write(&chain, both).unwrap();
        chain
    }

    fn run(&self, arguments: &[&str]) {
        let (first, rest) = arguments.split_first().unwrap();
        let done = Command::new("openssl")
            .arg(first)
            .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(rest)
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// Options for a server on this host that bears the name `localhost`.
pub(crate) fn options(port: u16, tls: MailTls, ca: Option<Vec<u8>>) -> MailOptions {
    MailOptions {
        server: "localhost".into(),
        port,
        tls,
        ca,
        login: None,
        from: "Zugänge <mfa@example.org>".into(),
        hello: "host.example.org".into(),
    }
}

pub(crate) fn login(password: &str) -> MailLogin {
    let password = SecretText::new(password.into()).unwrap();
    MailLogin { user: "mfa".into(), password }
}

/// Sends the usual message.
pub(crate) async fn deliver(options: MailOptions, wait: Duration) -> Result<(), MailError> {
    deliver_to(TO, options, wait).await
}

pub(crate) async fn deliver_to(to: &str, options: MailOptions, wait: Duration) -> Result<(), MailError> {
    let to = SecretText::new(to.into()).unwrap();
    let text = format!("Code: {CODE}\nFür sshd on host.example.org.\n.\n\n@host.example.org #{CODE}\n");
    let letter = Letter { to: &to, subject: "Your code for host.example.org – Zugang", text: &text };
    let result = Mailer::new(options).unwrap().deliver(&letter, Instant::now() + wait).await;
    if let Err(error) = &result {
        let told = format!("{error} {error:?}");
        assert!(!told.contains("marker") && !told.contains(CODE), "{told}");
    }
    result
}
