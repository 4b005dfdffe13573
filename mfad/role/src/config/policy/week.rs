//! When in a week a rule holds: days, and hours that may run past midnight. Minutes by the clock on the
//! wall; what that shows is for others to know.

use std::{fmt, str::FromStr};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Words of 64 minutes that a week takes.
const WORDS: usize = 7 * 24 * 60 / 64 + 1;

/// A day of the week.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// What it is called in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |word: &str| Self::ALL.into_iter().find(|day| day.word() == word);
        named(text).ok_or_else(|| {
            let start: String = text.chars().take(3).flat_map(char::to_lowercase).collect();
            match named(&start) {
                Some(day) => format!("did you mean \"{}\"?", day.word()),
                None => "write mon, tue, wed, thu, fri, sat or sun".to_owned(),
            }
        })
    }
}

/// From one time of day up to another, which is not part of it; past midnight when that is the earlier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hours {
    from: u16,
    to: u16,
}

impl FromStr for Hours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write from when to when, as \"08:00-18:00\", or \"22:00-06:00\" past midnight";
        let (from, to) = text.split_once('-').ok_or(wrong)?;
        let (from, to) = (minute(from).ok_or(wrong)?, minute(to).ok_or(wrong)?);
        if from == to {
            return Err("begins when it ends: write \"00:00-24:00\" for the whole day, or leave it out");
        }
        if from == DAY { Err(wrong) } else { Ok(Self { from, to }) }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// The minute of a day that `HH:MM` is; `24:00` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    let minute = hours.checked_mul(60)?.checked_add(minutes)?;
    (minute <= DAY).then_some(minute)
}

/// A set of minutes of the week.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Week(Vec<u64>);

impl Week {
    /// The minutes of `hours` that begin on one of `days`; an empty list means all. `None` for the whole week.
    pub fn of(days: &[Day], hours: &[Hours]) -> Option<Self> {
        let whole = [Hours { from: 0, to: DAY }];
        let days = if days.is_empty() { &Day::ALL } else { days };
        let hours = if hours.is_empty() { &whole } else { hours };
        let mut week = Self(vec![0; WORDS]);
        for (day, hours) in days.iter().flat_map(|day| hours.iter().map(move |hours| (*day, hours))) {
            let length = if hours.to > hours.from { hours.to } else { hours.to.saturating_add(DAY) };
            for minute in hours.from..length {
                week.add(day, minute);
            }
        }
        let minutes: u32 = week.0.iter().map(|word| word.count_ones()).sum();
        (minutes < u32::from(DAY).saturating_mul(7)).then_some(week)
    }

    /// Whether it holds this minute (0 to 1439) of this day.
    pub fn holds(&self, day: Day, minute: u16) -> bool {
        let (word, bit) = bit(day, minute);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether it holds all that `other` does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, others)| others & !mine == 0)
    }

    /// Whether some minute is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(mine, others)| mine & others != 0)
    }

    fn add(&mut self, day: Day, minute: u16) {
        let (word, bit) = bit(day, minute);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }
}

/// The word and the bit of a minute, which may be of the day after.
fn bit(day: Day, minute: u16) -> (usize, u64) {
    let days = Day::ALL.iter().position(|other| *other == day).unwrap_or_default();
    let week = usize::from(DAY).saturating_mul(7);
    let minute = days.saturating_mul(usize::from(DAY)).saturating_add(usize::from(minute)) % week;
    (minute / 64, 1 << (minute % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(text: &str) -> Hours {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_written_in_one_way() {
        for good in ["00:00-24:00", "08:00-18:30", "22:00-06:00", "23:59-00:00"] {
            assert_eq!(hours(good).to_string(), good);
        }
        for bad in [
            "",
            "8:00-18:00",
            "08-18",
            "08:00-08:00",
            "24:00-06:00",
            "08:60-09:00",
            "08:00-24:01",
            "+1:00-2:00",
        ] {
            assert!(bad.parse::<Hours>().is_err(), "{bad}");
        }
        assert_eq!("Monday".parse::<Day>().unwrap_err(), "did you mean \"mon\"?");
        assert!("x".parse::<Day>().unwrap_err().contains("mon, tue"));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_begins_on() {
        let night = Week::of(&[Day::Fri, Day::Sun], &[hours("22:00-06:00")]).unwrap();
        for (day, minute, expected) in [
            (Day::Fri, 21 * 60 + 59, false),
            (Day::Fri, 22 * 60, true),
            (Day::Sat, 5 * 60 + 59, true),
            (Day::Sat, 6 * 60, false),
            (Day::Sat, 23 * 60, false),
            (Day::Mon, 0, true),
            (Day::Fri, 0, false),
        ] {
            assert_eq!(night.holds(day, minute), expected, "{day:?} {minute}");
        }
    }

    #[test]
    fn the_whole_week_is_no_bound() {
        assert_eq!(Week::of(&[], &[]), None);
        assert_eq!(Week::of(&Day::ALL, &[hours("00:00-12:00"), hours("12:00-24:00")]), None);
        assert_eq!(Week::of(&[], &[hours("12:00-06:00"), hours("06:00-12:00")]), None);
    }

    proptest! {
        #[test]
        fn a_minute_is_held_when_its_window_is_open(from in 0..1440_u16, to in 0..=1440_u16, at in 0..1440_u16) {
            prop_assume!(from != to);
            let window = Hours { from, to };
            let open = if from < to { (from..to).contains(&at) } else { at >= from || at < to };
            let held = Week::of(&[], &[window]).is_none_or(|week| week.holds(Day::Wed, at));
            prop_assert_eq!(held, open);
        }

        #[test]
        fn more_hours_cover_fewer(some in proptest::collection::vec((0..1440_u16, 0..1440_u16), 1..4)) {
            let all: Vec<Hours> = some.iter().filter(|(a, b)| a != b).map(|(from, to)| Hours { from: *from, to: *to }).collect();
            prop_assume!(!all.is_empty());
            if let (Some(fewer), Some(more)) = (Week::of(&[Day::Tue], &all[..1]), Week::of(&[Day::Tue], &all)) {
                prop_assert!(more.covers(&fewer) && more.meets(&fewer));
            }
        }
    }
}
