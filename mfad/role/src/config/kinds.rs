//! The kinds of value that a key may take: each says what it takes, and what to write instead.

use std::{fmt::Display, ops::RangeInclusive, path::PathBuf, time::Duration};

use jiff::civil::Date;
use mfa_proto::name::{FactorLabel, UserName};

use super::{
    suggest::{printable, unknown_choice},
    tree::{Place, Value},
};

/// A value, or what is wrong with what was written, worded to follow the name of the key.
pub(super) type Checked<T> = Result<T, String>;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
/// The longest path of a Unix socket: `sun_path` less the terminating NUL.
const MAX_SOCKET_PATH: usize = 107;

/// Any text.
pub(super) fn text(value: &Value) -> Checked<&str> {
    let Value::Text(text) = value else {
        return Err(format!("is {}: write a text in quotes", value.kind()));
    };
    Ok(text)
}

/// `true` or `false`.
pub(super) fn boolean(value: &Value) -> Checked<bool> {
    let Value::Boolean(truth) = value else {
        return Err(format!("is {}: write true or false, without quotes", value.kind()));
    };
    Ok(*truth)
}

/// A whole number within bounds.
pub(super) fn number<T>(bounds: RangeInclusive<T>) -> impl Fn(&Value) -> Checked<T>
where
    T: Copy + Display + PartialOrd + TryFrom<i64>,
{
    move |value| {
        let wanted = || format!("write a whole number from {} to {}", bounds.start(), bounds.end());
        let Value::Integer(number) = value else {
            return Err(format!("is {}: {}", value.kind(), wanted()));
        };
        let fits = number.and_then(|n| T::try_from(n).ok()).filter(|n| bounds.contains(n));
        fits.ok_or_else(|| match number {
            Some(number) => format!("cannot be {number}: {}", wanted()),
            None => format!("is out of all bounds: {}", wanted()),
        })
    }
}

/// A duration such as `"90s"`, `"15m"`, `"2h"`, `"30d"`, within bounds.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&Value) -> Checked<Duration> {
    move |value| {
        let (least, most) = (show_duration(*bounds.start()), show_duration(*bounds.end()));
        let wanted = format!("write a duration from \"{least}\" to \"{most}\" (units: s, m, h, d)");
        let Value::Text(text) = value else { return Err(format!("is {}: {wanted}", value.kind())) };
        match parse_duration(text) {
            Some(duration) if bounds.contains(&duration) => Ok(duration),
            Some(_) | None => Err(format!("cannot be \"{}\": {wanted}", printable(text))),
        }
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

/// A day, as TOML has it or in quotes.
pub(super) fn date(value: &Value) -> Checked<Date> {
    const WANTED: &str = "write a day, as in 2027-01-31";
    let (Value::Datetime(text) | Value::Text(text)) = value else {
        return Err(format!("is {}: {WANTED}", value.kind()));
    };
    let refused = || format!("cannot be \"{}\": {WANTED}", printable(text));
    // Strictly: what follows a day would be passed over.
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == *text);
    day.ok_or_else(refused)
}

/// A whole number of seconds in the largest unit that divides it.
pub(super) fn show_duration(duration: Duration) -> String {
    let total = duration.as_secs();
    let unit = UNITS.into_iter().find(|(_, seconds)| total.is_multiple_of(*seconds) && total >= *seconds);
    let (unit, seconds) = unit.unwrap_or(('s', 1));
    format!("{}{unit}", total / seconds)
}

/// One of a few words.
pub(super) fn choice<T: Copy>(choices: &'static [(&'static str, T)]) -> impl Fn(&Value) -> Checked<T> {
    move |value| {
        let word = text(value)?;
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice);
        found.ok_or_else(|| unknown_choice(word, choices.iter().map(|(name, _)| *name)))
    }
}

/// An absolute path without `..`.
pub(super) fn path(value: &Value) -> Checked<PathBuf> {
    let text = text(value)?;
    if text.is_empty() {
        return Err("is empty: write an absolute path".into());
    }
    if text.chars().any(char::is_control) {
        return Err("has a control character in it: write a plain path".into());
    }
    if !text.starts_with('/') {
        let shown = printable(text);
        return Err(format!("is the relative path \"{shown}\": write where it starts, as in \"/…/{shown}\""));
    }
    if text.split('/').any(|part| part == "..") {
        return Err(format!("has `..` in it: write where \"{}\" leads", printable(text)));
    }
    Ok(PathBuf::from(text))
}

/// The path of a Unix socket.
pub(super) fn socket(value: &Value) -> Checked<PathBuf> {
    let path = path(value)?;
    let length = path.as_os_str().len();
    if length > MAX_SOCKET_PATH {
        return Err(format!(
            "has {length} bytes: a socket's path may have {MAX_SOCKET_PATH}, write a shorter one"
        ));
    }
    if path.to_string_lossy().ends_with('/') {
        return Err("ends in `/`: write the path of the socket itself".into());
    }
    Ok(path)
}

/// The path of a Unix socket; empty for none.
pub(super) fn socket_or_none(value: &Value) -> Checked<Option<PathBuf>> {
    if matches!(value, Value::Text(text) if text.is_empty()) { Ok(None) } else { socket(value).map(Some) }
}

/// The name of a systemd credential.
pub(super) fn credential(value: &Value) -> Checked<String> {
    credential_name(text(value)?)
}

/// As [`credential`], of a text.
pub(super) fn credential_name(text: &str) -> Checked<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if text.is_empty() || text.len() > 255 || text.starts_with('.') || !text.bytes().all(plain) {
        return Err("is no name of a credential: write its name, as in \"mfad-key\", and no path".into());
    }
    Ok(text.to_owned())
}

/// The name of an account of this host.
pub(super) fn account(value: &Value) -> Checked<String> {
    let text = text(value)?;
    match UserName::new(text) {
        Ok(name) => Ok(name.into()),
        Err(error) => Err(format!("cannot be \"{}\": {error}", printable(text))),
    }
}

/// The name of a host.
pub(super) fn host_name(value: &Value) -> Checked<String> {
    let text = text(value)?;
    let part = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (1..=63).contains(&part.len()) && part.bytes().all(plain) && !part.starts_with('-')
    };
    if text.len() > 253 || !text.split('.').all(part) {
        return Err(format!(
            "cannot be \"{}\": write the name of a host, as \"host.example.org\"",
            printable(text)
        ));
    }
    Ok(text.to_owned())
}

/// The name or address of a host; of IPv6 without brackets.
pub(super) fn host_or_address(value: &Value) -> Checked<String> {
    let text = text(value)?;
    if text.parse::<std::net::Ipv6Addr>().is_ok() { Ok(text.to_owned()) } else { host_name(value) }
}

/// Whose mail it is: a mail address as plain as they are in practice, alone or after a name, in `<>`.
pub(super) fn sender(value: &Value) -> Checked<String> {
    let text = line(254)(value)?;
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name, address),
        None => ("", text.as_str()),
    };
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>,;:\"()\\@".contains(c);
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    let whole = address.split_once('@').is_some_and(|(local, domain)| part(local) && part(domain));
    if !whole || name.contains(['<', '>', '@', '\\']) {
        return Err(format!(
            "cannot be \"{}\": write an address, as \"mfad@example.org\" or \"Example <mfad@example.org>\"",
            printable(&text)
        ));
    }
    Ok(text)
}

/// What people call a factor.
pub(super) fn label(value: &Value) -> Checked<FactorLabel> {
    let text = text(value)?;
    FactorLabel::new(text).map_err(|error| format!("cannot be \"{}\": {error}", printable(text)))
}

/// A list of at least one name of a kind.
pub(super) fn names<T>(example: &'static str) -> impl Fn(&Value) -> Checked<Vec<T>>
where
    T: PartialEq + std::str::FromStr<Err: Display>,
{
    let placed = placed_names(example);
    move |value| Ok(placed(value)?.into_iter().map(|(_, name)| name).collect())
}

/// The same, each name with its place.
pub(super) fn placed_names<T>(example: &'static str) -> impl Fn(&Value) -> Checked<Vec<(Place, T)>>
where
    T: PartialEq + std::str::FromStr<Err: Display>,
{
    move |value| {
        list(value, example, |name| {
            name.parse::<T>().map_err(|error| format!("cannot hold \"{}\": {error}", printable(name)))
        })
    }
}

/// A list of at least one of a few words.
pub(super) fn words<T: Copy + PartialEq>(
    choices: &'static [(&'static str, T)],
) -> impl Fn(&Value) -> Checked<Vec<T>> {
    move |value| {
        let example = choices.first().map_or("", |(word, _)| *word);
        let one = |word: &str| {
            let found = choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice);
            found.ok_or_else(|| unknown_choice(word, choices.iter().map(|(name, _)| *name)))
        };
        Ok(list(value, example, one)?.into_iter().map(|(_, word)| word).collect())
    }
}

/// A list of at least one text, each read by `read`; what stands twice counts once.
pub(super) fn list<T: PartialEq>(
    value: &Value,
    example: &str,
    read: impl Fn(&str) -> Checked<T>,
) -> Checked<Vec<(Place, T)>> {
    let wanted = format!("write a list, as in [\"{example}\"]");
    let Value::Array(list) = value else { return Err(format!("is {}: {wanted}", value.kind())) };
    if list.is_empty() {
        return Err(format!("is an empty list, which nothing matches: {wanted}, or leave it out"));
    }
    let mut found: Vec<(Place, T)> = Vec::with_capacity(list.len());
    for node in list {
        let one = text(&node.value).map_err(|_| format!("holds {}: {wanted}", node.value.kind()))?;
        let one = read(one)?;
        if !found.iter().any(|(_, other)| *other == one) {
            found.push((node.place, one));
        }
    }
    Ok(found)
}

/// One line to show to a person, of at most `most` bytes.
pub(super) fn line(most: usize) -> impl Fn(&Value) -> Checked<String> {
    move |value| {
        let text = text(value)?;
        if text.trim().is_empty() {
            return Err("is empty: write what is to be shown".into());
        }
        if text.len() > most {
            return Err(format!("has {} bytes: write at most {most}", text.len()));
        }
        if mfa_proto::text::escape_for_log(text) != text {
            return Err("has control characters or line ends in it: write one plain line".into());
        }
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("30d", 2_592_000), ("0s", 0)] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "s", "90", "90 s", "-1s", "+1s", "1.5h", "1h30m", "1w", "٣s", "99999999999999999999s"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(parse_duration(&format!("{}d", u64::MAX)), None);
    }

    #[test]
    fn bounds_are_told_in_the_same_notation() {
        let error = duration(Duration::from_secs(1)..=Duration::from_secs(3600));
        let told = error(&Value::Text("0s".into())).unwrap_err();
        assert!(told.contains("from \"1s\" to \"1h\""), "{told}");
        let told = number(1_u32..=100)(&Value::Integer(Some(0))).unwrap_err();
        assert_eq!(told, "cannot be 0: write a whole number from 1 to 100");
        assert!(number(1_u32..=100)(&Value::Integer(None)).is_err());
    }

    #[test]
    fn paths_lead_from_the_root() {
        for bad in ["", "mfad.sock", "./x", "/a/../b", "/a\0b", "/a\nb"] {
            assert!(path(&Value::Text(bad.into())).is_err(), "{bad:?}");
        }
        assert_eq!(path(&Value::Text("/run/mfad".into())).unwrap(), PathBuf::from("/run/mfad"));
        assert!(socket(&Value::Text(format!("/{}", "x".repeat(107)))).is_err());
        assert!(socket(&Value::Text("/run/mfad/".into())).is_err());
        for bad in ["", "a/b", "..", "a b"] {
            assert!(credential(&Value::Text(bad.into())).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_shown_is_the_duration_read(seconds in 0_u64..=u64::MAX / 86_400) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Some(duration));
        }

        #[test]
        fn no_text_upsets_a_kind(word in "\\PC*|[0-9]{0,25}[smhd]|/.*") {
            let value = Value::Text(word);
            prop_assert!(duration(Duration::ZERO..=Duration::MAX)(&value).is_ok() || text(&value).is_ok());
            let kept = line(9)(&value).ok().or(credential(&value).ok()).unwrap_or_default();
            prop_assert!(!kept.chars().any(char::is_control));
            prop_assert!(socket_or_none(&value).ok().flatten().is_none_or(|path| path.is_absolute()));
        }
    }
}
