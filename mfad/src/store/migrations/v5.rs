//! Schema 5: serial numbers, descriptions and PINs of factors. No row of schema 4 changes.

use rusqlite::Connection;

/// Adds the columns, and an index by which no two factors have one serial number.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// The new columns are covered by the row's code as soon as one says something. `pin` is sealed like the secret.
const SCHEMA: &str = "
ALTER TABLE factor ADD COLUMN serial      TEXT;
ALTER TABLE factor ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE factor ADD COLUMN pin         BLOB;

CREATE UNIQUE INDEX factor_by_serial ON factor (serial COLLATE NOCASE) WHERE serial IS NOT NULL;
";
