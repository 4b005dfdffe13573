//! The figures of the daemon, for monitoring.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) fn metrics(&self, _after: u32) -> Result<Reply, Refusal> {
        self.root_only("read the figures")?;
        Err(refused(RefusalCode::Unavailable, "not built"))
    }
}
