//! Successes that are remembered: what there is, and having it forgotten.
//!
//! Owners need no code: to be asked again takes nothing from anyone.

use mfa_proto::{
    admin::{Refusal, RefusalCode, Reply},
    name::UserId,
};
use tracing::info;

use super::{
    Desk,
    look::{ROWS_A_PAGE, fits},
    refusal::{refused, store_failed},
};
use crate::store::StoreError;

impl Desk<'_> {
    pub(super) async fn remembered(&self, user: Option<UserId>, after: i64) -> Result<Reply, Refusal> {
        self.may_ask_of(user.as_ref(), "list what is remembered of all").await?;
        let page = self.core.store().remembered(user, after, ROWS_A_PAGE).await;
        let mut page = page.map_err(|error| store_failed("list what is remembered", &error))?;
        while !fits(&page) && page.rows.pop().is_some() {
            page.more = true;
        }
        Ok(Reply::Remembered(page))
    }

    pub(super) async fn forget(&self, user: Option<UserId>, row: Option<i64>) -> Result<Reply, Refusal> {
        self.may_ask_of(user.as_ref(), "have forgotten what is remembered of others").await?;
        let Some(user) = user else {
            // Each row of the trail names the user whom it is about.
            let nobody = UserId::local(self.no_name()?);
            let done = self.core.store().forget_any(self.context(&nobody), row).await;
            let (actor, session) = (self.peer.uid, self.session.as_str());
            let reply = forgotten(done)?;
            info!(event = "forget", actor, session, "forget: what is remembered of any user, by uid {actor}");
            return Ok(reply);
        };
        let reply = forgotten(self.core.store().forget(self.context(&user), row).await)?;
        self.log_change("forget", &user);
        Ok(reply)
    }

    /// Of all, only root; of one user, that user too. Root may ask of accounts that are gone.
    async fn may_ask_of(&self, user: Option<&UserId>, what: &str) -> Result<(), Refusal> {
        match user {
            Some(user) if !self.peer.is_root() => self.root_or_self(user).await.map(drop),
            Some(_) => Ok(()),
            None => self.root_only(what),
        }
    }

    /// A name for a context that is about no one yet.
    fn no_name(&self) -> Result<mfa_proto::name::UserName, Refusal> {
        let name = mfa_proto::name::UserName::new(format!("uid-{}", self.peer.uid));
        name.map_err(|_| refused(RefusalCode::Unavailable, "an internal error ended the request"))
    }
}

fn forgotten(done: Result<u32, StoreError>) -> Result<Reply, Refusal> {
    let factors = done.map_err(|error| store_failed("have it forgotten", &error))?;
    Ok(Reply::Done { factors })
}
