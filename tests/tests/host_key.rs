//! The key of a booted Debian host: sealed where its unit is handed it, a file elsewhere, never made anew where one was
//! lost; rotated, and put back from the copy that is kept elsewhere. Whatever is wrong with it denies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::os::unix::fs::PermissionsExt as _;

use mfa_tests::{
    host::{self, Host},
    otp::Seed,
    sys::wait_until,
    world::PASSWORD,
};

const SEALED_KEY: &str = "/usr/lib/mfad/sealed-key";
const SETUP: &str = "/usr/lib/mfad/setup";
const SEALED: &str = "/etc/credstore.encrypted/mfad-key";
const FILE: &str = "/etc/mfad/key";
const SAYS_SEALED: &str = "/etc/mfad/conf.d/key.toml";
const DATABASE: &str = "/var/lib/mfad/mfad.db";
const UNITS: [&str; 2] = ["mfad.socket", "mfad.service"];

/// mfad installed, sshd asking for codes; jane, who has a token with a button.
fn scene(host: &Host) -> Seed {
    host.install(host.package());
    host.add_user("jane");
    host.guard_sshd("");
    host.enroll_hotp("jane")
}

fn mode(host: &Host, path: &str) -> u32 {
    host.path(path).metadata().unwrap_or_else(|error| panic!("{path}: {error}")).permissions().mode() & 0o7777
}

fn systemctl(host: &Host, verb: &str) {
    host.must(&[&["systemctl", verb], &UNITS[..]].concat());
}

/// The daemon is made to start; it does not.
fn does_not_start(host: &Host) {
    systemctl(host, "stop");
    host.must(&["systemctl", "reset-failed"]);
    let start = host.run(&["systemctl", "start", "mfad.service"]);
    assert_ne!(start.code, Some(0), "it started");
}

/// The ids of the keys, the current one first, and the text that is kept elsewhere.
fn copy(host: &Host) -> (Vec<String>, String) {
    let text = host.must(&[SEALED_KEY, "show"]);
    let id = |line: &str| line.split(' ').nth(1).expect("a key has an id").to_owned();
    (text.lines().map(id).collect(), text)
}

/// What belongs to the roles' accounts, on the disk of the host.
fn owned_by_roles(host: &Host) -> Vec<String> {
    let roles = ["mfad", "mfad-egress", "mfad-web"];
    let of = |role| host.must(&["find", "/", "-xdev", "(", "-user", role, "-o", "-group", role, ")"]);
    roles.iter().flat_map(|role| of(role).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_key_is_sealed_and_roles_own_their_state_alone() {
    host::enter("the_key_is_sealed_and_roles_own_their_state_alone", |host| {
        let seed = scene(host);
        assert!(!host.path(FILE).exists(), "the key lies there as a file as well");
        assert_eq!((mode(host, SEALED), mode(host, SAYS_SEALED)), (0o600, 0o644));
        let (ids, text) = copy(host);
        assert_eq!(ids.len(), 1);
        let key = text.trim().rsplit(' ').next().unwrap().to_owned();
        // Neither the sealed form nor the database has it, nor anything else on the disk.
        let holding =
            host.run(&["grep", "--recursive", "--files-with-matches", &key, "/etc", "/var", "/root"]);
        assert_eq!(holding.stdout, "", "the key lies there openly");
        for path in owned_by_roles(host) {
            assert!(path.starts_with("/var/lib/mfad"), "{path} belongs to a role");
        }
        host.reboot();
        assert!(host.login("jane", &seed.hotp(0)), "it is not handed over at a boot");
        assert!(!host.login("jane", &seed.wrong()));
    });
}

#[test]
fn where_nothing_can_be_sealed_the_key_is_a_file() {
    host::enter("where_nothing_can_be_sealed_the_key_is_a_file", |host| {
        // What seals is there, and units are not handed what it sealed: as in some containers.
        let program = "/usr/bin/systemd-run";
        host.must(&["mv", program, "/root/systemd-run"]);
        host.write(program, "#!/bin/sh\nexit 1\n");
        host.must(&["chmod", "755", program]);
        let seed = scene(host);
        assert!(!host.path(SEALED).exists() && !host.path(SAYS_SEALED).exists(), "it counts as sealed");
        assert_eq!(mode(host, FILE), 0o600);
        for path in owned_by_roles(host) {
            assert!(path.starts_with("/var/lib/mfad") || path == FILE, "{path} belongs to a role");
        }
        assert!(host.login("jane", &seed.hotp(0)));
        // An upgrade finds it, and leaves it.
        host.must(&["mv", "/root/systemd-run", program]);
        host.must(&[SETUP]);
        assert!(!host.path(SEALED).exists(), "a second key was made");
        host.must(&["systemctl", "restart", "mfad.service"]);
        assert!(host.login("jane", &seed.hotp(1)));
    });
}

#[test]
fn a_sealed_key_is_rotated_and_the_old_one_forgotten() {
    host::enter("a_sealed_key_is_rotated_and_the_old_one_forgotten", |host| {
        let seed = scene(host);
        let (before, _) = copy(host);
        let early = host.run(&[SEALED_KEY, "forget", &before[0]]);
        assert_ne!(early.code, Some(0), "the current key was forgotten: {early:?}");
        assert_eq!(copy(host).0, before);
        host.must(&[SEALED_KEY, "rotate"]);
        let (both, _) = copy(host);
        assert_eq!((both.len(), &both[1]), (2, &before[0]));
        host.must(&["systemctl", "restart", "mfad.service"]);
        assert!(host.login("jane", &seed.hotp(0)));
        wait_until("no row needs the old key", || {
            host.run(&[SEALED_KEY, "forget", &before[0]]).code == Some(0)
        });
        assert_eq!(copy(host).0, both[..1]);
        assert!(!host.path(&format!("{SEALED}.old")).exists(), "the old key is still there");
        host.must(&["systemctl", "restart", "mfad.service"]);
        assert!(host.login("jane", &seed.hotp(1)));
        let again = host.run(&[SEALED_KEY, "seal", "/etc/hostname"]);
        assert_ne!(again.code, Some(0), "no key was sealed as one");
        assert_eq!(copy(host).0, both[..1]);
    });
}

#[test]
fn a_key_that_the_host_cannot_open_denies_until_the_copy_is_sealed() {
    host::enter("a_key_that_the_host_cannot_open_denies_until_the_copy_is_sealed", |host| {
        let seed = scene(host);
        let (_, text) = copy(host);
        // systemd goes on trying, and logins wait for it: not for long here.
        host.must(&["sed", "--in-place", "s/pam_mfa.so/& timeout=5/", "/etc/pam.d/sshd"]);
        // As after a new main board: what was sealed is there, what opens it is another.
        host.must(&["rm", "/var/lib/systemd/credential.secret"]);
        host.must(&["systemd-creds", "setup"]);
        let shown = host.run(&[SEALED_KEY, "show"]);
        assert_ne!(shown.code, Some(0), "{shown:?}");
        does_not_start(host);
        assert!(!host.password_lets_in("jane", PASSWORD), "without its key, somebody was let in");
        // A new key is none that opens what is enrolled; nothing makes one.
        host.must(&[SETUP]);
        does_not_start(host);
        host.write("/root/paper", &text);
        host.must(&[SEALED_KEY, "seal", "/root/paper"]);
        host.must(&["systemctl", "reset-failed"]);
        systemctl(host, "start");
        assert!(host.login("jane", &seed.hotp(0)));
    });
}

#[test]
fn a_copy_and_a_backup_make_the_host_anew() {
    host::enter("a_copy_and_a_backup_make_the_host_anew", |host| {
        scene(host);
        let (ids, text) = copy(host);
        host.must(&["mfactl", "backup", "/root/mfad.backup"]);
        host.write("/root/paper", &text);
        host.must(&["mfactl", "pam", "disable", "sshd", "--yes"]);
        host.must(&["dpkg", "--purge", "mfad"]);
        host.install(host.package());
        assert_ne!(copy(host).0, ids, "the key outlived the purge");
        systemctl(host, "stop");
        let foreign = host.run(&[SEALED_KEY, "run", "mfad", "restore", "/root/mfad.backup"]);
        assert_ne!(foreign.code, Some(0), "another key opened the backup: {foreign:?}");
        host.must(&[SEALED_KEY, "seal", "/root/paper"]);
        host.must(&[SEALED_KEY, "run", "mfad", "restore", "/root/mfad.backup"]);
        systemctl(host, "start");
        assert!(host.must(&["mfactl", "list"]).contains("jane"));
        assert_eq!(copy(host).0, ids);
    });
}

#[test]
fn setup_begins_again_when_cut_off_and_never_replaces_what_was_lost() {
    host::enter("setup_begins_again_when_cut_off_and_never_replaces_what_was_lost", |host| {
        let seed = scene(host);
        let (ids, _) = copy(host);
        systemctl(host, "stop");
        for lost in [SEALED, DATABASE] {
            host.must(&["mv", lost, "/root/lost"]);
            host.must(&[SETUP]);
            assert!(!host.path(lost).exists(), "{lost} was made anew");
            does_not_start(host);
            host.must(&["mv", "/root/lost", lost]);
        }
        host.must(&["systemctl", "reset-failed"]);
        systemctl(host, "start");
        assert!(host.login("jane", &seed.hotp(0)));
        // Cut off between key and database, at the first installation.
        systemctl(host, "stop");
        host.must(&["rm", DATABASE]);
        host.write("/etc/mfad/setup-unfinished", "");
        host.must(&[SETUP]);
        assert_ne!(copy(host).0, ids, "half of it was kept");
        assert!(!host.path("/etc/mfad/setup-unfinished").exists());
        systemctl(host, "start");
        assert!(host.is_active("mfad.service"));
        // The next time it is finished.
        let (ids, _) = copy(host);
        host.must(&[SETUP]);
        assert_eq!(copy(host).0, ids);
    });
}
