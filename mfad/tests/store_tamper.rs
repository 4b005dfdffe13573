//! What somebody with write access to the database, but without the key, can do: deny, and be noticed.
//! Never: let someone in, or make a user look as if not enrolled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use std::{path::Path, sync::Arc};

use mfa_proto::{
    admin::AuditFilter,
    answer::{Answer, Pin, RecoveryCode},
    tag::{Description, Serial},
};
use mfad::{
    clock::{FakeClock, UnixTime},
    policy::Binding,
    seal::Keyring,
    store::{
        BreakGlass, Channel, Device, GraceLogin, GraceTerms, Issued, LoginStore, Outcome, RecoveryNew,
        Remembrance, Store, StoreError, StoreSettings, Target,
    },
};
use rusqlite::Connection;
use store_common::*;

const USERS: [&str; 3] = ["jane", "john", "june"];

/// A login that the time of grace lets in, twice.
fn graced(name: &str) -> GraceLogin {
    let terms = GraceTerms { until: None, logins: Some(2) };
    GraceLogin { context: context(name), rule: None, uid: 1000, terms }
}

/// A closed store to take copies of.
struct Original {
    directory: tempfile::TempDir,
    keyring: Keyring,
}

impl Original {
    async fn new() -> Self {
        let f = Fixture::new();
        for name in USERS {
            f.enroll(name, TOTP, name.as_bytes()).await;
        }
        let device = Device {
            serial: Some(Serial::new("OATH00019E8B").unwrap()),
            description: Some(Description::new("red key").unwrap()),
            pin: Some(Pin::new("1234").unwrap()),
        };
        f.store.enroll_device(new_factor("jane", "two", HOTP, b"second"), device).await.unwrap();
        // All kinds of rows: a code under way, an answer with an outside service, recovery codes, an emergency
        // code.
        let phone = f.enroll_sms("jane", "+49305556667").await;
        let corp = f.enroll_rest("jane").await;
        f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
        let reason = mfa_proto::text::ShownText::clean("phone lost");
        f.store.break_glass(BreakGlass { order: order("june"), minutes: 60, reason }).await.unwrap();
        drop(f.sent(&context("jane"), phone).await);
        drop(f.ticket(&context("jane"), corp).await);
        f.store.invite(order("jill"), 3600).await.unwrap();
        drop(f.store.grace(graced("jack")).await.unwrap().unwrap());
        let phone_of_john = f.enroll_sms("john", "+49305556667").await;
        drop(f.sent(&context("john"), phone_of_john).await);
        for name in USERS {
            let outcome = f.try_code(name, &totp(name.as_bytes(), NOW)).await;
            let Outcome::Accepted(proof) = outcome else { panic!("{name}: {outcome:?}") };
            f.store.remember(&proof, remembrance(name)).await.unwrap();
        }
        f.store.shutdown().await;
        Self { directory: f.directory, keyring: f.keyring }
    }

    /// A copy after `change`, opened.
    fn changed(&self, change: impl FnOnce(&Connection)) -> (tempfile::TempDir, Result<Store, StoreError>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mfad.db");
        std::fs::copy(self.directory.path().join("mfad.db"), &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        change(&connection);
        connection.close().unwrap();
        let store = self.open(&path);
        (directory, store)
    }

    fn open(&self, path: &Path) -> Result<Store, StoreError> {
        let clock = Arc::new(FakeClock::at(NOW.plus(60)));
        Store::open(path, self.keyring.clone(), StoreSettings::default(), clock)
    }
}

/// A success that is remembered for longer than the tests last.
fn remembrance(name: &str) -> Remembrance {
    let [class, source, key, rule] = ["sshd", "local", "SHA256:one", "office"].map(str::to_owned);
    let binding = Binding { class, source, key, rule, need: 1 << 16 };
    Remembrance { context: context(name), uid: Some(1000), binding, boot: "this".to_owned(), seconds: 3600 }
}

/// What an intruder's change led to.
#[derive(Debug, Default)]
struct Findings {
    /// The store does not open, or something in it is reported as tampered.
    noticed: bool,
    /// Users whose right code is still accepted.
    accepted: Vec<&'static str>,
    /// Users that look as if not enrolled.
    vanished: Vec<&'static str>,
}

async fn look(store: Result<Store, StoreError>) -> Findings {
    let mut findings = Findings::default();
    let store = match store {
        Ok(store) => store,
        Err(error) => {
            assert!(matches!(error, StoreError::Tampered(_) | StoreError::KeyMissing(_)), "{error}");
            return Findings { noticed: true, ..findings };
        }
    };
    let trail = store.check_audit().await.unwrap();
    findings.noticed = trail.broken_at.is_some();
    for name in USERS {
        let view = store.view(user(name), Channel::Proven).await.unwrap();
        assert_eq!(
            LoginStore::of(&store).view(user(name), Channel::Proven).await.as_ref(),
            Ok(&view),
            "{name}"
        );
        findings.noticed |= view.tampered;
        if !view.tampered && view.shape.is_none() {
            findings.vanished.push(name);
        }
        let code = totp(name.as_bytes(), NOW.plus(60));
        let outcome = store.attempt(attempt(name, &code)).await.unwrap();
        if accepted(&outcome) {
            findings.accepted.push(name);
        } else {
            assert!(matches!(outcome, Outcome::Tampered), "{name}: {outcome:?}");
        }
    }
    // Names between the rows: what guards their absence may have been changed.
    for n in 0..40 {
        findings.noticed |= store.view(user(&format!("nobody{n}")), Channel::Proven).await.unwrap().tampered;
    }
    // A login of grace looks at all who wait for a factor.
    findings.noticed |= matches!(store.grace(graced("jill")).await, Err(StoreError::Tampered(_)));
    // The row that begins the ring is asked for by every login of a name without factor.
    findings.noticed |= matches!(store.decoy().await, Err(StoreError::Tampered(_)));
    // What was sent is looked through with each code, and each hour.
    store.prune_audit(UnixTime(0), u64::MAX).await.unwrap();
    findings.noticed |= store.audit(AuditFilter::default(), 1000).await.map_or(true, |page| {
        page.rows.iter().any(|row| matches!(row.event.as_str(), "sent_changed" | "remembered_changed"))
    });
    store.shutdown().await;
    findings
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn nothing_changed_is_nothing_noticed() {
    let original = Original::new().await;
    let (_directory, store) = original.changed(|_| ());
    let findings = look(store).await;
    assert!(!findings.noticed && findings.accepted == USERS && findings.vanished.is_empty(), "{findings:?}");
}

/// Every column of every row of every table, one by one: the lists are read from the database, so a new
/// table or column cannot be forgotten.
#[tokio::test]
async fn a_change_of_any_column_of_any_row_is_noticed() {
    let original = Original::new().await;
    let connection = Connection::open(original.directory.path().join("mfad.db")).unwrap();
    let tables = texts(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    assert_eq!(tables.len(), 10);
    let mut changes = 0;
    for table in tables {
        let key = if table == "meta" { "name" } else { "rowid" };
        let rows = texts(&connection, &format!("SELECT CAST({key} AS TEXT) FROM {table}"));
        let columns = texts(&connection, &format!("SELECT name FROM pragma_table_info('{table}')"));
        for (row, column) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))) {
            let what = format!("{table} row {row} column {column}");
            let (_directory, store) = original.changed(|c| change_one(c, (&table, key), row, column));
            let findings = look(store).await;
            assert!(findings.noticed, "{what}: not noticed");
            assert_eq!(findings.vanished, [""; 0], "{what}");
            let owner = owner_of(&connection, &table, row);
            assert!(!owner.is_some_and(|owner| findings.accepted.contains(&owner)), "{what}: let in");
            changes += 1;
        }
    }
    assert!(changes > 150, "only {changes} changes were tried");
}

fn change_one(connection: &Connection, (table, key): (&str, &str), row: &str, column: &str) {
    let something = if column == "pin" { "x'05'" } else { "5" };
    let sql = format!(
        "UPDATE OR IGNORE {table} SET {column} = CASE typeof({column})
            WHEN 'null' THEN {something}
            WHEN 'integer' THEN {column} + 1000
            WHEN 'blob' THEN CASE length({column}) WHEN 0 THEN x'00' ELSE
                CAST(substr({column}, 1, length({column}) - 1)
                    || CASE substr({column}, -1) WHEN x'55' THEN x'aa' ELSE x'55' END AS BLOB) END
            ELSE {column} || 'x' END
         WHERE CAST({key} AS TEXT) = ?1"
    );
    // The head's row has a fixed number: taken away instead.
    let sql =
        if (table, column) == ("head", "id") { "DELETE FROM head WHERE ?1 = '1'".to_owned() } else { sql };
    assert_eq!(connection.execute(&sql, [row]).unwrap(), 1, "{table}.{column} of {row}");
}

fn owner_of(connection: &Connection, table: &str, row: &str) -> Option<&'static str> {
    let sql = match table {
        "account" => "SELECT name FROM account WHERE CAST(id AS TEXT) = ?1",
        "factor" => {
            "SELECT account.name FROM account JOIN factor ON account_id = account.id \
             WHERE CAST(factor.id AS TEXT) = ?1"
        }
        "challenge" => {
            "SELECT account.name FROM account JOIN factor ON account_id = account.id \
             JOIN challenge ON factor_id = factor.id WHERE CAST(challenge.id AS TEXT) = ?1"
        }
        _ => return None,
    };
    let name: String = connection.query_row(sql, [row], |row| row.get(0)).unwrap();
    USERS.into_iter().find(|user| *user == name)
}

/// Each row: what is done, and whom it may not let in.
const INTRUSIONS: [(&str, &[&str]); 31] = [
    ("DELETE FROM factor WHERE account_id = (SELECT id FROM account WHERE name = 'jane')", &["jane"]),
    ("DELETE FROM factor WHERE label = 'two'", &["jane"]),
    ("DELETE FROM account WHERE name = 'jane'", &["jane"]),
    (
        "DELETE FROM factor WHERE account_id = (SELECT id FROM account WHERE name = 'jane');
         DELETE FROM account WHERE name = 'jane'",
        &["jane"],
    ),
    ("DELETE FROM factor; DELETE FROM account", &USERS),
    ("DELETE FROM factor; DELETE FROM account WHERE name != ''", &USERS),
    ("DELETE FROM account WHERE name = ''", &[]),
    ("DROP INDEX account_by_name; UPDATE account SET name = 'x' || name WHERE name = 'jane'", &["jane"]),
    (
        "UPDATE factor SET account_id = (SELECT id FROM account WHERE name = 'john')
         WHERE account_id = (SELECT id FROM account WHERE name = 'jane')",
        &["jane", "john"],
    ),
    (
        "INSERT INTO factor SELECT id + 50, (SELECT id FROM account WHERE name = 'john'), kind, label, state,
            algorithm, digits, period, created, last_used, position, drift, failures, since, not_before,
            until_admin, key_id, sealed, mac, NULL, description, pin, origin FROM factor WHERE label = 'two'",
        &["john"],
    ),
    (
        "UPDATE factor SET sealed = (SELECT sealed FROM factor WHERE label = 'two')
         WHERE account_id = (SELECT id FROM account WHERE name = 'john')",
        &["john"],
    ),
    (
        "UPDATE factor SET (sealed, mac) = (SELECT sealed, mac FROM factor WHERE label = 'two')
         WHERE account_id = (SELECT id FROM account WHERE name = 'john')",
        &["john"],
    ),
    (
        "INSERT INTO account SELECT id + 50, randomblob(16), next, realm, 'eve', uid, factor_ids,
            unproven_failures, unproven_since, unproven_not_before, unproven_until_admin, failure_days,
            window_locked, key_id, mac, epoch, failed, failed_from FROM account WHERE name = 'jane'",
        &[],
    ),
    ("UPDATE account SET slot = randomblob(16) WHERE name = 'jane'", &["jane"]),
    ("DELETE FROM audit WHERE seq = 3", &[]),
    ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", &[]),
    ("DELETE FROM audit WHERE seq = (SELECT min(seq) FROM audit)", &[]),
    ("DELETE FROM challenge", &["jane", "john"]),
    ("DELETE FROM challenge WHERE purpose = 'ask'", &["jane"]),
    ("UPDATE challenge SET expires = expires + 100000, tries = 0 WHERE purpose = 'code'", &["jane", "john"]),
    (
        "UPDATE challenge SET hash = (SELECT hash FROM challenge WHERE factor_id = (SELECT max(id) FROM factor))
         WHERE purpose = 'code'",
        &["jane"],
    ),
    (
        "INSERT INTO challenge SELECT id / 2, factor_id, purpose, session, hash, digits, serial, sent, expires,
            tries, key_id, mac FROM challenge WHERE purpose = 'code'",
        &["jane", "john"],
    ),
    ("DELETE FROM waiting", &[]),
    ("DELETE FROM waiting WHERE name = 'jack'", &[]),
    ("UPDATE waiting SET slot = randomblob(16) WHERE name = 'jack'", &[]),
    ("UPDATE waiting SET graced = 0", &[]),
    ("UPDATE waiting SET serial = 3 - serial, invite_hash = randomblob(32), invite_until = 9999999999", &[]),
    ("DELETE FROM sent", &[]),
    ("DELETE FROM sent WHERE id = (SELECT max(id) FROM sent)", &[]),
    ("UPDATE sent SET account_id = account_id + 1", &[]),
    ("DELETE FROM sent; UPDATE head SET sent_cut = 0, sent_last = 0", &USERS),
];

#[tokio::test]
async fn rows_that_are_deleted_moved_copied_or_forged_let_nobody_in() {
    let original = Original::new().await;
    for (sql, shut_out) in INTRUSIONS {
        let (_directory, store) = original.changed(|c| c.execute_batch(sql).unwrap());
        let findings = look(store).await;
        assert!(findings.noticed, "{sql}: not noticed");
        assert_eq!(findings.vanished, [""; 0], "{sql}");
        assert!(!findings.accepted.iter().any(|name| shut_out.contains(name)), "{sql}: {findings:?}");
    }
}

/// A code that was used, or replaced, does not come back with its row.
#[tokio::test]
async fn the_row_of_a_code_that_was_put_back_is_noticed() {
    let put_aside = "CREATE TABLE aside AS SELECT * FROM challenge";
    let put_back = "INSERT INTO challenge SELECT * FROM aside; DROP TABLE aside";
    let mut f = Fixture::new();
    f.enroll("jane", TOTP, b"jane").await;
    let phone = f.enroll_sms("jane", "+49305556667").await;
    let login = context("jane");
    for replaced in [false, true] {
        let sent = f.sent(&login, phone).await;
        f.reopen_after(|c| c.execute_batch(put_aside).unwrap()).await;
        if replaced {
            f.clock.advance(60);
            drop(f.sent(&login, phone).await);
            f.reopen_after(|c| c.execute_batch(&format!("DELETE FROM challenge; {put_back}")).unwrap()).await;
        } else {
            assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
            f.reopen_after(|c| c.execute_batch(put_back).unwrap()).await;
        }
        assert!(f.store.view(user("jane"), Channel::Proven).await.unwrap().tampered);
        assert!(matches!(f.try_in(&login, sent.code.expose()).await, Outcome::Tampered));
        let issued = f.store.issue(issue(&login, phone)).await.unwrap();
        assert!(matches!(issued, Issued::Tampered), "{issued:?}");
        f.reopen_after(|c| c.execute_batch("DELETE FROM challenge").unwrap()).await;
        if !replaced {
            assert!(!f.store.view(user("jane"), Channel::Proven).await.unwrap().tampered, "as it was");
        }
    }
    // An administrator removes it all, as for every other row.
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    f.enroll_sms("jane", "+49305556667").await;
}

/// A row taken away lets nobody send more: it counts for all, and for a day.
#[tokio::test]
async fn rows_that_count_what_was_sent_count_for_all_when_they_are_lost() {
    let sent = mfad::store::SentLimits { per_user_day: 3, ..mfad::store::SentLimits::default() };
    let limits = || StoreSettings { sent, ..StoreSettings::default() };
    let mut f = Fixture::with(limits());
    let phone = f.enroll_sms("jane", "+49305556667").await;
    let login = context("jane");
    assert!(accepted(&f.try_in(&login, f.sent(&login, phone).await.code.expose()).await));
    f.reopen_after(|c| assert_eq!(c.execute("DELETE FROM sent", []).unwrap(), 2)).await;
    f.reopen_with(limits()).await;
    let of_john = f.enroll_sms("john", "+49309998887").await;
    let until = NOW.plus(86_400);
    for (name, factor) in [("john", of_john), ("jane", phone)] {
        let issued = f.store.issue(issue(&context(name), factor)).await.unwrap();
        let capped = matches!(issued, Issued::Capped { until: then } if then == until);
        assert_eq!(capped, name == "john", "{name}: {issued:?}");
    }
    let noticed =
        |rows: Vec<mfa_proto::admin::AuditRow>| rows.iter().filter(|row| row.event == "sent_changed").count();
    assert_eq!(noticed(f.store.audit(AuditFilter::default(), 100).await.unwrap().rows), 1, "told once");
    f.clock.advance(86_400);
    drop(f.sent(&context("john"), of_john).await);
}

#[tokio::test]
async fn used_recovery_codes_and_their_hashes_cannot_be_put_back_or_swapped() {
    for change in [
        "UPDATE factor SET position = 0 WHERE kind = 'recovery'",
        "UPDATE factor SET sealed = (SELECT sealed FROM factor WHERE kind = 'recovery' AND id = \
            (SELECT max(id) FROM factor)) WHERE kind = 'recovery'",
        "UPDATE factor SET (position, sealed, mac) = (SELECT position, sealed, mac FROM factor WHERE id = \
            (SELECT max(id) FROM factor)) WHERE kind = 'recovery'",
        "UPDATE factor SET digits = 8 WHERE kind = 'recovery'",
        "UPDATE factor SET kind = 'totp' WHERE kind = 'recovery'",
    ] {
        let mut f = Fixture::new();
        let set = f.store.recovery_new(RecoveryNew { order: order("jane"), count: 3 }).await.unwrap();
        f.store.recovery_new(RecoveryNew { order: order("june"), count: 3 }).await.unwrap();
        let typed = |code: &RecoveryCode| Answer::Recovery(RecoveryCode::parse(code.expose()).unwrap());
        let used = answering(&context("jane"), typed(&set.codes[0]));
        assert!(accepted(&f.store.attempt(used).await.unwrap()));
        f.reopen_after(|c| c.execute_batch(change).unwrap()).await;
        for code in &set.codes {
            let outcome = f.store.attempt(answering(&context("jane"), typed(code))).await.unwrap();
            assert!(matches!(outcome, Outcome::Tampered), "{change}: {outcome:?}");
        }
        assert!(f.store.view(user("jane"), Channel::Proven).await.unwrap().tampered, "{change}");
    }
}

/// A row that somebody adds to the trail while the daemon runs stops nobody from logging in for long.
#[tokio::test]
async fn a_row_forged_into_the_trail_while_in_use_is_noticed() {
    let f = Fixture::new();
    f.enroll("jane", HOTP, b"jane").await;
    let intruder = Connection::open(f.database()).unwrap();
    intruder
        .execute(
            "INSERT INTO audit SELECT seq + 1, time, event, realm, name, service, source, factor, rule, 'accept',
             reason, session, actor, chain, client FROM audit ORDER BY seq DESC LIMIT 1",
            [],
        )
        .unwrap();
    let denied = f.store.attempt(attempt("jane", &hotp(b"jane", 0))).await;
    assert!(denied.is_err(), "{denied:?}");
    assert!(accepted(&f.try_code("jane", &hotp(b"jane", 0)).await));
    assert!(f.store.check_audit().await.unwrap().broken_at.is_some());
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    assert!(rows.iter().any(|row| row.event == "audit_cut"), "{rows:?}");
}

/// An administrator removes the user and enrolls it anew; nobody else becomes absent by that.
#[tokio::test]
async fn a_tampered_user_can_be_removed_and_enrolled_anew() {
    let original = Original::new().await;
    let of_jane = "(SELECT id FROM account WHERE name = 'jane')";
    for damage in [
        format!("DELETE FROM factor WHERE account_id = {of_jane}"),
        format!("UPDATE factor SET digits = 8 WHERE account_id = {of_jane}"),
        "UPDATE account SET uid = 7 WHERE name = 'jane'".to_owned(),
        "UPDATE account SET slot = randomblob(16) WHERE name = 'jane'".to_owned(),
        format!("DELETE FROM factor WHERE account_id = {of_jane}; DELETE FROM account WHERE name = 'jane'"),
    ] {
        let (_directory, store) = original.changed(|c| c.execute_batch(&damage).unwrap());
        let store = store.unwrap();
        let by_owner = store.remove(owner("jane", None), Target::default()).await;
        assert!(matches!(by_owner, Err(StoreError::Tampered(_))), "{damage}: {by_owner:?}");
        store.remove(order("jane"), Target::default()).await.unwrap_or_else(|e| panic!("{damage}: {e}"));
        store.enroll(new_factor("jane", "one", HOTP, b"anew")).await.unwrap();
        assert!(accepted(&store.attempt(attempt("jane", &hotp(b"anew", 0))).await.unwrap()), "{damage}");
        for name in ["john", "june"] {
            let code = totp(name.as_bytes(), NOW.plus(60));
            assert!(accepted(&store.attempt(attempt(name, &code)).await.unwrap()), "{damage}: {name}");
        }
        assert_eq!(store.check_audit().await.unwrap().broken_at, None);
        store.shutdown().await;
    }
}

/// Of two users whose rows are gone, removing one does not make the other look as if never enrolled,
/// as long as the first one's own row can be trusted.
#[tokio::test]
async fn removing_one_tampered_user_keeps_the_gap_of_another_noticed() {
    let original = Original::new().await;
    for victim in USERS {
        for other in USERS.into_iter().filter(|other| *other != victim) {
            let damage = format!(
                "UPDATE factor SET digits = 8 WHERE account_id = (SELECT id FROM account WHERE name = '{victim}');
                 DELETE FROM account WHERE name = '{other}'"
            );
            let (_directory, store) = original.changed(|c| c.execute_batch(&damage).unwrap());
            let store = store.unwrap();
            // It may be refused, where the two stood side by side; what counts is what it leaves behind.
            drop(store.remove(order(victim), Target::default()).await);
            let view = store.view(user(other), Channel::Proven).await.unwrap();
            assert!(view.tampered, "{victim} removed, {other} deleted: {view:?}");
            store.shutdown().await;
        }
    }
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let original = Original::new().await;
    let path = original.directory.path().join("mfad.db");
    let other = Keyring::generate().unwrap();
    let refused =
        Store::open(&path, other, StoreSettings::default(), Arc::new(FakeClock::at(NOW))).unwrap_err();
    assert_eq!(refused, StoreError::KeyMissing(original.keyring.current()));
}
