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

/// Forgets codes that were sent, services that were asked and tokens that were used when the copy was made.
/// The factors' rows still have to say so.
pub(super) fn forget_live(tx: &Tx<'_>) -> Result<(), StoreError> {
    Ok(tx.connection.execute_batch("DELETE FROM challenge; DELETE FROM nonce")?)
}

/// What counts against the caps on sent codes.
pub(super) fn caps(before: &Read<'_>, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.connection.execute("DELETE FROM sent", [])?;
    (tx.head.sent_cut, tx.head.sent_last) = (before.head.sent_cut, before.head.sent_last);
    copy(before, tx, "sent", ("SELECT * FROM sent WHERE id > ?1", &0))
}

/// The tokens of a factor that were used.
pub(super) fn nonces(before: &Read<'_>, tx: &Tx<'_>, factor: i64) -> Result<(), StoreError> {
    copy(before, tx, "nonce", ("SELECT * FROM nonce WHERE factor_id = ?1", &factor))
}

/// All tokens that were used, as of factors that are gone: a user whom a domain signed for since the copy was
/// made is nobody in the copy, and what was signed must not make a factor once more.
pub(super) fn all_nonces(before: &Read<'_>, tx: &Tx<'_>) -> Result<(), StoreError> {
    // No factor has this id.
    let rows = "SELECT ?1, row_number() OVER (ORDER BY rowid), hash, step, key_id, mac FROM nonce";
    copy(before, tx, "nonce", (rows, &0))
}

/// Copies rows for a table, as they are found. Both databases have the same tables.
fn copy(
    before: &Read<'_>,
    tx: &Tx<'_>,
    table: &str,
    (rows, value): (&str, &dyn ToSql),
) -> Result<(), StoreError> {
    let mut statement = before.connection.prepare(rows)?;
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
