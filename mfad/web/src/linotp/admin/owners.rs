//! Whose tokens are asked for: of all, of some by name and realm, of those who are gone, of nobody.
//!
//! Refuses nothing: a name that nobody has has no tokens.

use std::collections::BTreeSet;

use mfa_proto::{
    admin::{Reply, Request},
    name::{RealmName, UserId},
    pattern::fits,
};
use serde_json::{Map, Value};

use super::{
    super::{asked, envelope::Fault},
    Order,
    rows::GONE,
    said::{asked as ask, refused, senseless},
    token::detail,
};

/// Stands for tokens that nobody has, as two quotes do.
const NOBODY: &str = "/:no user:/";
/// Stands for tokens in no realm, as two quotes do.
const NOWHERE: &str = "/:no realm:/";
/// Two quotes around nothing.
const QUOTES: &str = "''";

/// A user who may have wanted tokens, and how many it has.
pub(super) type Candidate = (UserId, usize);

/// Whose tokens are wanted.
enum Whose {
    All,
    /// Of accounts that are gone or are another's by now.
    Gone,
    Nobodys,
    /// Of users whose names fit.
    Named(String),
    /// Of one.
    One(UserId),
}

/// Whose tokens are wanted, and of which realms.
pub(super) struct Owners {
    whose: Whose,
    /// A pattern.
    realm: Option<String>,
}

impl Owners {
    /// As the parameters have it. Empty is as good as absent.
    pub(super) fn of(order: Order<'_>) -> Self {
        let asked = order.asked;
        let realm = asked.get("realm").or_else(|| asked.get("viewrealm"));
        if realm.is_some_and(|realm| [NOWHERE, QUOTES].contains(&realm)) {
            return Self { whose: Whose::Nobodys, realm: None };
        }
        let realm = realm.filter(|realm| *realm != "*");
        let whose = match asked.get("user") {
            None | Some("*") => Whose::All,
            Some(GONE) => Whose::Gone,
            Some(NOBODY | QUOTES) => Whose::Nobodys,
            Some(pattern) if pattern.contains('*') => Whose::Named(pattern.to_owned()),
            Some(name) => asked::user(name, realm, order.terms)
                .map_or_else(|_| Whose::Named(name.to_owned()), Whose::One),
        };
        Self { whose, realm: realm.map(str::to_owned) }
    }

    /// Whether tokens of a user may be wanted, as far as name and realm tell.
    pub(super) fn may_be(&self, user: &UserId) -> bool {
        let named = match &self.whose {
            Whose::Nobodys => user.realm.is_unassigned(),
            Whose::Named(pattern) => {
                !user.realm.is_unassigned()
                    && (fits(pattern, user.name.as_str()) || fits(pattern, &user.to_string()))
            }
            Whose::One(one) => one == user,
            Whose::All | Whose::Gone => true,
        };
        named && self.realm.as_ref().is_none_or(|realm| fits(realm, user.realm.as_str()))
    }

    /// Whether a row is of those who are gone, where those are wanted.
    pub(super) fn take(&self, row: &Map<String, Value>) -> bool {
        !matches!(self.whose, Whose::Gone) || row.get("User.username").is_some_and(|name| name == GONE)
    }

    /// The users whose tokens may be wanted.
    pub(super) async fn candidates(&self, order: Order<'_>) -> Result<Vec<Candidate>, Fault> {
        if let Whose::One(user) = &self.whose {
            let held = detail(order.desk, user).await?.map_or(0, |detail| detail.factors.len());
            return Ok(vec![(user.clone(), held)]);
        }
        let mut all = Vec::new();
        let (mut after, orphaned) = (None, matches!(self.whose, Whose::Gone));
        loop {
            let (users, next) = users(order, after, orphaned).await?;
            all.extend(users.into_iter().filter(|(user, _)| self.may_be(user)));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

/// Users behind one, and where it goes on.
async fn users(
    order: Order<'_>,
    after: Option<UserId>,
    orphaned: bool,
) -> Result<(Vec<Candidate>, Option<UserId>), Fault> {
    let before = after.clone();
    let (users, next) = match ask(order.desk, Request::List { after, orphaned }).await? {
        Ok(Reply::Users(page)) => {
            let last = page.users.last().map(|user| user.user.clone());
            (page.users, last.filter(|_| page.more))
        }
        Ok(Reply::Orphans(page)) => (page.orphaned, page.more_after),
        Ok(reply) => return Err(senseless(&reply)),
        Err(refusal) => return Err(refused(&refusal, "all users")),
    };
    // Whoever is not passed by is come by for ever.
    let next = next.filter(|next| Some(next) != before.as_ref());
    Ok((users.into_iter().map(|user| (user.user, user.factors.len())).collect(), next))
}

/// The realms of users who hold tokens.
pub(in super::super) async fn realms(order: Order<'_>) -> Result<BTreeSet<RealmName>, Fault> {
    Ok(holders(order).await?.into_iter().map(|user| user.realm).collect())
}

/// The users who hold tokens.
pub(super) async fn holders(order: Order<'_>) -> Result<Vec<UserId>, Fault> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let (users, next) = users(order, after, false).await?;
        let held = users.into_iter().map(|(user, _)| user);
        all.extend(held.filter(|user| !user.realm.is_unassigned()));
        match next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}
