//! What the tests are made of: a private place, a program that logs in, a daemon that follows a script.

mod daemon;
mod login;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::built::build;

pub(crate) use self::{
    daemon::{Daemon, Peer, SETTLED_ACCEPT, frame, info, prompt, settled, welcome},
    login::{Login, Report},
};
pub(crate) use crate::built::module;

pub(crate) const SUCCESS: i32 = 0;
pub(crate) const SERVICE_ERR: i32 = 3;
pub(crate) const PERM_DENIED: i32 = 6;
pub(crate) const AUTH_ERR: i32 = 7;
pub(crate) const AUTHINFO_UNAVAIL: i32 = 9;
pub(crate) const MAXTRIES: i32 = 11;
pub(crate) const ABORT: i32 = 26;

/// A directory of one test, gone at its end.
pub(crate) struct Place {
    path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pam_mfa-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        set_mode(&path, 0o755);
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A directory in it.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(&path).unwrap();
        set_mode(&path, 0o755);
        path
    }

    /// Where the daemon listens unless a test says otherwise.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory("run").join("mfad.sock")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A module that goes into Rust by the same way, and panics.
pub(crate) fn panicking_module() -> PathBuf {
    build(&["--example", "panicking_module"]).join("examples/libpanicking_module.so")
}

/// The program that logs in, compiled once.
pub(crate) fn driver() -> &'static Path {
    static DRIVER: OnceLock<PathBuf> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (made, kept) = (scratch.join(format!("driver.{}", std::process::id())), scratch.join("driver"));
        let compiled = Command::new("cc")
            .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-rdynamic", "-o"])
            .arg(&made)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/driver.c"))
            .arg("-lpam")
            .status()
            .expect("cc is needed for the tests (Debian packages gcc and libpam0g-dev)");
        assert!(compiled.success());
        fs::rename(&made, &kept).unwrap();
        kept
    })
}
