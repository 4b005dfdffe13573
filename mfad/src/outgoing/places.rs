//! How many errands may be under way: in all, and by one gateway or service, so that a slow one takes
//! neither the places of the others nor every descriptor. Refuses to queue: who finds no place is told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use mfa_proto::{egress::Medium, name::FactorLabel};

/// The most errands under way.
pub const MOST: u32 = 512;
/// The most errands under way by one medium or outside service.
pub const MOST_OF_ONE: u32 = 128;

/// The most questions to polkit under way: each waits for a person.
pub const MOST_AUTHORIZATIONS: u32 = 64;
/// The most of them for one user, who could else keep all others waiting.
pub const MOST_AUTHORIZATIONS_OF_ONE: u32 = 4;

/// By which way an errand goes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Via {
    /// To the gateways of a medium.
    Medium(Medium),
    /// To an outside service.
    Outside(FactorLabel),
    /// To polkit, about a process of this uid.
    Polkit(u32),
    /// To the directory.
    Directory,
    /// To whoever is told of events.
    Notices,
    /// To egress itself.
    Nothing,
}

impl Via {
    /// The most errands by this way.
    fn most(&self) -> u32 {
        match self {
            Self::Polkit(_) => MOST_AUTHORIZATIONS_OF_ONE,
            Self::Medium(_) | Self::Outside(_) | Self::Directory | Self::Notices | Self::Nothing => {
                MOST_OF_ONE
            }
        }
    }
}

/// Counts errands under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<Via, u32>>>);

/// The place of one errand; given back when dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Place {
    places: Places,
    via: Via,
}

impl Places {
    /// A place for one more errand; `None` when there is none.
    pub(super) fn enter(&self, via: Via) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = taken.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
        let of_one = taken.get(&via).copied().unwrap_or(0);
        if all >= MOST || of_one >= via.most() {
            return None;
        }
        if matches!(via, Via::Polkit(_)) {
            let authorizations = taken.iter().filter(|(via, _)| matches!(via, Via::Polkit(_)));
            if authorizations.fold(0_u32, |sum, (_, count)| sum.saturating_add(*count)) >= MOST_AUTHORIZATIONS
            {
                return None;
            }
        }
        taken.insert(via.clone(), of_one.saturating_add(1));
        drop(taken);
        Some(Place { places: self.clone(), via })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.via).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            taken.remove(&self.via);
        } else {
            taken.insert(self.via.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(n: u32) -> Via {
        Via::Outside(FactorLabel::new(format!("service{n}")).unwrap())
    }

    #[test]
    fn a_slow_service_leaves_room_for_the_others() {
        let places = Places::default();
        let taken: Vec<Place> = (0..1000).map_while(|_| places.enter(outside(0))).collect();
        assert_eq!(taken.len(), usize::try_from(MOST_OF_ONE).unwrap());
        assert!(places.enter(Via::Medium(Medium::Sms)).is_some());
        let others: Vec<Place> = (1..1000).map_while(|n| places.enter(outside(n))).collect();
        assert_eq!(taken.len() + others.len(), usize::try_from(MOST).unwrap());
        assert!(places.enter(Via::Medium(Medium::Mail)).is_none());
        drop((taken, others));
        assert!(places.0.lock().unwrap().is_empty(), "what has ended takes no memory");
        assert!(places.enter(outside(0)).is_some());
    }

    #[test]
    fn whoever_waits_for_polkit_keeps_neither_logins_nor_other_users_waiting() {
        let places = Places::default();
        let taken: Vec<Place> = (0..1000).map_while(|_| places.enter(Via::Polkit(1000))).collect();
        assert_eq!(taken.len(), usize::try_from(MOST_AUTHORIZATIONS_OF_ONE).unwrap());
        let others: Vec<Place> = (2000..3000).map_while(|uid| places.enter(Via::Polkit(uid))).collect();
        assert_eq!(taken.len() + others.len(), usize::try_from(MOST_AUTHORIZATIONS).unwrap());
        assert!(places.enter(Via::Medium(Medium::Sms)).is_some());
        drop(taken);
        assert!(places.enter(Via::Polkit(1000)).is_some());
    }
}
