//! Factors that were lost: switched off, with a code that lets their owner in once.
//!
//! What a client needs a right of its own for. Refuses users who hold nothing, and what [`crate::store`] refuses.

use mfa_proto::{
    admin::{FactorRef, Refusal, Reply},
    text::ShownText,
};

use super::{Desk, refusal::not_done, state::taken_apart};
use crate::store::Lost;

impl Desk<'_> {
    pub(super) async fn lost(
        &self,
        target: FactorRef,
        seconds: u32,
        reason: ShownText,
    ) -> Result<Reply, Refusal> {
        self.root_only("make a code for who has lost a factor")?;
        let (user, target) = taken_apart(target);
        let code = self.emergency(&user, seconds, reason).await?;
        let reason = code.reason.clone();
        let made = self.core.store().lost(Lost { code, target }).await;
        let made =
            made.map_err(|e| not_done(&user, "make a code in place of a factor", self.core.now(), &e))?;
        self.log_change("lost", &user);
        self.emergency_made(&user, &made, &reason)
    }
}
