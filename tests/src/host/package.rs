//! The Debian package that hosts install, made from the programs as built for the tests, and the same as one of
//! an older version, which upgrades begin with. Refuses to be stale: what is newer than it makes it anew.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::lock::Lock;
use crate::sys::must;

/// What a package is made of, beside the programs.
const SOURCES: [&str; 2] = ["packaging", "etc"];
/// The programs.
const BUILT: [&str; 6] = ["mfad", "mfad-egress", "mfad-web", "mfad-password", "mfactl", "libpam_mfa.so"];
/// The version of the older one: less than any that was released.
const BEFORE: &str = "0.0.1";

/// Where they are: `now.deb` and `before.deb`.
pub(super) fn of(disk: &Path) -> PathBuf {
    disk.join("packages")
}

/// Makes them, unless they are there and nothing they are made of is newer.
#[track_caller]
pub(super) fn make(disk: &Path, build: &Path) {
    let _lock = Lock::take(&disk.join("packages.lock"));
    let place = of(disk);
    fs::create_dir_all(&place).expect("the target directory is writable");
    let (now, before) = (place.join("now.deb"), place.join("before.deb"));
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the workspace");
    let newest = BUILT
        .iter()
        .map(|name| changed(&build.join(name)))
        .chain(SOURCES.iter().map(|name| changed(&top.join(name))))
        .max()
        .expect("there are some");
    if before.exists() && changed(&before) > newest {
        return;
    }
    must(&["rm", "-f", text(&now), text(&before)]);
    let (target, profile) =
        (build.parent().expect("it is in target"), build.file_name().expect("it has a name"));
    let profile = profile.to_str().expect("profiles have ASCII names");
    for (package, version) in [(&now, ""), (&before, BEFORE)] {
        let made = must(&[text(&top.join("packaging/deb.sh")), text(target), profile, version]);
        must(&["cp", made.trim_end(), text(package)]);
    }
}

/// When the newest file of a tree was changed.
#[track_caller]
fn changed(path: &Path) -> SystemTime {
    let metadata = fs::metadata(path).unwrap_or_else(|error| {
        panic!("{}: {error}; `make e2e` builds what is tested first", path.display())
    });
    let own = metadata.modified().expect("a file has a time");
    if !metadata.is_dir() {
        return own;
    }
    let entries = fs::read_dir(path).expect("a directory can be read");
    entries
        .map(|entry| changed(&entry.expect("it can be read").path()))
        .chain([own])
        .max()
        .expect("own is one")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the target directory has an ASCII name")
}
