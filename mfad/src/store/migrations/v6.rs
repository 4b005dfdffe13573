//! Schema 6: which factors a directory keeps. No row of schema 5 changes.

use rusqlite::Connection;

/// Adds the column. It is covered by the row's code as soon as it is not 0.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE factor ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;")
}
