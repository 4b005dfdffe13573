//! Codes for an emergency: one that lets a user in once, whatever else is lost, locked or switched off.

use mfa_proto::admin::{Refusal, RefusalCode, Reply};
use mfa_proto::{name::UserId, secret::SecretText, text::ShownText};
use tracing::warn;

use super::{
    Desk,
    refusal::{not_done, refused},
};
use crate::store::{BreakGlass, NewBreakGlass};

/// The most characters of a reason.
const MAX_REASON: usize = 200;

impl Desk<'_> {
    pub(super) async fn break_glass(
        &self,
        user: UserId,
        seconds: u32,
        reason: ShownText,
    ) -> Result<Reply, Refusal> {
        self.root_only("make a code for an emergency")?;
        let wanted = self.emergency(&user, seconds, reason).await?;
        let reason = wanted.reason.clone();
        let made = self.core.store().break_glass(wanted).await;
        let made = made.map_err(|e| not_done(&user, "make a code for an emergency", self.core.now(), &e))?;
        self.emergency_made(&user, &made, &reason)
    }

    /// A wish for a code, for an account that is there, with a reason.
    pub(super) async fn emergency(
        &self,
        user: &UserId,
        seconds: u32,
        reason: ShownText,
    ) -> Result<BreakGlass, Refusal> {
        let reason = ShownText::clean(reason.as_str().trim());
        if !(1..=MAX_REASON).contains(&reason.as_str().chars().count()) {
            return Err(refused(
                RefusalCode::Invalid,
                "a reason of 1 to 200 characters is needed, for the trail",
            ));
        }
        // Never longer than was asked for; what is out of bounds the store refuses.
        let minutes = u16::try_from(seconds / 60).unwrap_or(u16::MAX);
        let uid = self.root_or_self(user).await?;
        Ok(BreakGlass { order: self.order(user, uid, None)?, minutes, reason })
    }

    /// Says that a code was made, and shows it to whoever wanted it.
    pub(super) fn emergency_made(
        &self,
        user: &UserId,
        made: &NewBreakGlass,
        reason: &ShownText,
    ) -> Result<Reply, Refusal> {
        self.say_loudly(user, made.until.0, reason);
        let code = SecretText::new(made.code.grouped().as_str().to_owned());
        let code = code
            .map_err(|_| refused(RefusalCode::Unavailable, "the code cannot be shown: make another one"))?;
        Ok(Reply::BreakGlass { factor: made.factor, code, until: made.until.0 })
    }

    fn say_loudly(&self, user: &UserId, until: i64, reason: &ShownText) {
        let (event, actor, session) = ("breakglass", self.peer.uid, self.session.as_str());
        let (user, reason) = (user.to_string(), reason.as_str());
        let client = self.client_word();
        warn!(
            event,
            user,
            actor,
            client,
            session,
            reason,
            until,
            "emergency code made: user={user} by uid {actor}, until {until}: {reason}"
        );
    }
}
