//! Who may ask for what. Root may do all; others a few things for their own account, proven by a code.

use mfa_proto::{
    admin::{Refusal, RefusalCode},
    answer::OtpCode,
    name::UserId,
    secret::SecretText,
};

use super::{
    Desk,
    refusal::{refused, store_failed, unknown_user},
};
use crate::{
    identity::Account,
    limits::Gate,
    store::{Attempt, Channel, Outcome},
};

impl Desk<'_> {
    /// Refuses all but root.
    pub(super) fn root_only(&self, what: &str) -> Result<(), Refusal> {
        if self.peer.is_root() {
            return Ok(());
        }
        Err(refused(RefusalCode::NotAllowed, &format!("only root may {what}: try again with sudo")))
    }

    /// Refuses all but root and the user itself; the account's uid now, where it has one.
    ///
    /// To others every account looks alike, whether it exists or not.
    pub(super) async fn root_or_self(&self, user: &UserId) -> Result<Option<u32>, Refusal> {
        let account = self.core.settings().directory().find(&user.name).await.map_err(|error| {
            refused(RefusalCode::Unavailable, &format!("cannot look {user} up: {error}. Nothing was changed"))
        })?;
        match account {
            Account::Known { uid } if self.peer.is_root() || uid == self.peer.uid => Ok(Some(uid)),
            Account::Unchecked if self.peer.is_root() => Ok(None),
            Account::Unknown if self.peer.is_root() => Err(unknown_user(user)),
            Account::Known { .. } | Account::Unchecked | Account::Unknown => Err(refused(
                RefusalCode::NotAllowed,
                "only root may do this for another account: try again with sudo",
            )),
        }
    }

    /// Has the user itself prove an active factor; root need not. The code is used up by it, and a wrong
    /// one is counted like any other.
    pub(super) async fn proven(
        &self,
        user: &UserId,
        uid: Option<u32>,
        code: Option<SecretText>,
    ) -> Result<(), Refusal> {
        if self.peer.is_root() {
            return Ok(());
        }
        let wanted = || refused(RefusalCode::WrongCode, "a current code of an active factor is needed");
        let code = code.ok_or_else(wanted)?;
        let code = OtpCode::parse(code.expose()).ok_or_else(wanted)?;
        let attempt =
            Attempt { context: self.context(user), rule: None, uid, code, channel: Channel::Unproven };
        let outcome = self
            .core
            .store()
            .attempt(attempt)
            .await
            .map_err(|error| store_failed("check the code", &error))?;
        match outcome {
            Outcome::Accepted(_) => Ok(()),
            Outcome::Wrong { gate: Gate::Open } | Outcome::NoFactor => {
                Err(refused(RefusalCode::WrongCode, "that code is wrong"))
            }
            Outcome::Used { gate: Gate::Open } => {
                Err(refused(RefusalCode::WrongCode, "that code was used before: wait for the next one"))
            }
            Outcome::Wrong { gate } | Outcome::Used { gate } | Outcome::Locked { gate } => {
                let why = crate::session::Wording::refusal(gate, self.core.now());
                Err(refused(RefusalCode::Locked, &why))
            }
            Outcome::Orphaned => Err(refused(
                RefusalCode::WrongState,
                "these factors were enrolled for another account of this name: ask root to remove them",
            )),
            Outcome::Tampered => {
                Err(refused(RefusalCode::Tampered, "the stored rows fail their integrity check: tell root"))
            }
            Outcome::ClockUnusable => Err(refused(
                RefusalCode::Unavailable,
                "this host's clock is wrong, so codes cannot be checked",
            )),
        }
    }
}
