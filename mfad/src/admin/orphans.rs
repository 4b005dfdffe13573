//! Factors whose account is gone or has another uid: found, taken over, removed.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};
use mfa_proto::name::UserId;

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) async fn list_orphaned(&self, _after: Option<UserId>) -> Result<Reply, Refusal> {
        self.root_only("list all users")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }

    pub(super) async fn reassign(&self, _user: UserId, _to: Option<UserId>) -> Result<Reply, Refusal> {
        self.root_only("reassign factors")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }

    pub(super) async fn prune_orphaned(
        &self,
        _after: Option<UserId>,
        _dry_run: bool,
    ) -> Result<Reply, Refusal> {
        self.root_only("remove orphaned users")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }
}
