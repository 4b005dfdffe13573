//! How often a password may be tried: for each account, and in all. Refuses to remember names for longer
//! than they slow anybody down, and to judge.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mfa_proto::name::UserName;
use tokio::time::Instant;

/// Passwords of one account at once, and one more in each [`OF_ONE_EVERY`].
const OF_ONE: u32 = 5;
const OF_ONE_EVERY: Duration = Duration::from_secs(12);
/// Passwords of all accounts at once, and one more in each [`OF_ALL_EVERY`]. It also bounds how many names
/// are remembered: those of the last minute.
const OF_ALL: u32 = 60;
const OF_ALL_EVERY: Duration = Duration::from_millis(200);

/// What has been tried lately. Right passwords do not count.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Tried>);

/// When what was tried would have been due at its pace.
#[derive(Debug, Default)]
struct Tried {
    all: Option<Instant>,
    of: HashMap<UserName, Instant>,
}

impl Pace {
    /// Charges one try of this account; false, and nothing charged, when there were too many.
    pub(crate) fn charge(&self, user: &UserName) -> bool {
        let now = Instant::now();
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.of.retain(|_, due| *due > now);
        let of_user = next(tried.of.get(user).copied(), now, OF_ONE, OF_ONE_EVERY);
        let of_all = next(tried.all, now, OF_ALL, OF_ALL_EVERY);
        let (Some(of_user), Some(of_all)) = (of_user, of_all) else { return false };
        tried.all = Some(of_all);
        tried.of.insert(user.clone(), of_user);
        true
    }

    /// Takes one try back, whose password was right.
    pub(crate) fn take_back(&self, user: &UserName) {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.all = tried.all.and_then(|due| due.checked_sub(OF_ALL_EVERY));
        if let Some(due) = tried.of.get_mut(user) {
            *due = due.checked_sub(OF_ONE_EVERY).unwrap_or(*due);
        }
    }
}

/// When all is due with one more; `None` when `most` are outstanding.
fn next(due: Option<Instant>, now: Instant, most: u32, every: Duration) -> Option<Instant> {
    let due = due.unwrap_or(now).max(now);
    (due.duration_since(now) <= every.saturating_mul(most.saturating_sub(1))).then(|| due + every)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::new(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_is_tried_five_times_and_then_at_its_pace() {
        let pace = Pace::default();
        let jane = name("jane");
        let tries = || (0..20).filter(|_| pace.charge(&jane)).count();
        assert_eq!(tries(), 5);
        assert!(pace.charge(&name("john")), "others are not held up");
        tokio::time::advance(OF_ONE_EVERY).await;
        assert_eq!(tries(), 1);
        tokio::time::advance(OF_ONE_EVERY * 10).await;
        assert_eq!(tries(), 5, "what was not used is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn right_passwords_cost_nothing_and_give_nothing() {
        let pace = Pace::default();
        let jane = name("jane");
        for _ in 0..1000 {
            assert!(pace.charge(&jane));
            pace.take_back(&jane);
        }
        assert_eq!((0..20).filter(|_| pace.charge(&jane)).count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn many_names_are_held_up_together_and_forgotten_in_time() {
        let pace = Pace::default();
        let try_many = |tag: &str| (0..1000).filter(|n| pace.charge(&name(&format!("{tag}{n}")))).count();
        assert_eq!(try_many("a"), 60);
        assert!(!pace.charge(&name("jane")));
        tokio::time::advance(OF_ALL_EVERY * 3).await;
        assert_eq!(try_many("b"), 3);
        tokio::time::advance(OF_ONE_EVERY * 5).await;
        assert!(pace.charge(&name("jane")));
        assert_eq!(pace.0.lock().unwrap().of.len(), 1, "names that hold nobody up are forgotten");
    }
}
