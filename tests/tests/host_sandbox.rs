//! The sandbox that the roles lay on themselves, within the units as they are shipped, on a booted Debian host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use mfa_tests::host;

const UNITS: [&str; 2] = ["mfad.service", "mfad-egress.service"];

/// What the units filter themselves has to leave the calls that the roles filter with.
#[test]
fn the_units_leave_the_roles_their_sandbox() {
    host::enter("the_units_leave_the_roles_their_sandbox", |host| {
        host.install(host.package());
        host.write("/etc/mfad/conf.d/process.toml", "[process]\nsandbox = \"required\"\n");
        host.must(&["systemctl", "enable", "mfad-egress.service"]);
        for unit in UNITS {
            // Comes back once the role is ready, which it is not without its sandbox.
            host.must(&["systemctl", "restart", unit]);
            let log = host.must(&[
                "journalctl",
                "--unit",
                unit,
                "--output",
                "cat",
                "--grep",
                "^sandbox: files by Landlock",
            ]);
            assert!(log.contains("system calls by seccomp"), "{unit}: {log}");
            host.must(&["systemctl", "reload", unit]);
        }
        host.add_user("jane");
        host.guard_sshd("");
        let seed = host.enroll_hotp("jane");
        assert!(host.login("jane", &seed.hotp(0)));
        for unit in UNITS {
            assert_eq!(
                host.must(&["systemctl", "show", "--property=NRestarts", "--value", unit]),
                "0\n",
                "{unit}"
            );
        }
    });
}
