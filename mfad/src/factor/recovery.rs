//! Sets of single-use codes: which of them are left, and whether a code is one of them.
//!
//! Works on keyed hashes alone: refuses to know codes.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Check, CodeHash, Moving, RecoveryHashes};

/// A set of recovery codes and which of them were used.
#[derive(Clone, Copy, Debug)]
pub struct RecoverySet<'a> {
    /// The hashes in order of number.
    pub hashes: &'a RecoveryHashes,
    /// Used codes, as bits of the position.
    pub moving: Moving,
}

impl RecoverySet<'_> {
    /// Codes that were not used, of a set of `size`.
    pub fn left(size: usize, moving: Moving) -> u32 {
        let used = (0..size).filter(|place| moving.position & bit(*place) != 0).count();
        u32::try_from(size.saturating_sub(used)).unwrap_or(u32::MAX)
    }

    /// Judges the code with a number (from 1): one comparison.
    pub fn check_numbered(&self, number: u8, hash: &CodeHash) -> Check {
        let Some(place) = usize::from(number).checked_sub(1) else { return Check::Wrong };
        let known = self.hashes.0.get(place);
        // A number that the set has not costs a comparison as well.
        let right = bool::from(known.unwrap_or(&[0; 32]).ct_eq(hash)) && known.is_some();
        if right { self.used_up(place) } else { Check::Wrong }
    }

    /// Judges a code without number: compared with all of the set, in the same time whichever it is. Of
    /// equal codes one that is left is taken.
    pub fn check_any(&self, hash: &CodeHash) -> Check {
        let (mut found, mut used) = (0_u64, Choice::from(0));
        for (place, known) in self.hashes.0.iter().enumerate() {
            let equal = known.ct_eq(hash);
            let free = Choice::from(u8::from(self.moving.position & bit(place) == 0));
            let place = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
            found.conditional_assign(&place, equal & free);
            used |= equal & !free;
        }
        match usize::try_from(found).ok().and_then(|place| place.checked_sub(1)) {
            Some(place) => self.used_up(place),
            None if bool::from(used) => Check::Used,
            None => Check::Wrong,
        }
    }

    fn used_up(&self, place: usize) -> Check {
        let position = self.moving.position | bit(place);
        if position == self.moving.position {
            return Check::Used;
        }
        Check::Match(Moving { position, ..self.moving })
    }
}

/// The bit of a place; none beyond what a position holds.
fn bit(place: usize) -> i64 {
    u32::try_from(place).ok().filter(|place| *place < 63).map_or(0, |place| 1 << place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hashes(size: u8) -> RecoveryHashes {
        RecoveryHashes((1..=size).map(|n| [n; 32]).collect())
    }

    fn at(position: i64) -> Moving {
        Moving { position, drift: 0 }
    }

    #[test]
    fn a_code_is_right_once_and_at_its_number_only() {
        let hashes = hashes(10);
        let set = |position| RecoverySet { hashes: &hashes, moving: at(position) };
        assert_eq!(set(0).check_numbered(3, &[3; 32]), Check::Match(at(4)));
        assert_eq!(set(4).check_numbered(3, &[3; 32]), Check::Used);
        assert_eq!(set(0).check_numbered(4, &[3; 32]), Check::Wrong);
        assert_eq!(set(0).check_numbered(0, &[0; 32]), Check::Wrong);
        assert_eq!(set(0).check_numbered(11, &[0; 32]), Check::Wrong, "no such number");
        assert_eq!(set(4).check_numbered(1, &[1; 32]), Check::Match(at(5)));
        assert_eq!((RecoverySet::left(10, at(0)), RecoverySet::left(10, at(5))), (10, 8));
    }

    #[test]
    fn codes_without_number_are_found_anywhere_and_each_serves_once() {
        let twice = RecoveryHashes(vec![[1; 32], [2; 32], [2; 32]]);
        let set = |position| RecoverySet { hashes: &twice, moving: at(position) };
        assert_eq!(set(0).check_any(&[1; 32]), Check::Match(at(1)));
        assert_eq!(set(1).check_any(&[1; 32]), Check::Used);
        assert_eq!(set(0).check_any(&[9; 32]), Check::Wrong);
        let Check::Match(first) = set(0).check_any(&[2; 32]) else { panic!("two are left") };
        let Check::Match(second) = set(first.position).check_any(&[2; 32]) else { panic!("one is left") };
        assert_eq!(set(second.position).check_any(&[2; 32]), Check::Used);
    }

    #[test]
    fn the_largest_set_fits_a_position() {
        let most = mfa_proto::answer::RecoveryCode::MOST;
        let hashes = hashes(most);
        let mut position = 0;
        for number in 1..=most {
            let set = RecoverySet { hashes: &hashes, moving: at(position) };
            let Check::Match(moved) = set.check_numbered(number, &[number; 32]) else { panic!("{number}") };
            assert!(moved.position > position);
            position = moved.position;
        }
        assert_eq!(RecoverySet::left(usize::from(most), at(position)), 0);
    }

    proptest! {
        /// A match only ever gains one bit.
        #[test]
        fn a_match_gains_one_bit(position in 0_i64.., number: u8, size in 1_u8..=60) {
            let hashes = hashes(size);
            let set = RecoverySet { hashes: &hashes, moving: at(position) };
            for check in [set.check_numbered(number, &[number; 32]), set.check_any(&[number; 32])] {
                if let Check::Match(moved) = check {
                    prop_assert!(moved.position > position);
                    prop_assert_eq!((moved.position ^ position).count_ones(), 1);
                    prop_assert_eq!(moved.position & position, position);
                }
            }
        }
    }
}
