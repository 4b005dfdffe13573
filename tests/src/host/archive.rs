//! A small archive of Debian packages for hosts that install more than the plain root has, by their own apt and
//! without a network: `apt install` on such a host is what it is anywhere. Refuses packages that are not signed
//! by Debian: apt looks at that when it fetches them, which it does once.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Host, lock::Lock, root};
use crate::{
    sys::{must, run},
    world::World,
};

/// Where a host has it.
const PLACE: &str = "/srv/debian";
/// Fetches packages, and all they need beside what the root has, in the state that apt finds the root in.
const FETCH: &str = r#"cd "$1"; mirror=$2 release=$3 root=$4; shift 4
mkdir -p lists/partial cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >sources.list
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State::lists="$PWD/lists" -o Dir::State::status="$root/var/lib/dpkg/status" -o Dir::Cache="$PWD/cache" \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}
apt update
mkdir debian
cd debian
for package; do
  shift
  case $package in only:*) (cd ..; apt download "${package#only:}"; mv ./*.deb debian) ;; *) set -- "$@" "$package" ;; esac
done
cd ..
[ $# = 0 ] || { apt install --yes --no-install-recommends --download-only "$@"; mv cache/archives/*.deb debian; }
cd debian
dpkg-scanpackages --multiversion . 2>/dev/null >Packages
cd ..
rm -rf lists cache sources.list"#;

fn of(disk: &Path, release: &str, packages: &[&str]) -> PathBuf {
    disk.join(format!("{release}-with-{}", packages.join("-").replace(':', "-")))
}

/// Makes it, unless it is there already.
#[track_caller]
pub(super) fn make(disk: &Path, release: &str, packages: &[&str]) {
    if packages.is_empty() {
        return;
    }
    let _lock = Lock::take(&disk.join(format!("{release}-archives.lock")));
    let kept = of(disk, release, packages);
    let new = disk.join(format!("{release}-archive.new"));
    // A new root may have other versions of what they need.
    let root = root::of(disk, release);
    let made = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    if made(&kept)
        .is_some_and(|archive| made(&root.with_file_name("recipe")).is_some_and(|root| root < archive))
    {
        return;
    }
    for old in [&kept, &new] {
        must(&["rm", "-rf", "--one-file-system", text(old)]);
    }
    fs::create_dir(&new).expect("the target directory is writable");
    let mirror = root::mirror(release);
    let words = ["sh", "-euc", FETCH, "fetch", text(&new), &mirror, release, text(&root)];
    let ran = run(&[&words[..], packages].concat());
    assert_eq!(ran.code, Some(0), "{packages:?} cannot be fetched: {}{}", ran.stdout, ran.stderr);
    fs::rename(&new, &kept).expect("the target directory is writable");
}

/// Has a host's apt know it.
#[track_caller]
pub(super) fn offer(host: &Host, release: &str, packages: &[&str]) {
    if packages.is_empty() {
        return;
    }
    let archive = of(&World::disk(), release, packages).join("debian");
    must(&["cp", "-r", text(&archive), text(&host.path(PLACE))]);
    host.write("/etc/apt/sources.list", &format!("deb [trusted=yes] file:{PLACE} ./\n"));
    host.must(&["apt-get", "update", "-qq"]);
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the target directory has an ASCII name")
}
