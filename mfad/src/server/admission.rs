//! Who may connect now: bounds on connections, in all and per uid. Refuses to judge requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

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
        if open.total >= caps.total || (uid != 0 && of_uid >= caps.per_uid) {
            return None;
        }
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

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.admission.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let left = open.per_uid.get(&self.uid).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.per_uid.remove(&self.uid);
        } else {
            open.per_uid.insert(self.uid, left);
        }
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
}
