//! The directory is asked about a person before it matters what the person holds.
//!
//! For every name alike, whether there is such an account or not, and whatever it holds: the time tells nothing. Refuses
//! to take silence for an answer: what was taken in before goes on to count, and nobody passes for one who never
//! enrolled.

use std::time::Duration;

use super::{
    Login,
    subject::{AccountUid, Found, Subject},
};
use crate::{
    identity::Account,
    ldap,
    policy::Decision,
    session::{Reason, Settled},
};

impl Login<'_> {
    /// As [`Self::find`], where the directory is asked first. A login that needs no factor does not wait for it.
    pub(super) async fn find_by_directory(&self, refresh: Duration) -> Result<Found, Settled> {
        let (account, membership) = self.account().await?;
        let decided = self.settings.policy().decide(&self.request(Some(&membership)));
        let may = self.own.is_none_or(|uid| account == Account::Known { uid });
        let asks = may && self.context.user.realm.is_local() && matches!(decided, Ok(Decision::Require(_)));
        let person = (&self.context, account);
        let in_doubt = asks && !ldap::take_in(self.core, &self.settings, person, refresh).await;
        let view = self.core.login_store().view(self.context.user.clone(), self.channel).await;
        Ok(Found { account, membership, view, in_doubt })
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
