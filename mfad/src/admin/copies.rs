//! Copies of the database, made and put back. The file is carried between here and where the administrator
//! wants it by whoever asks.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};
use tracing::{info, warn};

use super::{
    Desk,
    refusal::{refused, store_failed},
};
use crate::store::StoreError;

impl Desk<'_> {
    pub(super) async fn backup(&self) -> Result<Reply, Refusal> {
        self.root_only("copy the database")?;
        let copy = self.core.store().backup().await.map_err(|e| not_copied("copy the database", &e))?;
        info!(
            event = "backup",
            actor = self.peer.uid,
            "a copy of the database was made: {} users",
            copy.users
        );
        let path = copy.path.to_string_lossy().into_owned();
        Ok(Reply::Copy { path, users: copy.users, keys: copy.keys })
    }

    pub(super) async fn restore(&self) -> Result<Reply, Refusal> {
        self.root_only("replace the database")?;
        let restored = self.core.store().restore().await;
        let restored = restored.map_err(|e| not_copied("restore the copy", &e))?;
        self.core.looked_up().forget_all();
        warn!(event = "restore", actor = self.peer.uid, "the database was replaced by a copy: {restored:?}");
        Ok(Reply::Restored(restored))
    }
}

/// What is wrong with a copy is for the person to mend, not for the daemon.
fn not_copied(what: &str, error: &StoreError) -> Refusal {
    let (code, why) = match error {
        StoreError::Tampered(why) => (RefusalCode::Tampered, format!("it was changed: {why}")),
        StoreError::Unusable { problem, .. } => (RefusalCode::Invalid, problem.clone()),
        StoreError::Newer { .. } | StoreError::KeyMissing(_) => (RefusalCode::Invalid, error.to_string()),
        StoreError::Missing(_)
        | StoreError::Exists(_)
        | StoreError::Unavailable(_)
        | StoreError::NotDurable(_)
        | StoreError::Refused(_)
        | StoreError::Internal
        | StoreError::Stopped => return store_failed(what, error),
    };
    warn!("cannot {what}: {error}");
    refused(code, &format!("cannot {what}, and nothing was changed: {why}"))
}
