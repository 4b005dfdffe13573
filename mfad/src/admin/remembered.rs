//! Successes that are remembered.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};
use mfa_proto::name::UserId;

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) async fn remembered(&self, _user: Option<UserId>, _after: i64) -> Result<Reply, Refusal> {
        self.root_only("list what is remembered")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }

    pub(super) async fn forget(&self, _user: Option<UserId>, _row: Option<i64>) -> Result<Reply, Refusal> {
        self.root_only("have it forgotten")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }
}
