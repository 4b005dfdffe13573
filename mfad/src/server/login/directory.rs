//! The directory is asked about a person before it matters what the person holds.
//!
//! For every name alike, whether there is such an account or not, and whatever it holds: the time tells nothing. Refuses
//! to take silence for an answer: what was taken in before goes on to count, and nobody passes for one who never
//! enrolled.

use std::time::Duration;

use mfa_proto::text::escape_for_log;
use tracing::{error, info, warn};

use super::{
    Login,
    subject::{AccountUid, Found, Subject},
};
use crate::{
    identity::Account,
    ldap::{self, Asked},
    policy::Decision,
    session::{Reason, Settled},
    store::{Adopt, Authority, Order, Refused, StoreError},
};

impl Login<'_> {
    /// As [`Self::find`], where the directory is asked first. A login that needs no factor does not wait for it.
    pub(super) async fn find_by_directory(&self, refresh: Duration) -> Result<Found, Settled> {
        let (account, membership) = self.account().await?;
        let decided = self.settings.policy().decide(&self.request(Some(&membership)));
        let may = self.own.is_none_or(|uid| account == Account::Known { uid });
        let asks = may && self.context.user.realm.is_local() && matches!(decided, Ok(Decision::Require(_)));
        let in_doubt = asks && !self.take_in(account, refresh).await;
        let view = self.core.login_store().view(self.context.user.clone(), self.channel).await;
        Ok(Found { account, membership, view, in_doubt })
    }

    /// Whether what the directory has is here now.
    async fn take_in(&self, account: Account, refresh: Duration) -> bool {
        let (user, looked_up, now) = (&self.context.user, self.core.looked_up(), self.core.now());
        if looked_up.is_known(user, account, (now, refresh)) {
            return true;
        }
        let asked = match ldap::ask(self.core.outgoing(), &self.settings, user).await {
            Ok(asked) => asked,
            Err(why) => {
                let session = self.context.session.as_str();
                warn!(session, "{why}; what {user} holds is what was known of {user} before");
                return false;
            }
        };
        let known = match account {
            Account::Unknown => true,
            Account::Known { uid } => self.adopt(asked, Some(uid)).await,
            Account::Unchecked => self.adopt(asked, None).await,
        };
        if known {
            looked_up.know(user, account, now);
        }
        known
    }

    async fn adopt(&self, asked: Asked, uid: Option<u32>) -> bool {
        let (user, session) = (&self.context.user, self.context.session.as_str());
        let notes = self.core.looked_up().is_news(user, &asked.entry.unusable, self.core.now());
        if notes {
            for unusable in &asked.entry.unusable {
                let (kind, why) = (unusable.kind.word(), escape_for_log(&unusable.why));
                warn!(session, "the directory has a value for {kind} of {user} that cannot be used: {why}");
            }
        }
        let order = Order { context: self.context.clone(), uid, authority: Authority::Admin };
        let most = self.settings.config().enrollment().max_factors;
        let adopt = Adopt { order, entry: asked.entry, most, notes };
        match self.core.login_store().adopt(adopt).await {
            Ok(changed) => {
                for change in changed {
                    info!(session, "{} of {user}: {}", change.kind.word(), change.change.word());
                }
                true
            }
            // What is held is another account's: this login ends by that.
            Err(StoreError::Refused(Refused::Orphaned)) => true,
            Err(why) => {
                error!(session, "what the directory has of {user} cannot be taken in: {why}");
                false
            }
        }
    }

    /// Somebody who holds nothing, as far as is known: the directory may have more, and cannot be asked. Where nobody
    /// has proven a password, it looks like any other name.
    pub(super) fn in_doubt(&self) -> Result<Subject, Settled> {
        if self.is_proven() {
            return Err(Settled::unavailable(Reason::Directory));
        }
        Ok(Subject::Decoy { reason: Reason::Directory, account: None::<AccountUid> })
    }
}
