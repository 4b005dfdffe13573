//! What of users without a factor a restored copy keeps: no invitation, and no login of grace is forgotten.

use std::collections::BTreeMap;

use super::{COLUMNS, Waiting, check};
use crate::store::{
    StoreError,
    tx::{Read, Tx},
    vault::Slot,
};

/// More logins than any time of grace has.
const USED_UP: u32 = u32::MAX;

/// Voids all invitations of a copy, and takes over from the running database how often users were let in.
/// Where that is not known, no user of the copy that was let in before has any grace left.
pub(in crate::store) fn fence(before: Option<&Read<'_>>, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let known = match before.map(|before| check(before).and_then(|()| all(before))).transpose() {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: nobody in the copy has any grace left");
            None
        }
        other => other?,
    };
    let unknown = if known.is_none() { USED_UP } else { 0 };
    let mut known: BTreeMap<Slot, Waiting> =
        known.unwrap_or_default().into_iter().map(|row| (row.slot, row)).collect();
    for mut row in all(&tx.read())? {
        let graced = known.remove(&row.slot).map_or(unknown, |twin| twin.graced);
        row.forget_invitation();
        row.graced = row.graced.max(graced);
        row.change(tx)?;
    }
    for twin in known.into_values().filter(|twin| twin.graced > 0) {
        let mut row = Waiting::insert(tx, (&twin.realm, &twin.name))?;
        row.graced = twin.graced;
        row.change(tx)?;
    }
    Ok(())
}

/// All rows. Those of a copy were checked before.
fn all(read: &Read<'_>) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM waiting ORDER BY id");
    let mut statement = read.connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Waiting::read(row)?.verified(read)?);
    }
    Ok(found)
}
