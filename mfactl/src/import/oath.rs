//! `users.oath` of `pam_oath`, which is the file format of mod-authn-otp: type, user, PIN, key in hex, counter,
//! last code, time of the last login, on one line for each token.

use mfa_proto::admin::Algorithm;

use super::{
    entry::{self, Factor, Found, Params, Parsed, Whose},
    key::Key,
    note::Note,
    reason::Reason,
};

/// Reads all lines.
pub(super) fn read(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for (line, text) in super::lines(text).filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
        let fields: Vec<&str> = text.split_whitespace().collect();
        // The second field is a name only where the first is a type.
        let whose = match fields.as_slice() {
            [kind, user, ..] if Kind::of(kind).is_ok() => Whose::firm(user),
            _ => Whose::default(),
        };
        parsed.take(line, whose, token(&fields));
    }
    parsed
}

fn token(fields: &[&str]) -> Result<Found, Reason> {
    let count = Reason::Fields { found: fields.len(), wanted: "4 to 7 (type, user, PIN, key …)" };
    let [kind, _user, pin, key, rest @ ..] = fields else { return Err(count) };
    if rest.len() > 3 {
        return Err(count);
    }
    let kind = Kind::of(kind)?;
    if !matches!(*pin, "-" | "+") {
        return Err(Reason::Pin);
    }
    let key = Key::from_hex(key)?;
    let (params, mut notes) = kind.at(rest)?;
    notes.extend((*pin == "+").then_some(Note::OutsidePin));
    Ok(Found { factor: Factor { params, key, label: None }, recovery: Vec::new(), notes })
}

/// The first field: `HOTP`, `HOTP/E/8`, `HOTP/T30`, `HOTP/T60/8`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Kind {
    /// Seconds of a step; `None` counts.
    period: Option<u64>,
    digits: u64,
}

impl Kind {
    fn of(text: &str) -> Result<Self, Reason> {
        let mut parts = text.split('/');
        if parts.next() != Some("HOTP") {
            return Err(Reason::Kind);
        }
        let period = match parts.next() {
            None | Some("E") => None,
            Some(step) => Some(number(step.strip_prefix('T').ok_or(Reason::Kind)?).ok_or(Reason::Kind)?),
        };
        let digits = parts.next().map_or(Some(6), number).ok_or(Reason::Kind)?;
        if parts.next().is_some() { Err(Reason::Kind) } else { Ok(Self { period, digits }) }
    }

    /// With the fields after the key. What stands there for HOTP is the counter of the last code that was
    /// accepted, and the first counter to try as long as none was: liboath keeps the one apart from the other
    /// by the code beside it.
    fn at(self, rest: &[&str]) -> Result<(Params, Vec<Note>), Reason> {
        let moving = rest.first().filter(|field| **field != "-");
        let used = rest.get(1).is_some_and(|code| *code != "-");
        let Some(period) = self.period else {
            let counter = moving.map_or(Some(0), |text| number(text)).ok_or(Reason::Counter)?;
            let next = counter.checked_add(u64::from(used)).ok_or(Reason::Counter)?;
            return Ok((entry::hotp(Algorithm::Sha1, self.digits, next)?, Vec::new()));
        };
        let steps: i64 = moving.map_or(Ok(0), |text| text.parse()).map_err(|_| Reason::Counter)?;
        let notes = if steps == 0 { Vec::new() } else { vec![Note::Skew { steps }] };
        Ok((entry::totp(Algorithm::Sha1, self.digits, period)?, notes))
    }
}

/// Digits and nothing else: `parse` alone takes a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use mfa_proto::admin::{HotpParams, TotpParams};

    use super::*;

    /// Written by liboath 2.6.7 after one login of each user but erin and gina.
    const USED: &str = include_str!("../../tests/import/users.oath");
    const KEY: &str = "3132333435363738393031323334353637383930";

    fn counted(digits: u8, counter: u64) -> Params {
        Params::Hotp(HotpParams { algorithm: Algorithm::Sha1, digits, counter })
    }

    fn timed(digits: u8, period: u16) -> Params {
        Params::Totp(TotpParams { algorithm: Algorithm::Sha1, digits, period })
    }

    #[test]
    fn a_file_that_pam_oath_has_used() {
        let parsed = read(USED);
        let found: Vec<_> =
            parsed.entries.iter().map(|e| (e.line, e.whose.clone(), e.factor.params)).collect();
        let user = Whose::firm;
        assert_eq!(
            found,
            [
                (2, user("alice"), counted(6, 5)), // code 4 was the last
                (3, user("bob"), counted(8, 8)),
                (4, user("carol"), timed(6, 30)),
                (5, user("dora"), timed(8, 60)),
                (8, user("gina"), timed(6, 45)),
            ]
        );
        assert_eq!(parsed.entries[3].notes, [Note::OutsidePin]);
        let rejected: Vec<_> = parsed.rejected.into_iter().map(|r| (r.line, r.whose, r.why)).collect();
        assert_eq!(rejected, [(6, user("erin"), Reason::Pin), (7, user("frank"), Reason::Digits(7))]);
    }

    #[test]
    fn a_counter_that_was_not_used_is_the_next() {
        for (rest, counter) in [("", 0), (" 7", 7), (" 7 -", 7), (" 7 123456", 8), (" - ", 0)] {
            let parsed = read(&format!("HOTP alice - {KEY}{rest}"));
            assert_eq!(parsed.entries[0].factor.params, counted(6, counter), "{rest:?}");
        }
        let parsed = read(&format!("HOTP/T30 alice - {KEY} -3"));
        assert_eq!(parsed.entries[0].notes, [Note::Skew { steps: -3 }]);
    }

    #[test]
    fn lines_that_are_none_are_told_without_what_they_hold() {
        let fields = |found| Reason::Fields { found, wanted: "4 to 7 (type, user, PIN, key …)" };
        for (text, why) in [
            ("HOTP", fields(1)),
            ("HOTP alice -", fields(3)),
            ("HOTP alice - 00 0 1 2 3", fields(8)),
            ("HOTP/X alice - 00", Reason::Kind),
            ("HOTP/T+30 alice - 00", Reason::Kind),
            ("HOTP/E/6/6 alice - 00", Reason::Kind),
            ("MOTP alice - 00", Reason::Kind),
            ("alice HOTP - 00", Reason::Kind),
            ("HOTP alice hunter2 00", Reason::Pin),
        ] {
            let parsed = read(text);
            assert_eq!(parsed.rejected[0].why, why, "{text:?}");
        }
        for (rest, why) in
            [(" x", Reason::Counter), (" -1", Reason::Counter), (" 18446744073709551615 1", Reason::Counter)]
        {
            assert_eq!(read(&format!("HOTP alice - {KEY}{rest}")).rejected[0].why, why, "{rest:?}");
        }
        assert!(matches!(read("HOTP root - 00").rejected[0].why, Reason::Key(_)));
        assert_eq!(
            read("HOTP/T10 alice - 3132333435363738393031323334353637383930").rejected[0].why,
            Reason::Period
        );
    }
}
