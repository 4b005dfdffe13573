//! Who may ask for what. Root may do all; others a few things for their own account, proven by a code; front
//! ends what the rights of the client cover on whose behalf they ask.

use mfa_proto::{
    admin::{FactorKind, Refusal, RefusalCode, Request},
    answer::{Answer, AnswerShape, OtpCode},
    name::UserId,
    secret::SecretText,
};

use super::{
    Desk,
    refusal::{refused, unknown_user},
};
use crate::{
    config::Right,
    identity::Account,
    store::{Authority, Channel, Order},
};

/// The rights that a front end's client needs for a request, all of them; `None` for what no right covers.
pub(crate) const fn rights_of(request: &Request) -> Option<&'static [Right]> {
    match request {
        Request::Enroll(_)
        | Request::Confirm { .. }
        | Request::Disable { .. }
        | Request::Enable { .. }
        | Request::Remove { .. }
        | Request::Unlock { .. }
        | Request::Reset { .. }
        | Request::Resync { .. }
        | Request::RecoveryNew { .. }
        | Request::Send { .. }
        | Request::SetPin { .. }
        | Request::Describe { .. }
        | Request::Assign { .. }
        | Request::Unassign { .. } => Some(&[Right::FactorsWrite]),
        Request::Show { .. } | Request::Devices { .. } | Request::Find { .. } => Some(&[Right::FactorsRead]),
        Request::List { .. } => Some(&[Right::UsersRead]),
        Request::Status => Some(&[Right::Status]),
        Request::Audit(_) => Some(&[Right::AuditRead]),
        Request::TokenIssue { .. } => Some(&[Right::TokenIssue]),
        // It lets people in, so that nothing else gives it.
        Request::Lost { .. } => Some(&[Right::FactorsEmergency]),
        // It says whose a code is, and uses it up.
        Request::Identify(_) => Some(&[Right::FactorsRead, Right::UsersRead, Right::FactorsWrite]),
        Request::ConfigCheck
        | Request::Reload
        | Request::EnrollAll { .. }
        | Request::Backup
        | Request::Restore
        | Request::Invite { .. }
        | Request::Uninvite { .. }
        | Request::Remembered { .. }
        | Request::Forget { .. }
        | Request::Reassign { .. }
        | Request::PruneOrphaned { .. }
        | Request::AuditVerify
        | Request::Explain(_)
        | Request::ExplainClient(_)
        | Request::BreakGlass { .. }
        | Request::LdapSeal { .. }
        | Request::LdapPull { .. }
        | Request::Metrics { .. } => None,
    }
}

impl Desk<'_> {
    /// Whether the peer may act for any account: root, and a front end whose client has the right to what it
    /// asks.
    pub(super) fn acts_for_any(&self) -> bool {
        self.peer.is_root() || self.behalf.is_some()
    }

    /// Refuses all but root.
    pub(super) fn root_only(&self, what: &str) -> Result<(), Refusal> {
        if self.acts_for_any() {
            return Ok(());
        }
        Err(refused(RefusalCode::NotAllowed, &format!("only root may {what}")))
    }

    /// Refuses all but root and the user itself; the account's uid now, where it has one.
    ///
    /// To others every account looks alike, whether it exists or not.
    pub(super) async fn root_or_self(&self, user: &UserId) -> Result<Option<u32>, Refusal> {
        let account = self.core.settings().directory().find(user).await.map_err(|error| {
            refused(RefusalCode::Unavailable, &format!("cannot look {user} up: {error}. Nothing was changed"))
        })?;
        match account {
            Account::Known { uid } if self.acts_for_any() || uid == self.peer.uid => Ok(Some(uid)),
            Account::Unchecked if self.acts_for_any() => Ok(None),
            Account::Unknown if self.acts_for_any() => Err(unknown_user(user)),
            Account::Known { .. } | Account::Unchecked | Account::Unknown => {
                Err(refused(RefusalCode::NotAllowed, "only root may do this for another account"))
            }
        }
    }

    /// An order of the peer, which [`Self::root_or_self`] or [`Self::root_only`] has let through. The store
    /// wants a code of all but root; a wrong one is counted like any other, against the budget of callers
    /// whose password nobody has proven.
    pub(super) fn order(
        &self,
        user: &UserId,
        uid: Option<u32>,
        code: Option<SecretText>,
    ) -> Result<Order, Refusal> {
        // A client that brings a code wants it judged: it asks for the owner.
        let for_owner = self.behalf.is_some() && code.is_some();
        let authority = if self.acts_for_any() && !for_owner {
            Authority::Admin
        } else {
            let code = code.map(|code| current(&code)).transpose()?;
            let code = code.map(Into::into);
            Authority::Owner { code, channel: Channel::Unproven }
        };
        Ok(Order { context: self.context(user), uid, authority })
    }

    /// An order of root, for an account that need not exist any more.
    pub(super) fn root_order(&self, user: &UserId, what: &str) -> Result<Order, Refusal> {
        self.root_only(what)?;
        self.order(user, None, None)
    }
}

/// A code as people type it.
pub(super) fn parsed(code: &SecretText) -> Result<OtpCode, Refusal> {
    OtpCode::parse(code.expose()).ok_or_else(|| no_code("a code has 6 to 8 digits"))
}

/// A code that proves the owner: of any active factor, recovery codes and tokens among them.
fn current(code: &SecretText) -> Result<Answer, Refusal> {
    let shape = DIGITS.or(AnswerShape::RECOVERY).or(AnswerShape::TOKEN).or(AnswerShape::PINNED);
    shape.parse(code.expose()).ok_or_else(|| no_code("a code has 6 to 8 digits, or is a recovery code"))
}

/// What proves a factor of a kind; of one that is not known, digits.
pub(super) fn parsed_as(kind: Option<FactorKind>, code: &SecretText) -> Result<Answer, Refusal> {
    let (shape, form) = match kind {
        Some(FactorKind::Rest) => (AnswerShape::TEXT, "what a service is asked has 4 to 64 characters"),
        Some(FactorKind::Token) => (AnswerShape::TOKEN, "a token has digits, one space and a signature"),
        Some(
            FactorKind::Totp
            | FactorKind::Hotp
            | FactorKind::Recovery
            | FactorKind::Sms
            | FactorKind::Mail
            | FactorKind::BreakGlass,
        )
        | None => (DIGITS, "a code has 6 to 8 digits"),
    };
    shape.parse(code.expose()).ok_or_else(|| no_code(form))
}

const DIGITS: AnswerShape =
    AnswerShape::SIX_DIGITS.or(AnswerShape::SEVEN_DIGITS).or(AnswerShape::EIGHT_DIGITS);

fn no_code(form: &str) -> Refusal {
    refused(RefusalCode::WrongCode, &format!("that is no code: {form}"))
}
