//! The figures of the daemon, for monitoring.

use mfa_proto::{
    admin::{Refusal, Reply},
    frame,
};

use super::Desk;
use crate::metrics::exposition;

/// Bytes of text in one reply: what is left of a frame for it.
const PART: usize = frame::MAX_PAYLOAD - 64;

impl Desk<'_> {
    /// A part of the figures. The first asks for fresh ones; `kept` has those that the client is reading.
    pub(super) async fn metrics(&self, after: u32, kept: &mut String) -> Result<Reply, Refusal> {
        self.root_only("read the figures")?;
        if after == 0 {
            *kept = exposition(self.core).await;
        }
        // Words of this program are ASCII, so that any place is between two characters.
        let rest = kept.get(usize::try_from(after).unwrap_or(usize::MAX)..).unwrap_or_default();
        let part = rest.get(..PART).unwrap_or(rest);
        Ok(Reply::Metrics { text: part.to_owned(), more: part.len() < rest.len() })
    }
}
