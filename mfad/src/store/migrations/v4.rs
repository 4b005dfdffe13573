//! Schema 4: on whose behalf a front end asked. No row of schema 3 changes.

use rusqlite::Connection;

/// Adds a column to the trail. A row's link covers it as soon as it holds something.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE audit ADD COLUMN client TEXT;")
}
