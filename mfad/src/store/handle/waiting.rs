//! Users without a factor: invitations, the time of grace, and the first factor.

use super::Store;
use crate::store::{
    CheckInvitation, EnrollFirst, GraceLogin, Graced, Invitation, InvitationCheck, Order, Outcome,
    StoreError, manage, waiting,
};

impl Store {
    /// Makes an invitation for so many seconds, in place of the one before. Administrators only.
    pub async fn invite(&self, order: Order, seconds: u32) -> Result<Invitation, StoreError> {
        self.manage(move |tx| waiting::invite(tx, &order, seconds)).await
    }

    /// Takes an invitation back, and what was begun by it. Administrators only. How many.
    pub async fn uninvite(&self, order: Order) -> Result<u32, StoreError> {
        self.manage(move |tx| waiting::uninvite(tx, &order)).await
    }

    /// Whether an invitation counts; a wrong one is counted. It is not used up by that.
    pub async fn check_invitation(&self, typed: CheckInvitation) -> Result<InvitationCheck, StoreError> {
        self.write(move |tx| waiting::check_invitation(tx, typed)).await
    }

    /// Adds the first factor of a user and accepts the login, if the code is right: in one transaction.
    pub async fn enroll_first(&self, first: EnrollFirst) -> Result<Outcome, StoreError> {
        self.write(move |tx| manage::enroll_first(tx, &first)).await
    }

    /// Counts a login without a factor; `None` when there is no grace for it.
    pub async fn grace(&self, login: GraceLogin) -> Result<Option<Graced>, StoreError> {
        self.write(move |tx| waiting::grace(tx, &login)).await
    }
}
