//! Counter-based codes, RFC 4226.

use mfa_proto::{admin::Algorithm, answer::OtpCode};
use zeroize::Zeroizing;

use super::{Check, Moving, Seed, Trial, oath};

/// Counters tried beyond the next one (RFC 4226 §7.4: as small as possible).
const LOOK_AHEAD: i64 = 10;

/// Counters before the next one that are recognized as used, to tell a replay from a guess.
const LOOK_BACK: i64 = 2;

pub(super) fn check(algorithm: Algorithm, digits: u8, trial: &Trial<'_>) -> Check {
    let moving = trial.moving;
    let Some(generator) = oath::Generator::new(algorithm, digits, trial.seed) else {
        return Check::Wrong;
    };
    let mut result = Check::Wrong;
    for offset in (-LOOK_BACK..=LOOK_AHEAD).rev() {
        let Some(counter) = moving.position.checked_add(offset).filter(|c| (0..i64::MAX).contains(c)) else {
            continue;
        };
        // No early exit: the work tells nothing of which counter it was. The smallest unused one wins.
        let right = generator.matches(counter, trial.code);
        if right && offset >= 0 {
            result = Check::Match(Moving { position: counter.saturating_add(1), ..moving });
        } else if right && result == Check::Wrong {
            result = Check::Used;
        }
    }
    result
}

/// Counters ahead at which the first of two consecutive codes is looked for (RFC 4226 §7.4).
const RESYNC: i64 = 100;

/// Where a device stands that showed these two codes one after the other, if it has not gone further than
/// [`RESYNC`] beyond what is known of it.
pub(super) fn resync(
    algorithm: Algorithm,
    digits: u8,
    (seed, moving): (&Seed, Moving),
    [first, second]: [&OtpCode; 2],
) -> Option<Moving> {
    let generator = oath::Generator::new(algorithm, digits, seed)?;
    let (mut before, mut found) = (false, None);
    // No early exit, as above. The smallest counter wins.
    for offset in 0..=RESYNC {
        let Some(counter) = moving.position.checked_add(offset).filter(|c| (0..i64::MAX).contains(c)) else {
            continue;
        };
        if before && generator.matches(counter, second) && found.is_none() {
            found = Some(Moving { position: counter.saturating_add(1), ..moving });
        }
        before = generator.matches(counter, first);
    }
    found
}

/// Makes a link for counter-based codes of one for time-based codes.
pub(super) fn uri(link: &str, moving: Moving) -> Option<Zeroizing<String>> {
    let rest = link.strip_prefix("otpauth://totp/")?;
    Some(Zeroizing::new(format!("otpauth://hotp/{rest}&counter={}", moving.position)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::UnixTime,
        factor::{Params, Rules},
    };

    const PARAMS: Params = Params::Hotp { algorithm: Algorithm::Sha1, digits: 6 };

    fn seed() -> Seed {
        Seed::new(Zeroizing::new(b"12345678901234567890".to_vec())).unwrap()
    }

    fn at(position: i64) -> Moving {
        Moving { position, drift: 0 }
    }

    fn judge(moving: Moving, code: &OtpCode) -> Check {
        PARAMS.check(&Trial { seed: &seed(), moving, code, now: UnixTime(0), rules: Rules::default() })
    }

    fn try_code(position: i64, code: &str) -> Check {
        judge(at(position), &OtpCode::parse(code).unwrap())
    }

    /// RFC 4226 appendix D.
    #[test]
    fn rfc_4226_appendix_d() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(try_code(counter, code), Check::Match(at(counter + 1)));
        }
    }

    #[test]
    fn ten_counters_ahead_are_tried_and_none_behind_accepted() {
        assert_eq!(try_code(0, "520489"), Check::Match(at(10)), "counter 9 is within ten of 0");
        assert_eq!(try_code(1, "755224"), Check::Used, "counter 0 has been used");
        assert_eq!(try_code(3, "755224"), Check::Wrong, "long used codes are no better than guesses");
        let eleventh = oath::Generator::new(Algorithm::Sha1, 6, &seed()).unwrap().code(11).unwrap();
        assert_eq!(judge(at(0), &eleventh), Check::Wrong);
    }

    #[test]
    fn two_consecutive_codes_find_a_counter_up_to_a_hundred_ahead() {
        let generator = oath::Generator::new(Algorithm::Sha1, 6, &seed()).unwrap();
        let code = |counter| generator.code(counter).unwrap();
        let found = |position, first: i64, second: i64| {
            PARAMS.resync(&seed(), at(position), [&code(first), &code(second)]).map(|moved| moved.position)
        };
        for first in [0, 1, 11, 50, 99] {
            assert_eq!(found(0, first, first + 1), Some(first + 2), "{first}");
        }
        assert_eq!(found(0, 100, 101), None, "beyond");
        assert_eq!(found(0, 20, 22), None, "not consecutive");
        assert_eq!(found(0, 21, 20), None, "the wrong way round");
        assert_eq!(found(22, 20, 21), None, "used before");
        assert_eq!(found(21, 20, 21), None, "the first was used before");
        assert_eq!(found(i64::MAX - 1, 0, 1), None);
    }

    #[test]
    fn the_end_of_the_counter_is_no_panic() {
        assert_eq!(try_code(i64::MAX, "755224"), Check::Wrong);
        assert_eq!(try_code(i64::MAX - 3, "755224"), Check::Wrong);
    }

    #[test]
    fn the_link_carries_the_counter() {
        let link = PARAMS.uri(&seed(), "host", "jane", at(7)).unwrap();
        assert!(
            link.starts_with("otpauth://hotp/host:jane?secret=") && link.ends_with("&counter=7"),
            "{}",
            *link
        );
    }
}
