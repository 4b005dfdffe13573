//! Nothing is said to a socket that someone else could have made.

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
    for mode in [0o777, 0o775, 0o1777, 0o720] {
        let daemon = FakeDaemon::admin(Vec::new());
        daemon.chmod(mode);
        refuses(daemon, "can be written by others");
    }
}

#[test]
fn a_socket_that_root_made_in_the_directory_of_the_daemon_is_trusted() {
    if !nix::unistd::getuid().is_root() {
        // Only root can give a directory away; the rule itself has its own test beside the code.
        return;
    }
    let daemon = FakeDaemon::admin(vec![Reply::Done { factors: 1 }]);
    nix::unistd::chown(daemon.directory(), Some(65_534.into()), None).unwrap();
    assert_eq!(run(&daemon.socket(), &CONFIRM, "").code, 0, "so the service manager makes it");
    daemon.finish();
}
