//! Rows of the running database that a restored one needs as they are: what was sent lately, and which
//! tokens were used.
//!
//! They are copied with their codes, which the same keys verify. Refuses to copy what is live: a login
//! under way does not survive a restore.

use rusqlite::{ToSql, params_from_iter, types::Value};

use crate::store::{
    StoreError,
    tx::{Read, Tx},
};

/// Forgets codes that were sent and services that were asked when the copy was made. The factors' rows still
/// have to say so.
pub(super) fn forget_live(tx: &Tx<'_>) -> Result<(), StoreError> {
    tx.connection.execute("DELETE FROM challenge", [])?;
    Ok(())
}

/// Forgets what was remembered when the copy was made.
pub(super) fn forget_remembered(tx: &Tx<'_>) -> Result<(), StoreError> {
    tx.connection.execute("DELETE FROM remembered", [])?;
    Ok(())
}

/// Whether a database has successes remembered of an account.
pub(super) fn remembers(read: &Read<'_>, account: i64) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM remembered WHERE account_id = ?1)";
    Ok(read.connection.prepare_cached(sql)?.query_row([account], |row| row.get(0))?)
}

/// What counts against the caps on sent codes.
pub(super) fn caps(before: &Read<'_>, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.connection.execute("DELETE FROM sent", [])?;
    (tx.head.sent_cut, tx.head.sent_last) = (before.head.sent_cut, before.head.sent_last);
    copy(before, tx, "sent", "id > ?1", &0)
}

/// The tokens of a factor that were used, in place of what the copy knows of them.
pub(super) fn nonces(before: &Read<'_>, tx: &Tx<'_>, factor: i64) -> Result<(), StoreError> {
    tx.connection.prepare_cached("DELETE FROM nonce WHERE factor_id = ?1")?.execute([factor])?;
    copy(before, tx, "nonce", "factor_id = ?1", &factor)
}

/// The tokens that were used with factors which the copy does not know: those of a domain would else be good
/// again for a user whom the copy does not know either.
pub(super) fn stray_nonces(before: &Read<'_>, tx: &Tx<'_>) -> Result<(), StoreError> {
    let mut statement = before.connection.prepare("SELECT DISTINCT factor_id FROM nonce")?;
    let mut rows = statement.query([])?;
    let known = "SELECT EXISTS (SELECT 1 FROM factor WHERE id = ?1)";
    while let Some(row) = rows.next()? {
        let factor: i64 = row.get(0)?;
        if !tx.connection.prepare_cached(known)?.query_row([factor], |row| row.get::<_, bool>(0))? {
            nonces(before, tx, factor)?;
        }
    }
    Ok(())
}

/// Copies the rows of a table that fit, as they are. Both databases have the same tables.
fn copy(before: &Read<'_>, tx: &Tx<'_>, table: &str, fit: &str, value: &dyn ToSql) -> Result<(), StoreError> {
    let mut statement = before.connection.prepare(&format!("SELECT * FROM {table} WHERE {fit}"))?;
    let columns = statement.column_count();
    let mut rows = statement.query([value])?;
    let places = vec!["?"; columns].join(", ");
    let mut insert = tx.connection.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>()?;
        insert.execute(params_from_iter(values))?;
    }
    Ok(())
}
