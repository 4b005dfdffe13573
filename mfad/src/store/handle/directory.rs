//! Taking in what a directory has of a person.

use std::sync::Arc;

use mfa_proto::admin::{DirectoryChange, PulledFactor};

use super::Store;
use crate::{
    audit::Context,
    store::{Adopt, StoreError, audit_rows, manage},
};

impl Store {
    /// Takes in what a directory has of a person. Looks first, and where that changes nothing, nothing is written, not
    /// even that there is no room for more.
    pub async fn adopt(&self, adopt: Adopt) -> Result<Vec<PulledFactor>, StoreError> {
        let adopt = Arc::new(adopt);
        if !adopt.notes || adopt.entry.unusable.is_empty() {
            let foreseen = self.reader.look(|read| Ok(manage::foresee(read, &adopt)));
            let none = |steps: &[PulledFactor]| steps.iter().all(|s| s.change == DirectoryChange::NoRoom);
            if let Some(Ok(Ok(steps))) = foreseen
                && none(&steps)
            {
                return Ok(steps);
            }
        }
        self.manage(move |tx| manage::adopt(tx, &adopt)).await
    }

    /// What [`Self::adopt`] would change.
    pub async fn foresee(&self, adopt: Adopt) -> Result<Vec<PulledFactor>, StoreError> {
        self.read(move |read| manage::foresee(read, &adopt)).await?.map_err(StoreError::Refused)
    }

    /// Writes down that a secret was sealed for a person, before anybody gets it.
    pub async fn note_sealed(&self, context: Context) -> Result<(), StoreError> {
        self.write(move |tx| audit_rows::append_change(tx, &context, "ldap_seal", None)).await
    }
}
