//! The audit trail as a whole.

use mfa_proto::{
    admin::{AuditReport, Refusal, Reply},
    text::ShownText,
};
use tracing::{error, info};

use super::{Desk, refusal::store_failed};
use crate::store::{AuditCheck, Fault};

impl Desk<'_> {
    /// Checks every row, beside the logins. What was found is in the log as well.
    pub(super) async fn audit_verify(&self) -> Result<Reply, Refusal> {
        self.root_only("verify the audit trail")?;
        let check = self.core.store().check_audit().await;
        let check = check.map_err(|error| store_failed("verify the audit trail", &error))?;
        let problem = check.broken_at.zip(check.fault).map(|(at, fault)| words(at, fault));
        let rows = check.sound;
        match &problem {
            None => info!("the audit trail is whole: {rows} rows up to {}", check.last),
            Some(problem) => error!("the audit trail is broken: {problem}"),
        }
        Ok(Reply::AuditReport(report(&check, problem.as_deref())))
    }
}

fn report(check: &AuditCheck, problem: Option<&str>) -> AuditReport {
    AuditReport {
        rows: check.sound,
        first: check.cut.saturating_add(1),
        cut_chain: check.cut_chain,
        last: check.last,
        chain: check.chain,
        broken_at: check.broken_at,
        problem: problem.map(ShownText::clean),
    }
}

/// What is wrong, and what to do.
fn words(at: i64, fault: Fault) -> String {
    let what = match fault {
        Fault::Changed => format!("row {at} was changed, added, or exchanged with another"),
        Fault::Missing { until } if until.saturating_sub(at) == 1 => format!("row {at} is missing"),
        Fault::Missing { until } => format!("rows {at} to {} are missing", until.saturating_sub(1)),
        Fault::EndMissing { last } => format!("the end is missing: rows {at} to {last}"),
        Fault::Added => format!("row {at} was added by something other than mfad"),
        Fault::PutBack { last: Some(last) } => {
            format!("rows {at} to {last} are gone, and an older head was put back to hide that")
        }
        Fault::PutBack { last: None } => {
            format!(
                "row {at} and more are gone: factors were used after the last row, which an older head hides"
            )
        }
    };
    format!(
        "{what}. Only who can write to the database file can do that: keep a copy of it, find out who could, and \
         compare with the journal and with rows that were exported before"
    )
}
