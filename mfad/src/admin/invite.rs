//! Invitations, by which users without a factor enroll the first one.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};
use mfa_proto::name::UserId;

use super::{Desk, refusal::refused};

impl Desk<'_> {
    pub(super) async fn invite(&self, _user: UserId, _seconds: u32) -> Result<Reply, Refusal> {
        self.root_only("invite a user")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }

    pub(super) async fn uninvite(&self, _user: UserId) -> Result<Reply, Refusal> {
        self.root_only("take an invitation back")?;
        Err(std::future::ready(refused(RefusalCode::Unavailable, "not built")).await)
    }
}
