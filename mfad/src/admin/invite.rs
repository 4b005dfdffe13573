//! Invitations, by which users without a factor enroll the first one.

use mfa_proto::{
    admin::{Refusal, RefusalCode, Reply},
    name::UserId,
    secret::SecretText,
};

use super::{
    Desk,
    refusal::{not_done, refused},
};
use crate::config::SelfEnrollment;

/// The longest time an invitation may count, in seconds: 30 days.
const LONGEST: u32 = 30 * 86_400;

impl Desk<'_> {
    /// No seconds take what the configuration says.
    pub(super) async fn invite(&self, user: UserId, seconds: u32) -> Result<Reply, Refusal> {
        self.root_only("invite a user")?;
        let settings = self.core.settings();
        let enrollment = settings.config().enrollment();
        if enrollment.first_by_self == SelfEnrollment::Never {
            let why = "invitations are of no use here: users may not enroll ([enrollment] self = \"never\"); set self = \"invite\", then mfactl reload";
            return Err(refused(RefusalCode::Invalid, why));
        }
        let usual = u32::try_from(enrollment.invite_lifetime.as_secs()).unwrap_or(LONGEST);
        let seconds = if seconds == 0 { usual } else { seconds };
        if seconds > LONGEST {
            return Err(refused(RefusalCode::Invalid, "an invitation counts for at most 30 days"));
        }
        let uid = self.root_or_self(&user).await?;
        let made = self.core.store().invite(self.order(&user, uid, None)?, seconds).await;
        let made = made.map_err(|e| not_done(&user, "make an invitation", self.core.now(), &e))?;
        self.log_change("invite", &user);
        let code = SecretText::new(std::mem::take(&mut *made.code.grouped()));
        let code = code.map_err(|_| refused(RefusalCode::Unavailable, "no invitation was made"))?;
        Ok(Reply::Invited { code, until: made.until.0 })
    }

    pub(super) async fn uninvite(&self, user: UserId) -> Result<Reply, Refusal> {
        let order = self.root_order(&user, "take an invitation back")?;
        let taken = self.core.store().uninvite(order).await;
        self.changed("uninvite", &user, taken)
    }
}
