//! Rows of the database edited, swapped and deleted by somebody who has the file and `sqlite3`, but not the
//! key. Each denies, in a stack that would pass if the module did not count, even where users without a
//! factor are let by; and each is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{fs, path::Path};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    sys::must,
    world::{self, World},
};

const JANE: &str = "(SELECT id FROM account WHERE name = 'jane')";
const MALLORY: &str = "(SELECT id FROM account WHERE name = 'mallory')";

/// What is done to jane's rows, in SQL. `{jane}` and `{mallory}` are the ids of the accounts.
const EDITS: [(&str, &str); 19] = [
    (
        "her account and factor deleted",
        "DELETE FROM factor WHERE account_id = {jane}; DELETE FROM account WHERE name = 'jane'",
    ),
    (
        "her account deleted, her factor left",
        "PRAGMA foreign_keys = OFF; DELETE FROM account WHERE name = 'jane'",
    ),
    ("her factor deleted", "DELETE FROM factor WHERE account_id = {jane}"),
    (
        "her factor deleted and taken off her list",
        "DELETE FROM factor WHERE account_id = {jane}; UPDATE account SET factor_ids = x'' WHERE name = 'jane'",
    ),
    ("her factor given to mallory", "UPDATE factor SET account_id = {mallory} WHERE account_id = {jane}"),
    ("mallory's factor given to her", "UPDATE factor SET account_id = {jane} WHERE account_id = {mallory}"),
    (
        "mallory's seed under her factor",
        "UPDATE factor SET sealed = (SELECT sealed FROM factor WHERE account_id = {mallory}) WHERE account_id = {jane}",
    ),
    (
        "mallory's seed and code under her factor",
        "UPDATE factor SET (sealed, mac) = (SELECT sealed, mac FROM factor WHERE account_id = {mallory}) WHERE account_id = {jane}",
    ),
    (
        "mallory's account under her name",
        "UPDATE account SET name = 'nobody' WHERE name = 'jane'; UPDATE account SET name = 'jane' WHERE name = 'mallory'",
    ),
    ("her account renamed", "UPDATE account SET name = 'nobody' WHERE name = 'jane'"),
    ("her account moved to another realm", "UPDATE account SET realm = 'away' WHERE name = 'jane'"),
    (
        "her account put elsewhere in the ring",
        "UPDATE account SET slot = x'00112233445566778899aabbccddeeff' WHERE name = 'jane'",
    ),
    ("her used codes made good again", "UPDATE factor SET position = 0 WHERE account_id = {jane}"),
    (
        "her failures forgotten",
        "UPDATE factor SET failures = 0, not_before = 0, since = 0, until_admin = 0 WHERE account_id = {jane}",
    ),
    ("her factor made pending", "UPDATE factor SET state = 'pending' WHERE account_id = {jane}"),
    ("her factor made a shorter one", "UPDATE factor SET digits = 4 WHERE account_id = {jane}"),
    ("her factor made time-based", "UPDATE factor SET kind = 'totp', period = 30 WHERE account_id = {jane}"),
    ("all accounts deleted", "PRAGMA foreign_keys = OFF; DELETE FROM factor; DELETE FROM account"),
    (
        "all accounts but the ring's beginning deleted",
        "PRAGMA foreign_keys = OFF; DELETE FROM factor; DELETE FROM account WHERE id <> 1",
    ),
];

/// A daemon that lets users without a factor by, stopped; jane with one failure and one used code, mallory
/// with a factor, bob without.
fn scene(world: &World) -> Daemon {
    let mut daemon = Setup::new(world).unenrolled("skip").start();
    for user in ["jane", "mallory", "bob"] {
        world.add_user(user);
    }
    for user in ["jane", "mallory"] {
        daemon.enroll_hotp(user, &Seed::of(user), 0);
    }
    daemon.guard_with_code_alone("app", "");
    assert_eq!(log_in("jane", &Seed::of("jane").hotp(0)), "PAM_SUCCESS");
    assert_ne!(log_in("jane", &Seed::of("jane").wrong()), "PAM_SUCCESS");
    assert_eq!(log_in("bob", ""), "PAM_SUCCESS", "users without a factor are let by here");
    daemon.stop();
    daemon
}

fn log_in(user: &str, code: &str) -> String {
    Driver::new("app").login(user, &[code, ""]).result
}

/// Puts the state directory back as it was.
fn restore(daemon: &Daemon, copy: &Path) {
    let (copy, state) = (copy.to_str().unwrap(), daemon.state.to_str().unwrap());
    must(&["find", state, "-mindepth", "1", "-delete"]);
    must(&["cp", "-a", &format!("{copy}/."), state]);
}

#[test]
fn rows_that_were_changed_deny_and_are_told() {
    world::enter("rows_that_were_changed_deny_and_are_told", |world| {
        let mut daemon = scene(world);
        let copy = Path::new("/run/world/copy");
        must(&["cp", "-a", daemon.state.to_str().unwrap(), copy.to_str().unwrap()]);
        let (jane, mallory) = (Seed::of("jane"), Seed::of("mallory"));
        for (number, (what, sql)) in EDITS.iter().enumerate() {
            restore(&daemon, copy);
            let sql = sql.replace("{jane}", JANE).replace("{mallory}", MALLORY);
            let database = daemon.state.join("mfad.db");
            let before = fs::read(&database).unwrap();
            must(&["sqlite3", database.to_str().unwrap(), &sql]);
            assert_ne!(fs::read(&database).unwrap(), before, "{what}: nothing was changed");
            let told_before = tellings(world, &daemon);
            let running = daemon.try_begin();
            for (whose, code) in [
                ("her next code", jane.hotp(1)),
                ("her used code", jane.hotp(0)),
                ("mallory's code", mallory.hotp(0)),
                ("no code", String::new()),
            ] {
                let result = log_in("jane", &code);
                assert!(result != "PAM_SUCCESS", "{what}: {whose} let jane in");
            }
            assert!(tellings(world, &daemon) > told_before, "{what} (edit {number}): nothing was told");
            if running {
                daemon.stop();
            }
        }
        restore(&daemon, copy);
        daemon.begin();
        assert_eq!(log_in("jane", &jane.hotp(1)), "PAM_SUCCESS", "the untouched database lets jane in");
        assert_eq!(log_in("mallory", &mallory.hotp(0)), "PAM_SUCCESS");
    });
}

/// How often it was told that rows are not as they were written: in the system log, or at a refused start.
fn tellings(world: &World, daemon: &Daemon) -> usize {
    world.log().lines("tampered").len() + daemon.output().matches("tampered").count()
}
