//! The arguments on the module's line in the PAM configuration.
//!
//! Refuses all that [`mfa_proto::module`] refuses, which `mfactl doctor` reads them by as well: it denies until
//! that is put right.

use std::{ffi::CStr, fmt, path::PathBuf, time::Duration};

use mfa_proto::{login::Dialogue, module, text::escape_for_log};

/// The socket of hosts that run as root: mode 0600.
pub(crate) const SOCKET: &str = "/run/mfad/mfad.sock";
/// The socket of hosts that run as the person itself, such as screen lockers.
pub(crate) const USER_SOCKET: &str = "/run/mfad/user.sock";

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
        let mut taken = module::Arguments::default();
        for bytes in given {
            let text = bytes.to_string_lossy();
            let refused = |why| BadArgument { argument: escape_for_log(&text), why };
            taken.take(&text).map_err(refused)?;
        }
        Ok(Self {
            socket: taken.socket,
            timeout: taken.timeout.unwrap_or(module::DEFAULT_TIMEOUT),
            ignore_unavailable: taken.ignore_unavailable,
            dialogue: if taken.combined { Dialogue::Combined } else { Dialogue::Interactive },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
