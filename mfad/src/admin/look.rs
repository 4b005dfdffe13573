//! Questions that change nothing, and the two about the configuration.

use std::time::Duration;

use mfa_proto::{
    admin::{AuditFilter, ConfigReport, DirectoryState, Refusal, Reply, Status},
    codec, frame,
    login::Verdict,
    name::UserId,
    text::ShownText,
};

use super::{
    Desk,
    refusal::{not_done, store_failed, unknown_user},
};
use crate::{
    identity::Account,
    outgoing::Undone,
    settings::Settings,
    store::{Refused, StoreError},
};

/// Rows read for one page; those that do not fit a frame wait for the next.
pub(super) const ROWS_A_PAGE: u32 = 48;
/// How long egress may take to say that it is there.
const EGRESS_PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of problems or notes that fit a reply.
const PROBLEM_BYTES: usize = 3_500;

impl Desk<'_> {
    pub(super) async fn list(&self, after: Option<UserId>) -> Result<Reply, Refusal> {
        self.root_only("list all users")?;
        let page = self.core.store().list(after, ROWS_A_PAGE).await;
        let mut page = page.map_err(|error| store_failed("list users", &error))?;
        while !fits(&page) && page.users.pop().is_some() {
            page.more = true;
        }
        Ok(Reply::Users(page))
    }

    /// Root sees accounts that are gone, too; the account database only tells whether they are.
    pub(super) async fn show(&self, user: UserId) -> Result<Reply, Refusal> {
        if !self.acts_for_any() {
            self.root_or_self(&user).await?;
        }
        self.look_up_first(&user).await;
        let shown = self.core.store().show(user.clone()).await;
        let account = self.core.settings().directory().find(&user).await;
        let mut detail = shown.map_err(|error| {
            let absent = error == StoreError::Refused(Refused::NotEnrolled);
            match account {
                Ok(Account::Unknown) if absent => unknown_user(&user),
                _ => not_done(&user, "read the factors", self.core.now(), &error),
            }
        })?;
        // Who is only invited, or lives on grace, holds nothing that could be another person's.
        let holds = detail.uid.is_some() || !detail.factors.is_empty();
        detail.orphaned = holds && account.is_ok_and(|account| !account.is_of(detail.uid));
        Ok(Reply::User(Box::new(detail)))
    }

    pub(super) async fn status(&self) -> Result<Reply, Refusal> {
        self.root_only("ask how mfad is")?;
        let figures = self.core.store().figures().await.map_err(|error| store_failed("count", &error))?;
        let database = self.core.store().path().await.map_err(|error| store_failed("find it", &error))?;
        let logins = |verdict| self.core.metrics().logins(verdict);
        let denied = [Verdict::Deny, Verdict::Locked, Verdict::Unavailable].map(logins);
        let uptime = u64::try_from(self.core.now().since(self.core.started())).unwrap_or(0);
        let notices = self.core.notices_waiting().await.map_err(|error| store_failed("count", &error))?;
        // Reading works on a full disk, too: what counts is whether an attempt can be written down.
        let store = self.core.store().decoy().await.map_err(|error| ShownText::clean(&error.to_string()));
        Ok(Reply::Status(Box::new(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime,
            users: figures.users,
            active_factors: figures.active_factors,
            audit_rows: figures.audit_rows,
            connections: self.core.connections(),
            accepted: logins(Verdict::Accept),
            denied: denied.into_iter().fold(0, u64::saturating_add),
            skipped: logins(Verdict::NotApplicable),
            store_errors: self.core.store().errors(),
            waiting: self.core.store().waiting(),
            locked: figures.locked,
            notices,
            egress: self.egress().await,
            directory: self.directory_state(),
            store,
            database: database.to_string_lossy().into_owned(),
            key: figures.key,
            rows_with_old_key: figures.rows_with_old_key,
            profile: self.core.settings().profile().name.to_string(),
        })))
    }

    /// Whether egress answers; soon, because people wait for it.
    async fn egress(&self) -> Option<Result<(), ShownText>> {
        let settings = self.core.settings();
        let ping = self.core.outgoing().ping(settings.line()?);
        let answered = tokio::time::timeout(EGRESS_PATIENCE, ping).await.unwrap_or(Err(Undone::TimedOut));
        Some(answered.map_err(|undone| ShownText::clean(&undone.to_string())))
    }

    fn directory_state(&self) -> Option<DirectoryState> {
        let settings = self.core.settings();
        settings.config().ldap().look().map(|_| self.core.last_look_up().state())
    }

    pub(super) async fn audit(&self, filter: AuditFilter) -> Result<Reply, Refusal> {
        self.root_only("read the audit trail")?;
        let page = self.core.store().audit(filter, ROWS_A_PAGE).await;
        let mut page = page.map_err(|error| store_failed("read the audit trail", &error))?;
        while !fits(&page) && page.rows.pop().is_some() {
            page.more = true;
            page.upto = page.rows.last().map_or(page.upto, |row| row.seq);
        }
        Ok(Reply::Audit(page))
    }

    /// As far as a reload would look: names of groups and accounts are looked up as well.
    pub(super) async fn config_check(&self) -> Result<Reply, Refusal> {
        self.root_only("check the configuration")?;
        let checked = match self.core.read_config() {
            Ok(config) => Settings::resolved(config).await.map(|settings| settings.notes().to_vec()),
            Err(problems) => Err(problems),
        };
        Ok(report(checked))
    }

    pub(super) async fn reload(&self) -> Result<Reply, Refusal> {
        self.root_only("reload the configuration")?;
        Ok(report(self.core.reload().await))
    }
}

/// Whether a page fits a frame, with room for the tag of the reply it stands in.
pub(super) fn fits<T: serde::Serialize>(page: &T) -> bool {
    codec::encode(page).is_ok_and(|whole| whole.len() < frame::MAX_PAYLOAD)
}

fn report(result: Result<Vec<String>, Vec<String>>) -> Reply {
    let valid = result.is_ok();
    let (notes, problems) = match result {
        Ok(notes) => (cut(notes), Vec::new()),
        Err(problems) => (Vec::new(), cut(problems)),
    };
    Reply::Config(ConfigReport { valid, problems, notes })
}

/// As many lines as fit a reply.
fn cut(lines: Vec<String>) -> Vec<String> {
    let mut room = PROBLEM_BYTES;
    let fits = |line: &String| {
        let left = room.checked_sub(line.len().saturating_add(4));
        room = left.unwrap_or(0);
        left.is_some()
    };
    lines.into_iter().take_while(fits).collect()
}
