//! The plain Debian root that hosts begin with: made by debootstrap once, from the mirror that apt uses here, and
//! kept for as long as its recipe stays the same. Refuses packages that are not signed by Debian.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::lock::Lock;
use crate::sys::{must, run, run_with};

/// What a small server has, and what mfad's package asks for: it is installed without a network.
const PACKAGES: &[&str] = &[
    "apparmor",
    "bash-completion",
    "dbus",
    "iproute2",
    "libpam-modules",
    "libpam-runtime",
    "libpam-systemd",
    "login",
    "openssh-client",
    "openssh-server",
    "pamtester",
    "passwd",
    "polkitd",
    "procps",
    "sudo",
    "systemd",
    "systemd-sysv",
    "util-linux",
];
/// Names another mirror than apt's, for machines that are no Debian of that release.
const MIRROR: &str = "MFA_DEBIAN_MIRROR";
/// What is done to it before it is kept: a host has an identity of its own, and no network.
const FINISH: &str = r#"cd "$1"
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* var/log/bootstrap.log
: >etc/machine-id
: >etc/apt/sources.list
rm -f etc/resolv.conf"#;

/// Where it is.
pub(super) fn of(disk: &Path, release: &str) -> PathBuf {
    disk.join(release).join("root")
}

/// Makes it, unless it is there already.
#[track_caller]
pub(super) fn make(disk: &Path, release: &str) {
    let _lock = Lock::take(&disk.join(format!("{release}.lock")));
    let recipe = format!("{release}\n{}\n{FINISH}\n", PACKAGES.join("\n"));
    let (kept, new) = (disk.join(release), disk.join(format!("{release}.new")));
    if fs::read_to_string(kept.join("recipe")).is_ok_and(|known| known == recipe) {
        return;
    }
    for old in [&kept, &new] {
        must(&["rm", "-rf", "--one-file-system", text(old)]);
    }
    fs::create_dir(&new).expect("the target directory is writable");
    let root = new.join("root");
    bootstrap(release, &root);
    must(&["sh", "-euc", FINISH, "finish", text(&root)]);
    fs::write(new.join("recipe"), recipe).expect("the target directory is writable");
    fs::rename(&new, &kept).expect("the target directory is writable");
}

/// In namespaces of its own, so that neither a mount nor a process of it is left when it is interrupted.
#[track_caller]
fn bootstrap(release: &str, root: &Path) {
    let mut command = Command::new("setpriv");
    command
        .args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
        ])
        .args(["--propagation", "private", "--", "debootstrap", "--variant=minbase", "--force-check-gpg"])
        .arg(format!("--include={}", PACKAGES.join(",")))
        .arg(release)
        .arg(root)
        .arg(mirror(release));
    let ran = run_with(&mut command, "");
    assert_eq!(ran.code, Some(0), "debootstrap (tests/setup/packages.sh test): {}{}", ran.stdout, ran.stderr);
}

/// Where apt gets this machine's own release from, which is where the others are, too.
#[track_caller]
pub(super) fn mirror(release: &str) -> String {
    if let Some(mirror) = std::env::var_os(MIRROR) {
        return mirror.to_string_lossy().into_owned();
    }
    let own = must(&["sh", "-c", ". /etc/os-release; echo \"${VERSION_CODENAME:-}\""]);
    let format = "$(RELEASE) $(COMPONENT) $(REPO_URI)";
    let targets = run(&["apt-get", "indextargets", "--format", format, "Created-By: Packages"]).stdout;
    targets
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{} main ", own.trim())))
        .unwrap_or_else(|| panic!("apt names no mirror of Debian; set {MIRROR} to one that has {release}"))
        .to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the target directory has an ASCII name")
}
