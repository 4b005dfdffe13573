//! Counters that were lost, recovery codes, and tokens.

use mfa_proto::{
    admin::{FactorRef, FactorState, Refusal, RefusalCode, Reply},
    answer::RecoveryCode,
    name::UserId,
    secret::SecretText,
};

use super::{
    Desk,
    refusal::{not_done, refused},
    rights::parsed,
    state::taken_apart,
};
use crate::store::{RecoveryNew, Resync, Target};

impl Desk<'_> {
    /// Two codes in a row are better proof than one, so root need not enable what they were given for: this
    /// is how a factor comes back that a restore disabled.
    pub(super) async fn resync(&self, target: FactorRef, codes: [SecretText; 2]) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let uid = self.root_or_self(&user).await?;
        let [first, second] = &codes;
        let codes = [parsed(first)?, parsed(second)?];
        let order = self.order(&user, uid, None)?;
        let done = self.core.store().resync(Resync { order, target, codes }).await;
        if let (Ok(factor), true) = (&done, self.acts_for_any()) {
            let disabled =
                self.one(&user, |f| f.factor == *factor && f.state == FactorState::Disabled).await?;
            if let Some(detail) = disabled {
                let target = Target { factor: Some(detail.factor), label: None };
                let enabled = self.core.store().enable(self.order(&user, uid, None)?, target).await;
                enabled.map_err(|e| not_done(&user, "enable the factor", self.core.now(), &e))?;
            }
        }
        self.changed("resync", &user, done.map(|_| 1))
    }

    pub(super) async fn recovery_new(
        &self,
        user: UserId,
        count: u8,
        code: Option<SecretText>,
    ) -> Result<Reply, Refusal> {
        let uid = self.root_or_self(&user).await?;
        let order = self.order(&user, uid, code)?;
        let made = self.core.store().recovery_new(RecoveryNew { order, count }).await;
        let made = made.map_err(|e| not_done(&user, "make recovery codes", self.core.now(), &e))?;
        self.log_change("recovery_new", &user);
        let shown = |code: &RecoveryCode| SecretText::new(code.grouped().as_str().to_owned()).ok();
        let codes = made.codes.iter().map(shown).collect::<Option<Vec<_>>>();
        let codes = codes
            .ok_or_else(|| refused(RefusalCode::Unavailable, "the codes cannot be shown: make new ones"))?;
        Ok(Reply::RecoveryCodes { factor: made.factor, codes })
    }

    /// A token is as good as a code: who merely runs as the owner must not get one, or a second factor would
    /// be had for the first.
    pub(super) async fn token_issue(&self, target: FactorRef) -> Result<Reply, Refusal> {
        self.root_only("have a token made: whoever holds the factor's secrets makes its tokens")?;
        let (user, target) = taken_apart(target);
        let uid = self.root_or_self(&user).await?;
        let made = self.core.store().token_issue(self.order(&user, uid, None)?, target).await;
        let token = made.map_err(|e| not_done(&user, "make a token", self.core.now(), &e))?;
        self.log_change("token_issue", &user);
        Ok(Reply::Token(token))
    }
}
