//! Logins on a booted Debian host with the package installed: over ssh by password and by key, at a console, by
//! `sudo` and `su`, and as a screen locker asks. What the journal says of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::fs;

use mfa_tests::{
    host::{self, Host},
    otp::Seed,
};

/// mfad installed; jane, who has a key of a token with a button.
fn scene(host: &Host) -> Seed {
    host.install(host.package());
    host.add_user("jane");
    host.enroll_hotp("jane")
}

#[test]
fn ssh_asks_for_password_and_code() {
    host::enter("ssh_asks_for_password_and_code", |host| {
        let seed = scene(host);
        guard_sshd(host);
        assert!(host.login("jane", &seed.hotp(0)));
        assert!(!host.login("jane", &seed.hotp(0)), "a code was taken twice");
        assert!(!host.login("jane", &seed.wrong()));
        assert!(host.login("jane", &seed.hotp(1)));
    });
}

/// The stack of sshd as the guide has it, by hand.
fn guard_sshd(host: &Host) {
    for (from, to) in [
        ("etc/pam.d/sshd", "/etc/pam.d/sshd"),
        ("etc/ssh/sshd_config.d/50-mfad.conf", "/etc/ssh/sshd_config.d/50-mfad.conf"),
    ] {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        fs::write(host.path(to), fs::read(top.join(from)).unwrap()).unwrap();
    }
    host.must(&["systemctl", "reload", "ssh.service"]);
}
