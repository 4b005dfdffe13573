//! A world of its own for each test: mount, process, network, host-name and IPC namespaces, with a private
//! `/etc`, `/run`, `/var/lib`, `/home`, `/tmp` and `/dev`, a loopback interface, and a system log that the
//! test reads. All of it ends with the test. Refuses to run as anyone but root, and to let a test write to
//! the host: what it does not replace is mounted read-only.

mod accounts;
mod log;
mod mounts;
mod outer;

use std::path::{Path, PathBuf};

pub(crate) use self::outer::build_dir;
pub use self::{
    accounts::{Account, PASSWORD},
    log::Log,
    outer::Outer,
};
use crate::sys::must;

/// Where the world keeps what is its own. Everything below is gone when it ends.
pub const PLACE: &str = "/run/world";

/// Set, to the name of the test, for the process inside.
const INSIDE: &str = "MFA_WORLD";
/// Where the built programs are.
const BUILD: &str = "MFA_WORLD_BUILD";
/// A directory on a real disk, kept writable as [`World::disk`].
const DISK: &str = "MFA_WORLD_DISK";
/// A directory with programs that are not of the system, kept as [`World::tools`].
const TOOLS: &str = "MFA_WORLD_TOOLS";
/// Begins what the process outside passes on, to the end of the line.
const TOLD: &str = "world: told: ";
/// Printed when a test's body came to its end, so that a misspelled test name is not taken for a pass.
const DONE: &str = "world: came to its end";

/// The inside of a world.
#[derive(Debug)]
pub struct World {
    log: Log,
}

/// Runs `body` inside a new world. `test` is the name of the test that calls it, as `cargo test` prints it.
///
/// Outside, it runs this very test again within new namespaces and fails when that fails.
#[track_caller]
pub fn enter(test: &str, body: impl FnOnce(&World)) {
    enter_by(test, |outer| outer, body);
}

/// The same, into a world that `prepare`, which is called outside only, has changed.
#[track_caller]
pub fn enter_by(test: &str, prepare: impl FnOnce(Outer) -> Outer, body: impl FnOnce(&World)) {
    if inside().is_some() {
        body(&World::make());
        announce(DONE);
    } else if let Err(report) = prepare(Outer::new(test)).run_test(test) {
        panic!("{report}");
    }
}

/// The name given to the world that this process is inside of.
pub fn inside() -> Option<String> {
    std::env::var_os(INSIDE).map(|name| name.to_string_lossy().into_owned())
}

/// Says something that whoever runs the tests is to read though all is well.
pub fn tell(what: &str) {
    announce(&format!("{TOLD}{what}"));
}

#[expect(clippy::print_stdout, reason = "the process outside reads it")]
fn announce(line: &str) {
    println!("{line}");
}

impl World {
    /// Makes this process's namespaces, which must be new ones, into a world.
    pub fn make() -> Self {
        assert_eq!(std::process::id(), 1, "a world is made in namespaces of its own: see Outer");
        let build = std::env::var_os(BUILD).map(PathBuf::from).expect("the process outside says where");
        let given = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
        mounts::make(&build, &[("disk", given(DISK)), ("tools", given(TOOLS))]);
        must(&["ip", "link", "set", "lo", "up"]);
        must(&["hostname", "world"]);
        Self { log: Log::listen() }
    }

    /// A program or library as built: `mfad`, `mfactl`, `libpam_mfa.so`, the driver `pam_driver`, or the
    /// security key in software `sk_provider.so`.
    pub fn built(name: &str) -> PathBuf {
        let path = Path::new(PLACE).join("bin").join(name);
        assert!(
            path.exists(),
            "{name} is not built; `make e2e`, `make demo` and `make bench` build it first"
        );
        path
    }

    /// A directory on the disk, for what a tmpfs would be too fast for (benchmarks).
    pub fn disk() -> PathBuf {
        Path::new(PLACE).join("disk")
    }

    /// The Python environment that the world was given ([`Outer::with_tools`]). It was made elsewhere: run its
    /// `bin/python`, with `-m`.
    pub fn tools() -> PathBuf {
        Path::new(PLACE).join("tools")
    }

    /// The system log of this world.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Adds an account whose password is [`PASSWORD`].
    pub fn add_user(&self, name: &str) -> Account {
        self.add_user_with_password(name, PASSWORD)
    }

    /// Adds an account.
    pub fn add_user_with_password(&self, name: &str, password: &str) -> Account {
        accounts::add(name, password)
    }

    /// Adds an account that nobody logs in to by password, quickly.
    pub fn add_quick_user(&self, name: &str) -> Account {
        accounts::add_locked(name)
    }

    /// Adds a system account for a service, without password, home or shell.
    pub fn add_service_user(&self, name: &str) -> Account {
        accounts::add_service(name)
    }

    /// Puts the module where libpam looks for it, beside those of the host.
    pub fn install_module(&self) {
        mounts::install_module(&Self::built("libpam_mfa.so"));
    }

    /// Mounts a new tmpfs that holds at most `kib` KiB; its path.
    pub fn small_disk(&self, name: &str, kib: u32) -> PathBuf {
        let path = Path::new(PLACE).join(name);
        mounts::tmpfs(&path, &format!("size={kib}k,mode=0755"));
        path
    }
}
