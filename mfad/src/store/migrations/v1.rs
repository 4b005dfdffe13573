//! Schema 1: accounts in a ring of hashed names, their factors, the audit trail.

use rusqlite::Connection;

/// Makes the tables.
pub(super) fn apply(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// `slot` and `next` make the ring that proves absence; row 1 is its beginning and no user. Ids come
/// from `head` and are never given twice. `mac` covers all other columns of its row.
const SCHEMA: &str = "
CREATE TABLE head (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    floor           INTEGER NOT NULL,
    accounts        INTEGER NOT NULL,
    active_factors  INTEGER NOT NULL,
    next_account    INTEGER NOT NULL,
    next_factor     INTEGER NOT NULL,
    audit_cut       INTEGER NOT NULL,
    audit_cut_chain BLOB    NOT NULL,
    audit_last      INTEGER NOT NULL,
    audit_chain     BLOB    NOT NULL,
    rekey_key       BLOB    NOT NULL,
    rekey_account   INTEGER NOT NULL,
    rekey_end       INTEGER NOT NULL,
    key_id          BLOB    NOT NULL,
    mac             BLOB    NOT NULL
) STRICT;

CREATE TABLE meta (
    name    TEXT PRIMARY KEY,
    key_id  BLOB NOT NULL,
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id                   INTEGER PRIMARY KEY,
    slot                 BLOB    NOT NULL UNIQUE,
    next                 BLOB    NOT NULL,
    realm                TEXT    NOT NULL,
    name                 TEXT    NOT NULL,
    uid                  INTEGER,
    factor_ids           BLOB    NOT NULL,
    unproven_failures    INTEGER NOT NULL,
    unproven_since       INTEGER NOT NULL,
    unproven_not_before  INTEGER NOT NULL,
    unproven_until_admin INTEGER NOT NULL,
    failure_days         BLOB    NOT NULL,
    window_locked        INTEGER NOT NULL,
    key_id               BLOB    NOT NULL,
    mac                  BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_by_name ON account (realm, name);

CREATE TABLE factor (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES account (id),
    kind        TEXT    NOT NULL,
    label       TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    algorithm   TEXT    NOT NULL,
    digits      INTEGER NOT NULL,
    period      INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    last_used   INTEGER,
    position    INTEGER NOT NULL,
    drift       INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    since       INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    until_admin INTEGER NOT NULL,
    key_id      BLOB    NOT NULL,
    sealed      BLOB    NOT NULL,
    mac         BLOB    NOT NULL
) STRICT;
CREATE INDEX factor_by_account ON factor (account_id);

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    time    INTEGER NOT NULL,
    event   TEXT    NOT NULL,
    realm   TEXT,
    name    TEXT,
    service TEXT,
    source  TEXT,
    factor  INTEGER,
    rule    TEXT,
    verdict TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    session TEXT    NOT NULL,
    actor   INTEGER NOT NULL,
    chain   BLOB    NOT NULL
) STRICT;
";
