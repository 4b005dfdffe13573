//! Nothing is said to a socket that someone else could have made.

use std::os::unix::fs::PermissionsExt;

use mfa_proto::admin::Reply;

use crate::daemon::FakeDaemon;
use crate::run::run;

const CONFIRM: [&str; 3] = ["confirm", "alice", "123456"];

fn refuses(daemon: FakeDaemon, why: &str) {
    let ran = run(&daemon.socket(), &CONFIRM, "");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.starts_with("mfactl: refusing to talk to what listens at "), "{}", ran.stderr);
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert!(daemon.finish().is_empty(), "the daemon was spoken to");
}

#[test]
fn a_directory_that_others_can_write_is_not_trusted() {
    for (mode, why) in [
        (0o777, "others than its owner can write to it"),
        (0o775, "others than its owner can write to it"),
        (0o1777, "others can put files there"),
        (0o720, "others than its owner can write to it"),
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        daemon.chmod(mode);
        refuses(daemon, why);
    }
}

#[test]
fn a_directory_above_that_others_can_write_is_not_trusted() {
    let daemon = FakeDaemon::admin(Vec::new());
    let above = daemon.directory().parent().unwrap().to_owned();
    std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o777)).unwrap();
    refuses(daemon, "others than its owner can write to it");
}

#[test]
fn links_on_the_way_are_not_followed() {
    let daemon = FakeDaemon::admin(Vec::new());
    let link = daemon.directory().with_file_name("link");
    std::os::unix::fs::symlink(daemon.directory(), &link).unwrap();
    let ran = run(&link.join("sock"), &CONFIRM, "");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("link is not to be trusted"), "{}", ran.stderr);
    assert!(ran.stderr.contains("give the real path"), "{}", ran.stderr);
    assert!(daemon.finish().is_empty(), "the daemon was spoken to");
}

#[test]
fn the_directory_of_another_user_in_a_shared_one_is_not_trusted() {
    if !nix::unistd::getuid().is_root() {
        // Only root can give a directory away; the rule itself has its own test beside the code.
        return;
    }
    let daemon = FakeDaemon::admin(Vec::new());
    let above = daemon.directory().parent().unwrap().to_owned();
    nix::unistd::chown(&above, Some(65_534.into()), None).unwrap();
    nix::unistd::chown(&daemon.directory(), Some(65_534.into()), None).unwrap();
    refuses(daemon, "belongs to another user");
}

#[test]
fn a_socket_that_root_made_in_the_directory_of_the_daemon_is_trusted() {
    if !nix::unistd::getuid().is_root() {
        // Only root can give a directory away; the rule itself has its own test beside the code.
        return;
    }
    let daemon = FakeDaemon::admin(vec![Reply::Done { factors: 1 }]);
    nix::unistd::chown(&daemon.directory(), Some(65_534.into()), None).unwrap();
    assert_eq!(run(&daemon.socket(), &CONFIRM, "").code, 0, "so the service manager makes it");
    daemon.finish();
}
