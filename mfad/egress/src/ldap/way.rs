//! Passwords of front ends, by the directory that is configured at that time. Refuses to change any.

use std::sync::Arc;

use mfa_proto::password::{Reply, Request};
use mfa_role::prover::Way;
use tokio::sync::watch;

use super::LdapTrouble;
use crate::errand::Outside;

/// Passwords are checked by the directory.
#[derive(Debug)]
pub(crate) struct ByDirectory(pub(crate) watch::Receiver<Arc<Outside>>);

impl Way for ByDirectory {
    type Error = LdapTrouble;

    async fn take(&self, request: &Request) -> Result<Reply, LdapTrouble> {
        let directory = self.0.borrow().directory();
        match request {
            Request::Check(check) => directory.ok_or(LdapTrouble::NotConfigured)?.prove(check).await,
            Request::Change { .. } => Ok(Reply::Refused),
        }
    }
}
