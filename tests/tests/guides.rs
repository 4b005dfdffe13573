//! Each guide of `docs/guides` does what it says, on a booted Debian host with what Debian ships.

use mfa_tests::{
    guide::{Codes, follow},
    host::Host,
};

/// mfad is installed; jane has an account and a token with a button.
fn installed(host: &mut Host) -> Codes {
    host.install(host.package());
    host.add_user("jane");
    Codes::of_token(host.enroll_hotp("jane"))
}

#[test]
fn sshd() {
    follow("sshd", include_str!("../../docs/guides/sshd.md"), &[], installed);
}
