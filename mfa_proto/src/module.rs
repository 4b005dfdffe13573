//! The arguments on the line of `pam_mfa.so`: what the module takes, and `mfactl doctor` reads.
//!
//! Refuses what it does not know, what is malformed, and what is given twice: a misspelt argument must
//! not leave a login weaker than its administrator believes.

use std::{
    path::{Component, Path, PathBuf},
    time::Duration,
};

/// How long a login may take where `timeout=` does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that it can say, in seconds.
const LONGEST_TIMEOUT: u64 = 600;
/// `sun_path` holds 108 bytes with the terminating NUL (unix(7)).
const LONGEST_SOCKET: usize = 107;

/// What an administrator has chosen; nothing at first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Arguments {
    /// Another socket than the default ones.
    pub socket: Option<PathBuf>,
    /// The time a whole login may take, where it was given.
    pub timeout: Option<Duration>,
    /// A login passes the module by while there is no daemon.
    pub ignore_unavailable: bool,
    /// The client has one field for password and code.
    pub combined: bool,
}

impl Arguments {
    /// Takes one argument more; else why it is refused, and nothing is changed.
    pub fn take(&mut self, text: &str) -> Result<(), &'static str> {
        match text.split_once('=') {
            Some(("socket", path)) => once(&mut self.socket, socket_path(path)?),
            Some(("timeout", seconds)) => once(&mut self.timeout, seconds_of(seconds)?),
            Some(("unavailable", "ignore")) => once_set(&mut self.ignore_unavailable),
            Some(("unavailable", _)) => Err("only `ignore` can be chosen"),
            None if text == "combined" => once_set(&mut self.combined),
            Some(_) | None => Err("not known"),
        }
    }
}

const TWICE: &str = "given twice";

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), &'static str> {
    if place.is_some() {
        return Err(TWICE);
    }
    *place = Some(value);
    Ok(())
}

fn once_set(place: &mut bool) -> Result<(), &'static str> {
    if std::mem::replace(place, true) { Err(TWICE) } else { Ok(()) }
}

fn socket_path(text: &str) -> Result<PathBuf, &'static str> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err("the path of the socket must begin with `/`");
    }
    if text.len() > LONGEST_SOCKET {
        return Err("the path of the socket is longer than 107 bytes, the most a socket can have");
    }
    // Taken apart as text: `components` would hide a `/./` and a doubled slash.
    let plain = text.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
    if !plain || !matches!(path.components().next_back(), Some(Component::Normal(_))) {
        return Err("the path of the socket must name a file, without `.`, `..` or empty parts");
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err("the path of the socket must be UTF-8");
    }
    Ok(path.to_owned())
}

fn seconds_of(text: &str) -> Result<Duration, &'static str> {
    const WHY: &str = "the timeout must be 1 to 600, in seconds";
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(WHY);
    }
    match text.parse() {
        Ok(seconds @ 1..=LONGEST_TIMEOUT) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err(WHY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of them are refused.
    fn faults(given: &[&str]) -> usize {
        let mut arguments = Arguments::default();
        given.iter().filter(|text| arguments.take(text).is_err()).count()
    }

    #[test]
    fn what_the_module_takes_is_taken_and_all_else_told() {
        assert_eq!(faults(&["combined", "timeout=600", "unavailable=ignore", "socket=/run/x/y.sock"]), 0);
        for bad in [
            "debug",
            "nullok",
            "combined=yes",
            "timeout=0",
            "timeout=601",
            "timeout=+5",
            "unavailable=deny",
            "socket=x",
            "socket=/run/../x",
            "socket=/",
        ] {
            assert_eq!(faults(&[bad]), 1, "{bad}");
        }
        assert_eq!(faults(&["timeout=5", "timeout=5"]), 1);
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut arguments = Arguments::default();
        arguments.take("timeout=5").unwrap();
        let before = arguments.clone();
        for bad in ["timeout=6", "timeout=601", "socket=x", "unavailable=deny", "combined=yes"] {
            assert!(arguments.take(bad).is_err(), "{bad}");
            assert_eq!(arguments, before, "{bad}");
        }
    }
}
