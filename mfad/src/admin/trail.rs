//! The audit trail as a whole.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) async fn audit_verify(&self) -> Result<Reply, Refusal> {
        self.root_only("verify the audit trail")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }
}
