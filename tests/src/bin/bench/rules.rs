//! As many rules as a configuration may have, none of which matches a login that is measured: each login
//! looks through them all. Refuses to have them explained: they are of one action, so that nothing is noted.

use std::fmt::Write as _;

use mfa_tests::sys::unix_now;

/// How many rules there are: the most that are taken.
pub(crate) const RULES: u32 = 1000;

/// The rules, as TOML that goes on in `[policy]`: by user, service, source, time, key and group, taking turns.
pub(crate) fn section() -> String {
    let begin = String::from("timezone = \"UTC\"\n");
    (0..RULES).fold(begin, |mut all, number| {
        let matches = match number % 6 {
            0 => format!("user = [\"nobody{number}\", \"admin{number}\"]"),
            1 => format!("service = [\"vpn{number}\", \"web{number}\"]"),
            2 => format!("source = [\"10.{}.{}.0/24\"]", number / 250, number % 250),
            3 => format!("hours = [\"{}\"]", later(u64::from(number / 6))),
            4 => format!("key_type = [\"sk-*\"], service = [\"web{number}\"]"),
            _ => format!("group = [\"root\"], user = [\"nobody{number}\"]"),
        };
        write!(all, "[[policy.rule]]\nname = \"r{number}\"\nmatch = {{ {matches} }}\naction = \"deny\"\n")
            .expect("a String takes all");
        all
    })
}

/// A minute of the day that is hours away, however long the run takes.
fn later(number: u64) -> String {
    let minute = unix_now() / 60 + 8 * 60 + number * 2;
    let clock = |minute: u64| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    format!("{}-{}", clock(minute), clock(minute + 1))
}
