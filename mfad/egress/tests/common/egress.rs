//! The program itself, started for one test.

use std::{
    fs,
    io::Read as _,
    os::unix::{fs::PermissionsExt as _, net::UnixStream as StdStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use mfa_proto::{
    egress::{Done, Errand},
    hello::{Hello, Protocol, Welcome},
};
use mfa_role::wire::Wire;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::net::UnixStream;

use super::{LONG, credential};

/// Sends frames one by one; prints what comes after each.
const TALK: &str = r"
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for frame in sys.argv[2:]:
    try:
        s.sendall(bytes.fromhex(frame))
        print(s.recv(5000).hex())
    except OSError:
        print()
";

/// A running `mfad-egress`; ended when dropped.
pub(crate) struct Egress {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) child: Child,
}

impl Egress {
    /// Starts one and waits until it takes connections.
    pub(crate) fn start(sections: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_with(sections, environment, &[])
    }

    pub(crate) fn start_with(sections: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        credential(directory.path(), "token");
        write_config(directory.path(), sections);
        let child = Self::command(directory.path(), environment).args(arguments).spawn().unwrap();
        let mut egress = Self { directory, child };
        egress.wait("it takes connections", |egress| StdStream::connect(egress.socket()).is_ok());
        egress
    }

    pub(crate) fn command(directory: &Path, environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mfad-egress"));
        command.arg("--config").arg(directory.join("mfad.toml")).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("egress.sock")
    }

    pub(crate) fn wait(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let begun = std::time::Instant::now();
        while !so(self) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("ended with {status} before {what}:\n{}", self.log());
            }
            assert!(begun.elapsed() < LONG, "never: {what}");
            std::thread::yield_now();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// What it said, once it has ended.
    pub(crate) fn log(&mut self) -> String {
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }

    /// Ends it as a service manager does; what it said.
    pub(crate) fn stop(mut self) -> String {
        self.signal(Signal::SIGTERM);
        let log = self.log();
        assert!(self.child.wait().unwrap().success(), "{log}");
        assert!(!self.socket().exists(), "its socket goes with it");
        log
    }

    pub(crate) async fn connect(&self) -> Wire<UnixStream> {
        let mut wire = Wire::new(UnixStream::connect(self.socket()).await.unwrap());
        wire.write(&Hello::new(Protocol::Egress)).await.unwrap();
        assert_eq!(read::<Welcome>(&mut wire).await, Welcome::Version(1));
        wire
    }

    /// What another account hears after each of these frames; nothing where it was hung up on. Only root can be
    /// somebody else.
    pub(crate) fn heard_as(&self, account: &str, frames: &[&[u8]]) -> Vec<Vec<u8>> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={account}"), "--clear-groups", "/usr/bin/python3", "-c", TALK]);
        let output = command.arg(self.socket()).args(frames.iter().map(|frame| hex(frame))).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let heard: Vec<_> = text.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect();
        assert_eq!(heard.len(), frames.len(), "it could connect");
        heard
    }

    pub(crate) async fn ask(&self, errand: Errand) -> Done {
        let mut wire = self.connect().await;
        wire.write(&errand).await.unwrap();
        read(&mut wire).await
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn write_config(directory: &Path, sections: &str) {
    let place = directory.display();
    let text = format!(
        "[log]\ntarget = \"stderr\"\nlevel = \"debug\"\n[egress]\nsocket = \"{place}/egress.sock\"\ncredentials_dir = \"{place}/credentials\"\ntimeout = \"5s\"\ncore_user = \"nobody\"\n{sections}"
    );
    let file = directory.join("mfad.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
}

pub(crate) async fn read<T: serde::Serialize + serde::de::DeserializeOwned>(
    wire: &mut Wire<UnixStream>,
) -> T {
    tokio::time::timeout(LONG, wire.read()).await.expect("it answers").unwrap()
}
