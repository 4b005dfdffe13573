//! The password prover of a world, and a front end's side of its socket. Refuses to judge: it says what the
//! prover said.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use mfa_proto::{
    codec, frame,
    hello::{Hello, Protocol, Welcome},
    password::{Reply, Request},
};
use nix::unistd::{Gid, Uid, setegid, seteuid};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    sys::{PATIENCE, wait_until},
    world::{Account, PLACE, World},
};

/// Where it listens.
pub const SOCKET: &str = "/run/mfad-password/password.sock";

/// A running prover; ended when dropped.
#[derive(Debug)]
pub struct Prover {
    /// The account that may ask.
    pub front: Account,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Prover {
    /// Starts it with the service file as it is installed.
    #[track_caller]
    pub fn start(world: &World, arguments: &[&str]) -> Self {
        fs::write("/etc/pam.d/mfad-password", include_str!("../../etc/pam.d/mfad-password"))
            .expect("the world's /etc is writable");
        Self::start_as(world, "mfad-web", arguments)
    }

    /// Starts it for a front end of this name.
    #[track_caller]
    pub fn start_as(world: &World, front: &str, arguments: &[&str]) -> Self {
        let front = world.add_service_user(front);
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        let mut prover = Self { front, arguments, child: None };
        prover.begin();
        prover
    }

    /// Starts the process and waits until it takes connections.
    #[track_caller]
    pub fn begin(&mut self) {
        assert!(self.child.is_none(), "it is running already");
        let output = File::options().create(true).append(true).open(output()).expect("/run is writable");
        let errors = output.try_clone().expect("a descriptor can be copied");
        let mut command = Command::new(World::built("mfad-password"));
        command.args(["--user", &self.front.name]).args(&self.arguments);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        wait_until("mfad-password takes connections", || {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("mfad-password ended at once, {status}:\n{}", Self::output());
            }
            UnixStream::connect(SOCKET).is_ok()
        });
        self.child = Some(child);
    }

    /// Starts it as its unit does: its socket handed over, and of root's capabilities only these, in the
    /// notation of setpriv(1).
    #[track_caller]
    pub fn begin_confined(&mut self, capabilities: &str) {
        assert!(self.child.is_none(), "it is running already");
        fs::remove_file(SOCKET).or_else(ignore_absent).expect("/run is writable");
        let mut command = Command::new("systemd-socket-activate");
        command.args(["--listen", SOCKET, "--", "setpriv", "--no-new-privs", "--bounding-set", capabilities]);
        command.arg(World::built("mfad-password")).args(["--user", &self.front.name]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        wait_until("the socket is there", || Path::new(SOCKET).exists());
        chown(SOCKET, None, Some(self.front.uid)).expect("root may");
        fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o660)).expect("root may");
    }

    /// Its process id.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is running").id()
    }

    /// Ends it without notice.
    #[track_caller]
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it is running");
        child.kill().expect("our own child can be signalled");
        child.wait().expect("a child can be waited for");
    }

    /// What it wrote to standard output and error.
    pub fn output() -> String {
        fs::read_to_string(output()).unwrap_or_default()
    }

    /// Asks as the front end.
    pub fn ask(&self, request: &Request) -> io::Result<Reply> {
        ask_as(self.front.uid, request)
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn ignore_absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn output() -> PathBuf {
    Path::new(PLACE).join("mfad-password.out")
}

/// Asks as any uid, whatever the modes of the socket and its directory say of it.
pub fn ask_as(uid: u32, request: &Request) -> io::Result<Reply> {
    let mut stream = connect_as(uid)?;
    send(&mut stream, &Hello::new(Protocol::Password))?;
    send(&mut stream, request)?;
    match receive(&mut stream)? {
        Welcome::Version(_) => receive(&mut stream),
        Welcome::Unsupported { .. } | Welcome::Busy => Err(io::ErrorKind::ConnectionRefused.into()),
    }
}

/// A connection whose other end sees this uid.
pub fn connect_as(uid: u32) -> io::Result<UnixStream> {
    // Accounts of a world have a group of their own, of the same number.
    setegid(Gid::from_raw(uid))?;
    seteuid(Uid::from_raw(uid))?;
    let connected = UnixStream::connect(SOCKET);
    seteuid(Uid::from_raw(0)).expect("the real uid is root's");
    setegid(Gid::from_raw(0)).expect("root may");
    let stream = connected?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends one frame.
pub fn send<T: Serialize>(stream: &mut UnixStream, message: &T) -> io::Result<()> {
    stream.write_all(&codec::encode(message).map_err(io::Error::other)?)
}

fn receive<T: Serialize + DeserializeOwned>(stream: &mut UnixStream) -> io::Result<T> {
    let mut header = [0; frame::HEADER];
    stream.read_exact(&mut header)?;
    let mut payload = vec![0; frame::payload_length(header).map_err(io::Error::other)?];
    stream.read_exact(&mut payload)?;
    codec::decode(&payload).map_err(io::Error::other)
}
