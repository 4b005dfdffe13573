//! What a world sees in place of the host's directories. Refuses to touch a host path: every mount is made
//! in this process's own mount namespace, whose changes do not propagate.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use nix::mount::{MsFlags, mount};

use super::{PLACE, accounts};
use crate::sys::must;

/// Programs that tests run, from where cargo puts them.
const BUILT: [&str; 6] = ["mfad", "mfad-egress", "mfad-password", "mfad-web", "mfactl", "libpam_mfa.so"];
/// Directories that begin empty.
const EMPTY: [(&str, &str); 6] = [
    ("/home", "mode=0755"),
    ("/root", "mode=0700"),
    ("/tmp", "mode=1777"),
    ("/var/lib", "mode=0755"),
    ("/var/log", "mode=0755"),
    ("/var/tmp", "mode=1777"),
];
/// Devices that login programs need.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Makes all mounts. `build`, and what else is to be seen by a name, are paths of the host, perhaps below a directory
/// that is replaced.
pub(super) fn make(build: &Path, seen: &[(&str, Option<PathBuf>)]) {
    let place = Path::new(PLACE);
    let keep = open_before_covered(build, seen);
    tmpfs(Path::new("/run"), "mode=0755");
    for dir in ["bin", "etc", "dev"] {
        fs::create_dir_all(place.join(dir)).expect("the new /run is writable");
    }
    for (name, file) in &keep {
        let target = place.join(name);
        if file.metadata().expect("an open file has metadata").is_dir() {
            fs::create_dir_all(&target).expect("the new /run is writable");
        } else {
            File::create(&target).expect("the new /run is writable");
        }
        let source = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
        bind(Path::new(&source), &target);
    }
    private_etc(&place.join("etc"));
    private_dev(&place.join("dev"));
    for (path, options) in EMPTY {
        tmpfs(Path::new(path), options);
    }
    fs::create_dir_all("/run/sshd").expect("the new /run is writable");
    fs::create_dir_all("/run/lock").expect("the new /run is writable");
    // Last: the host's root, which all else has been mounted over, cannot be written to from here on.
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).expect("/ can be made read-only");
}

/// A copy of the host's directory of PAM modules in its place, with ours in it.
pub(super) fn install_module(built: &Path) {
    let modules = fs::read_dir("/usr/lib")
        .expect("every Linux has it")
        .map(|entry| entry.expect("it can be read").path().join("security"))
        .find(|path| path.join("pam_unix.so").exists())
        .expect("the host has PAM modules");
    let copy = Path::new(PLACE).join("modules");
    tmpfs(&copy, "mode=0755");
    let text = |path: &Path| path.to_str().expect("the path is ASCII").to_owned();
    must(&["cp", "-a", &format!("{}/.", text(&modules)), &text(&copy)]);
    fs::copy(built, copy.join("pam_mfa.so")).expect("the copy is writable");
    fs::set_permissions(copy.join("pam_mfa.so"), fs::Permissions::from_mode(0o644)).expect("it is ours");
    bind(&copy, &modules);
}

/// A tmpfs at `path`, which is made when it is not there.
pub(super) fn tmpfs(path: &Path, options: &str) {
    fs::create_dir_all(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let flags = MsFlags::MS_NODEV;
    mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some(options))
        .unwrap_or_else(|error| panic!("cannot mount a tmpfs at {}: {error}", path.display()));
}

fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .unwrap_or_else(|error| panic!("cannot bind {} to {}: {error}", source.display(), target.display()));
}

/// What must be reachable later though its directory may be covered: the programs, the driver, and what is named.
fn open_before_covered(build: &Path, seen: &[(&str, Option<PathBuf>)]) -> Vec<(String, File)> {
    let mut keep = vec![
        ("bin/pam_driver".to_owned(), env!("MFA_PAM_DRIVER").into()),
        ("bin/sk_provider.so".to_owned(), env!("MFA_SK_PROVIDER").into()),
    ];
    keep.extend(BUILT.iter().map(|name| (format!("bin/{name}"), build.join(name))));
    keep.push(("console".to_owned(), "/dev/console".into())); // for a benchmark of what is written to it
    keep.extend(seen.iter().filter_map(|(name, path)| Some(((*name).to_owned(), path.clone()?))));
    keep.retain(|(_, path)| path.exists());
    let open = |path: &Path| File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    keep.into_iter().map(|(name, path)| (name, open(&path))).collect()
}

/// A copy of the host's `/etc`, so that accounts and PAM services can be changed.
fn private_etc(copy: &Path) {
    let copy_text = copy.to_str().expect("the path is ASCII");
    tmpfs(copy, "mode=0755");
    must(&["cp", "-a", "/etc/.", copy_text]);
    bind(copy, Path::new("/etc"));
    // No host key or configuration of the host's own sshd, and no account outside the files.
    fs::remove_dir_all("/etc/ssh").or_else(ignore_absent).expect("the copy is writable");
    fs::create_dir_all("/etc/ssh").expect("the copy is writable");
    fs::write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
        .expect("the copy is writable");
    accounts::forget_people();
}

fn ignore_absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A `/dev` with a log socket of its own and terminals that are not the host's.
fn private_dev(dev: &Path) {
    // Not by `tmpfs`: device nodes are bound into it.
    mount(Some("tmpfs"), dev, Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).expect("a tmpfs for /dev");
    for dir in ["pts", "shm"] {
        fs::create_dir(dev.join(dir)).expect("the new /dev is writable");
    }
    fs::set_permissions(dev.join("shm"), fs::Permissions::from_mode(0o1777)).expect("the new /dev is ours");
    for name in DEVICES {
        File::create(dev.join(name)).expect("the new /dev is writable");
        bind(&Path::new("/dev").join(name), &dev.join(name));
    }
    for (link, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        symlink(target, dev.join(link)).expect("the new /dev is writable");
    }
    let pts = dev.join("pts");
    let options = Some("newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount(Some("devpts"), &pts, Some("devpts"), MsFlags::empty(), options).expect("terminals of our own");
    bind(dev, Path::new("/dev"));
}
