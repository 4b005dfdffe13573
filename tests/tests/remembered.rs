//! Successes that are remembered, through the real sshd from two addresses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    world::{self, PASSWORD, World},
};

const RULE: &str = "[[policy.rule]]\nname = \"remembering\"\nmatch = { service = [\"sshd\"] }\n\
                    action = \"require\"\nremember = \"8h\"";
const HERE: &str = "127.0.0.1";
const THERE: &str = "127.0.0.2";

fn from(address: &str) -> Session {
    let mut session = ssh::ssh("jane", &[&format!("BindAddress={address}")], "id -un");
    session.answer(PASSWORD_PROMPT, PASSWORD);
    session
}

/// Whether the password alone lets in. When a code is asked for, none is given.
fn is_let_in_unasked(address: &str) -> bool {
    ssh::was_let_in(from(address), "jane")
}

fn is_let_in_by(address: &str, code: &str) -> bool {
    let mut session = from(address);
    session.answer(CODE_PROMPT, code);
    ssh::was_let_in(session, "jane")
}

fn scene(world: &World) -> (Daemon, Seed, Sshd) {
    world.add_user("jane");
    let daemon = Setup::new(world).section(RULE).start();
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    daemon.guard("sshd", "");
    (daemon, seed, Sshd::start(&[]))
}

#[test]
fn a_success_is_remembered_for_the_address_it_came_from_until_it_is_revoked() {
    world::enter("a_success_is_remembered_for_the_address_it_came_from_until_it_is_revoked", |world| {
        let (mut daemon, seed, _sshd) = scene(world);
        assert!(is_let_in_by(HERE, &seed.hotp(0)));
        assert!(is_let_in_unasked(HERE));
        assert!(!is_let_in_unasked(THERE), "another address is asked");
        assert!(is_let_in_by(THERE, &seed.hotp(1)));
        assert!(is_let_in_unasked(THERE) && is_let_in_unasked(HERE));

        let skipped = daemon.audit("jane").into_iter().filter(|row| row["reason"] == "remembered").count();
        assert_eq!(skipped, 3);
        let listed = daemon.json(&["remembered", "list"]);
        let rows = listed["remembered"].as_array().unwrap();
        let sources: Vec<&str> = rows.iter().map(|row| row["source"].as_str().unwrap()).collect();
        assert_eq!(sources, ["127.0.0.1/32", "127.0.0.2/32"]);

        daemon.stop();
        daemon.begin();
        assert!(is_let_in_unasked(HERE), "a restart of the daemon is none of the machine");
        let row = rows[0]["row"].to_string();
        daemon.ctl(&["remembered", "revoke", "--row", &row]).ok();
        assert!(!is_let_in_unasked(HERE), "asked again");
        assert!(is_let_in_unasked(THERE));
        daemon.ctl(&["remembered", "revoke", "jane"]).ok();
        assert!(!is_let_in_unasked(THERE));
    });
}

#[test]
fn the_password_is_needed_all_the_same_and_a_changed_factor_asks_again() {
    world::enter("the_password_is_needed_all_the_same_and_a_changed_factor_asks_again", |world| {
        let (daemon, seed, _sshd) = scene(world);
        assert!(is_let_in_by(HERE, &seed.hotp(0)));
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, "not it");
        assert!(!ssh::was_let_in(session, "jane"));
        assert!(is_let_in_unasked(HERE));
        daemon.ctl(&["reset", "jane"]).ok();
        assert!(!is_let_in_unasked(HERE));
    });
}
