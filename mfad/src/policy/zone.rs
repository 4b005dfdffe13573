//! What the clock on the wall shows: day and minute in the time zone of the rules.

use jiff::{Timestamp, tz::TimeZone};

use crate::{clock::UnixTime, config::Day};

/// The time zone of the rules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone(TimeZone);

/// A minute of the week, as the clock on the wall shows it. The hour that summer time repeats is shown
/// twice, the one that it leaves out never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment {
    pub(super) day: Day,
    /// 0 to 1439.
    pub(super) minute: u16,
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The time zone of this name (IANA), as the host's database has it.
    pub fn named(name: &str) -> Result<Self, String> {
        TimeZone::get(name).map(Self).map_err(|error| error.to_string())
    }

    /// The host's time zone.
    pub fn of_host() -> Result<Self, String> {
        TimeZone::try_system().map(Self).map_err(|error| error.to_string())
    }

    /// What the clock on the wall shows; `None` when the host's clock has not been set.
    pub(super) fn moment(&self, now: UnixTime) -> Option<Moment> {
        let local = Timestamp::from_second(now.0).ok().filter(|_| !now.is_unset())?.to_zoned(self.0.clone());
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).ok()?;
        let hour = u16::try_from(local.hour()).ok()?;
        let minute = u16::try_from(local.minute()).ok()?;
        Some(Moment { day: *Day::ALL.get(day)?, minute: hour.checked_mul(60)?.checked_add(minute)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_moves_the_clock_on_the_wall() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        for (utc, day, minute) in [
            // 2033-05-18, a Wednesday, in summer time.
            (2_000_000_010, Day::Wed, 5 * 60 + 33),
            // 2026-03-29: 00:59:59 UTC is 01:59 there, the next second 03:00.
            (1_774_745_999, Day::Sun, 60 + 59),
            (1_774_746_000, Day::Sun, 3 * 60),
            // 2026-10-25: 02:30 is shown twice.
            (1_792_888_200, Day::Sun, 2 * 60 + 30),
            (1_792_891_800, Day::Sun, 2 * 60 + 30),
        ] {
            assert_eq!(berlin.moment(UnixTime(utc)), Some(Moment { day, minute }), "{utc}");
        }
        let utc = Zone::UTC.moment(UnixTime(2_000_000_010)).unwrap();
        assert_eq!(utc, Moment { day: Day::Wed, minute: 3 * 60 + 33 });
    }

    #[test]
    fn a_clock_that_was_never_set_shows_nothing() {
        assert_eq!(Zone::UTC.moment(UnixTime(0)), None);
        assert_eq!(Zone::UTC.moment(UnixTime(i64::MAX)), None);
        assert!(Zone::named("Europe/Nowhere").is_err());
    }
}
