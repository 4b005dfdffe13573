//! Schema 7: searches for the device that shows a code are found in the trail. No row of schema 6 changes.

use rusqlite::Connection;

/// Adds an index that has those rows of the trail alone.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("CREATE INDEX audit_identify ON audit (client, time) WHERE event = 'identify';")
}
