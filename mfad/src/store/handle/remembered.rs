//! Successes that are remembered, for logins and for administration.

use mfa_proto::{admin::RememberedPage, name::UserId};

use super::Store;
use crate::{
    audit::Context,
    store::{
        Proof, Recollection, Remembrance, StoreError,
        remembered::{self, Proven},
    },
};

impl Store {
    /// Remembers a success.
    pub async fn remember(&self, proof: &Proof, wanted: Remembrance) -> Result<(), StoreError> {
        let proven = Proven::of(proof);
        self.write(move |tx| remembered::remember(tx, &proven, &wanted)).await
    }

    /// Finds a success that is remembered for such a login.
    pub async fn recall(&self, wanted: Remembrance) -> Result<Option<Recollection>, StoreError> {
        self.read(move |read| remembered::recall(read, &wanted)).await
    }

    /// What is remembered now, in order of number after one: of one user, or of all.
    pub async fn remembered(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: u32,
    ) -> Result<RememberedPage, StoreError> {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        let (mut rows, mut go_on) = (Vec::new(), Some(after));
        while let Some(after) = go_on.filter(|_| rows.len() <= limit) {
            let user = user.clone();
            let stretch = self.read(move |read| remembered::page(read, user.as_ref(), after)).await?;
            rows.extend(stretch.rows);
            go_on = stretch.go_on;
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(RememberedPage { rows, more })
    }

    /// Forgets all of the user whom the context is about, or one row of it. How many.
    pub async fn forget(&self, context: Context, row: Option<i64>) -> Result<u32, StoreError> {
        self.write(move |tx| remembered::forget(tx, &context, row)).await
    }

    /// Forgets a row of whatever user, or all rows of all users. How many. The context says who wants it.
    pub async fn forget_any(&self, context: Context, row: Option<i64>) -> Result<u32, StoreError> {
        if let Some(row) = row {
            return self.write(move |tx| remembered::forget_row(tx, &context, row)).await;
        }
        let mut forgotten = 0_u32;
        loop {
            let context = context.clone();
            match self.write(move |tx| remembered::forget_some(tx, &context)).await? {
                0 => return Ok(forgotten),
                rows => forgotten = forgotten.saturating_add(rows),
            }
        }
    }
}
