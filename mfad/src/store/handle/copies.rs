//! Copies of the whole database: made, and put back.

use std::path::{Path, PathBuf};

use mfa_proto::admin::Restored;
use tokio::sync::oneshot;

use super::Store;
use crate::{
    clock::UnixTime,
    seal::Keyring,
    store::{
        Copy, StoreError, StoreSettings,
        backup::{self, Broken, Trail},
        open::Database,
        worker::Message,
    },
};

impl Store {
    /// Makes a copy beside the database, checked and for its owner alone, while logins go on.
    pub async fn backup(&self) -> Result<Copy, StoreError> {
        let _one_at_a_time = self.copying.lock().await;
        let (path, keyring) = self.place().await?;
        backup::apart(move || backup::make(&path, &keyring)).await
    }

    /// Puts the copy that lies beside the database as `restore.db` in its place, behind fences. Logins wait
    /// while that is done, not while it is checked. In any case the file is gone afterwards.
    pub async fn restore(&self) -> Result<Restored, StoreError> {
        let _one_at_a_time = self.copying.lock().await;
        let (path, keyring) = self.place().await?;
        let copy = backup::apart(move || backup::take(&path, &keyring, Trail::Whole)).await?;
        let (reply, answer) = oneshot::channel();
        self.send(Message::Restore(Box::new(copy), reply)).await?;
        answer.await.map_err(|_| StoreError::Internal)?
    }

    /// [`Self::restore`] where no daemon runs. A database at `path` that cannot be read is put aside, and
    /// everything in the copy is fenced as if nothing were known of it: then the error says why.
    pub fn restore_offline(
        path: &Path,
        keyring: &Keyring,
        settings: &StoreSettings,
        (now, trail): (UnixTime, Trail),
    ) -> Result<(Restored, Option<StoreError>), StoreError> {
        let copy = backup::take(path, keyring, trail)?;
        let (running, unknown) = match Database::open(path, keyring.clone(), true) {
            Ok(database) => (Some(database), None),
            Err(error) => (None, Some(error)),
        };
        let restored = backup::restore(path, running, copy, (settings, now)).map_err(Broken::into_error)?;
        Ok((restored, unknown))
    }

    /// Where a copy that is to be restored is laid, for a database at `path`.
    pub fn handed_over(path: &Path) -> PathBuf {
        backup::handed_over(path)
    }

    /// The path of the database.
    pub async fn path(&self) -> Result<PathBuf, StoreError> {
        Ok(self.place().await?.0)
    }

    pub(super) async fn place(&self) -> Result<(PathBuf, Keyring), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Place(reply)).await?;
        answer.await.map_err(|_| StoreError::Stopped)
    }
}
