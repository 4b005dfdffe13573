//! What the login path gets of the store: look, judge, write down, and add a first factor to who has none.
//! Nothing here can touch what somebody holds, unlock or remove, so a mistake in the code that talks to
//! every login host cannot either.

use mfa_proto::{admin::FactorId, answer::Answer, name::UserId};

use super::{
    AccountView, Addressed, Attempt, Carry, Channel, CheckInvitation, Consult, Consulted, EnrollFirst,
    GraceLogin, Graced, Hindrance, InvitationCheck, Issue, Issued, Judgment, Outcome, Proof, Recollection,
    Remembrance, Store, StoreError, Ticket, Undelivered, remembered,
};
use crate::{
    audit::Context,
    session::{Reason, Settled},
};

/// A handle for logins.
#[derive(Clone, Debug)]
pub struct LoginStore(Store);

impl LoginStore {
    /// The part of `store` that logins may use.
    pub fn of(store: &Store) -> Self {
        Self(store.clone())
    }

    /// See [`Store::view`]; at once and past the thread, where possible.
    pub async fn view(&self, user: UserId, channel: Channel) -> Result<AccountView, StoreError> {
        match self.0.reader.view(&user, channel) {
            Some(view) => Ok(view),
            None => self.0.view(user, channel).await,
        }
    }

    /// See [`Store::attempt`].
    pub async fn attempt(&self, attempt: Attempt) -> Result<Outcome, StoreError> {
        self.0.attempt(attempt).await
    }

    /// See [`Store::issue`].
    pub async fn issue(&self, issue: Issue) -> Result<Issued, StoreError> {
        self.0.issue(issue).await
    }

    /// See [`Store::undelivered`].
    pub async fn undelivered(&self, undelivered: Undelivered) -> Result<(), StoreError> {
        self.0.undelivered(undelivered).await
    }

    /// See [`Store::carry`].
    pub async fn carry(&self, wanted: Carry) -> Result<Result<Addressed, Hindrance>, StoreError> {
        self.0.carry(wanted).await
    }

    /// See [`Store::not_carried`].
    pub async fn not_carried(&self, context: &Context, factor: FactorId) -> Result<(), StoreError> {
        self.0.not_carried(context, factor).await
    }

    /// See [`Store::consult`].
    pub async fn consult(&self, consult: Consult) -> Result<Consulted, StoreError> {
        self.0.consult(consult).await
    }

    /// See [`Store::settle`].
    pub async fn settle(&self, ticket: Ticket, judgment: Judgment) -> Result<Outcome, StoreError> {
        self.0.settle(ticket, judgment).await
    }

    /// See [`Store::remember`].
    pub async fn remember(&self, proof: &Proof, wanted: Remembrance) -> Result<(), StoreError> {
        self.0.remember(proof, wanted).await
    }

    /// See [`Store::recall`]; at once and past the thread, where possible.
    pub async fn recall(&self, wanted: Remembrance) -> Result<Option<Recollection>, StoreError> {
        match self.0.reader.look(|read| remembered::recall(read, &wanted)) {
            Some(recalled) => Ok(recalled),
            None => self.0.recall(wanted).await,
        }
    }

    /// See [`Store::check_invitation`].
    pub async fn check_invitation(&self, typed: CheckInvitation) -> Result<InvitationCheck, StoreError> {
        self.0.check_invitation(typed).await
    }

    /// See [`Store::enroll_first`].
    pub async fn enroll_first(&self, first: EnrollFirst) -> Result<Outcome, StoreError> {
        self.0.enroll_first(first).await
    }

    /// See [`Store::grace`].
    pub async fn grace(&self, login: GraceLogin) -> Result<Option<Graced>, StoreError> {
        self.0.grace(login).await
    }

    /// See [`Store::record`].
    pub async fn record(&self, context: &Context, settled: &Settled) -> Result<(), StoreError> {
        self.0.record(context, settled).await
    }

    /// See [`Store::record_password`].
    pub async fn record_password(&self, context: &Context, reason: Reason) -> Result<(), StoreError> {
        self.0.record_password(context, reason).await
    }

    /// See [`Store::stretch_in_vain`].
    pub async fn stretch_in_vain(&self, answer: Answer) -> Result<(), StoreError> {
        self.0.stretch_in_vain(answer).await
    }

    /// See [`Store::decoy`].
    pub async fn decoy(&self) -> Result<(), StoreError> {
        self.0.decoy().await
    }
}
