//! Named sets of limits that satisfy the standards they are named after.

use std::fmt;

/// The name of a set of limits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ProfileName {
    /// 5 failures, then 15 minutes, doubling to an hour.
    #[default]
    Default,
    /// PCI DSS 4.0.1 §8.3.4: at most 10 failures, then at least 30 minutes.
    Pci,
    /// DISA STIG for RHEL 9 and Ubuntu 24.04: 3 failures, then an administrator.
    Stig,
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Pci => "pci",
            Self::Stig => "stig",
        })
    }
}

/// Limits on consecutive failures, and on failures in a long window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Profile {
    /// Which set this started from.
    pub name: ProfileName,
    /// The failure that locks: at least 1.
    pub burst: u32,
    /// Seconds of the first lock.
    pub lock: i64,
    /// Seconds that a lock grows to at most.
    pub lock_max: i64,
    /// Locks end by an administrator only.
    pub unlock_by_admin: bool,
    /// Consecutive failures that disable a factor until it is enrolled again: 1 to [`Self::DISABLE_AT_MOST`].
    pub disable_at: u32,
    /// Failures in 30 days, successes between them not counted off, that lock the account.
    pub window_failures: u32,
}

impl Profile {
    /// NIST SP 800-63B-4 §3.2.2: no configuration may allow more consecutive failures.
    pub const DISABLE_AT_MOST: u32 = 100;

    /// The limits of a named set.
    pub const fn named(name: ProfileName) -> Self {
        let base = Self {
            name,
            burst: 5,
            lock: 15 * 60,
            lock_max: 60 * 60,
            unlock_by_admin: false,
            disable_at: Self::DISABLE_AT_MOST,
            window_failures: 200,
        };
        match name {
            ProfileName::Default => base,
            ProfileName::Pci => Self { burst: 6, lock: 30 * 60, ..base },
            ProfileName::Stig => Self { burst: 3, unlock_by_admin: true, ..base },
        }
    }

    /// The smaller budget of logins whose password is not proven: combined password and code, and
    /// callers that are not root. It has its own counter, so that spending it locks nobody out of a
    /// login that proves the password first.
    #[must_use]
    pub fn for_unproven(self) -> Self {
        Self { burst: self.burst.min(3), ..self }
    }

    /// Seconds to wait after the `failures`-th consecutive failure. Small and growing before the lock,
    /// so that parallel guesses meet a wait early; then the lock, doubled by each further failure.
    pub fn wait_after(&self, failures: u32) -> i64 {
        if failures < self.burst {
            // 0, 0, 1, 2, 4 … seconds: less than a person needs to type the next code.
            return failures.checked_sub(3).map_or(0, |n| doubled(1, n, 30));
        }
        doubled(self.lock, failures.saturating_sub(self.burst), self.lock_max)
    }
}

fn doubled(base: i64, times: u32, most: i64) -> i64 {
    let factor = 1_i64.checked_shl(times.min(40)).unwrap_or(i64::MAX);
    base.saturating_mul(factor).min(most.max(base))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_waits_grow_from_nothing_to_an_hour() {
        let profile = Profile::named(ProfileName::Default);
        let waits: Vec<i64> = (1..=9).map(|n| profile.wait_after(n)).collect();
        assert_eq!(waits, [0, 0, 1, 2, 900, 1800, 3600, 3600, 3600]);
    }

    #[test]
    fn named_profiles_meet_their_standards() {
        let pci = Profile::named(ProfileName::Pci);
        assert!(pci.burst <= 10 && pci.wait_after(pci.burst) >= 30 * 60);
        let stig = Profile::named(ProfileName::Stig);
        assert!(stig.burst == 3 && stig.unlock_by_admin);
        for name in [ProfileName::Default, ProfileName::Pci, ProfileName::Stig] {
            assert!(Profile::named(name).disable_at <= 100);
            assert!(Profile::named(name).for_unproven().burst <= Profile::named(name).burst);
        }
    }

    proptest! {
        #[test]
        fn waits_never_shrink(burst in 1_u32..20, lock in 1_i64..100_000, failures in 0_u32..200) {
            let profile = Profile { burst, lock, lock_max: lock * 4, ..Profile::named(ProfileName::Default) };
            prop_assume!(failures >= burst);
            prop_assert!(profile.wait_after(failures + 1) >= profile.wait_after(failures));
            prop_assert!(profile.wait_after(failures) <= lock * 4);
        }
    }
}
