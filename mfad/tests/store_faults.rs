//! Disks that are full, files that vanish, damage, and other processes in the way: all of them deny, and
//! when the cause is gone the store goes on by itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
    process::Command,
    sync::Arc,
};

use mfad::{clock::FakeClock, seal::Keyring, store::StoreError};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use store_common::*;

/// Set for the process that runs under a limit.
const LIMITED: &str = "MFAD_TEST_LIMITED";

/// Bytes of a file that are enough for the logins of a test.
const ROOMY: u64 = 160 << 10;

/// The system refuses every write beyond `bytes` of a file from here on.
fn limit_files_to(bytes: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, bytes, hard).unwrap();
}

#[test]
fn a_full_disk_denies_and_the_store_recovers() {
    // A signal that is ignored stays ignored in programs that are started: a write beyond the limit then
    // fails instead of ending the process. The shell is what can ask for that without unsafe code.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact meet_a_full_disk --ignored --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(LIMITED, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
#[ignore = "needs a signal ignored: run by a_full_disk_denies_and_the_store_recovers"]
async fn meet_a_full_disk() {
    assert!(std::env::var_os(LIMITED).is_some(), "started by the test that needs it");
    // Small from the start: a log that is lengthened beforehand would take in hundreds of logins.
    limit_files_to(ROOMY);
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let mut counter = 0;
    for room in [0, 100, 4096, 20_000, 40_000] {
        limit_files_to(room);
        // With some room the first attempts may still fit.
        let mut error = None;
        for _ in 0..30 {
            match f.store.attempt(attempt("jane", &hotp(b"jane", counter))).await {
                Ok(outcome) => {
                    assert!(accepted(&outcome), "room {room}, counter {counter}: {outcome:?}");
                    counter += 1;
                }
                Err(denied) => {
                    error = Some(denied);
                    break;
                }
            }
        }
        let error = error.expect("no room means no login");
        assert!(
            matches!(
                error,
                StoreError::NotDurable(_) | StoreError::Unavailable(_) | StoreError::Unusable { .. }
            ),
            "{error}"
        );
        limit_files_to(ROOMY);
        // The code may have been used up by the attempt that failed; never is it accepted twice.
        let again = f.try_code("jane", &hotp(b"jane", counter)).await;
        counter += 1;
        let next = f.try_code("jane", &hotp(b"jane", counter)).await;
        assert!(accepted(&next), "room {room}: {again:?}, then {next:?}");
        counter += 1;
    }
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

/// After a failed fsync nobody knows what is on the disk: the login is denied, the connection is given up,
/// and the next login works with a fresh one. `strace` makes the system calls fail.
#[test]
#[ignore = "needs strace: `make test` runs it by name"]
fn a_failing_fsync_denies_and_the_store_recovers() {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"])
        .args(["-e", "inject=fsync,fdatasync:error=EIO:when=12..14"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "meet_a_failing_fsync", "--ignored", "--nocapture"])
        .env(LIMITED, "1")
        .status()
        .expect("strace can be started");
    assert!(status.success(), "{status}");
}

#[tokio::test]
#[ignore = "needs failing system calls: run by a_failing_fsync_denies_and_the_store_recovers"]
async fn meet_a_failing_fsync() {
    assert!(std::env::var_os(LIMITED).is_some(), "started by the test that needs it");
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let (mut failed, mut in_a_row) = (0, 0);
    for counter in 0..40 {
        match f.store.attempt(attempt("jane", &hotp(b"jane", counter))).await {
            Ok(outcome) if accepted(&outcome) => in_a_row += 1,
            Ok(outcome) => panic!("{counter}: {outcome:?}"),
            Err(error) => {
                assert!(!matches!(error, StoreError::Tampered(_)), "{error}");
                (failed, in_a_row) = (failed + 1, 0);
            }
        }
    }
    assert!(failed > 0, "no system call failed");
    assert!(in_a_row > 10, "it did not recover");
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn a_database_that_is_taken_away_denies_until_it_is_back() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let (here, away) = (f.database(), f.directory.path().join("away.db"));
    fs::rename(&here, &away).unwrap();
    let denied = f.store.attempt(attempt("jane", &hotp(b"jane", 0))).await.unwrap_err();
    assert_eq!(denied, StoreError::Missing(here.clone()));
    let view = f.store.view(user("jane"), mfad::store::Channel::Proven).await;
    assert!(view.is_err(), "a lost database is not one where nobody is enrolled: {view:?}");
    // A file that is no database in its place does not help.
    fs::write(&here, b"").unwrap();
    fs::set_permissions(&here, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(f.store.attempt(attempt("jane", &hotp(b"jane", 0))).await.is_err());
    fs::remove_file(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
}

#[tokio::test]
async fn another_process_that_holds_the_database_denies_until_it_lets_go() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let other = rusqlite::Connection::open(f.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let denied = f.store.attempt(attempt("jane", &hotp(b"jane", 0))).await.unwrap_err();
    assert!(denied.to_string().contains("locked"), "{denied}");
    // Reading goes on meanwhile.
    assert!(f.store.view(user("jane"), mfad::store::Channel::Proven).await.unwrap().shape.is_some());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
}

/// A closed store with one user.
async fn closed() -> Fixture {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    f.store.shutdown().await;
    f
}

fn reopened(f: &Fixture) -> StoreError {
    open(&f.database(), &f.keyring, Arc::<FakeClock>::clone(&f.clock)).expect_err("it must not open")
}

#[tokio::test]
async fn what_is_not_a_sound_database_of_ours_does_not_open() {
    let f = closed().await;
    let good = fs::read(f.database()).unwrap();
    // Missing, empty, cut, garbled, another program's, another version's.
    fs::remove_file(f.database()).unwrap();
    assert_eq!(reopened(&f), StoreError::Missing(f.database()));
    let put = |bytes: &[u8]| {
        fs::write(f.database(), bytes).unwrap();
        fs::set_permissions(f.database(), fs::Permissions::from_mode(0o600)).unwrap();
    };
    for bytes in [&[][..], &good[..good.len() / 2], &[0x5a; 8192]] {
        put(bytes);
        assert!(matches!(reopened(&f), StoreError::Unusable { .. }));
    }
    let mut garbled = good.clone();
    for page in garbled.chunks_mut(4096).skip(1) {
        page[..64].fill(0xee);
    }
    put(&garbled);
    assert!(matches!(reopened(&f), StoreError::Unusable { .. }));
    for (sql, newer) in [("PRAGMA user_version = 99", true), ("PRAGMA application_id = 7", false)] {
        put(&good);
        rusqlite::Connection::open(f.database()).unwrap().execute_batch(sql).unwrap();
        assert_eq!(matches!(reopened(&f), StoreError::Newer { found: 99, .. }), newer, "{sql}");
    }
    put(&good);
    let store = open(&f.database(), &f.keyring, Arc::<FakeClock>::clone(&f.clock)).unwrap();
    assert!(accepted(&store.attempt(attempt("jane", &hotp(b"jane", 0))).await.unwrap()));
    store.shutdown().await;
}

#[tokio::test]
async fn a_database_that_others_may_touch_does_not_open() {
    let f = closed().await;
    for mode in [0o640, 0o604, 0o620, 0o602] {
        fs::set_permissions(f.database(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(reopened(&f), StoreError::Unusable { .. }), "{mode:o}");
    }
    fs::set_permissions(f.database(), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(f.directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(reopened(&f), StoreError::Unusable { .. }));
    fs::set_permissions(f.directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let link = f.directory.path().join("link.db");
    symlink(f.database(), &link).unwrap();
    assert!(open(&link, &f.keyring, Arc::<FakeClock>::clone(&f.clock)).is_err());
    open(&f.database(), &f.keyring, Arc::<FakeClock>::clone(&f.clock)).unwrap().shutdown().await;
}

#[tokio::test]
async fn a_new_database_is_private_whole_and_never_put_over_another() {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("mfad.db");
    let keyring = Keyring::generate().unwrap();
    let clock = FakeClock::at(NOW);
    // Left behind by an init that was killed.
    fs::write(directory.path().join("mfad.db.new"), b"half").unwrap();
    mfad::store::Store::create(&path, &keyring, &clock).unwrap();
    let made = fs::metadata(&path).unwrap();
    assert_eq!((made.mode() & 0o7777, made.nlink()), (0o600, 1));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    let before = fs::read(&path).unwrap();
    assert_eq!(
        mfad::store::Store::create(&path, &keyring, &clock).unwrap_err(),
        StoreError::Exists(path.clone())
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_store_that_was_shut_down_says_so() {
    let f = closed().await;
    assert_eq!(f.store.ping().await, Err(StoreError::Stopped));
    f.store.shutdown().await;
}
