//! Which account a name is, by the host's account database, without waiting for it for ever.
//!
//! Refuses to guess: a look-up that fails or takes too long is an error, which denies; it never means
//! "no such account".

use std::{sync::Arc, time::Duration};

use mfa_proto::name::UserName;
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

/// The account database. Called on a thread that may block.
pub trait Accounts: std::fmt::Debug + Send + Sync {
    /// The uid of `name`; `None` when there is no such account.
    fn uid_of(&self, name: &UserName) -> Result<Option<u32>, LookupError>;

    /// The name of `uid`; `None` when there is no such account.
    fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError>;
}

/// The host's own account database, by NSS.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nss;

impl Accounts for Nss {
    fn uid_of(&self, name: &UserName) -> Result<Option<u32>, LookupError> {
        let user =
            nix::unistd::User::from_name(name.as_str()).map_err(|e| LookupError::Failed(e.to_string()))?;
        // A database that folds case or strips a domain may answer for another name than was asked:
        // the factors would be those of one name and the login that of another.
        Ok(user.filter(|user| user.name == name.as_str()).map(|user| user.uid.as_raw()))
    }

    fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError> {
        let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid))
            .map_err(|e| LookupError::Failed(e.to_string()))?;
        user.map(|user| UserName::new(user.name)).transpose().map_err(|e| LookupError::Failed(e.to_string()))
    }
}

/// Looks names up with bounds on time and on look-ups under way.
#[derive(Clone, Debug)]
pub struct Directory {
    accounts: Option<Arc<dyn Accounts>>,
    patience: Duration,
    under_way: Arc<Semaphore>,
}

impl Directory {
    /// Look-ups that may be stuck at the same time; as many threads may then be waiting.
    pub const MOST: usize = 16;

    /// A directory that asks `accounts` and gives up after `patience`; `None` checks no name.
    pub fn new(accounts: Option<Arc<dyn Accounts>>, patience: Duration) -> Self {
        Self { accounts, patience, under_way: Arc::new(Semaphore::new(Self::MOST)) }
    }

    /// What `name` stands for.
    pub async fn find(&self, name: &UserName) -> Result<Account, LookupError> {
        let Some(accounts) = self.accounts.clone() else { return Ok(Account::Unchecked) };
        let name = name.clone();
        let found = self.bounded(move || accounts.uid_of(&name)).await?;
        Ok(found.map_or(Account::Unknown, |uid| Account::Known { uid }))
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
        let root = UserName::new("root").unwrap();
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
        assert_eq!(directory.find(&UserName::new("root").unwrap()).await, Ok(Account::Known { uid: 0 }));
        let nobody = UserName::new("no-such-account-here").unwrap();
        assert_eq!(directory.find(&nobody).await, Ok(Account::Unknown));
        assert_eq!(directory.name_of(0).await.unwrap().unwrap().as_str(), "root");
        let unchecked = Directory::new(None, Duration::from_secs(5));
        assert_eq!(unchecked.find(&nobody).await, Ok(Account::Unchecked));
    }
}
