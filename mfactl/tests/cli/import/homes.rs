//! Directories of homes, and files that are not to be trusted.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{Files, added, both, done, import};
use crate::daemon::FakeDaemon;

fn homes() -> Files {
    let files = Files::new();
    let sample = |name: &str| {
        let path = format!("{}/tests/import/google-authenticator/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    files.put("home/daemon/.google_authenticator", &sample("totp"));
    files.put("home/bin/.google_authenticator", &sample("hotp"));
    let slow = files.put("home/games/.google_authenticator", &sample("step-60"));
    std::fs::set_permissions(slow, std::fs::Permissions::from_mode(0o644)).unwrap();
    files.put("home/nobody/.google_authenticator", "JBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n\" TIME_SKEW 4\n");
    files.put("home/root/.google_authenticator", "hunter2!\n");
    files.put("home/nosuch-account/.google_authenticator", &sample("totp"));
    files.put("home/empty/notes", "");
    files.put("home/stray", "");
    std::fs::create_dir(files.path("home/mail")).unwrap();
    symlink("../daemon/.google_authenticator", files.path("home/mail/.google_authenticator")).unwrap();
    symlink("daemon", files.path("home/linked")).unwrap();
    files
}

#[test]
fn all_homes_of_a_directory() {
    let files = homes();
    let home = files.path("home");
    let home = home.to_str().unwrap();
    both("import-homes.txt", &files, &[home], "", || done(4));
    both("import-homes-dry.txt", &files, &["--dry-run", home], "", || done(0));
    both("import-homes-one.txt", &files, &["--user", "daemon", home], "", || done(1));
}

#[test]
fn a_file_given_twice_is_read_once() {
    let files = homes();
    let home = files.path("home/daemon");
    let state = home.join(".google_authenticator");
    let daemon = FakeDaemon::admin(done(1));
    let ran = import(&daemon, &[home.to_str().unwrap(), state.to_str().unwrap()], "");
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = added(&daemon.finish());
    let factor = "totp Sha1 6 30 PR5BEGOEFM2MTFYEVCVH4D2MBI".to_owned();
    let codes = ["86258181", "43315624", "71994485", "43733764", "73130781"].map(str::to_owned).to_vec();
    assert_eq!(seen, [("daemon".to_owned(), vec![factor], codes)]);
    assert!(!ran.stdout.contains("PR5BEGOE") && !ran.stdout.contains("86258181"), "{ran:?}");
}

#[test]
fn what_others_could_have_written_is_not_read() {
    let files = Files::new();
    let users = files.sample("users.oath");
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o620)).unwrap();
    symlink(&users, files.path("link")).unwrap();
    nix::unistd::mkfifo(&files.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (link, pipe, none) = (files.path("link"), files.path("pipe"), files.path("none"));
    let paths = [&users, link.to_str().unwrap(), pipe.to_str().unwrap(), none.to_str().unwrap()];
    both("import-unsafe.txt", &files, &paths, "", Vec::new);
}
