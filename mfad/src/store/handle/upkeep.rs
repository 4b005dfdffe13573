//! The audit trail, key rotation, and filling a store for measurements.

use std::path::Path;

use mfa_proto::{
    admin::{AuditFilter, AuditPage},
    name::UserId,
};

use super::Store;
use crate::{
    audit::Context,
    clock::UnixTime,
    seal::{KeyId, Keyring},
    store::{
        Seeded, StoreError, audit_query, nonce,
        open::{self, Database},
        rekey, remembered, seed, sent,
    },
};

impl Store {
    /// Rows of the audit trail, oldest first.
    pub async fn audit(&self, filter: AuditFilter, limit: u32) -> Result<AuditPage, StoreError> {
        let limit = limit.max(1);
        let (begin, mut last) = self.audit_begin(&filter).await?;
        let mut after = begin;
        let mut rows = Vec::new();
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        while let Some(from) = after {
            let filter = filter.clone();
            let missing =
                limit.saturating_add(1).saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let stretch = self.read(move |read| audit_query::forward(read, &filter, from, missing)).await?;
            rows.extend(stretch.found);
            last = stretch.last;
            after = if rows.len() > wanted { None } else { stretch.go_on };
        }
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let upto = rows.last().filter(|_| more).map_or(last, |row| row.seq);
        Ok(AuditPage { rows, more, upto })
    }

    /// The number after which the rows that are wanted begin; `None` when there are none up to the number
    /// beside it.
    async fn audit_begin(&self, filter: &AuditFilter) -> Result<(Option<i64>, i64), StoreError> {
        let Some(last) = filter.last else { return Ok((Some(filter.after), 0)) };
        let (mut missing, mut upto, mut first) = (last, Some(i64::MAX), None);
        let mut end_of_all = None;
        while let (Some(end), 1..) = (upto, missing) {
            let filter = filter.clone();
            let stretch = self.read(move |read| audit_query::backward(read, &filter, end, missing)).await?;
            missing = missing.saturating_sub(u32::try_from(stretch.found.len()).unwrap_or(u32::MAX));
            first = stretch.found.last().copied().or(first);
            upto = stretch.go_on;
            // What was written since the first look has not been looked at.
            end_of_all.get_or_insert(stretch.last);
        }
        Ok((first.map(|seq| seq.saturating_sub(1)), end_of_all.unwrap_or(0)))
    }

    /// Removes audit rows before a time, and the oldest beyond a number; and what counts no more of the codes
    /// that were sent and of what is remembered. How many audit rows.
    pub async fn prune_audit(&self, before: UnixTime, most: u64) -> Result<u64, StoreError> {
        let mut removed = 0_u64;
        self.write(|tx| sent::prune(tx).map(drop)).await?;
        self.write(|tx| nonce::sweep(tx)).await?;
        let mut after = Some(0);
        while let Some(id) = after {
            after = self.write(move |tx| remembered::sweep(tx, id)).await?;
        }
        loop {
            match self.write(move |tx| audit_query::prune(tx, before, most)).await? {
                0 => return Ok(removed),
                rows => removed = removed.saturating_add(rows),
            }
        }
    }

    /// Seals the rows of at most `limit` users with the current key. How many; none when all are.
    pub async fn rekey(&self, limit: u32) -> Result<u32, StoreError> {
        self.write(move |tx| rekey::step(tx, limit)).await
    }

    /// Whether the database at `path` holds anything that only key `id` opens. Looks at every row.
    pub fn uses_key(path: &Path, keyring: &Keyring, id: KeyId) -> Result<bool, StoreError> {
        open::uses_key(&Database::open(path, keyring.clone(), false)?, id)
    }

    /// Fills an empty store with users, for measurements; see [`Seeded`].
    pub async fn fill(
        &self,
        users: Vec<UserId>,
        make: impl Fn(usize) -> Seeded + Clone + Send + 'static,
    ) -> Result<(), StoreError> {
        self.read(|read| seed::room(read, 128 << 10)).await?;
        let order = self.read(move |read| Ok(seed::order(read, &users))).await?;
        let first = order.first().map_or([0; 16], |(slot, _)| *slot);
        self.write(move |tx| seed::begin(tx, first)).await?;
        let mut chunks = order.chunks(seed::CHUNK).peekable();
        while let Some(chunk) = chunks.next() {
            let next = chunks.peek().and_then(|next| next.first()).map_or([0; 16], |(slot, _)| *slot);
            let (chunk, make) = (chunk.to_vec(), make.clone());
            let filled = chunk.into_iter().map(move |(slot, n)| (slot, make(n)));
            self.write(move |tx| seed::fill(tx, filled.collect(), next)).await?;
        }
        self.read(|read| seed::room(read, 2 << 10)).await
    }

    /// Writes rows of denied logins into the trail, for measurements.
    pub async fn fill_trail(&self, context: Context, rows: usize) -> Result<(), StoreError> {
        let mut left = rows;
        while left > 0 {
            let (some, context) = (left.min(seed::CHUNK), context.clone());
            self.write(move |tx| seed::fill_trail(tx, &context, some)).await?;
            left = left.saturating_sub(some);
        }
        Ok(())
    }
}
