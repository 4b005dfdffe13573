//! Codes that are sent and services that are asked, for logins and for administration.

use mfa_proto::{admin::FactorId, secret::SecretText};

use super::Store;
use crate::{
    audit::Context,
    store::{
        Addressed, BreakGlass, Carry, Consult, Consulted, EnrollAll, Hindrance, Issue, Issued, Judgment,
        Lost, MadeCode, NewBreakGlass, NewRecovery, Order, Outcome, RecoveryNew, Resync, StoreError, Target,
        Ticket, Undelivered, carry, consult, issue, manage,
    },
};

impl Store {
    /// Makes a code for a login to be sent: limits, the code, and the row in the trail in one transaction.
    pub async fn issue(&self, wanted: Issue) -> Result<Issued, StoreError> {
        self.write(move |tx| issue::issue(tx, wanted)).await
    }

    /// The code could not be sent: it counts no more. The caps go on counting it.
    pub async fn undelivered(&self, undelivered: Undelivered) -> Result<(), StoreError> {
        self.write(move |tx| issue::undelivered(tx, &undelivered)).await
    }

    /// Where a code is to be carried that a client made itself: limits and the row in the trail in one transaction.
    /// The code itself stays with the caller.
    pub async fn carry(&self, wanted: Carry) -> Result<Result<Addressed, Hindrance>, StoreError> {
        self.write(move |tx| carry::carry(tx, &wanted)).await
    }

    /// The code of [`Self::carry`] could not be delivered. The caps go on counting it.
    pub async fn not_carried(&self, context: &Context, factor: FactorId) -> Result<(), StoreError> {
        let context = context.clone();
        self.write(move |tx| carry::undelivered(tx, &context, factor)).await
    }

    /// Counts a failure before an outside service judges, and gives the right to ask it.
    pub async fn consult(&self, wanted: Consult) -> Result<Consulted, StoreError> {
        let consulted = self.write(move |tx| consult::consult(tx, wanted)).await?;
        Ok(match consulted {
            Consulted::Ticket(ticket) => Consulted::Ticket(Box::new(ticket.issued_by(&self.issuer))),
            other @ (Consulted::Locked { .. }
            | Consulted::Gone
            | Consulted::Orphaned
            | Consulted::Tampered) => other,
        })
    }

    /// The outside service has judged. A yes takes the failure back.
    pub async fn settle(&self, ticket: Ticket, judgment: Judgment) -> Result<Outcome, StoreError> {
        // One of another opening of the database is void: what it was charged stays charged.
        let judgment = if ticket.is_of(&self.issuer) { judgment } else { Judgment::Unreachable };
        if ticket.confirms {
            return Err(StoreError::Internal);
        }
        self.write(move |tx| consult::settle(tx, &ticket, judgment)).await
    }

    /// Makes a code to be sent that confirms a pending factor, or that serves the owner of an active one as
    /// the current code a change needs. `made` as in [`Issue::made`]. Only [`Issued::Code`],
    /// [`Issued::Begin`], [`Issued::TooSoon`] and [`Issued::Capped`] come back; all else is refused.
    pub async fn send_code(
        &self,
        order: Order,
        target: Target,
        made: Option<MadeCode>,
    ) -> Result<Issued, StoreError> {
        self.manage(move |tx| manage::send(tx, &order, &target, made)).await
    }

    /// The code of [`Self::send_code`] could not be sent.
    pub async fn code_unsent(&self, order: Order, factor: FactorId) -> Result<(), StoreError> {
        self.manage(move |tx| manage::unsent(tx, &order, factor)).await
    }

    /// As [`Self::consult`], to prove a pending factor that an outside service judges; without an id, the
    /// only pending one.
    pub async fn consult_pending(
        &self,
        order: Order,
        factor: Option<FactorId>,
    ) -> Result<Ticket, StoreError> {
        let ticket = self.manage(move |tx| manage::consult_pending(tx, order, factor)).await?;
        Ok(ticket.issued_by(&self.issuer))
    }

    /// As [`Self::settle`], for a ticket of [`Self::consult_pending`]: a yes makes the factor active.
    pub async fn settle_pending(&self, ticket: Ticket, judgment: Judgment) -> Result<FactorId, StoreError> {
        let judgment = if ticket.is_of(&self.issuer) { judgment } else { Judgment::Unreachable };
        if !ticket.confirms {
            return Err(StoreError::Internal);
        }
        self.manage(move |tx| manage::settle_pending(tx, &ticket, judgment)).await
    }

    /// Finds the counter of a device by two consecutive codes. Counts as one attempt, and needs no other
    /// code; a factor that is switched off stays so.
    pub async fn resync(&self, resync: Resync) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::resync(tx, &resync)).await
    }

    /// Makes a new set of recovery codes in place of the one before. The codes are known here and now only.
    pub async fn recovery_new(&self, new: RecoveryNew) -> Result<NewRecovery, StoreError> {
        let new = RecoveryNew { order: self.proven(new.order).await?, ..new };
        self.manage(move |tx| manage::recovery_new(tx, new)).await
    }

    /// Makes a code for an emergency in place of the one before. The code is known here and now only.
    /// Administrators only.
    pub async fn break_glass(&self, wanted: BreakGlass) -> Result<NewBreakGlass, StoreError> {
        self.manage(move |tx| manage::break_glass(tx, &wanted)).await
    }

    /// Switches a factor off that was lost, and makes a code for an emergency for its owner: both or neither.
    /// Administrators only.
    pub async fn lost(&self, wanted: Lost) -> Result<NewBreakGlass, StoreError> {
        self.manage(move |tx| manage::lost(tx, &wanted)).await
    }

    /// Adds all of some factors and recovery codes, active at once, or none of them. Administrators only.
    /// How many factors.
    pub async fn enroll_all(&self, all: EnrollAll) -> Result<u32, StoreError> {
        self.manage(move |tx| manage::enroll_all(tx, all)).await
    }

    /// Makes a fresh signed token for a token factor.
    pub async fn token_issue(&self, order: Order, target: Target) -> Result<SecretText, StoreError> {
        let order = self.proven(order).await?;
        self.manage(move |tx| manage::token_issue(tx, order, &target)).await
    }
}
