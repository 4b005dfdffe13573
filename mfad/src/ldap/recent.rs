//! Whom the directory was asked about a moment ago, and for which account.
//!
//! Refuses to grow: of more people than it has places for, the oldest is asked about again. Refuses to take an
//! account for the one it was asked about when another bears the name by now.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mfa_proto::name::UserId;

use crate::{clock::UnixTime, identity::Account, store::Unusable};

/// The most people.
const MOST: usize = 4096;

#[derive(Debug)]
struct Seen {
    at: UnixTime,
    /// `None` when what it said was not taken in.
    account: Option<Account>,
    /// What could not be used, as it was last written down.
    noted: Vec<Unusable>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Recent(Mutex<HashMap<UserId, Seen>>);

impl Recent {
    /// Whether what the directory has of a person was taken in for this account so recently that it is not asked
    /// again. A clock that was set back has it asked.
    pub fn is_known(&self, user: &UserId, account: Account, (now, refresh): (UnixTime, Duration)) -> bool {
        let refresh = i64::try_from(refresh.as_secs()).unwrap_or(i64::MAX);
        let fresh = |seen: &Seen| seen.account == Some(account) && (0..refresh).contains(&now.since(seen.at));
        self.lock().get(user).is_some_and(fresh)
    }

    /// Notes that it was taken in.
    pub fn know(&self, user: &UserId, account: Account, now: UnixTime) {
        let mut all = self.lock();
        let seen = place(&mut all, user, now);
        (seen.at, seen.account) = (now, Some(account));
    }

    /// Whether what cannot be used is another thing than what was written down last, as it is from now on.
    pub fn is_news(&self, user: &UserId, unusable: &[Unusable], now: UnixTime) -> bool {
        let mut all = self.lock();
        if unusable.is_empty() && !all.contains_key(user) {
            return false;
        }
        let seen = place(&mut all, user, now);
        if seen.noted == unusable {
            return false;
        }
        seen.noted = unusable.to_vec();
        !unusable.is_empty()
    }

    /// Has a person asked about again: what is held was changed.
    pub fn forget(&self, user: &UserId) {
        self.lock().remove(user);
    }

    /// Has all asked about again.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a person; where there is none, the oldest makes room.
fn place<'a>(all: &'a mut HashMap<UserId, Seen>, user: &UserId, now: UnixTime) -> &'a mut Seen {
    if !all.contains_key(user) && all.len() >= MOST {
        let oldest = all.iter().min_by_key(|(_, seen)| seen.at).map(|(user, _)| user.clone());
        if let Some(oldest) = oldest {
            all.remove(&oldest);
        }
    }
    all.entry(user.clone()).or_insert(Seen { at: now, account: None, noted: Vec::new() })
}

#[cfg(test)]
mod tests {
    use mfa_proto::{admin::FactorKind, name::UserName};

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const JANE: Account = Account::Known { uid: 1000 };

    fn user(name: &str) -> UserId {
        UserId::local(UserName::new(name).unwrap())
    }

    fn known(recent: &Recent, account: Account, after: i64) -> bool {
        recent.is_known(&user("jane"), account, (NOW.plus(after), Duration::from_secs(600)))
    }

    #[test]
    fn a_person_is_known_for_a_while_as_one_account() {
        let recent = Recent::default();
        assert!(!known(&recent, JANE, 0));
        recent.know(&user("jane"), JANE, NOW);
        assert!(known(&recent, JANE, 0) && known(&recent, JANE, 599));
        assert!(!known(&recent, JANE, 600) && !known(&recent, JANE, -1));
        for other in [Account::Unknown, Account::Unchecked, Account::Known { uid: 1001 }] {
            assert!(!known(&recent, other, 0), "{other:?}");
        }
        assert!(!recent.is_known(&user("jane"), JANE, (NOW, Duration::ZERO)), "each login asks");
        recent.forget(&user("jane"));
        assert!(!known(&recent, JANE, 0));
        recent.know(&user("jane"), JANE, NOW);
        recent.forget_all();
        assert!(!known(&recent, JANE, 0));
    }

    #[test]
    fn what_cannot_be_used_is_news_once_and_makes_nobody_known() {
        let recent = Recent::default();
        let unusable = |word| [Unusable { kind: FactorKind::Totp, word, why: String::new() }];
        assert!(!recent.is_news(&user("jane"), &[], NOW));
        assert!(recent.is_news(&user("jane"), &unusable("form"), NOW));
        assert!(!recent.is_news(&user("jane"), &unusable("form"), NOW.plus(9999)));
        assert!(recent.is_news(&user("jane"), &unusable("sealed"), NOW));
        assert!(!recent.is_news(&user("jane"), &[], NOW), "it was mended");
        assert!(recent.is_news(&user("jane"), &unusable("sealed"), NOW));
        assert!(!known(&recent, JANE, 0));
    }

    #[test]
    fn it_does_not_grow() {
        let recent = Recent::default();
        recent.know(&user("jane"), JANE, NOW);
        for n in 0..MOST {
            recent.know(&user(&format!("u{n}")), JANE, NOW.plus(1));
        }
        assert_eq!(recent.lock().len(), MOST);
        assert!(!known(&recent, JANE, 1), "the oldest made room");
    }
}
