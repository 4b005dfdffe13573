//! Times in the words of people: local time, how long ago, for how long.

use jiff::{Timestamp, tz::TimeZone};

/// The present time and the local zone.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    /// Now.
    pub(crate) time: Timestamp,
    /// Where the person is, as far as the host knows.
    pub(crate) zone: TimeZone,
    fixed: bool,
}

impl Now {
    /// From the host's clock and zone; `MFACTL_NOW` holds another time to reckon from, so that outputs can be
    /// compared. It changes nothing but what is shown.
    pub(crate) fn of_host() -> Self {
        let fixed = std::env::var_os("MFACTL_NOW")
            .and_then(|seconds| seconds.to_str()?.parse().ok())
            .and_then(|seconds| Timestamp::from_second(seconds).ok());
        Self { time: fixed.unwrap_or_else(Timestamp::now), zone: TimeZone::system(), fixed: fixed.is_some() }
    }

    /// The time that is present now, after a person took theirs.
    pub(crate) fn again(&self) -> Self {
        let time = if self.fixed { self.time } else { Timestamp::now() };
        Self { time, ..self.clone() }
    }

    /// `2026-03-01 14:30:00`.
    pub(crate) fn local(&self, unix: i64) -> String {
        self.format(unix, "%Y-%m-%d %H:%M:%S")
    }

    /// `2026-03-01 14:30:00 CET (3 min ago)`, or `never`.
    pub(crate) fn full(&self, unix: Option<i64>) -> String {
        unix.map_or_else(
            || "never".to_owned(),
            |unix| format!("{} ({})", self.format(unix, "%Y-%m-%d %H:%M:%S %Z"), self.ago(unix)),
        )
    }

    /// The present time, `2026-03-01 14:30 CET`.
    pub(crate) fn minute(&self) -> String {
        self.format(self.time.as_second(), "%Y-%m-%d %H:%M %Z")
    }

    /// The clock with its zone.
    pub(crate) fn clock(&self) -> String {
        self.format(self.time.as_second(), "%H:%M:%S %Z")
    }

    /// `3 min ago`, `in 2 h`, `just now`.
    pub(crate) fn ago(&self, unix: i64) -> String {
        let past = self.time.as_second().saturating_sub(unix);
        match past {
            -4..=4 => "just now".to_owned(),
            5.. => format!("{} ago", coarse(past)),
            _ => format!("in {}", coarse(past.saturating_neg())),
        }
    }

    /// Seconds from now until then; 0 when that is past.
    pub(crate) fn until(&self, unix: i64) -> i64 {
        unix.saturating_sub(self.time.as_second()).max(0)
    }

    fn format(&self, unix: i64, how: &str) -> String {
        Timestamp::from_second(unix).map_or_else(
            |_| format!("@{unix}"),
            |time| time.to_zoned(self.zone.clone()).strftime(how).to_string(),
        )
    }
}

/// RFC 3339 in UTC; `None` when the number is no time.
pub(crate) fn rfc3339(unix: i64) -> Option<String> {
    Timestamp::from_second(unix).ok().map(|time| time.to_string())
}

/// `14 min 20 s`: the two largest units.
pub(crate) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let parts = match (days, hours, minutes) {
        (1.., _, _) => [(days, "d"), (hours, "h")],
        (_, 1.., _) => [(hours, "h"), (minutes, "min")],
        (_, _, 1..) => [(minutes, "min"), (seconds % 60, "s")],
        _ => return format!("{} s", seconds.max(0)),
    };
    let shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    shown.join(" ")
}

fn coarse(seconds: i64) -> String {
    match seconds {
        86_400.. => {
            let days = seconds / 86_400;
            format!("{days} day{}", if days == 1 { "" } else { "s" })
        }
        3600.. => format!("{} h", seconds / 3600),
        60.. => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
impl Now {
    /// A fixed time in UTC.
    pub(crate) fn test() -> Self {
        Self { time: Timestamp::from_second(1_700_000_000).unwrap(), zone: TimeZone::UTC, fixed: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_words() {
        let now = Now::test();
        for (seconds, words) in [
            (0, "just now"),
            (-3, "just now"),
            (5, "5 s ago"),
            (185, "3 min ago"),
            (7200, "2 h ago"),
            (86_400, "1 day ago"),
            (400 * 86_400, "400 days ago"),
            (-600, "in 10 min"),
        ] {
            assert_eq!(now.ago(1_700_000_000 - seconds), words);
        }
        assert_eq!(now.full(Some(1_699_999_815)), "2023-11-14 22:10:15 UTC (3 min ago)");
        assert_eq!(now.full(None), "never");
        assert_eq!(now.local(i64::MAX), format!("@{}", i64::MAX));
        assert_eq!(now.ago(i64::MIN), format!("{} days ago", i64::MAX / 86_400));
        assert_eq!(now.ago(i64::MAX), "in 106751991147624 days");
    }

    #[test]
    fn spans_have_two_units() {
        for (seconds, words) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (860, "14 min 20 s"),
            (3600, "1 h"),
            (3660, "1 h 1 min"),
            (90_000, "1 d 1 h"),
            (86_400, "1 d"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}
