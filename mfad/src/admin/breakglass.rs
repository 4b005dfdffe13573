//! Codes for an emergency.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};
use mfa_proto::{name::UserId, text::ShownText};

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) async fn break_glass(
        &self,
        _user: UserId,
        _seconds: u32,
        _reason: ShownText,
    ) -> Result<Reply, Refusal> {
        self.root_only("make a code for an emergency")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }
}
