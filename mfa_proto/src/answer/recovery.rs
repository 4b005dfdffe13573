//! A recovery code: which of the set it is, and 80 random bits. Redacted when printed, wiped when dropped.
//!
//! `07-QX4T-K2MD-7PZA-BC3E`: two digits say which code of the set is meant, so that one try costs one hash;
//! then 16 characters of base32 (RFC 4648) in groups. An emergency code has the same form and the number 00,
//! which no code of a set has. Refuses to judge.

use std::fmt;

use zeroize::Zeroizing;

/// Characters without the dashes: two digits and 16 of base32.
const LENGTH: usize = 18;

/// A recovery code in canonical form.
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// Random bytes in a code: 80 bits, above the 64 that NIST SP 800-63B-4 §4.2.1.1 asks for.
    pub const RANDOM_BYTES: usize = 10;
    /// The most codes of a set: their numbers begin at 1 and have two digits.
    pub const MOST: u8 = 60;
    /// The number of emergency codes.
    const EMERGENCY: u8 = 0;

    /// Makes the code with this number (1 to [`Self::MOST`]) of random bytes; `None` for other numbers.
    pub fn new(number: u8, random: &[u8; Self::RANDOM_BYTES]) -> Option<Self> {
        (1..=Self::MOST).contains(&number).then(|| Self::numbered(number, random))
    }

    /// Makes an emergency code of random bytes.
    pub fn emergency(random: &[u8; Self::RANDOM_BYTES]) -> Self {
        Self::numbered(Self::EMERGENCY, random)
    }

    fn numbered(number: u8, random: &[u8; Self::RANDOM_BYTES]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push(char::from(b'0'.saturating_add(number / 10)));
        text.push(char::from(b'0'.saturating_add(number % 10)));
        for five in random.as_chunks::<5>().0 {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8).rev().for_each(|place: u32| text.push(base32(bits >> place.saturating_mul(5))));
        }
        Self(text)
    }

    /// Takes a code as people type it: any case, spaces and dashes anywhere.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        for character in typed.chars().filter(|c| !matches!(c, ' ' | '\t' | '-')) {
            let character = character.to_ascii_uppercase();
            let fits = if text.len() < 2 {
                character.is_ascii_digit()
            } else {
                matches!(character, 'A'..='Z' | '2'..='7')
            };
            if !fits || text.len() >= LENGTH {
                return None;
            }
            text.push(character);
        }
        let code = Self(text);
        let numbered = (Self::EMERGENCY..=Self::MOST).contains(&code.number());
        (code.0.len() == LENGTH && numbered).then_some(code)
    }

    /// Which code of the set this claims to be, from 1; 0 is none of a set.
    pub fn number(&self) -> u8 {
        self.0.get(..2).and_then(|digits| digits.parse().ok()).unwrap_or(u8::MAX)
    }

    /// Whether it claims to be an emergency code, and so none of a set.
    pub fn is_emergency(&self) -> bool {
        self.number() == Self::EMERGENCY
    }

    /// The code without dashes. Every call is a place where a code may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The code as it is shown, in groups of four.
    pub fn grouped(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH.saturating_add(4)));
        for (place, character) in self.0.chars().enumerate() {
            if place >= 2 && place % 4 == 2 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }
}

fn base32(bits: u64) -> char {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let place = usize::try_from(bits & 31).unwrap_or(0);
    char::from(ALPHABET.get(place).copied().unwrap_or(b'A'))
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_taken_as_people_type_them() {
        let shown = RecoveryCode::new(7, b"0123456789").unwrap();
        assert_eq!(*shown.grouped(), "07-GAYT-EMZU-GU3D-OOBZ");
        for typed in ["07-GAYT-EMZU-GU3D-OOBZ", "07gaytemzugu3doobz", " 07 gayt emzu gu3d oobz "] {
            let code = RecoveryCode::parse(typed).unwrap();
            assert_eq!((code.number(), code.expose()), (7, "07GAYTEMZUGU3DOOBZ"), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in [
            "",
            "07",
            "07-GAYT-EMZU-GU3D-OOB",
            "07-GAYT-EMZU-GU3D-OOBZZ",
            "00-GAYT-EMZU-GU3D-OOB",
            "61-GAYT-EMZU-GU3D-OOBZ",
            "G7-GAYT-EMZU-GU3D-OOBZ",
            "07-GAYT-EMZU-GU3D-OOB1",
            "correct horse battery staple",
        ] {
            assert!(RecoveryCode::parse(typed).is_none(), "{typed:?}");
        }
        assert!(RecoveryCode::new(0, &[0; 10]).is_none());
        assert!(RecoveryCode::new(RecoveryCode::MOST + 1, &[0; 10]).is_none());
    }

    #[test]
    fn an_emergency_code_is_none_of_a_set() {
        let shown = RecoveryCode::emergency(b"0123456789").grouped();
        assert_eq!(*shown, "00-GAYT-EMZU-GU3D-OOBZ");
        assert!(RecoveryCode::parse(&shown).unwrap().is_emergency());
        for number in 1..=RecoveryCode::MOST {
            assert!(!RecoveryCode::new(number, b"0123456789").unwrap().is_emergency(), "{number}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_taken(number in 1..=RecoveryCode::MOST, random: [u8; 10]) {
            let made = RecoveryCode::new(number, &random).unwrap();
            let taken = RecoveryCode::parse(&made.grouped()).unwrap();
            prop_assert_eq!(made.expose(), taken.expose());
            prop_assert_eq!(taken.number(), number);
            prop_assert_eq!(format!("{taken:?}"), "RecoveryCode(redacted)");
        }
    }
}
