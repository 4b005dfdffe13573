//! What people are yet to be told of.

use std::sync::Arc;

use tokio::sync::Notify;

use super::Store;
use crate::{
    clock::UnixTime,
    store::{NewsPage, StoreError, notices, tx::Tx},
};

impl Store {
    /// Told when there may be something that people are to be told of. Also when they are to be told of
    /// other things, or by other ways, from now on: whoever changes that says so here.
    pub fn news(&self) -> &Arc<Notify> {
        &self.news
    }

    /// The last row of the trail that people have been told of. Where nobody followed the trail before, that
    /// is its end.
    pub async fn follow_news(&self) -> Result<i64, StoreError> {
        match self.read(|read| Ok(notices::place(read))).await? {
            Some(seq) => Ok(seq),
            None => self.write(|tx| Ok(notices::begin(tx))).await,
        }
    }

    /// Nobody is to be told of anything: what happens from now on will not be told later.
    pub async fn unfollow_news(&self) -> Result<(), StoreError> {
        if self.read(|read| Ok(notices::place(read))).await?.is_none() {
            return Ok(());
        }
        let stop = |tx: &mut Tx<'_>| {
            notices::stop(tx);
            Ok(())
        };
        self.write(stop).await
    }

    /// At most `limit` rows after row `seq` that people may be told of.
    pub async fn news_after(&self, seq: i64, limit: usize) -> Result<NewsPage, StoreError> {
        self.read(move |read| notices::after(read, seq, limit)).await
    }

    /// People were told of all rows up to `seq`, or need not be.
    pub async fn news_told(&self, seq: i64) -> Result<(), StoreError> {
        let advance = move |tx: &mut Tx<'_>| {
            notices::advance(tx, seq);
            Ok(())
        };
        self.write(advance).await
    }

    /// How many rows people are yet to be told of, those before `since` left out.
    pub async fn news_waiting(&self, since: UnixTime) -> Result<u64, StoreError> {
        self.read(move |read| notices::count(read, since.0)).await
    }
}
