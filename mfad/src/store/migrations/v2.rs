//! Schema 2: codes that were sent, services that are asked, nonces of tokens. No row of schema 1 changes.

use rusqlite::Connection;

/// Makes the tables, and two columns in the one row about the whole.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// `challenge` has the live code of a factor, and answers that are with an outside service; a factor's
/// `drift` says how many rows it has there, or in `nonce`. Rows of `nonce` stay when their factor goes: a
/// token that was used with it may be right for the next. `sent` is numbered without gaps from `sent_cut` to
/// `sent_last` of the head, whose code covers these two as soon as one is not 0. A row of `sent` without
/// account stands for one that was lost.
const SCHEMA: &str = "
ALTER TABLE head ADD COLUMN sent_cut  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN sent_last INTEGER NOT NULL DEFAULT 0;

CREATE TABLE challenge (
    id         INTEGER PRIMARY KEY,
    factor_id  INTEGER NOT NULL REFERENCES factor (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    digits     INTEGER NOT NULL,
    serial     INTEGER NOT NULL,
    sent       INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    key_id     BLOB    NOT NULL,
    mac        BLOB    NOT NULL
) STRICT;
CREATE INDEX challenge_by_factor ON challenge (factor_id);

CREATE TABLE sent (
    id         INTEGER PRIMARY KEY,
    time       INTEGER NOT NULL,
    account_id INTEGER,
    number     BLOB    NOT NULL,
    key_id     BLOB    NOT NULL,
    mac        BLOB    NOT NULL
) STRICT;

CREATE TABLE nonce (
    factor_id  INTEGER NOT NULL,
    serial     INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    step       INTEGER NOT NULL,
    key_id     BLOB    NOT NULL,
    mac        BLOB    NOT NULL,
    PRIMARY KEY (factor_id, serial)
) STRICT;
CREATE INDEX nonce_by_hash ON nonce (hash);
";
