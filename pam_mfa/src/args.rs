//! The arguments on the module's line in the PAM configuration.
//!
//! Refuses what it does not know, what is malformed, and what is given twice: a misspelt argument must
//! not leave a login weaker than its administrator believes, so it denies until it is put right.

use std::{
    ffi::CStr,
    fmt,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use mfa_proto::{login::Dialogue, text::escape_for_log};

/// The socket of hosts that run as root: mode 0600.
pub(crate) const SOCKET: &str = "/run/mfad/mfad.sock";
/// The socket of hosts that run as the person itself, such as screen lockers.
pub(crate) const USER_SOCKET: &str = "/run/mfad/user.sock";

const DEFAULT_TIMEOUT: u64 = 60;
const LONGEST_TIMEOUT: u64 = 600;
/// `sun_path` holds 108 bytes with the terminating NUL (unix(7)).
const LONGEST_SOCKET: usize = 107;

/// What an administrator can choose.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Arguments {
    /// Another socket than the default ones.
    pub(crate) socket: Option<PathBuf>,
    /// The time a whole login may take.
    pub(crate) timeout: Duration,
    /// Whether a login passes this module by while there is no daemon.
    pub(crate) ignore_unavailable: bool,
    /// Whether the client has one field for password and code.
    pub(crate) dialogue: Dialogue,
}

/// An argument that is refused, and why.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct BadArgument {
    argument: String,
    why: &'static str,
}

impl fmt::Display for BadArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { argument, why } = self;
        write!(f, "argument \"{argument}\": {why}; correct the line of pam_mfa.so in the PAM configuration")
    }
}

impl Arguments {
    /// Reads the arguments in any order.
    pub(crate) fn parse(given: &[&CStr]) -> Result<Self, BadArgument> {
        let (mut socket, mut timeout, mut ignore, mut combined) = (None, None, None, None);
        for bytes in given {
            let text = bytes.to_string_lossy();
            let taken = match text.split_once('=') {
                Some(("socket", path)) => socket_path(path).and_then(|v| once(&mut socket, v)),
                Some(("timeout", seconds)) => seconds_of(seconds).and_then(|v| once(&mut timeout, v)),
                Some(("unavailable", "ignore")) => once(&mut ignore, ()),
                Some(("unavailable", _)) => Err("only `ignore` can be chosen"),
                None if text == "combined" => once(&mut combined, ()),
                Some(_) | None => Err("not known"),
            };
            let refused = |why| BadArgument { argument: escape_for_log(&text), why };
            taken.map_err(refused)?;
        }
        Ok(Self {
            socket,
            timeout: timeout.unwrap_or(Duration::from_secs(DEFAULT_TIMEOUT)),
            ignore_unavailable: ignore.is_some(),
            dialogue: if combined.is_some() { Dialogue::Combined } else { Dialogue::Interactive },
        })
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("given twice"),
    }
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

    fn parse(given: &[&CStr]) -> Result<Arguments, String> {
        Arguments::parse(given).map_err(|bad| bad.to_string())
    }

    #[test]
    fn without_arguments_the_daemon_is_needed_within_a_minute() {
        let Arguments { socket, timeout, ignore_unavailable, dialogue } = parse(&[]).unwrap();
        assert_eq!((socket, timeout), (None, Duration::from_secs(60)));
        assert_eq!((ignore_unavailable, dialogue), (false, Dialogue::Interactive));
    }

    #[test]
    fn all_arguments_are_taken_in_any_order() {
        let all = [c"combined", c"timeout=600", c"unavailable=ignore", c"socket=/run/x/y.sock"];
        let arguments = parse(&all).unwrap();
        assert_eq!(arguments.socket.as_deref(), Some(Path::new("/run/x/y.sock")));
        assert_eq!(arguments.timeout, Duration::from_secs(600));
        assert!(arguments.ignore_unavailable);
        assert_eq!(arguments.dialogue, Dialogue::Combined);
        assert_eq!(parse(&[c"timeout=1"]).unwrap().timeout, Duration::from_secs(1));
    }

    #[test]
    fn whatever_is_not_understood_is_refused_by_name() {
        let bad = [
            c"debug",
            c"",
            c"=",
            c"tiemout=5",
            c"nullok",
            c"combined=yes",
            c"Combined",
            c"combined ",
            c"timeout",
            c"timeout=",
            c"timeout=0",
            c"timeout=601",
            c"timeout=+5",
            c"timeout= 5",
            c"timeout=-1",
            c"timeout=5s",
            c"timeout=99999999999999999999999",
            c"unavailable",
            c"unavailable=",
            c"unavailable=Ignore",
            c"unavailable=ignore ",
            c"unavailable=deny",
            c"socket=",
            c"socket",
            c"socket=relative.sock",
            c"socket=/",
            c"socket=/run/../x",
            c"socket=/run/./x",
            c"socket=/run//x",
            c"socket=/run/x/",
            c"socket=/\xff",
        ];
        for argument in bad {
            let refused = parse(&[argument]).unwrap_err();
            let name = escape_for_log(&argument.to_string_lossy());
            assert!(refused.contains(&format!("\"{name}\"")), "{refused}");
        }
        let long = std::ffi::CString::new(format!("socket=/{}", "x".repeat(107))).unwrap();
        assert!(parse(&[&long]).unwrap_err().contains("107"));
    }

    #[test]
    fn what_is_given_twice_is_refused() {
        for twice in [c"combined", c"timeout=5", c"unavailable=ignore", c"socket=/a/b"] {
            assert!(parse(&[twice, twice]).unwrap_err().contains("given twice"));
        }
    }

    #[test]
    fn an_argument_cannot_forge_a_log_line() {
        assert!(!parse(&[c"x\nmfad: accepted"]).unwrap_err().contains('\n'));
    }
}
