//! Which account a name is, by the host's account database, without waiting for it for ever.
//!
//! Refuses to guess: a look-up that fails or takes too long is an error, which denies; it never means
//! "no such account".

use std::{collections::BTreeMap, ffi::CString, sync::Arc, time::Duration};

use mfa_proto::name::{RealmName, UserId, UserName};
use nix::unistd::{Gid, Group, User, getgrouplist};
use tokio::sync::Semaphore;

/// What a name stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Account {
    /// An account of this host.
    Known {
        /// Its uid now.
        uid: u32,
    },
    /// This host has no such account.
    Unknown,
    /// Names are not accounts of this host (`accounts = "any"`).
    Unchecked,
}

impl Account {
    /// Whether it is the account that factors were enrolled for, by the uid that was kept with them. Factors of
    /// an account that it is not deny: they are orphaned.
    pub fn is_of(self, enrolled: Option<u32>) -> bool {
        match self {
            Self::Known { uid } => enrolled == Some(uid),
            Self::Unchecked => enrolled.is_none(),
            Self::Unknown => false,
        }
    }
}

/// Why it is not known what a name stands for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LookupError {
    /// The account database gave an error.
    #[error("the account database failed for this name: {0}")]
    Failed(String),
    /// It did not answer in time, or all look-ups under way are stuck.
    #[error("the account database did not answer within {0:?}")]
    TimedOut(Duration),
}

/// In which of some groups an account is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Membership {
    known: Vec<(u32, bool)>,
}

impl Membership {
    /// In which groups of these it is. A group that is not named here is one that could not be looked up.
    pub fn of(known: impl IntoIterator<Item = (u32, bool)>) -> Self {
        Self { known: known.into_iter().collect() }
    }

    /// Whether it is in a group; `None` when that is not known.
    pub fn is_in(&self, gid: u32) -> Option<bool> {
        self.known.iter().find(|(known, _)| *known == gid).map(|(_, is_in)| *is_in)
    }
}

/// The account database. Called on a thread that may block.
pub trait Accounts: std::fmt::Debug + Send + Sync {
    /// The uid of `name`; `None` when there is no such account.
    fn uid_of(&self, name: &UserName) -> Result<Option<u32>, LookupError>;

    /// The name of `uid`; `None` when there is no such account.
    fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError>;

    /// The gid of a group; `None` when there is no such group.
    fn gid_of(&self, group: &str) -> Result<Option<u32>, LookupError> {
        Err(LookupError::Failed(format!("it knows no groups, and so not {group}")))
    }

    /// In which of these groups an account is. What it leaves out is not known.
    fn membership(&self, _name: &UserName, _gids: &[u32]) -> Membership {
        Membership::default()
    }
}

/// The host's own account database, by NSS.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nss;

impl Accounts for Nss {
    fn uid_of(&self, name: &UserName) -> Result<Option<u32>, LookupError> {
        let user = User::from_name(name.as_str()).map_err(|e| LookupError::Failed(e.to_string()))?;
        // A database that folds case or strips a domain may answer for another name than was asked:
        // the factors would be those of one name and the login that of another.
        Ok(user.filter(|user| user.name == name.as_str()).map(|user| user.uid.as_raw()))
    }

    fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError> {
        let user = User::from_uid(nix::unistd::Uid::from_raw(uid))
            .map_err(|e| LookupError::Failed(e.to_string()))?;
        user.map(|user| UserName::new(user.name)).transpose().map_err(|e| LookupError::Failed(e.to_string()))
    }

    fn gid_of(&self, group: &str) -> Result<Option<u32>, LookupError> {
        let found = Group::from_name(group).map_err(|e| LookupError::Failed(e.to_string()))?;
        Ok(found.filter(|found| found.name == group).map(|found| found.gid.as_raw()))
    }

    fn membership(&self, name: &UserName, gids: &[u32]) -> Membership {
        let Ok(all) = groups_of(name) else { return Membership::default() };
        // The list of an account's groups leaves out, without a word, what a database that is away would
        // have added. That "not in it" is true needs the group itself, which does tell of errors.
        let there = |gid: u32| matches!(Group::from_gid(Gid::from_raw(gid)), Ok(Some(_)));
        let known = gids.iter().filter_map(|gid| {
            let is_in = all.contains(gid);
            (is_in || there(*gid)).then_some((*gid, is_in))
        });
        Membership::of(known)
    }
}

/// The groups of an account, its primary one among them; none for a name that is no account.
fn groups_of(name: &UserName) -> Result<Vec<u32>, LookupError> {
    let failed = |e: nix::Error| LookupError::Failed(e.to_string());
    let user = User::from_name(name.as_str()).map_err(failed)?;
    let Some(user) = user.filter(|user| user.name == name.as_str()) else { return Ok(Vec::new()) };
    let name = CString::new(user.name).map_err(|e| LookupError::Failed(e.to_string()))?;
    let gids = getgrouplist(&name, user.gid).map_err(failed)?;
    Ok(gids.into_iter().map(Gid::as_raw).collect())
}

/// Whose the names of a realm are.
enum Names {
    /// There is no such realm.
    Nobodys,
    /// They are not checked.
    Anybodys,
    /// An account database knows.
    Of(Arc<dyn Accounts>),
}

/// Looks names up with bounds on time and on look-ups under way.
#[derive(Clone, Debug)]
pub struct Directory {
    accounts: Option<Arc<dyn Accounts>>,
    /// Realms beside this host's own, each with what knows its names; `None` checks none.
    realms: Arc<BTreeMap<String, Option<Arc<dyn Accounts>>>>,
    patience: Duration,
    under_way: Arc<Semaphore>,
}

impl Directory {
    /// Look-ups that may be stuck at the same time; as many threads may then be waiting.
    pub const MOST: usize = 16;

    /// A directory that asks `accounts` and gives up after `patience`; `None` checks no name.
    pub fn new(accounts: Option<Arc<dyn Accounts>>, patience: Duration) -> Self {
        let realms = Arc::default();
        Self { accounts, realms, patience, under_way: Arc::new(Semaphore::new(Self::MOST)) }
    }

    /// The same, with realms beside this host's own. Names of realms that are not here are nobody's.
    #[must_use]
    pub fn with_realms(
        self,
        realms: impl IntoIterator<Item = (RealmName, Option<Arc<dyn Accounts>>)>,
    ) -> Self {
        let realms = realms.into_iter().map(|(realm, accounts)| (realm.into(), accounts)).collect();
        Self { realms: Arc::new(realms), ..self }
    }

    /// What a user's name stands for in its realm.
    pub async fn find(&self, user: &UserId) -> Result<Account, LookupError> {
        self.find_in_groups(user, Vec::new()).await.map(|(account, _)| account)
    }

    /// What knows the names of a realm.
    fn accounts_of(&self, realm: &RealmName) -> Names {
        let known = if realm.is_local() {
            Some(&self.accounts)
        } else {
            self.realms.get(realm.as_str()).filter(|_| !realm.is_unassigned())
        };
        match known {
            None => Names::Nobodys,
            Some(None) => Names::Anybodys,
            Some(Some(accounts)) => Names::Of(Arc::clone(accounts)),
        }
    }

    /// The same, and in which of some groups the account is, in one go.
    pub async fn find_in_groups(
        &self,
        user: &UserId,
        gids: Vec<u32>,
    ) -> Result<(Account, Membership), LookupError> {
        let accounts = match self.accounts_of(&user.realm) {
            Names::Nobodys => return Ok((Account::Unknown, Membership::default())),
            Names::Anybodys => return Ok((Account::Unchecked, Membership::default())),
            Names::Of(accounts) => accounts,
        };
        let name = user.name.clone();
        self.bounded(move || {
            let uid = accounts.uid_of(&name)?;
            let membership =
                if gids.is_empty() { Membership::default() } else { accounts.membership(&name, &gids) };
            Ok((uid.map_or(Account::Unknown, |uid| Account::Known { uid }), membership))
        })
        .await
    }

    /// The gid of a group; `None` when there is no such group.
    pub async fn gid_of(&self, group: &str) -> Result<Option<u32>, LookupError> {
        let Some(accounts) = self.accounts.clone() else { return Ok(None) };
        let group = group.to_owned();
        self.bounded(move || accounts.gid_of(&group)).await
    }

    /// The name of the account with this uid.
    pub async fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError> {
        let Some(accounts) = self.accounts.clone() else { return Ok(None) };
        self.bounded(move || accounts.name_of(uid)).await
    }

    async fn bounded<T: Send + 'static>(
        &self,
        look_up: impl FnOnce() -> Result<T, LookupError> + Send + 'static,
    ) -> Result<T, LookupError> {
        let under_way = Arc::clone(&self.under_way);
        let work = async move {
            // The permit travels with the thread: a stuck look-up goes on holding it after the time-out.
            let permit = under_way.acquire_owned().await.map_err(|e| LookupError::Failed(e.to_string()))?;
            tokio::task::spawn_blocking(move || {
                let found = look_up();
                drop(permit);
                found
            })
            .await
            .map_err(|e| LookupError::Failed(e.to_string()))?
        };
        tokio::time::timeout(self.patience, work).await.map_err(|_| LookupError::TimedOut(self.patience))?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// An account database that hangs until it is let go.
    #[derive(Debug, Default)]
    struct Stuck(Mutex<bool>, Condvar);

    impl Accounts for Stuck {
        fn uid_of(&self, _: &UserName) -> Result<Option<u32>, LookupError> {
            let mut free = self.0.lock().unwrap();
            while !*free {
                free = self.1.wait(free).unwrap();
            }
            Ok(None)
        }

        fn name_of(&self, _: u32) -> Result<Option<UserName>, LookupError> {
            Err(LookupError::Failed("broken".into()))
        }
    }

    #[tokio::test]
    async fn a_database_that_hangs_is_an_error_and_not_an_unknown_user() {
        let stuck = Arc::new(Stuck::default());
        let accounts: Arc<dyn Accounts> = Arc::<Stuck>::clone(&stuck);
        let patience = Duration::from_millis(20);
        let directory = Directory::new(Some(accounts), patience);
        let root = UserId::local(UserName::new("root").unwrap());
        // More than may be under way: those that wait for a place time out as well.
        for _ in 0..=Directory::MOST {
            assert_eq!(directory.find(&root).await, Err(LookupError::TimedOut(patience)));
        }
        *stuck.0.lock().unwrap() = true;
        stuck.1.notify_all();
    }

    #[tokio::test]
    async fn the_host_knows_root_and_not_everyone() {
        let directory = Directory::new(Some(Arc::new(Nss)), Duration::from_secs(5));
        assert_eq!(
            directory.find(&UserId::local(UserName::new("root").unwrap())).await,
            Ok(Account::Known { uid: 0 })
        );
        let nobody = UserId::local(UserName::new("no-such-account-here").unwrap());
        assert_eq!(directory.find(&nobody).await, Ok(Account::Unknown));
        assert_eq!(directory.name_of(0).await.unwrap().unwrap().as_str(), "root");
        let unchecked = Directory::new(None, Duration::from_secs(5));
        assert_eq!(unchecked.find(&nobody).await, Ok(Account::Unchecked));
    }

    #[tokio::test]
    async fn a_name_is_somebody_only_in_a_realm_that_there_is() {
        let nss: Arc<dyn Accounts> = Arc::new(Nss);
        let realm = |name: &str| RealmName::new(name).unwrap();
        let of = |name: &str, of: &str| UserId { realm: realm(of), name: UserName::new(name).unwrap() };
        let directory = Directory::new(None, Duration::from_secs(5)).with_realms([
            (realm("vpn"), None),
            (realm("office"), Some(nss)),
            (realm("unassigned"), None),
        ]);
        assert_eq!(directory.find(&of("anybody", "vpn")).await, Ok(Account::Unchecked));
        assert_eq!(directory.find(&of("root", "office")).await, Ok(Account::Known { uid: 0 }));
        assert_eq!(directory.find(&of("no-such-account-here", "office")).await, Ok(Account::Unknown));
        for other in ["portal", "VPN", "unassigned"] {
            assert_eq!(directory.find(&of("root", other)).await, Ok(Account::Unknown), "{other}");
        }
    }

    #[tokio::test]
    async fn who_is_in_a_group_is_known_only_of_groups_that_are_there() {
        const NO_GROUP: u32 = 4_200_000_017;
        let directory = Directory::new(Some(Arc::new(Nss)), Duration::from_secs(5));
        let gid = |name: &'static str| {
            let directory = directory.clone();
            async move { directory.gid_of(name).await }
        };
        assert_eq!(gid("root").await, Ok(Some(0)));
        assert_eq!(gid("no-such-group-here").await, Ok(None));
        let daemon = gid("daemon").await.unwrap().unwrap();
        let root = UserId::local(UserName::new("root").unwrap());
        let (account, found) = directory.find_in_groups(&root, vec![0, daemon, NO_GROUP]).await.unwrap();
        assert_eq!(account, Account::Known { uid: 0 });
        assert_eq!((found.is_in(0), found.is_in(NO_GROUP)), (Some(true), None), "the primary group counts");
        assert_eq!(found.is_in(daemon), Some(false));
        let stuck: Arc<dyn Accounts> = Arc::new(Stuck(Mutex::new(true), Condvar::new()));
        let dumb = Directory::new(Some(stuck), Duration::from_secs(5));
        assert_eq!(dumb.find_in_groups(&root, vec![0]).await.unwrap().1.is_in(0), None);
        assert!(dumb.gid_of("root").await.is_err());
    }
}
