//! Whole numbers as JSON has them, where `2` and `2.0` are one number.
//!
//! Refuses what is no whole number, and what its type cannot hold.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Number;

/// A number that may be missing.
pub(super) fn option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    let number = Option::<Number>::deserialize(deserializer)?;
    number.map(|number| whole(&number).ok_or_else(|| D::Error::custom("no whole number"))).transpose()
}

fn whole<T: FromStr>(number: &Number) -> Option<T> {
    if !number.is_f64() {
        return number.to_string().parse().ok();
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
    let digits = format!("{float:.0}");
    // Minus zero is zero.
    digits.strip_prefix('-').filter(|rest| *rest == "0").unwrap_or(&digits).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(bound = "T: FromStr")]
    struct Holder<T> {
        #[serde(default = "missing", deserialize_with = "option")]
        number: Option<T>,
    }

    const fn missing<T>() -> Option<T> {
        None
    }

    fn read<T: FromStr>(number: &str) -> serde_json::Result<Option<T>> {
        let text = format!("{{\"number\":{number}}}");
        serde_json::from_str::<Holder<T>>(&text).map(|holder| holder.number)
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (text, expected) in [("2", 2_i64), ("2.0", 2), ("-98.0", -98), ("2e2", 200), ("-0.0", 0)] {
            assert_eq!(read(text).unwrap(), Some(expected), "{text}");
        }
        assert_eq!(read::<u64>("18446744073709551615").unwrap(), Some(u64::MAX));
        assert_eq!(read::<u8>("null").unwrap(), None);
        assert!(serde_json::from_str::<Holder<u8>>("{}").unwrap().number.is_none());
        for text in ["2.5", "\"2\"", "true", "[]", "256", "256.0", "-1", "1e300", "1e-1"] {
            assert!(read::<u8>(text).is_err(), "{text}");
        }
    }
}
