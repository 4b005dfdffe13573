//! Numbered steps from one schema to the next.
//!
//! Each step is frozen once released: it imports nothing of this crate, because whatever it imported
//! could change under it. A step is added, never edited.

mod v1;
mod v2;
mod v3;
mod v4;
mod v5;
mod v6;
mod v7;

use rusqlite::Connection;

/// Marks the file as this program's: "mfad".
pub(super) const APPLICATION_ID: u32 = 0x6d66_6164;

type Step = fn(&Connection) -> rusqlite::Result<()>;

const STEPS: &[Step] = &[v1::apply, v2::apply, v3::apply, v4::apply, v5::apply, v6::apply, v7::apply];

/// The newest schema this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Takes the steps after `version`, in the caller's transaction.
pub(super) fn apply(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    steps(connection, version, newest())
}

/// Makes the schema as it was in `version`, in an empty database.
pub(super) fn apply_up_to(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    steps(connection, 0, version)
}

fn steps(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<()> {
    let (done, wanted) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
    for step in STEPS.iter().take(wanted).skip(done) {
        step(connection)?;
    }
    connection.pragma_update(None, "user_version", to)
}
