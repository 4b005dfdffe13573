//! The package goes and the host stays one that people can log in to, never without a password: judged by real
//! logins, at each step of an installation. What `purge` takes away is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use mfa_tests::{
    host::{self, Host},
    otp::Seed,
    world::PASSWORD,
};

/// mfad installed; jane, who has a token with a button; sshd that asks by PAM for what the stack says.
fn scene(host: &Host) -> Seed {
    host.configure_sshd("");
    host.install(host.package());
    host.add_user("jane");
    host.enroll_hotp("jane")
}

/// A line by hand is a person's to take out: the package stays, and works.
#[test]
fn a_stack_by_hand_keeps_the_package() {
    host::enter("a_stack_by_hand_keeps_the_package", |host| {
        let seed = scene(host);
        host.guard("sshd");
        let refused = host.run(&["dpkg", "--remove", "mfad"]);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert!(refused.stderr.contains("/etc/pam.d/sshd"), "it says which: {refused:?}");
        assert!(host.is_active("mfad.service"));
        assert!(host.login("jane", &seed.hotp(0)), "what was refused has changed something");
        assert!(!host.password_lets_in("jane", PASSWORD), "no code was needed");
        // As it was told to.
        host.must(&["mfactl", "pam", "disable", "sshd", "--yes"]);
        host.must(&["dpkg", "--remove", "mfad"]);
        host.is_plain("jane");
    });
}

#[test]
fn the_profile_leaves_with_the_package() {
    host::enter("the_profile_leaves_with_the_package", |host| {
        let seed = scene(host);
        host.must(&["pam-auth-update", "--enable", "mfa"]);
        assert!(host.login("jane", &seed.hotp(0)));
        assert!(!host.password_lets_in("jane", PASSWORD));
        host.must(&["dpkg", "--remove", "mfad"]);
        host.is_plain("jane");
        // What is enrolled waits for the package to come back.
        host.install(host.package());
        host.is_plain("jane");
        host.must(&["pam-auth-update", "--enable", "mfa"]);
        assert!(!host.login("jane", &seed.hotp(0)), "a used code was forgotten");
        assert!(host.login("jane", &seed.hotp(1)));
    });
}

#[test]
fn purge_says_what_it_removes() {
    host::enter("purge_says_what_it_removes", |host| {
        scene(host);
        let kept = |host: &Host| host.run(&["sh", "-c", "ls -d /etc/mfad /var/lib/mfad"]).stdout;
        host.must(&["dpkg", "--remove", "mfad"]);
        assert_eq!(kept(host), "/etc/mfad\n/var/lib/mfad\n", "remove keeps what is enrolled");
        let purge = host.run(&["dpkg", "--purge", "mfad"]);
        assert_eq!(purge.code, Some(0), "{purge:?}");
        for removed in ["/var/lib/mfad/mfad.db", "/etc/mfad", "key"] {
            assert!(purge.stderr.contains(removed), "{removed}: {}", purge.stderr);
        }
        assert_eq!(kept(host), "");
        host.is_plain("jane");
        // And it begins anew.
        host.install(host.package());
        assert!(host.is_active("mfad.service"));
        assert!(!host.must(&["mfactl", "list"]).contains("jane"));
    });
}
