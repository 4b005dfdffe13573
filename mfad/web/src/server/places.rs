//! How many connections are open, in all and from each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mfa_role::peers;

/// Counts connections that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    total: u32,
    of: HashMap<IpAddr, u32>,
}

/// A place that one connection holds; given back when dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Place {
    places: Places,
    whose: IpAddr,
}

impl Places {
    /// A place, unless so many are taken in all or by one.
    pub(super) fn enter(&self, peer: IpAddr, (in_all, of_one): (u32, u32)) -> Option<Place> {
        let whose = peers::grouped(peer);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.of.get(&whose).copied().unwrap_or(0);
        if open.total >= in_all || own >= of_one {
            return None;
        }
        open.total = open.total.saturating_add(1);
        open.of.insert(whose, own.saturating_add(1));
        drop(open);
        Some(Place { places: self.clone(), whose })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let left = open.of.get(&self.whose).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.of.remove(&self.whose);
        } else {
            open.of.insert(self.whose, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_others() {
        let places = Places::default();
        let enter = |address: &str| places.enter(address.parse().unwrap(), (3, 2));
        let first = enter("2001:db8::1").unwrap();
        let second = enter("2001:db8::2").unwrap();
        assert!(enter("2001:db8::3").is_none(), "one host");
        let other = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.2").is_none(), "all are taken");
        drop(first);
        let again = enter("2001:db8::3").unwrap();
        drop((second, other, again));
        assert!(places.0.lock().unwrap().of.is_empty());
    }
}
