//! Schema 3: remembered successes, users who wait for a first factor, what a user is told of failures, where
//! codes for an emergency stand.
//! No row of schema 2 changes.

use rusqlite::Connection;

/// Makes the tables, and columns in the rows of users and in the one row about the whole.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// A row of `remembered` counts while its `epoch` is its account's: that moves when all of them are void.
/// `waiting` has users who have, or had, no factor, by the slot that they would have in the ring. Its rows
/// are never deleted and their `serial` goes up with each change; the head knows how many rows there are and
/// the sum of `serial`, so that one that is taken away or put back shows. New columns of `account` and
/// `head` are covered by the row's code as soon as one is not 0.
const SCHEMA: &str = "
ALTER TABLE account ADD COLUMN epoch       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN failed      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN failed_from TEXT    NOT NULL DEFAULT '';

ALTER TABLE head ADD COLUMN waiting         INTEGER NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN waiting_serials INTEGER NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN notified        INTEGER NOT NULL DEFAULT 0;

CREATE TABLE remembered (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    epoch      INTEGER NOT NULL,
    class      TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    rule       TEXT    NOT NULL,
    need       INTEGER NOT NULL,
    boot       TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    key_id     BLOB    NOT NULL,
    mac        BLOB    NOT NULL
) STRICT;
CREATE INDEX remembered_by_account ON remembered (account_id);

CREATE INDEX factor_emergency ON factor (account_id) WHERE kind = 'breakglass';

CREATE TABLE waiting (
    id           INTEGER PRIMARY KEY,
    slot         BLOB    NOT NULL UNIQUE,
    realm        TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    serial       INTEGER NOT NULL,
    graced       INTEGER NOT NULL,
    invite_hash  BLOB    NOT NULL,
    invite_until INTEGER NOT NULL,
    invite_tries INTEGER NOT NULL,
    key_id       BLOB    NOT NULL,
    mac          BLOB    NOT NULL
) STRICT;
CREATE INDEX waiting_by_serial ON waiting (serial);

CREATE INDEX factor_locked ON factor (not_before) WHERE not_before > 0 OR until_admin <> 0;
CREATE INDEX account_locked ON account (id) WHERE window_locked <> 0;
";
