//! What would decide a login, and what it would see.

use mfa_proto::admin::{Explain, Refusal, RefusalCode, Reply};

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) async fn explain(&self, _login: Explain) -> Result<Reply, Refusal> {
        self.root_only("have a login explained")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }
}
