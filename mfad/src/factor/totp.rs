//! Time-based codes, RFC 6238.

use mfa_proto::admin::TotpParams;
use zeroize::Zeroizing;

use super::{Check, Moving, Seed, Trial, oath};
use crate::clock::UnixTime;

/// Steps a learned drift may grow to: five minutes of a 30-second token.
const MAX_DRIFT: i32 = 10;

/// The step that `now` lies in; 64 bits, so 2038 is a day like any other (RFC 6238 §4.2).
pub(super) fn step_at(params: TotpParams, now: UnixTime) -> i64 {
    now.0.div_euclid(i64::from(params.period.max(1)))
}

pub(super) fn check(params: TotpParams, trial: &Trial<'_>) -> Check {
    let Trial { moving, now, rules, .. } = *trial;
    let Some(generator) = oath::Generator::new(params.algorithm, params.digits, trial.seed) else {
        return Check::Wrong;
    };
    let window = i64::from(rules.window.min(1));
    let drift = if rules.learn_drift { moving.drift.clamp(-MAX_DRIFT, MAX_DRIFT) } else { 0 };
    let center = step_at(params, now).saturating_add(i64::from(drift));
    let mut matched = None;
    for offset in -window..=window {
        let step = center.saturating_add(offset);
        // No early exit: the work tells nothing of which step it was. A later step wins.
        if generator.matches(step, trial.code) {
            matched = Some((step, offset));
        }
    }
    if now.is_unset() || moving.position > center.saturating_add(window) {
        return Check::ClockUnusable;
    }
    match matched {
        None => Check::Wrong,
        Some((step, _)) if step <= moving.position => Check::Used,
        Some((step, offset)) => {
            let learned = i32::try_from(offset).map_or(drift, |o| drift.saturating_add(o));
            let drift = if rules.learn_drift { learned.clamp(-MAX_DRIFT, MAX_DRIFT) } else { moving.drift };
            Check::Match(Moving { position: step, drift })
        }
    }
}

pub(super) fn uri(params: TotpParams, seed: &Seed, issuer: &str, account: &str) -> Option<Zeroizing<String>> {
    oath::uri(params.algorithm, params.digits, params.period, seed, (issuer, account))
}

#[cfg(test)]
mod tests {
    use mfa_proto::{admin::Algorithm, answer::OtpCode};
    use proptest::prelude::*;

    use super::*;
    use crate::factor::{Params, Rules};

    fn seed(length: usize) -> Seed {
        Seed::new(Zeroizing::new(b"1234567890".iter().copied().cycle().take(length).collect())).unwrap()
    }

    fn code(text: &str) -> OtpCode {
        OtpCode::parse(text).unwrap()
    }

    fn totp(algorithm: Algorithm, digits: u8, period: u16) -> Params {
        Params::Totp(TotpParams { algorithm, digits, period })
    }

    fn judge(
        params: Params,
        seed: &Seed,
        moving: Moving,
        code: &OtpCode,
        (now, rules): (UnixTime, Rules),
    ) -> Check {
        params.check(&Trial { seed, moving, code, now, rules })
    }

    fn fresh() -> Moving {
        Moving { position: -1, drift: 0 }
    }

    fn strict() -> Rules {
        Rules { window: 0, learn_drift: false }
    }

    /// RFC 6238 appendix B. Times before 2026 are moved past the clock check by whole steps only where
    /// the vector allows, so the generator itself is asked.
    #[test]
    fn rfc_6238_appendix_b() {
        let rows = [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ];
        for (time, sha1, sha256, sha512) in rows {
            let cases = [
                (Algorithm::Sha1, 20, sha1),
                (Algorithm::Sha256, 32, sha256),
                (Algorithm::Sha512, 64, sha512),
            ];
            for (algorithm, length, expected) in cases {
                let generator = oath::Generator::new(algorithm, 8, &seed(length)).unwrap();
                assert!(generator.matches(time / 30, &code(expected)), "{algorithm:?} at {time}");
                assert!(!generator.matches(time / 30 + 1, &code(expected)));
            }
        }
    }

    /// The vector of `ntopng` and `oathtool`: steps -2 to +2 around a time, the middle three accepted.
    #[test]
    fn one_step_each_way_is_accepted_and_no_more() {
        let text = mfa_proto::secret::SecretText::new("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into()).unwrap();
        let seed = Seed::from_base32(&text).unwrap();
        let params = TotpParams::default();
        let codes = ["735133", "797823", "406058", "661763", "996875"];
        // The vector's time is before 2026, so the step is asked for rather than the whole check.
        let generator = oath::Generator::new(params.algorithm, 6, &seed).unwrap();
        let center = step_at(params, UnixTime(1_700_000_000));
        for (offset, expected) in (-2..=2).zip(codes) {
            assert!(generator.matches(center + offset, &code(expected)));
        }
        let now = UnixTime(2_000_000_000);
        let accepted: Vec<i64> = (-3..=3)
            .filter(|offset| {
                let then = code_at(params, &seed, now.plus(offset * 30));
                matches!(
                    judge(Params::Totp(params), &seed, fresh(), &then, (now, Rules::default())),
                    Check::Match(_)
                )
            })
            .collect();
        assert_eq!(accepted, [-1, 0, 1]);
    }

    fn code_at(params: TotpParams, seed: &Seed, time: UnixTime) -> OtpCode {
        let generator = oath::Generator::new(params.algorithm, params.digits, seed).unwrap();
        generator.code(step_at(params, time)).unwrap()
    }

    const RFC: UnixTime = UnixTime(2_000_000_000);

    #[test]
    fn a_used_step_and_all_before_it_stay_used() {
        let params = totp(Algorithm::Sha1, 8, 30);
        let (seed, right) = (seed(20), code("69279037"));
        let Check::Match(moved) = judge(params, &seed, fresh(), &right, (RFC, Rules::default())) else {
            panic!("a right code is right");
        };
        assert_eq!(moved.position, RFC.0 / 30);
        assert_eq!(judge(params, &seed, moved, &right, (RFC, Rules::default())), Check::Used);
        let later = Moving { position: moved.position + 1, ..moved };
        assert_eq!(judge(params, &seed, later, &right, (RFC, Rules::default())), Check::Used);
    }

    #[test]
    fn a_window_of_zero_takes_the_present_step_only() {
        let params = totp(Algorithm::Sha1, 8, 30);
        let (seed, right) = (seed(20), code("69279037"));
        assert!(matches!(judge(params, &seed, fresh(), &right, (RFC, strict())), Check::Match(_)));
        assert_eq!(judge(params, &seed, fresh(), &right, (RFC.plus(30), strict())), Check::Wrong);
        assert!(matches!(
            judge(params, &seed, fresh(), &right, (RFC.plus(30), Rules::default())),
            Check::Match(_)
        ));
        assert_eq!(judge(params, &seed, fresh(), &right, (RFC.plus(60), Rules::default())), Check::Wrong);
    }

    #[test]
    fn drift_is_learned_only_when_asked() {
        let params = totp(Algorithm::Sha1, 8, 30);
        let (seed, right) = (seed(20), code("69279037"));
        let learn = Rules { window: 1, learn_drift: true };
        let Check::Match(moved) = judge(params, &seed, fresh(), &right, (RFC.plus(30), learn)) else {
            panic!("one step late is within the window");
        };
        assert_eq!(moved.drift, -1);
        // Two steps late is now within the window, because the center has moved.
        assert!(matches!(
            judge(params, &seed, Moving { position: -1, drift: -1 }, &right, (RFC.plus(60), learn)),
            Check::Match(Moving { drift: -2, .. })
        ));
        assert!(matches!(
            judge(params, &seed, fresh(), &right, (RFC.plus(30), Rules::default())),
            Check::Match(Moving { drift: 0, .. })
        ));
    }

    #[test]
    fn a_clock_that_is_unset_or_behind_the_watermark_has_its_own_name() {
        let params = totp(Algorithm::Sha1, 8, 30);
        let seed = seed(20);
        assert_eq!(
            judge(params, &seed, fresh(), &code("94287082"), (UnixTime(59), strict())),
            Check::ClockUnusable
        );
        let ahead = Moving { position: RFC.0 / 30 + 2, drift: 0 };
        assert_eq!(
            judge(params, &seed, ahead, &code("69279037"), (RFC, Rules::default())),
            Check::ClockUnusable
        );
        let fenced = params.fenced(ahead, RFC);
        assert_eq!(fenced.position, RFC.0 / 30);
        assert_eq!(judge(params, &seed, fenced, &code("69279037"), (RFC, Rules::default())), Check::Used);
    }

    #[test]
    fn parameters_out_of_bounds_accept_nothing() {
        let seed = seed(20);
        for params in
            [totp(Algorithm::Sha1, 8, 0), totp(Algorithm::Sha1, 8, 14), totp(Algorithm::Sha1, 8, 121)]
        {
            assert!(!params.is_valid());
            assert_eq!(
                judge(params, &seed, fresh(), &code("69279037"), (RFC, Rules::default())),
                Check::Wrong
            );
        }
        assert!(!totp(Algorithm::Sha1, 7, 30).is_valid());
    }

    #[test]
    fn the_link_names_what_is_not_the_default() {
        let link = totp(Algorithm::Sha256, 8, 60).uri(&seed(32), "host:1", "jane doe", fresh()).unwrap();
        assert!(link.starts_with("otpauth://totp/host-1:jane%20doe?secret="), "{}", *link);
        for part in ["&digits=8", "&algorithm=SHA256", "&issuer=host-1", "&period=60"] {
            assert!(link.contains(part), "{part} is missing in {}", *link);
        }
    }

    proptest! {
        /// No time, position or drift panics, and a match always moves forward.
        #[test]
        fn a_match_moves_forward(time in 0_i64..i64::MAX, position in -1_i64..i64::MAX, drift: i32, n in 0_u32..1_000_000) {
            let params = totp(Algorithm::Sha1, 6, 30);
            let rules = Rules { window: 1, learn_drift: true };
            let moving = Moving { position, drift };
            if let Check::Match(moved) = judge(params, &seed(20), moving, &code(&format!("{n:06}")), (UnixTime(time), rules)) {
                prop_assert!(moved.position > position);
                prop_assert!(moved.drift.abs() <= MAX_DRIFT);
            }
        }
    }
}
