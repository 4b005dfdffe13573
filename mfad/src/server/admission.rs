//! Who may connect now: bounds on connections in all and per uid, on how often a user may ask, and on
//! logins of one account. Refuses to judge requests.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mfa_proto::name::UserName;
use tokio::time::Instant;

/// What a uid other than 0 may ask for at once: connections and requests of administration.
const BURST: u32 = 120;
/// After that, one in this time. Each may leave a row in the audit trail, which must neither fill the
/// disk nor push older rows out.
const PACE: Duration = Duration::from_secs(1);
/// Uids whose pace is remembered.
const MOST_PACES: usize = 4096;

/// How long a host that was short of processors counts as one.
const CROWDED: Duration = Duration::from_secs(1);

/// Bounds on open connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caps {
    /// In all.
    pub total: u32,
    /// Of one uid other than 0: logins of all users come from uid 0.
    pub per_uid: u32,
}

/// Counts open connections of one socket.
#[derive(Clone, Debug, Default)]
pub struct Admission(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    total: u32,
    per_uid: HashMap<u32, u32>,
    paces: Paces,
}

/// When what each uid has asked for would have been due at its pace.
#[derive(Debug, Default)]
struct Paces(HashMap<u32, Instant>);

impl Paces {
    fn allow(&mut self, uid: u32, now: Instant) -> bool {
        if uid == 0 {
            return true;
        }
        let due = self.0.get(&uid).copied().unwrap_or(now).max(now);
        if due.duration_since(now) >= PACE.saturating_mul(BURST) {
            return false;
        }
        if self.0.len() >= MOST_PACES {
            self.0.retain(|_, due| *due > now);
        }
        if self.0.len() >= MOST_PACES {
            self.0.clear();
        }
        self.0.insert(uid, due + PACE);
        true
    }
}

/// A place that one connection holds; given back when dropped.
#[derive(Debug)]
#[must_use]
pub struct Place {
    admission: Admission,
    uid: u32,
}

impl Admission {
    /// A place for a connection of `uid`; `None` when there is none left.
    pub fn enter(&self, uid: u32, caps: Caps) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_uid = open.per_uid.get(&uid).copied().unwrap_or(0);
        if uid != 0 && of_uid >= caps.per_uid {
            return None;
        }
        if open.total >= caps.total || !open.paces.allow(uid, Instant::now()) {
            return None;
        }
        drop(open);
        self.enter_unpaced(uid, caps)
    }

    /// The same for a process that stands for many: only the bound on all holds.
    pub fn enter_unpaced(&self, uid: u32, caps: Caps) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= caps.total {
            return None;
        }
        let of_uid = open.per_uid.get(&uid).copied().unwrap_or(0);
        open.total = open.total.saturating_add(1);
        open.per_uid.insert(uid, of_uid.saturating_add(1));
        drop(open);
        Some(Place { admission: self.clone(), uid })
    }

    /// Connections open now.
    pub fn open(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Place {
    /// Whether its holder may ask for one thing more.
    pub fn may_ask(&self) -> bool {
        let mut open = self.admission.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.paces.allow(self.uid, Instant::now())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.admission.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        leave(&mut open.per_uid, &self.uid);
    }
}

fn leave<K: Eq + Hash + Clone>(counts: &mut HashMap<K, u32>, of: &K) {
    let left = counts.get(of).copied().unwrap_or(0).saturating_sub(1);
    if left == 0 {
        counts.remove(of);
    } else {
        counts.insert(of.clone(), left);
    }
}

/// Counts logins under way, of each account and in all: whoever may start many (with `sudo`, say) must
/// not keep all others out.
#[derive(Clone, Debug, Default)]
pub struct Logins(Arc<Mutex<UnderWay>>);

#[derive(Debug, Default)]
struct UnderWay {
    total: u32,
    of: HashMap<UserName, u32>,
    crowded_until: Option<Instant>,
}

/// One login under way, until dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    logins: Logins,
    user: UserName,
}

impl Logins {
    /// A turn for `user`; `None` when too many are under way. Some connections are kept for
    /// administration.
    pub fn enter(&self, user: &UserName, caps: Caps) -> Option<Turn> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_user = under_way.of.get(user).copied().unwrap_or(0);
        if of_user >= caps.per_uid || under_way.total >= caps.total.saturating_sub(caps.total / 16) {
            return None;
        }
        under_way.total = under_way.total.saturating_add(1);
        under_way.of.insert(user.clone(), of_user.saturating_add(1));
        drop(under_way);
        Some(Turn { logins: self.clone(), user: user.clone() })
    }

    /// Whether no more than one is under way, on a host that has processors to spare.
    pub fn are_at_leisure(&self) -> bool {
        let under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.total <= 1 && under_way.crowded_until.is_none_or(|until| until <= Instant::now())
    }

    /// Notes that others want the processors; counts for a while.
    pub fn are_crowded(&self) {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.crowded_until = Some(Instant::now() + CROWDED);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut under_way = self.logins.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.total = under_way.total.saturating_sub(1);
        leave(&mut under_way.of, &self.user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: Caps = Caps { total: 3, per_uid: 2 };

    #[test]
    fn one_user_cannot_take_all_places() {
        let admission = Admission::default();
        let _first = admission.enter(1000, CAPS).unwrap();
        let second = admission.enter(1000, CAPS).unwrap();
        assert!(admission.enter(1000, CAPS).is_none());
        let _other = admission.enter(0, CAPS).unwrap();
        assert!(admission.enter(0, CAPS).is_none(), "the total holds for root too");
        drop(second);
        assert_eq!(admission.open(), 2);
        let _again = admission.enter(1000, CAPS).unwrap();
    }

    #[test]
    fn uids_that_left_take_no_memory() {
        let admission = Admission::default();
        for uid in 0..1000 {
            let _place = admission.enter(uid, CAPS).unwrap();
        }
        assert!(admission.0.lock().unwrap().per_uid.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_may_ask_only_so_often() {
        let caps = Caps { total: 3, per_uid: 3 };
        let admission = Admission::default();
        for _ in 0..BURST {
            let _place = admission.enter(1000, caps).unwrap();
        }
        assert!(admission.enter(1000, caps).is_none());
        let root = admission.enter(0, caps).unwrap();
        assert!((0..10 * BURST).all(|_| root.may_ask()), "root is not slowed down");
        let other = admission.enter(1001, caps).unwrap();
        assert_eq!(
            (0..10 * BURST).filter(|_| other.may_ask()).count(),
            119,
            "requests count like connections"
        );
        tokio::time::advance(PACE).await;
        assert!(admission.enter(1000, caps).is_some());
        assert!(admission.enter(1000, caps).is_none());
    }

    #[tokio::test]
    async fn the_pace_of_many_uids_takes_little_memory() {
        let admission = Admission::default();
        for uid in 1..50_000 {
            let _place = admission.enter(uid, CAPS).unwrap();
        }
        assert!(admission.0.lock().unwrap().paces.0.len() <= MOST_PACES);
    }

    #[tokio::test(start_paused = true)]
    async fn leisure_ends_with_a_second_login_or_with_a_crowd() {
        let logins = Logins::default();
        let jane = UserName::new("jane").unwrap();
        let _first = logins.enter(&jane, CAPS).unwrap();
        assert!(logins.are_at_leisure());
        let second = logins.enter(&jane, CAPS).unwrap();
        assert!(!logins.are_at_leisure());
        drop(second);
        assert!(logins.are_at_leisure());
        logins.are_crowded();
        assert!(!logins.are_at_leisure());
        tokio::time::advance(CROWDED).await;
        assert!(logins.are_at_leisure());
    }

    #[test]
    fn logins_of_one_account_leave_room_for_others_and_for_administration() {
        let caps = Caps { total: 32, per_uid: 4 };
        let logins = Logins::default();
        let name = |n: u32| UserName::new(format!("user{n}")).unwrap();
        let turns: Vec<Turn> = (0..4).map(|_| logins.enter(&name(0), caps).unwrap()).collect();
        assert!(logins.enter(&name(0), caps).is_none());
        let others: Vec<Turn> = (1..100).filter_map(|n| logins.enter(&name(n), caps)).collect();
        assert_eq!(turns.len() + others.len(), 30, "two places are kept for administration");
        drop((turns, others));
        assert!(logins.0.lock().unwrap().of.is_empty());
        assert!(logins.enter(&name(0), caps).is_some());
    }
}
