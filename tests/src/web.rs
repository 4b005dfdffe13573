//! The web role of a world: a process and an account of its own, with credentials as the documents say. Refuses to
//! wait for luck: it is started when it takes connections, and ended when its process is gone.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    process::Command,
};

use crate::{
    daemon::Daemon,
    role::{self, Role},
    sys::run_with,
    world::{Account, World},
};

/// The text of docs/web.md.
pub const WEB: &str = include_str!("../../docs/web.md");
/// The text of docs/compat.md.
pub const COMPAT: &str = include_str!("../../docs/compat.md");

/// The blocks of settings below a heading of a document, so that what is tested is what is documented.
#[track_caller]
pub fn documented<const N: usize>(document: &str, heading: &str) -> [String; N] {
    let (_, text) = document.split_once(&format!("\n{heading}\n")).expect("the document has this heading");
    let text = text.split("\n#").next().unwrap_or_default();
    let blocks: Vec<String> = text.split("```").skip(1).step_by(2).map(str::to_owned).collect();
    blocks
        .try_into()
        .unwrap_or_else(|blocks: Vec<_>| panic!("{heading} has {} blocks, not {N}", blocks.len()))
}

/// `mfad-web`; ended when dropped.
#[derive(Debug)]
pub struct Web {
    account: Account,
    address: &'static str,
    role: Role,
}

impl Web {
    /// Its account, which has to be there before core is started, and where its configuration has it listen.
    pub fn new(world: &World, address: &'static str) -> Self {
        Self::of(world.add_service_user("mfad-web"), address)
    }

    /// Run by this account.
    pub fn of(account: Account, address: &'static str) -> Self {
        Self { account, address, role: Role::of("mfad-web") }
    }

    /// Writes the credential of a client: what of its secret mfad is to know.
    #[track_caller]
    pub fn credential(&self, name: &str, secret: &str) {
        let directory = Path::new("/etc/mfad/web");
        fs::create_dir_all(directory).expect("the world's /etc is writable");
        let hash = run_with(&mut Command::new("sha256sum"), secret).ok();
        let path = directory.join(name);
        fs::write(&path, hash.split(' ').next().unwrap_or_default()).expect("the world's /etc is writable");
        self.own(&path);
    }

    /// Makes a file one that its account may read, and nobody else.
    #[track_caller]
    pub fn own(&self, path: &Path) {
        chown(path, None, Some(self.account.uid)).expect("root may");
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).expect("root may");
    }

    /// The directory of its Unix socket, as its unit has it made.
    #[track_caller]
    pub fn run_directory(&self) {
        let directory = Path::new("/run/mfad-web");
        fs::create_dir_all(directory).expect("the world's /run is writable");
        chown(directory, Some(self.account.uid), Some(self.account.uid)).expect("root may");
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("root may");
    }

    /// Starts it before a daemon, and waits until it takes connections.
    #[track_caller]
    pub fn begin(&mut self, daemon: &Daemon) {
        let address = self.address;
        self.role.begin(&self.account, &daemon.config, || TcpStream::connect(address).is_ok());
    }

    /// Ends it without notice.
    #[track_caller]
    pub fn kill(&mut self) {
        self.role.kill();
    }

    /// Its process id.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.role.pid()
    }

    /// What it wrote to standard output and error.
    pub fn output() -> String {
        role::output("mfad-web")
    }
}
