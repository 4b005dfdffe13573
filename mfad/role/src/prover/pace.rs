//! How often a password may be tried: of each account, from each source, and in all. A source is the front
//! end's word, so it only tightens. Refuses to remember anybody for longer than it slows them down, and to judge.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mfa_proto::{name::UserName, password::Check};
use tokio::time::Instant;

use crate::peers;

/// Passwords of one account at once, and one more in each [`OF_ONE_EVERY`].
const OF_ONE: u32 = 5;
const OF_ONE_EVERY: Duration = Duration::from_secs(12);
/// Passwords from one source at once, and one more in each [`FROM_ONE_EVERY`]: fewer than would keep all others
/// out.
const FROM_ONE: u32 = 15;
const FROM_ONE_EVERY: Duration = Duration::from_secs(4);
/// Passwords of all accounts at once, and one more in each [`OF_ALL_EVERY`]. It also bounds how many names and
/// sources are remembered: those of the last minute.
const OF_ALL: u32 = 60;
const OF_ALL_EVERY: Duration = Duration::from_millis(200);

/// What has been tried lately. Right passwords do not count.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Tried>);

/// When what was tried would have been due at its pace.
#[derive(Debug, Default)]
struct Tried {
    all: Option<Instant>,
    of: HashMap<Party, Instant>,
}

/// Whose tries are counted together.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Party {
    Account(UserName),
    /// An address; of IPv6 what one customer usually has.
    Source(IpAddr),
}

impl Party {
    /// All that a check counts for.
    fn of(check: &Check) -> impl Iterator<Item = Self> {
        let source = check.source.as_ref().and_then(|claim| claim.as_str().parse().ok());
        let source = source.map(|address: IpAddr| Self::Source(peers::grouped(address)));
        [Self::Account(check.user.clone())].into_iter().chain(source)
    }

    /// How many at once, and how often one more.
    const fn pace(&self) -> (u32, Duration) {
        match self {
            Self::Account(_) => (OF_ONE, OF_ONE_EVERY),
            Self::Source(_) => (FROM_ONE, FROM_ONE_EVERY),
        }
    }
}

impl Pace {
    /// Charges one try; false, and nothing charged, when there were too many.
    pub(super) fn charge(&self, check: &Check) -> bool {
        let now = Instant::now();
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.of.retain(|_, due| *due > now);
        let mut charged = Vec::new();
        for party in Party::of(check) {
            let (most, every) = party.pace();
            let Some(due) = next(tried.of.get(&party).copied(), now, most, every) else { return false };
            charged.push((party, due));
        }
        let Some(of_all) = next(tried.all, now, OF_ALL, OF_ALL_EVERY) else { return false };
        tried.all = Some(of_all);
        tried.of.extend(charged);
        true
    }

    /// Takes one try back, whose password was right.
    pub(super) fn take_back(&self, check: &Check) {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.all = tried.all.and_then(|due| due.checked_sub(OF_ALL_EVERY));
        for party in Party::of(check) {
            let (_, every) = party.pace();
            if let Some(due) = tried.of.get_mut(&party) {
                *due = due.checked_sub(every).unwrap_or(*due);
            }
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
    use mfa_proto::{name::Claim, secret::SecretText};

    use super::*;

    fn check(user: &str, source: Option<&str>) -> Check {
        Check {
            user: UserName::new(user).unwrap(),
            password: SecretText::new("guess".into()).unwrap(),
            source: source.map(Claim::clean),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_is_tried_five_times_and_then_at_its_pace() {
        let pace = Pace::default();
        let tries = || (0..20).filter(|_| pace.charge(&check("jane", None))).count();
        assert_eq!(tries(), 5);
        assert!(pace.charge(&check("john", None)), "others are not held up");
        tokio::time::advance(OF_ONE_EVERY).await;
        assert_eq!(tries(), 1);
        tokio::time::advance(OF_ONE_EVERY * 10).await;
        assert_eq!(tries(), 5, "what was not used is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn right_passwords_cost_nothing_and_give_nothing() {
        let pace = Pace::default();
        let jane = check("jane", Some("192.0.2.1"));
        for _ in 0..1000 {
            assert!(pace.charge(&jane));
            pace.take_back(&jane);
        }
        assert_eq!((0..20).filter(|_| pace.charge(&jane)).count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn one_source_does_not_keep_all_others_out() {
        let pace = Pace::default();
        let spray = |source: &dyn Fn(usize) -> String| {
            (0..100).filter(|n| pace.charge(&check(&format!("user{n}"), Some(&source(*n))))).count()
        };
        assert_eq!(spray(&|_| "192.0.2.1".to_owned()), 15);
        assert_eq!(spray(&|_| "::ffff:192.0.2.1".to_owned()), 0, "it is the same address");
        assert_eq!(spray(&|n| format!("2001:db8::{n:x}")), 15, "and this one customer");
        assert!(pace.charge(&check("jane", Some("192.0.2.2"))));
        tokio::time::advance(FROM_ONE_EVERY).await;
        assert_eq!(spray(&|_| "192.0.2.1".to_owned()), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn many_names_are_held_up_together_and_forgotten_in_time() {
        let pace = Pace::default();
        let try_many =
            |tag: &str| (0..1000).filter(|n| pace.charge(&check(&format!("{tag}{n}"), None))).count();
        assert_eq!(try_many("a"), 60);
        assert!(!pace.charge(&check("jane", None)));
        tokio::time::advance(OF_ALL_EVERY * 3).await;
        assert_eq!(try_many("b"), 3);
        tokio::time::advance(OF_ONE_EVERY * 5).await;
        assert!(pace.charge(&check("jane", None)));
        assert_eq!(pace.0.lock().unwrap().of.len(), 1, "names that hold nobody up are forgotten");
    }
}
