//! Has an answer judged by the store, or played with for names that hold nothing.
//!
//! Refuses to let either be told from the other by what it costs.

use mfa_proto::{admin::FactorId, answer::Answer};
use tokio::time::Instant;

use super::{
    Halt, Login,
    awake::awake,
    subject::{AccountUid, Subject},
};
use crate::{
    audit,
    store::{Attempt, Outcome},
};

impl Login<'_> {
    /// Has an answer judged, and counts a failure against its source.
    pub(super) async fn judge(
        &mut self,
        subject: &Subject,
        answer: Answer,
        proven: Vec<FactorId>,
    ) -> Result<Outcome, Halt> {
        let began = Instant::now();
        let outcome = if let Some(uid) = subject.judged_by_store(&answer) {
            self.attempt(uid, answer, proven).await?
        } else {
            // A PIN costs as much for names that hold nothing.
            let stretched = self.core.login_store().stretch_in_vain(answer).await;
            stretched.map_err(|error| self.store_failed(&error))?;
            Outcome::NoFactor
        };
        // A token of an account that holds nothing was wrong, or none of this host's domains signed it.
        let nobodys = !matches!(subject, Subject::Enrolled { .. }) && matches!(outcome, Outcome::NoFactor);
        let outcome = if nobodys { self.decoy().await? } else { outcome };
        self.core.metrics().judged(&outcome, began.elapsed());
        self.slow_down(&outcome).await;
        Ok(outcome)
    }

    async fn decoy(&mut self) -> Result<Outcome, Halt> {
        let (settings, now) = (self.settings.for_store(), self.core.now());
        let outcome = self.core.decoys().judge(&self.context.user, self.channel, &settings, now);
        let store = self.core.login_store();
        // The same cost on the same disk as a wrong code of a real account, and no row.
        awake(self.logins, store.decoy()).await.map_err(|error| self.store_failed(&error))?;
        Ok(outcome)
    }

    async fn attempt(
        &mut self,
        uid: AccountUid,
        answer: Answer,
        proven: Vec<FactorId>,
    ) -> Result<Outcome, Halt> {
        let attempt = Attempt {
            context: self.context.clone(),
            rule: self.rule.clone(),
            uid: uid.0,
            answer: answer.into(),
            channel: self.channel,
            counting: self.counting(proven),
        };
        let store = self.core.login_store();
        let judged = awake(self.logins, store.attempt(attempt)).await;
        let outcome = judged.map_err(|error| self.store_failed(&error))?;
        self.recorded = outcome.ends_in_trail();
        audit::log_attempt(&self.context, &outcome);
        Ok(outcome)
    }

    /// Counts a failure against its source. Failures beyond the daemon's rate are answered later: a timer,
    /// no worker, waits.
    pub(super) async fn slow_down(&self, outcome: &Outcome) {
        // A host without the time, or a service that is away, is not the doing of whoever logs in.
        let innocent =
            matches!(outcome, Outcome::Accepted(_) | Outcome::ClockUnusable | Outcome::Unreachable { .. });
        if !innocent {
            let delay = self.core.charge_failure(self.source);
            tokio::time::sleep(delay).await;
        }
    }
}
