//! Copies of the database: taken while it is in use, put back without making a used code good again.
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
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use mfa_proto::admin::{AuditFilter, FactorState, LockState, Restored};
use mfad::{
    clock::FakeClock,
    factor::Rules,
    seal::Keyring,
    store::{Outcome, Store, StoreError, StoreSettings, Target, Trail},
};
use store_common::*;

/// Copies made and put back by hand, as `mfactl` does.
trait Copies {
    async fn back_up(&self, name: &str) -> PathBuf;
    async fn put_back(&self, copy: &Path) -> Result<Restored, StoreError>;
    fn lay(&self, copy: &Path);
}

impl Copies for Fixture {
    async fn back_up(&self, name: &str) -> PathBuf {
        let made = self.store.backup().await.unwrap();
        let kept = self.directory.path().join(name);
        fs::rename(&made.path, &kept).unwrap();
        kept
    }

    async fn put_back(&self, copy: &Path) -> Result<Restored, StoreError> {
        self.lay(copy);
        let restored = self.store.restore().await;
        assert!(!self.directory.path().join("restore.db").exists(), "what was laid there is left");
        assert!(!self.directory.path().join("restoring.db").exists());
        restored
    }

    fn lay(&self, copy: &Path) {
        let to = Store::handed_over(&self.database());
        fs::copy(copy, &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn counts(carried_over: u64, need_resync: u64) -> Restored {
    Restored { users: 1, carried_over, need_resync, recovery_void: 0 }
}

async fn events(fixture: &Fixture) -> Vec<(String, String)> {
    let page = fixture.store.audit(AuditFilter::default(), 1000).await.unwrap();
    page.rows.into_iter().map(|row| (row.event, row.reason)).collect()
}

#[tokio::test]
async fn a_copy_is_whole_and_for_its_owner_alone() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    let made = fixture.store.backup().await.unwrap();
    assert_eq!((made.users, made.keys), (1, vec![fixture.keyring.current().to_string()]));
    assert_eq!(fs::metadata(&made.path).unwrap().permissions().mode() & 0o7777, 0o600);
    for end in ["-wal", "-shm", "-journal"] {
        assert!(!made.path.with_file_name(format!("backup.db{end}")).exists(), "{end}");
    }
    let copy = open(&made.path, &fixture.keyring, Arc::<FakeClock>::clone(&fixture.clock)).unwrap();
    assert!(accepted(&copy.attempt(attempt("jane", &hotp(b"jane", 0))).await.unwrap()));
    assert_eq!(copy.check_audit().await.unwrap().broken_at, None);
    copy.shutdown().await;
    assert!(accepted(&fixture.try_code("jane", &hotp(b"jane", 0)).await), "the copy is another database");
}

#[tokio::test]
async fn logins_go_on_while_a_copy_is_made() {
    let fixture = Fixture::new();
    for n in 0..300 {
        fixture.enroll(&format!("user{n}"), HOTP, b"seed").await;
    }
    let logins = async {
        let mut done = 0;
        for n in 0..300 {
            done += usize::from(accepted(&fixture.try_code(&format!("user{n}"), &hotp(b"seed", 0)).await));
        }
        done
    };
    let (copy, done) = tokio::join!(fixture.store.backup(), logins);
    assert_eq!((copy.unwrap().users, done), (300, 300));
}

#[tokio::test]
async fn codes_used_since_the_copy_stay_used() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"hotp").await;
    fixture.store.enroll(new_factor("jane", "two", TOTP, b"totp")).await.unwrap();
    let copy = fixture.back_up("kept.db").await;
    let (first, now) = (hotp(b"hotp", 3), totp(b"totp", NOW));
    assert!(accepted(&fixture.try_code("jane", &first).await));
    assert!(accepted(&fixture.try_code("jane", &now).await));
    assert_eq!(fixture.put_back(&copy).await.unwrap(), counts(2, 0));
    assert!(matches!(fixture.try_code("jane", &now).await, Outcome::Used { .. }));
    fixture.store.reset(order("jane")).await.unwrap();
    assert!(!accepted(&fixture.try_code("jane", &hotp(b"hotp", 2)).await), "behind the counter");
    assert!(!accepted(&fixture.try_code("jane", &first).await));
    fixture.store.reset(order("jane")).await.unwrap();
    assert!(accepted(&fixture.try_code("jane", &hotp(b"hotp", 4)).await));
}

#[tokio::test]
async fn a_factor_that_the_database_does_not_know_is_fenced() {
    let fixture = Fixture::new();
    let hotp_id = fixture.enroll("jane", HOTP, b"hotp").await;
    fixture.store.enroll(new_factor("jane", "two", TOTP, b"totp")).await.unwrap();
    let copy = fixture.back_up("kept.db").await;
    assert!(accepted(&fixture.try_code("jane", &totp(b"totp", NOW)).await));
    assert!(accepted(&fixture.try_code("jane", &hotp(b"hotp", 0)).await));
    fixture.store.remove(order("jane"), Target::default()).await.unwrap();
    assert_eq!(fixture.put_back(&copy).await.unwrap(), counts(0, 1));
    let show = fixture.store.show(user("jane")).await.unwrap();
    assert_eq!(show.factors[0].state, FactorState::Disabled);
    for ahead in [0, 30] {
        let burnt = fixture.try_code("jane", &totp(b"totp", NOW.plus(ahead))).await;
        assert!(matches!(burnt, Outcome::Used { .. }), "{ahead}: {burnt:?}");
    }
    assert!(!accepted(&fixture.try_code("jane", &hotp(b"hotp", 0)).await));
    fixture.store.reset(order("jane")).await.unwrap();
    fixture.clock.set(NOW.plus(60));
    assert!(accepted(&fixture.try_code("jane", &totp(b"totp", NOW.plus(60))).await));
    let written = events(&fixture).await;
    assert!(written.contains(&("disable".to_owned(), "restored: needs resync".to_owned())), "{written:?}");
    fixture.store.enable(order("jane"), Target { factor: Some(hotp_id), label: None }).await.unwrap();
    assert_eq!(fixture.store.figures().await.unwrap().active_factors, 2);
}

#[tokio::test]
async fn with_a_learned_drift_all_is_burnt_that_could_have_been_used() {
    let settings =
        StoreSettings { rules: Rules { window: 1, learn_drift: true }, ..StoreSettings::default() };
    let fixture = Fixture::with(settings);
    fixture.enroll("jane", TOTP, b"totp").await;
    let copy = fixture.back_up("kept.db").await;
    // The device runs ahead by one step more at each login.
    let mut used = Vec::new();
    for lead in 1..=11_i64 {
        let code = totp(b"totp", NOW.plus(30 * lead));
        assert!(accepted(&fixture.try_code("jane", &code).await), "{lead}");
        used.push(code);
    }
    fixture.store.remove(order("jane"), Target::default()).await.unwrap();
    fixture.put_back(&copy).await.unwrap();
    for later in 0..12 {
        fixture.clock.set(NOW.plus(30 * later));
        for code in &used {
            let outcome = fixture.try_code("jane", code).await;
            assert!(!accepted(&outcome), "{later}: {outcome:?}");
            fixture.store.unlock(order("jane")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn failures_and_locks_stay_and_what_was_switched_off_stays_off() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    fixture.enroll("joe", HOTP, b"joe").await;
    let copy = fixture.back_up("kept.db").await;
    for second in 0..5 {
        fixture.clock.set(NOW.plus(10 * second));
        assert!(matches!(fixture.try_code("jane", &wrong(b"jane", 0)).await, Outcome::Wrong { .. }));
    }
    fixture.store.disable(order("joe"), Target::default()).await.unwrap();
    fixture.put_back(&copy).await.unwrap();
    let jane = fixture.store.show(user("jane")).await.unwrap();
    assert_eq!((jane.factors[0].failures, jane.failures_30_days), (5, 5));
    assert!(matches!(jane.factors[0].lock, LockState::Until { .. }), "{jane:?}");
    assert!(matches!(fixture.try_code("jane", &hotp(b"jane", 0)).await, Outcome::Locked { .. }));
    let joe = fixture.store.show(user("joe")).await.unwrap();
    assert_eq!(joe.factors[0].state, FactorState::Disabled);
    assert_eq!(fixture.store.figures().await.unwrap().active_factors, 1);
}

#[tokio::test]
async fn the_trail_goes_on_and_says_what_was_joined() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    let copy = fixture.back_up("kept.db").await;
    fixture.enroll("joe", HOTP, b"joe").await;
    fixture.put_back(&copy).await.unwrap();
    let written = events(&fixture).await;
    let (event, reason) = written.last().unwrap();
    assert_eq!(event, "restore");
    assert!(
        reason.starts_with("the copy ends at row 2 (") && reason.contains("before at row 3 ("),
        "{reason}"
    );
    assert_eq!(fixture.store.check_audit().await.unwrap().broken_at, None);
    assert!(matches!(fixture.store.show(user("joe")).await, Err(StoreError::Refused(_))));
    // No id is given twice, not even one of a factor that is lost.
    assert_eq!(fixture.enroll("jim", HOTP, b"jim").await.0, 3);
    let before = fixture.directory.path().join("replaced.db");
    let before = open(&before, &fixture.keyring, Arc::<FakeClock>::clone(&fixture.clock)).unwrap();
    assert_eq!(before.figures().await.unwrap().users, 2, "the database before is kept");
    before.shutdown().await;
}

#[tokio::test]
async fn a_restored_copy_is_fenced_again_when_it_is_restored_again() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    let copy = fixture.back_up("kept.db").await;
    for counter in 0..3 {
        assert!(accepted(&fixture.try_code("jane", &hotp(b"jane", counter)).await));
        assert_eq!(fixture.put_back(&copy).await.unwrap(), counts(1, 0));
        assert!(!accepted(&fixture.try_code("jane", &hotp(b"jane", counter)).await));
        fixture.store.reset(order("jane")).await.unwrap();
    }
}

/// Each way to change a copy with SQL, and a word of what is said about it.
const CHANGES: [(&str, &str); 12] = [
    ("UPDATE factor SET position = 5 WHERE id = 1", "was changed"),
    ("UPDATE factor SET sealed = (SELECT sealed FROM factor WHERE id = 2) WHERE id = 1", "was changed"),
    ("DELETE FROM factor WHERE id = 1", "missing or was added"),
    ("DELETE FROM account WHERE name = 'jane'", ""),
    ("DELETE FROM head", "head row is gone"),
    ("UPDATE head SET next_factor = 1", "head row was changed"),
    ("DELETE FROM meta WHERE name = 'audit_key'", "audit_key"),
    ("DELETE FROM audit WHERE seq = 2", "audit trail"),
    ("UPDATE audit SET reason = 'fine' WHERE seq = 2", "audit trail"),
    ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "audit trail"),
    (
        "CREATE TRIGGER t AFTER UPDATE ON factor BEGIN UPDATE factor SET position = OLD.position, \
         mac = OLD.mac WHERE id = OLD.id; END",
        "not those of mfad",
    ),
    ("PRAGMA user_version = 99", "newer mfad"),
];

#[tokio::test]
async fn a_copy_that_was_changed_is_refused_and_nothing_happens() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    fixture.enroll("joe", HOTP, b"joe").await;
    let copy = fixture.back_up("kept.db").await;
    fixture.enroll("jim", HOTP, b"jim").await;
    let rows = events(&fixture).await.len();
    for (change, said) in CHANGES {
        let changed = fixture.directory.path().join("changed.db");
        fs::copy(&copy, &changed).unwrap();
        let connection = rusqlite::Connection::open(&changed).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(change).unwrap();
        connection.close().unwrap();
        let error = fixture.put_back(&changed).await.unwrap_err();
        assert!(error.to_string().contains(said), "{change}: {error}");
        assert_eq!(fixture.store.figures().await.unwrap().users, 3, "{change}");
        assert_eq!(events(&fixture).await.len(), rows, "{change}");
    }
    assert!(fixture.put_back(&copy).await.is_ok(), "unchanged it is taken");
}

#[tokio::test]
async fn what_is_no_copy_is_refused() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    let copy = fixture.back_up("kept.db").await;
    let whole = fs::read(&copy).unwrap();
    let other = fixture.directory.path().join("other");
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("cut", whole[..whole.len() - 4096].to_vec()),
        ("half a page", whole[..whole.len() - 100].to_vec()),
        ("text", b"restore me".to_vec()),
    ] {
        fs::write(&other, bytes).unwrap();
        let error = fixture.put_back(&other).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. } | StoreError::Tampered(_)), "{what}: {error}");
    }
    assert!(
        matches!(fixture.store.restore().await, Err(StoreError::Unusable { .. })),
        "nothing was laid there"
    );
    fixture.lay(&copy);
    let laid = Store::handed_over(&fixture.database());
    fs::set_permissions(&laid, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(fixture.store.restore().await.unwrap_err().to_string().contains("chmod 0600"));
    assert!(accepted(&fixture.try_code("jane", &hotp(b"jane", 0)).await));
}

#[tokio::test]
async fn a_copy_under_another_key_is_refused() {
    let (fixture, stranger) = (Fixture::new(), Fixture::new());
    fixture.enroll("jane", HOTP, b"jane").await;
    stranger.enroll("eve", HOTP, b"eve").await;
    let copy = stranger.back_up("kept.db").await;
    let error = fixture.put_back(&copy).await.unwrap_err();
    assert_eq!(error, StoreError::KeyMissing(stranger.keyring.current()));
    assert!(accepted(&fixture.try_code("jane", &hotp(b"jane", 0)).await));
}

#[tokio::test]
async fn a_copy_from_before_a_rotation_needs_the_old_key() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    let copy = fixture.back_up("kept.db").await;
    let (key, old) = (fixture.directory.path().join("key"), fixture.keyring.current());
    let both = Keyring::rotate(&key).unwrap();
    fixture.store.replace_keyring(both.clone()).await.unwrap();
    while fixture.store.rekey(100).await.unwrap() > 0 {}
    assert_eq!(fixture.put_back(&copy).await.unwrap(), counts(1, 0));
    assert!(fixture.store.figures().await.unwrap().rows_with_old_key > 0, "to be sealed with the new key");
    while fixture.store.rekey(100).await.unwrap() > 0 {}
    let mixed = fixture.store.backup().await.unwrap();
    assert_eq!(mixed.keys, [both.current().to_string()]);
    fixture.store.replace_keyring(Keyring::forget(&key, old).unwrap()).await.unwrap();
    assert_eq!(fixture.put_back(&copy).await.unwrap_err(), StoreError::KeyMissing(old));
}

#[tokio::test]
async fn a_database_of_which_a_row_was_changed_gives_no_copy_and_vouches_for_nothing() {
    let mut fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    let copy = fixture.back_up("kept.db").await;
    fixture
        .reopen_after(|connection| {
            connection.execute("UPDATE factor SET position = 0, failures = 0", []).unwrap();
        })
        .await;
    assert!(accepted(&fixture.try_code("jane", &hotp(b"jane", 0)).await), "nothing was changed in fact");
    fixture
        .reopen_after(|connection| {
            connection.execute("UPDATE factor SET position = 0", []).unwrap();
        })
        .await;
    assert!(matches!(fixture.store.backup().await, Err(StoreError::Tampered(_))));
    assert!(!fixture.directory.path().join("backup.db").exists());
    assert_eq!(fixture.put_back(&copy).await.unwrap(), counts(0, 1), "fenced as unknown");
}

#[tokio::test]
async fn without_a_daemon_a_copy_replaces_what_cannot_be_read() {
    let fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    fixture.store.enroll(new_factor("jane", "two", TOTP, b"totp")).await.unwrap();
    let copy = fixture.back_up("kept.db").await;
    assert!(accepted(&fixture.try_code("jane", &totp(b"totp", NOW)).await));
    fixture.store.shutdown().await;
    let restore = |trail| {
        fixture.lay(&copy);
        let settings = StoreSettings::default();
        Store::restore_offline(&fixture.database(), &fixture.keyring, &settings, (NOW, trail))
    };
    assert_eq!(restore(Trail::Whole).unwrap(), (counts(2, 0), None), "a database that can be read is asked");
    fs::write(fixture.database(), b"damaged").unwrap();
    fs::write(fixture.directory.path().join("mfad.db-wal"), b"its log").unwrap();
    let (restored, unknown) = restore(Trail::Whole).unwrap();
    assert_eq!(restored, counts(0, 1));
    assert!(matches!(unknown, Some(StoreError::Unusable { .. })), "{unknown:?}");
    assert_eq!(fs::read(fixture.directory.path().join("replaced.db")).unwrap(), b"damaged");
    assert_eq!(fs::read(fixture.directory.path().join("replaced.db-wal")).unwrap(), b"its log");
    fs::remove_file(fixture.database()).unwrap();
    let (restored, unknown) = restore(Trail::Whole).unwrap();
    assert_eq!(restored, counts(0, 1), "a host without database");
    assert!(matches!(unknown, Some(StoreError::Missing(_))), "{unknown:?}");
    let store = open(&fixture.database(), &fixture.keyring, Arc::<FakeClock>::clone(&fixture.clock)).unwrap();
    let again = store.attempt(attempt("jane", &totp(b"totp", NOW))).await.unwrap();
    assert!(matches!(again, Outcome::Used { .. }), "{again:?}");
    store.shutdown().await;
}

#[tokio::test]
async fn a_copy_with_a_broken_trail_is_taken_only_when_that_is_said() {
    let mut fixture = Fixture::new();
    fixture.enroll("jane", HOTP, b"jane").await;
    fixture
        .reopen_after(|connection| {
            connection.execute("UPDATE audit SET reason = 'fine' WHERE seq = 1", []).unwrap();
        })
        .await;
    let copy = fixture.back_up("kept.db").await;
    assert!(matches!(fixture.put_back(&copy).await, Err(StoreError::Tampered(_))));
    fixture.store.shutdown().await;
    fixture.lay(&copy);
    let settings = StoreSettings::default();
    let trail = (NOW, Trail::MayBeBroken);
    let restored = Store::restore_offline(&fixture.database(), &fixture.keyring, &settings, trail);
    assert_eq!(restored.unwrap(), (counts(1, 0), None));
}
