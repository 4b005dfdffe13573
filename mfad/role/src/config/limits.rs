//! `[limits]`: a named profile and what the administrator sets otherwise.
//!
//! Refuses what would take a limit away: zero, more than 100 consecutive failures (NIST SP 800-63B-4
//! §3.2.2), and values that break the standard a profile is named after.

use std::time::Duration;

use super::{
    kinds::{choice, duration, number, show_duration},
    reader::{Found, Reader, Section},
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// The limits on wrong codes as configured; `None` takes the profile's value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// Which set of values holds where nothing else is set.
    pub profile: ProfileName,
    /// Consecutive failures of a factor that lock it.
    pub burst: Option<u32>,
    /// How long the first lock lasts.
    pub lock: Option<Duration>,
    /// How long locks grow to.
    pub lock_max: Option<Duration>,
    /// What ends a lock.
    pub unlock: Option<Unlock>,
    /// Consecutive failures that disable a factor for good: at most 100.
    pub disable_at: Option<u32>,
    /// Failures of an account in 30 days, successes not counted off, that lock it.
    pub window_failures: Option<u32>,
    /// Failures from one source within `source_window` after which it is slowed down.
    pub source_failures: Option<u32>,
    /// See `source_failures`.
    pub source_window: Option<Duration>,
    /// Failures a second, of all together, above which all are slowed down.
    pub failures_per_second: Option<u32>,
}

/// A named set of limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProfileName {
    /// 5 failures lock for 15 minutes, doubling to 60.
    Default,
    /// PCI DSS 4.0.1 §8.3.4: at most 10 failures, at least 30 minutes.
    Pci,
    /// DISA STIG: 3 failures, unlocked by an administrator only.
    Stig,
}

/// What ends a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unlock {
    /// Time.
    Time,
    /// An administrator.
    Admin,
}

impl LimitsConfig {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "limits");
        let s = &mut section;
        let profiles = choice(&[
            ("default", ProfileName::Default),
            ("pci", ProfileName::Pci),
            ("stig", ProfileName::Stig),
        ]);
        let profile = reader.value(s, "profile", ProfileName::Default, profiles).value;
        let burst = reader.optional(s, "burst", number(1..=100));
        let lock = reader.optional(s, "lock", duration(Duration::from_secs(1)..=DAY * 30));
        let lock_max = reader.optional(s, "lock_max", duration(Duration::from_secs(1)..=DAY * 30));
        let unlock =
            reader.optional(s, "unlock", choice(&[("time", Unlock::Time), ("admin", Unlock::Admin)]));
        let disable_at = reader.optional(s, "disable_at", number(1..=100));
        obey_each_other(reader, (&burst, &disable_at), (&lock, &lock_max));
        obey_profile(reader, profile, (&burst, &lock, &unlock));
        let window = duration(MINUTE..=DAY);
        let read = Self {
            profile,
            burst: burst.value,
            lock: lock.value,
            lock_max: lock_max.value,
            unlock: unlock.value,
            disable_at: disable_at.value,
            window_failures: reader.optional(s, "window_failures", number(10..=100_000)).value,
            source_failures: reader.optional(s, "source_failures", number(1..=100_000)).value,
            source_window: reader.optional(s, "source_window", window).value,
            failures_per_second: reader.optional(s, "failures_per_second", number(1..=100_000)).value,
        };
        reader.close(section);
        read
    }
}

type Limit<'a, T> = &'a Found<Option<T>>;

fn obey_each_other(
    reader: &mut Reader,
    (burst, disable_at): (Limit<'_, u32>, Limit<'_, u32>),
    (lock, lock_max): (Limit<'_, Duration>, Limit<'_, Duration>),
) {
    if let (Some(burst), Some(most)) = (burst.value, disable_at.value)
        && burst > most
    {
        let message =
            format!("`limits.disable_at` is below `limits.burst` ({burst}): no lock would ever happen");
        reader.fault(disable_at.place, message);
    }
    if let (Some(first), Some(most)) = (lock.value, lock_max.value)
        && first > most
    {
        let least = show_duration(first);
        let message = format!("`limits.lock_max` is below `limits.lock`: write at least \"{least}\"");
        reader.fault(lock_max.place, message);
    }
}

/// A profile that is named after a standard keeps what the standard asks, whatever else is set.
fn obey_profile(
    reader: &mut Reader,
    profile: ProfileName,
    (burst, lock, unlock): (Limit<'_, u32>, Limit<'_, Duration>, Limit<'_, Unlock>),
) {
    let (name, most, least, admin) = match profile {
        ProfileName::Default => return,
        ProfileName::Pci => ("pci", 10, MINUTE * 30, false),
        ProfileName::Stig => ("stig", 3, Duration::ZERO, true),
    };
    let otherwise = "or another profile";
    if burst.value.is_some_and(|burst| burst > most) {
        reader.fault(
            burst.place,
            format!("`limits.burst` breaks profile \"{name}\": write at most {most}, {otherwise}"),
        );
    }
    if lock.value.is_some_and(|lock| lock < least) {
        let least = show_duration(least);
        let message =
            format!("`limits.lock` breaks profile \"{name}\": write at least \"{least}\", {otherwise}");
        reader.fault(lock.place, message);
    }
    if admin && unlock.value == Some(Unlock::Time) {
        let message = format!("`limits.unlock` breaks profile \"{name}\": write \"admin\", {otherwise}");
        reader.fault(unlock.place, message);
    }
}
