//! Times as people type them.

use std::time::Duration;

use jiff::{SignedDuration, Span, Timestamp, civil, tz::TimeZone};

/// Reads a time: `@UNIX`, RFC 3339, a local date or date and time, or how long ago (`2h`, `30min`, `7d`).
/// Unix seconds; the error says what forms there are.
pub(crate) fn when(text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    let text = text.trim();
    unix(text)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| local(text, zone))
        .or_else(|| ago(text, now, zone))
        .map(Timestamp::as_second)
        .ok_or_else(|| {
            format!(
                "{text:?} is no time: give 2026-03-01, \"2026-03-01 14:30\", 2026-03-01T14:30:00Z, @1772375400, \
                 or how long ago: 30min, 2h, 7d"
            )
        })
}

/// Reads how long: `5m`, `2h`, `1h 30min`; days are of 24 hours.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let span = text.trim().parse::<Span>().ok();
    let length = span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok());
    length
        .filter(SignedDuration::is_positive)
        .map(SignedDuration::unsigned_abs)
        .ok_or_else(|| format!("{text:?} is no span of time: give 30m, 2h, 1d"))
}

fn unix(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.strip_prefix('@')?.parse().ok()?).ok()
}

fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let time = text
        .parse::<civil::DateTime>()
        .ok()
        .or_else(|| civil::DateTime::strptime("%Y-%m-%d %H:%M", text).ok())
        .or_else(|| text.parse::<civil::Date>().ok().map(civil::DateTime::from))?;
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

fn ago(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let span = text.trim_end_matches("ago").trim_end().parse::<Span>().ok()?.abs();
    Some(now.to_zoned(zone.clone()).checked_sub(span).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<i64, String> {
        when(text, Timestamp::from_second(1_700_000_000).unwrap(), &TimeZone::UTC)
    }

    #[test]
    fn times_are_read_as_people_type_them() {
        for (text, seconds) in [
            ("@1699999999", 1_699_999_999),
            ("2023-11-14T22:13:20Z", 1_700_000_000),
            ("2023-11-14T23:13:20+01:00", 1_700_000_000),
            ("2023-11-14 22:13:20", 1_700_000_000),
            ("2023-11-14 22:13", 1_699_999_980),
            ("2023-11-14", 1_699_920_000),
            ("2h", 1_699_992_800),
            ("30min", 1_699_998_200),
            ("30m ago", 1_699_998_200),
            ("7d", 1_699_395_200),
            ("1 day 2 hours", 1_699_906_400),
        ] {
            assert_eq!(at(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn spans_are_read_as_people_type_them() {
        for (text, seconds) in [("5m", 300), ("2h", 7_200), ("1h 30min", 5_400), ("1d", 86_400), ("90s", 90)]
        {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "2", "-2h", "0s", "soon", "2h ago", "1 month", "99999999999y"] {
            assert!(span(text).is_err(), "{text:?} was taken for a span");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "soon", "2h30", "@", "@99999999999999", "2023-13-01", "99999999999y"] {
            assert!(at(text).is_err(), "{text:?} was taken for a time");
        }
    }
}
