//! What an intruder with write access to the database may do to the audit trail, and that each is found; and
//! that pruning, new keys, copies and their restoring leave a trail that is whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::{admin::AuditFilter, name::Claim};
use mfad::{
    clock::{FakeClock, UnixTime},
    seal::Keyring,
    store::{AuditCheck, Fault, Store, StoreError},
};
use rusqlite::Connection;
use std::sync::Arc;

use store_common::{Fixture, HOTP, NOW, attempt, context, hotp, open};

/// Rows of the trail after [`busy`].
const ROWS: i64 = 12;

/// A store with a trail of [`ROWS`] rows: made, one enrollment, successes and failures.
async fn busy() -> Fixture {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    use_it(&f, 0..9).await;
    fail(&f).await;
    assert_eq!(f.store.check_audit().await.unwrap().last, ROWS);
    f
}

/// A failure, or what a lock makes of it.
async fn fail(f: &Fixture) {
    let outcome = f.try_code("jane", "000000").await;
    assert!(!store_common::accepted(&outcome), "{outcome:?}");
}

/// A success for each counter, a minute apart.
async fn use_it(f: &Fixture, counters: std::ops::Range<u64>) {
    for counter in counters {
        f.clock.advance(60);
        let outcome = f.try_code("jane", &hotp(b"jane", counter)).await;
        assert!(store_common::accepted(&outcome), "{counter}: {outcome:?}");
    }
}

fn sql(statements: &'static str) -> impl FnOnce(&Connection) {
    move |connection| connection.execute_batch(statements).unwrap()
}

fn found(check: &AuditCheck) -> Option<(i64, Fault)> {
    check.broken_at.zip(check.fault)
}

/// Each column changed.
fn changed_columns() -> Vec<(String, i64, Fault)> {
    let columns = [
        ("time", "time + 1"),
        ("event", "'enroll'"),
        ("realm", "'other'"),
        ("name", "'john'"),
        ("service", "'sudo'"),
        ("source", "'192.0.2.1'"),
        ("factor", "factor + 1"),
        ("rule", "'robots'"),
        ("verdict", "'deny'"),
        ("reason", "'policy'"),
        ("session", "''"),
        ("actor", "7"),
        ("client", "'vpn'"),
        ("chain", "zeroblob(32)"),
        ("chain", "x''"),
    ];
    columns
        .into_iter()
        .map(|(column, value)| {
            (format!("UPDATE audit SET {column} = {value} WHERE seq = 5"), 5, Fault::Changed)
        })
        .collect()
}

/// Rows deleted, added and exchanged, a cut end.
fn moved_rows() -> Vec<(String, i64, Fault)> {
    let insert = |seq: &str| {
        format!(
            "INSERT INTO audit SELECT {seq}, time, event, realm, name, service, source, factor, rule, verdict,
             reason, session, actor, chain, client FROM audit WHERE seq = 5"
        )
    };
    vec![
        ("DELETE FROM audit WHERE seq = 5".into(), 5, Fault::Missing { until: 6 }),
        ("DELETE FROM audit WHERE seq BETWEEN 5 AND 8".into(), 5, Fault::Missing { until: 9 }),
        ("DELETE FROM audit WHERE seq = 1".into(), 1, Fault::Missing { until: 2 }),
        (
            "UPDATE audit SET seq = -1 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
             UPDATE audit SET seq = 6 WHERE seq = -1"
                .into(),
            5,
            Fault::Changed,
        ),
        // All behind it moves up, so that no number is missing.
        (
            "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = -seq WHERE seq > 5;
             UPDATE audit SET seq = -seq - 1 WHERE seq < 0"
                .into(),
            5,
            Fault::Changed,
        ),
        (insert("13"), 13, Fault::Added),
        (insert("0"), 0, Fault::Added),
        (insert("-7"), -7, Fault::Added),
        ("DELETE FROM audit WHERE seq = 12".into(), 12, Fault::EndMissing { last: 12 }),
        ("DELETE FROM audit WHERE seq > 3".into(), 4, Fault::EndMissing { last: 12 }),
        ("DELETE FROM audit".into(), 1, Fault::EndMissing { last: 12 }),
        // Links that were not made with the key.
        ("UPDATE audit SET chain = randomblob(32)".into(), 1, Fault::Changed),
    ]
}

#[tokio::test]
async fn what_is_done_to_rows_at_rest_is_found_and_named() {
    for (statements, at, fault) in changed_columns().into_iter().chain(moved_rows()) {
        let mut f = busy().await;
        f.reopen_after(|c| c.execute_batch(&statements).unwrap()).await;
        let check = f.store.check_audit().await.unwrap();
        assert_eq!(found(&check), Some((at, fault)), "{statements}");
        assert!(i64::try_from(check.sound).unwrap() < ROWS.max(at), "{statements}: {check:?}");
        // What is written afterwards does not heal it.
        fail(&f).await;
        let after = f.store.check_audit().await.unwrap();
        assert!(after.broken_at.is_some_and(|later| later <= at.max(ROWS)), "{statements}: {after:?}");
        f.store.shutdown().await;
    }
}

fn keep_head(connection: &Connection) {
    connection.execute_batch("CREATE TABLE kept AS SELECT * FROM head").unwrap();
}

fn put_head_back(connection: &Connection, after: i64) {
    let back = format!(
        "DELETE FROM audit WHERE seq > {after};
         DELETE FROM head; INSERT INTO head SELECT * FROM kept; DROP TABLE kept"
    );
    connection.execute_batch(&back).unwrap();
}

/// The head is sealed, but an older one was sealed as well.
#[tokio::test]
async fn an_older_head_put_back_with_the_end_cut_off_is_found_while_the_daemon_runs() {
    let f = busy().await;
    let intruder = Connection::open(f.database()).unwrap();
    keep_head(&intruder);
    use_it(&f, 9..11).await;
    put_head_back(&intruder, ROWS);
    let check = f.store.check_audit().await.unwrap();
    assert_eq!(found(&check), Some((13, Fault::PutBack { last: Some(14) })));
    // The next change notices, and goes on behind what was written: the hole stays to be seen.
    assert!(f.store.attempt(attempt("jane", "000000")).await.is_err());
    fail(&f).await;
    let check = f.store.check_audit().await.unwrap();
    assert_eq!(found(&check), Some((13, Fault::Missing { until: 15 })));
    let filter = AuditFilter { event: Some("audit_cut".into()), ..AuditFilter::default() };
    assert_eq!(f.store.audit(filter, 10).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn an_older_head_put_back_while_the_daemon_is_down_is_found_by_the_factors_used_since() {
    let mut f = busy().await;
    f.reopen_after(keep_head).await;
    use_it(&f, 9..11).await;
    f.reopen_after(|c| put_head_back(c, ROWS)).await;
    let check = f.store.check_audit().await.unwrap();
    assert_eq!(found(&check), Some((13, Fault::PutBack { last: None })));
}

/// What happened after a clock was set back is no intrusion.
#[tokio::test]
async fn a_clock_that_was_set_back_breaks_nothing() {
    let f = busy().await;
    f.clock.advance(86_400);
    use_it(&f, 9..10).await;
    f.clock.set(NOW);
    use_it(&f, 10..12).await;
    assert_eq!(found(&f.store.check_audit().await.unwrap()), None);
}

/// The trail of another store, whole in itself: each store has a key of its own for its chain.
#[tokio::test]
async fn a_chain_that_replaces_the_whole_is_found() {
    let (mut f, other) = (busy().await, busy().await);
    other.store.shutdown().await;
    let path = other.database();
    f.reopen_after(|c| {
        c.execute("ATTACH ?1 AS other", [path.to_str().unwrap()]).unwrap();
        c.execute_batch(
            "DELETE FROM audit; INSERT INTO audit SELECT * FROM other.audit;
             UPDATE audit SET chain = (SELECT audit_chain FROM head) WHERE seq = 12",
        )
        .unwrap();
    })
    .await;
    let check = f.store.check_audit().await.unwrap();
    assert_eq!(found(&check), Some((1, Fault::Changed)));
}

/// The head itself cannot be made to fit: without the key file nobody can seal one.
#[tokio::test]
async fn a_head_made_to_fit_a_shorter_trail_opens_no_store() {
    let mut f = busy().await;
    let change = "DELETE FROM audit WHERE seq > 5; UPDATE head SET audit_last = 5,
                  audit_chain = (SELECT chain FROM audit WHERE seq = 5)";
    let opened = f.try_reopen_after(sql(change)).await;
    assert!(matches!(opened, Err(StoreError::Tampered(_))), "{opened:?}");
}

#[tokio::test]
async fn pruning_new_keys_and_copies_leave_a_trail_that_is_whole_and_can_be_tied_to_what_was_exported() {
    let mut f = busy().await;
    let exported = f.store.audit(AuditFilter::default(), 1000).await.unwrap().rows;
    let before = f.store.check_audit().await.unwrap();
    assert_eq!((before.cut, before.last, before.chain), (0, ROWS, exported.last().unwrap().chain));

    // Pruned: the link that is left to build on is that of the last exported row that is gone.
    f.store.prune_audit(UnixTime(0), 5).await.unwrap();
    let pruned = f.store.check_audit().await.unwrap();
    assert_eq!(found(&pruned), None);
    let cut = exported.iter().find(|row| row.seq == pruned.cut).unwrap();
    assert_eq!(pruned.cut_chain, cut.chain);
    let left = f.store.audit(AuditFilter::default(), 1000).await.unwrap().rows;
    assert_eq!(i64::try_from(left.len()).unwrap(), pruned.last - pruned.cut);
    for row in &left {
        assert_eq!(
            exported.iter().find(|before| before.seq == row.seq).map_or(row.chain, |b| b.chain),
            row.chain
        );
    }

    // Another key.
    Keyring::rotate(&f.directory.path().join("key")).unwrap();
    let keyring = Keyring::load(&f.directory.path().join("key")).unwrap();
    f.store.replace_keyring(keyring.clone()).await.unwrap();
    while f.store.rekey(100).await.unwrap() > 0 {}
    f.keyring = keyring;
    let rotated = f.store.check_audit().await.unwrap();
    assert_eq!((found(&rotated), rotated.cut_chain), (None, pruned.cut_chain));

    // A copy, put back after more has happened.
    let copy = f.store.backup().await.unwrap();
    use_it(&f, 9..11).await;
    std::fs::rename(copy.path, f.database().with_file_name("restore.db")).unwrap();
    f.store.restore().await.unwrap();
    let restored = f.store.check_audit().await.unwrap();
    assert_eq!((found(&restored), restored.cut, restored.cut_chain), (None, pruned.cut, pruned.cut_chain));
    f.reopen_after(|_| ()).await;
    assert_eq!(found(&f.store.check_audit().await.unwrap()), None);
}

/// Rows pruned while a check is under way, or added, are none that are missing; logins go on beside it.
#[tokio::test]
async fn a_check_beside_logins_and_pruning_finds_nothing() {
    let f = busy().await;
    f.store.fill_trail(context("jane"), 40_000).await.unwrap();
    let (store, checks) = (f.store.clone(), f.store.clone());
    let pruning = tokio::spawn(async move { store.prune_audit(UnixTime(0), 1000).await.unwrap() });
    let checking = tokio::spawn(async move {
        let mut reports = Vec::new();
        for _ in 0..5 {
            reports.push(checks.check_audit().await.unwrap());
        }
        reports
    });
    use_it(&f, 9..30).await;
    assert!(pruning.await.unwrap() > 30_000);
    for report in checking.await.unwrap() {
        assert_eq!(found(&report), None, "{report:?}");
    }
    assert_eq!(f.store.check_audit().await.unwrap().cut, f.store.check_audit().await.unwrap().cut);
}

/// A store that shuts down does not wait for a check of a long trail, and leaves no log behind.
#[tokio::test]
async fn a_check_under_way_ends_with_the_store() {
    let f = busy().await;
    f.store.fill_trail(context("jane"), 60_000).await.unwrap();
    let store = f.store.clone();
    let check = tokio::spawn(async move { store.check_audit().await });
    tokio::task::yield_now().await;
    f.store.shutdown().await;
    let ended = check.await.unwrap();
    assert!(ended == Err(StoreError::Stopped) || ended.is_ok_and(|report| report.broken_at.is_none()));
    assert!(!f.database().with_file_name("mfad.db-wal").exists());
    assert_eq!(f.store.check_audit().await, Err(StoreError::Stopped));
}

#[tokio::test]
async fn rows_are_found_by_source_verdict_and_event() {
    let f = busy().await;
    let from = |source: &str| mfad::audit::Context { source: Some(Claim::clean(source)), ..context("jane") };
    f.clock.advance(3600);
    let _wrong = f.try_in(&from("203.0.113.7"), "000000").await;
    let count = async |filter: AuditFilter| f.store.audit(filter, 1000).await.unwrap().rows.len();
    let all = AuditFilter::default;
    assert_eq!(count(AuditFilter { source: Some(Claim::clean("203.0.113.7")), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { source: Some(Claim::clean("203.0.113")), ..all() }).await, 0);
    assert_eq!(count(AuditFilter { verdict: Some("accept".into()), ..all() }).await, 9);
    assert_eq!(count(AuditFilter { event: Some("enroll".into()), ..all() }).await, 1);
    let two = AuditFilter { verdict: Some("accept".into()), last: Some(2), ..all() };
    assert_eq!(f.store.audit(two, 1000).await.unwrap().rows.last().unwrap().seq, 11);
    let none = AuditFilter { verdict: Some("accept".into()), event: Some("enroll".into()), ..all() };
    assert_eq!(count(none).await, 0);
}

#[tokio::test]
async fn a_trail_is_checked_by_whoever_opens_the_file_next() {
    let f = busy().await;
    f.store.shutdown().await;
    let clock = Arc::<FakeClock>::clone(&f.clock);
    let again: Store = open(&f.database(), &f.keyring, clock).unwrap();
    assert_eq!(again.check_audit().await.unwrap().sound, u64::try_from(ROWS).unwrap());
}
