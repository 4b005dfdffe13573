//! A Debian host that really boots, systemd as PID 1, in a world: what is installed, started, logged in to and
//! removed there is as on a server. The world's network is the other end of its cable. Refuses to keep anything:
//! what the host writes is in memory and goes with the world; only the plain Debian root is kept, for the next one.

mod archive;
mod cgroup;
mod lock;
mod mfad;
mod package;
mod root;
mod shell;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::mount::{MsFlags, mount};

pub use self::mfad::MODULE_LINE;
use crate::{
    sys::{must, run, wait_until},
    world::{self, Outer, PLACE, World},
};

/// Where the host is found by the other end of its cable.
pub const ADDRESS: &str = "198.51.100.1";
/// The other end's address, which the host sees logins come from.
pub const CLIENT: &str = "198.51.100.2";

/// The release of Debian that is booted, when it is not the usual one; see [`release`].
const RELEASE: &str = "MFA_HOST";
/// The cgroup of the host, made outside.
const CGROUP: &str = "MFA_HOST_CGROUP";
/// What a host may take: it installs, boots more than once, and waits for steps of codes.
const LIMIT: Duration = Duration::from_secs(600);
/// How it boots.
const BOOT: &str = include_str!("host/boot.sh");

/// The Debian release that hosts have: what `MFA_HOST` says, or Debian 12.
pub fn release() -> String {
    std::env::var_os(RELEASE).map_or_else(|| "bookworm".into(), |name| name.to_string_lossy().into_owned())
}

/// What is made before a world with a host is entered; what is left of it ends when this is dropped.
#[derive(Debug)]
pub struct Ground {
    disk: PathBuf,
    cgroup: cgroup::Cgroup,
}

impl Ground {
    /// Sees to the Debian root and the packages, which stay for the next host, and to a cgroup.
    #[track_caller]
    pub fn prepare() -> Self {
        let program = std::env::current_exe().expect("a process knows its program");
        let build = world::build_dir(&program);
        let disk = build.parent().expect("a profile is in the target directory").join("hosts");
        fs::create_dir_all(&disk).expect("the target directory is writable");
        root::make(&disk, &release());
        package::make(&disk, &build);
        Self { disk, cgroup: cgroup::Cgroup::make() }
    }

    /// A world in which a host can be made.
    #[must_use]
    pub fn below(&self, outer: Outer) -> Outer {
        outer
            .within(LIMIT)
            .with_disk(&self.disk)
            .with_variable(RELEASE, release())
            .with_variable(CGROUP, self.cgroup.path())
    }
}

/// Runs `body` in a new world with a plain host that has just booted. `test` is as for [`world::enter`].
#[track_caller]
pub fn enter(test: &str, body: impl FnOnce(&mut Host)) {
    let mut ground = None;
    world::enter_by(
        test,
        |outer| ground.insert(Ground::prepare()).below(outer),
        |world| body(&mut Host::make(world)),
    );
}

/// The same, into a world that `prepare` has changed, with a host whose apt has these packages of Debian's and what
/// they need; `only:NAME` for one without what it needs.
#[track_caller]
pub fn enter_with(
    test: &str,
    packages: &[&str],
    prepare: impl FnOnce(Outer) -> Outer,
    body: impl FnOnce(&World, &mut Host),
) {
    let mut ground = None;
    let prepare = |outer| {
        let ground = ground.insert(Ground::prepare());
        archive::make(&ground.disk, &release(), packages);
        prepare(ground.below(outer))
    };
    world::enter_by(test, prepare, |world| {
        let mut host = Host::make(world);
        archive::offer(&host, &release(), packages);
        body(world, &mut host);
    });
}

/// A booted host; killed when dropped.
#[derive(Debug)]
pub struct Host {
    place: PathBuf,
    cgroup: PathBuf,
    boots: u32,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    unshare: Child,
    init: String,
}

impl Host {
    /// A copy of the plain Debian root, booted. The copy costs nothing: what is written is kept apart, in memory.
    #[track_caller]
    pub fn make(_world: &World) -> Self {
        let cgroup = std::env::var_os(CGROUP).map(PathBuf::from).expect("the world is below a Ground");
        let mut host = Self { place: Path::new(PLACE).join("host"), cgroup, boots: 0, running: None };
        for part in ["root", "writes"] {
            fs::create_dir_all(host.place.join(part)).expect("the world's /run is writable");
        }
        let writes = host.place.join("writes");
        mount(Some("tmpfs"), &writes, Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).expect("a tmpfs");
        for part in ["upper", "work"] {
            fs::create_dir(writes.join(part)).expect("it is ours");
        }
        let layers = format!(
            "lowerdir={},upperdir={writes}/upper,workdir={writes}/work",
            root::of(&World::disk(), &release()).display(),
            writes = writes.display()
        );
        mount(Some("overlay"), &host.place.join("root"), Some("overlay"), MsFlags::empty(), Some(&*layers))
            .expect("this kernel has overlayfs, and the target directory is on a disk that can be below one");
        fs::write(host.place.join("boot.sh"), BOOT).expect("the world's /run is writable");
        fs::write(host.path("/etc/hostname"), "host\n").expect("the copy is writable");
        fs::write(host.path("/etc/hosts"), "127.0.0.1 localhost\n127.0.1.1 host\n").expect("it is writable");
        host.forgive();
        host.boot();
        host
    }

    /// sshd of OpenSSH 9.8 and later slows down sources of failures: a test fails on purpose, and goes on.
    fn forgive(&self) {
        if self.path("/usr/lib/openssh/sshd-session").exists() {
            fs::write(self.path("/etc/ssh/sshd_config.d/90-test.conf"), "PerSourcePenalties no\n")
                .expect("the copy is writable");
        }
    }

    /// A path of the host as it is seen from the world. `/run`, `/tmp`, `/dev` of the host are not seen.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.place.join("root").join(inside.trim_start_matches('/'))
    }

    /// The package of mfad, as a path in the host.
    #[track_caller]
    pub fn package(&self) -> &'static str {
        self.fetch("now.deb", "/root/mfad_now_amd64.deb")
    }

    /// The package of an older version.
    #[track_caller]
    pub fn package_before(&self) -> &'static str {
        self.fetch("before.deb", "/root/mfad_before_amd64.deb")
    }

    #[track_caller]
    fn fetch(&self, from: &str, to: &'static str) -> &'static str {
        fs::copy(package::of(&World::disk()).join(from), self.path(to)).expect("the package is made");
        to
    }

    /// Starts it, and waits until it is up.
    #[track_caller]
    pub fn boot(&mut self) {
        assert!(self.running.is_none(), "it is running already");
        self.boots += 1;
        let cgroup = self.cgroup.join(format!("boot{}", self.boots));
        fs::create_dir(&cgroup).expect("the cgroup is ours");
        let mut command = Command::new("sh");
        command.arg("-eu").arg(self.place.join("boot.sh")).arg("outside");
        let unshare = command
            .arg(self.path("/"))
            .arg(&cgroup)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        self.running = Some(Running { init: first_child(unshare.id()), unshare });
        wait_until("systemd is process 1", || {
            fs::read_to_string(format!("/proc/{}/comm", self.init())).is_ok_and(|name| name == "systemd\n")
        });
        self.plug_in();
        let mut state = String::new();
        wait_until("the host is up", || {
            state = self.run(&["systemctl", "is-system-running", "--wait"]).stdout;
            ["running\n", "degraded\n"].contains(&&*state)
        });
        assert_eq!(state, "running\n", "{}", self.run(&["systemctl", "--failed", "--no-pager"]).stdout);
    }

    /// Shuts it down as its administrator would.
    #[track_caller]
    pub fn power_off(&mut self) {
        self.must(&["systemctl", "poweroff"]);
        self.wait_for_end();
    }

    /// Pulls the plug: its first process is killed, and with it all others.
    #[track_caller]
    pub fn pull_the_plug(&mut self) {
        must(&["kill", "-KILL", self.init()]);
        self.wait_for_end();
    }

    /// Restarts it as its administrator would.
    #[track_caller]
    pub fn reboot(&mut self) {
        self.power_off();
        self.boot();
    }

    /// Shuts it down, unless it is.
    #[track_caller]
    pub fn be_down(&mut self) {
        if self.running.is_some() {
            self.power_off();
        }
    }

    /// Boots it, unless it is up.
    #[track_caller]
    pub fn be_up(&mut self) {
        if self.running.is_none() {
            self.boot();
        }
    }

    #[track_caller]
    fn wait_for_end(&mut self) {
        let mut running = self.running.take().expect("it is running");
        wait_until("the host is down", || {
            running.unshare.try_wait().expect("a child can be waited for").is_some()
        });
        run(&["ip", "link", "delete", "cable"]); // gone already where the kernel was faster
    }

    /// Process 1 of the host, by its number in the world.
    #[track_caller]
    pub(crate) fn init(&self) -> &str {
        &self.running.as_ref().expect("the host is running").init
    }

    /// A cable from the world's network to the host's.
    #[track_caller]
    fn plug_in(&self) {
        let init = self.init();
        must(&["ip", "link", "add", "cable", "type", "veth", "peer", "name", "eth0", "netns", init]);
        must(&["ip", "address", "add", &format!("{CLIENT}/24"), "dev", "cable"]);
        must(&["ip", "link", "set", "cable", "up"]);
        self.must(&["ip", "address", "add", &format!("{ADDRESS}/24"), "dev", "eth0"]);
        self.must(&["ip", "link", "set", "eth0", "up"]);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.running.is_some() {
            if std::thread::panicking() {
                self.show_journal();
            }
            // The end of unshare is the end of what it has started.
            let mut running = self.running.take().expect("it is running");
            running.unshare.kill().ok();
            running.unshare.wait().ok();
        }
    }
}

/// The only child of a process, once it has one.
#[track_caller]
fn first_child(of: u32) -> String {
    let mut children = String::new();
    wait_until("the host has a first process", || {
        children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
        !children.is_empty()
    });
    children.trim().to_owned()
}
