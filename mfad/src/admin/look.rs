//! Questions that change nothing, and the two about the configuration.

use mfa_proto::{
    admin::{AuditFilter, ConfigReport, Refusal, Reply, Status},
    name::UserId,
    text::ShownText,
};

use super::{
    Desk,
    refusal::{change_refused, store_failed},
};
use crate::identity::Account;

/// Users on a page: their rows fit a frame with names of the greatest length.
const USERS_A_PAGE: u32 = 8;
/// Audit rows on a page: the same.
const ROWS_A_PAGE: u32 = 3;
/// Bytes of problems that fit a reply.
const PROBLEM_BYTES: usize = 3_500;

impl Desk<'_> {
    pub(super) async fn list(&self, after: Option<UserId>) -> Result<Reply, Refusal> {
        self.root_only("list all users")?;
        let page = self.core.store().list(after, USERS_A_PAGE).await;
        Ok(Reply::Users(page.map_err(|error| store_failed("list users", &error))?))
    }

    /// Root sees accounts that are gone, too; the account database only tells whether they are.
    pub(super) async fn show(&self, user: UserId) -> Result<Reply, Refusal> {
        if !self.peer.is_root() {
            self.root_or_self(&user).await?;
        }
        let shown = self.core.store().show(user.clone()).await;
        let mut detail = shown.map_err(|error| change_refused(&user, "read the factors", error))?;
        let account = self.core.settings().directory().find(&user.name).await;
        detail.orphaned = match (account, detail.uid) {
            (Ok(Account::Known { uid }), Some(enrolled)) => uid != enrolled,
            (Ok(Account::Unknown), _) => true,
            (Ok(Account::Known { .. } | Account::Unchecked) | Err(_), _) => false,
        };
        Ok(Reply::User(Box::new(detail)))
    }

    pub(super) async fn status(&self) -> Result<Reply, Refusal> {
        self.root_only("ask how mfad is")?;
        let figures = self.core.store().figures().await.map_err(|error| store_failed("count", &error))?;
        let (accepted, denied) = self.core.tallied();
        let uptime = u64::try_from(self.core.now().since(self.core.started())).unwrap_or(0);
        let store = self.core.store().ping().await.map_err(|error| ShownText::clean(&error.to_string()));
        Ok(Reply::Status(Box::new(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime,
            users: figures.users,
            active_factors: figures.active_factors,
            audit_rows: figures.audit_rows,
            connections: self.core.connections(),
            accepted,
            denied,
            store,
            key: figures.key,
            rows_with_old_key: figures.rows_with_old_key,
            profile: self.core.settings().profile().name.to_string(),
        })))
    }

    pub(super) async fn audit(&self, filter: AuditFilter) -> Result<Reply, Refusal> {
        self.root_only("read the audit trail")?;
        let page = self.core.store().audit(filter, ROWS_A_PAGE).await;
        Ok(Reply::Audit(page.map_err(|error| store_failed("read the audit trail", &error))?))
    }

    pub(super) fn config_check(&self) -> Result<Reply, Refusal> {
        self.root_only("check the configuration")?;
        Ok(report(self.core.read_config().map(drop)))
    }

    pub(super) async fn reload(&self) -> Result<Reply, Refusal> {
        self.root_only("reload the configuration")?;
        Ok(report(self.core.reload().await))
    }
}

fn report(result: Result<(), Vec<String>>) -> Reply {
    let mut room = PROBLEM_BYTES;
    let problems: Vec<String> = result
        .err()
        .unwrap_or_default()
        .into_iter()
        .take_while(|problem| {
            let left = room.checked_sub(problem.len().saturating_add(4));
            room = left.unwrap_or(0);
            left.is_some()
        })
        .collect();
    Reply::Config(ConfigReport { valid: problems.is_empty(), problems })
}
