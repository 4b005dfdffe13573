//! Factors whose account is gone or has another uid: found, taken over, removed.
//!
//! Refuses to take an account for gone that could not be looked up, and to remove anybody who was not named
//! and looked up again just before.

use std::time::Duration;

use mfa_proto::{
    admin::{LeftAlone, OrphanPage, Refusal, RefusalCode, Reply, UserSummary},
    name::{Claim, UserId},
    text::ShownText,
};
use tokio::time::Instant;

use super::{
    Desk,
    look::fits,
    refusal::{not_done, refused, store_failed, unknown_user},
};
use crate::{
    identity::{Account, LookupError},
    store::{Heir, Holder, Reassign, StoreError},
};

/// Users that are looked up for one page, at most.
const LOOKED_UP: u32 = 256;
/// How long names are looked up for one page: less than a front end waits for an answer. One look-up may then
/// still be under way.
const PAGE_TIME: Duration = Duration::from_secs(3);
/// Bytes of why a user was left alone, so that a page always fits.
const WHY: usize = 100;

impl Desk<'_> {
    pub(super) async fn list_orphaned(&self, after: Option<UserId>) -> Result<Reply, Refusal> {
        self.root_only("list all users")?;
        let holders = self.core.store().holders(after, LOOKED_UP).await;
        let (holders, more) = holders.map_err(|error| store_failed("list users", &error))?;
        let until = Instant::now() + PAGE_TIME;
        let mut page = OrphanPage::default();
        let mut seen = None;
        let mut cut = more;
        for holder in holders {
            let user = holder.summary.user.clone();
            if seen.is_some() && Instant::now() >= until {
                cut = true;
                break;
            }
            let before = (page.orphaned.len(), page.left_alone.len());
            self.sort_in(&mut page, holder).await;
            // Room for where the next page begins.
            page.more_after = Some(user.clone());
            if !fits(&page) {
                page.orphaned.truncate(before.0);
                page.left_alone.truncate(before.1);
                cut = true;
                break;
            }
            seen = Some(user);
        }
        page.more_after = seen.filter(|_| cut);
        Ok(Reply::Orphans(page))
    }

    async fn sort_in(&self, page: &mut OrphanPage, holder: Holder) {
        let Holder { summary, uid } = holder;
        if summary.tampered {
            let why = "its rows fail their integrity check: mfactl remove --all";
            return page.left_alone.push(left_alone(summary.user, why));
        }
        match self.bearer(&summary.user).await {
            Ok(account) if account.is_of(uid) => {}
            Ok(_) => page.orphaned.push(summary),
            Err(error) => page.left_alone.push(left_alone(summary.user, &error.to_string())),
        }
    }

    /// What bears a name now.
    async fn bearer(&self, user: &UserId) -> Result<Account, LookupError> {
        if user.realm.is_unassigned() {
            return Ok(Account::Unchecked);
        }
        self.core.settings().directory().find(user).await
    }

    pub(super) async fn reassign(&self, user: UserId, to: Option<UserId>) -> Result<Reply, Refusal> {
        self.root_only("reassign factors")?;
        if user.realm.is_unassigned() || to.as_ref().is_some_and(|to| to.realm.is_unassigned()) {
            let why = "devices that nobody has are given to users by serial number: mfactl assign";
            return Err(refused(RefusalCode::Invalid, why));
        }
        let present = self.bearer(&user).await.map_err(|error| not_looked_up(&user, &error))?;
        let heir = match &to {
            None if present == Account::Unknown => return Err(nobody(&user)),
            None => Heir::SameName,
            Some(to) if *to == user => {
                return Err(refused(
                    RefusalCode::Invalid,
                    "the factors are that user's already: leave the other name out to take a new uid over",
                ));
            }
            Some(to) => match self.bearer(to).await.map_err(|error| not_looked_up(to, &error))? {
                Account::Known { uid } => Heir::Other { user: to.clone(), uid: Some(uid) },
                Account::Unchecked => Heir::Other { user: to.clone(), uid: None },
                Account::Unknown => return Err(unknown_user(to)),
            },
        };
        let order = self.order(&user, None, None)?;
        let done = self.core.store().reassign(Reassign { order, present, heir }).await;
        self.changed("reassign", &user, done)
    }

    /// Each user is looked up once more, just before it is removed; the store then compares with the uid that
    /// it has.
    pub(super) async fn prune_orphaned(&self, users: Vec<UserId>) -> Result<Reply, Refusal> {
        self.root_only("remove orphaned users")?;
        if users.len() > OrphanPage::AT_ONCE {
            let most = OrphanPage::AT_ONCE;
            return Err(refused(RefusalCode::TooMany, &format!("at most {most} users are removed at once")));
        }
        let mut page = OrphanPage::default();
        let until = Instant::now() + PAGE_TIME;
        for user in users {
            let removed = if Instant::now() < until {
                self.prune_one(&user).await
            } else {
                Err("the account database is slow: try again".to_owned())
            };
            match removed {
                Ok(summary) => page.orphaned.push(summary),
                Err(why) => page.left_alone.push(left_alone(user, &why)),
            }
        }
        Ok(Reply::Orphans(page))
    }

    async fn prune_one(&self, user: &UserId) -> Result<UserSummary, String> {
        let summary = self.summary_of(user).await?;
        let present = self.bearer(user).await.map_err(|error| error.to_string())?;
        if present == Account::Unchecked {
            return Err("names are not accounts of this host ([identity] accounts = \"any\")".to_owned());
        }
        let order = self.order(user, None, None).map_err(|refusal| refusal.message.to_string())?;
        let pruned = self.core.store().prune(order, present).await;
        pruned.map_err(|error| {
            not_done(user, "remove the factors", self.core.now(), &error).message.to_string()
        })?;
        self.log_change("prune", user);
        Ok(summary)
    }

    /// A user as it was before it is removed.
    async fn summary_of(&self, user: &UserId) -> Result<UserSummary, String> {
        let detail = self.core.store().show(user.clone()).await;
        let detail = detail.map_err(|error: StoreError| {
            not_done(user, "read the factors", self.core.now(), &error).message.to_string()
        })?;
        Ok(UserSummary {
            user: user.clone(),
            factors: detail.factors.iter().map(|factor| (factor.kind, factor.state)).collect(),
            last_used: detail.factors.iter().filter_map(|factor| factor.last_used).max(),
            lock: detail.lock,
            tampered: false,
            emergency_until: None,
        })
    }
}

fn left_alone(user: UserId, why: &str) -> LeftAlone {
    // Claims are cut at whole characters.
    LeftAlone { user, why: ShownText::clean(Claim::clean_to(why, WHY).as_str()) }
}

fn not_looked_up(user: &UserId, error: &LookupError) -> Refusal {
    refused(RefusalCode::Unavailable, &format!("cannot look {user} up: {error}. Nothing was changed"))
}

fn nobody(user: &UserId) -> Refusal {
    refused(
        RefusalCode::UnknownUser,
        &format!(
            "there is no account {user} on this host that could take its factors over: name another one"
        ),
    )
}
