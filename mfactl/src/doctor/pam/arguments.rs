//! The arguments of `pam_mfa.so`, as `pam_mfa(8)` has them.

use mfa_proto::text::escape_for_log;

/// Seconds that a login may take where nothing is said.
pub(in crate::doctor) const TIMEOUT: u64 = 60;
const LONGEST_TIMEOUT: u64 = 600;

/// What a line says to the module.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::doctor) struct Arguments {
    /// `socket=`.
    pub(in crate::doctor) socket: Option<String>,
    /// `timeout=`, seconds.
    pub(in crate::doctor) timeout: Option<u64>,
    /// `unavailable=ignore`.
    pub(in crate::doctor) ignore_unavailable: bool,
    /// `combined`.
    pub(in crate::doctor) combined: bool,
}

impl Arguments {
    /// Reads them; says of each that the module refuses why.
    pub(super) fn read(given: &[String]) -> (Self, Vec<String>) {
        let mut arguments = Self::default();
        let mut faults = Vec::new();
        for (at, argument) in given.iter().enumerate() {
            let name = argument.split_once('=').map_or(argument.as_str(), |(name, _)| name);
            let same =
                |other: &String| other.split_once('=').map_or(other.as_str(), |(name, _)| name) == name;
            let fault =
                if given.iter().take(at).any(same) { Some("given twice") } else { arguments.take(argument) };
            faults.extend(fault.map(|why| format!("`{}`: {why}", escape_for_log(argument))));
        }
        (arguments, faults)
    }

    fn take(&mut self, argument: &str) -> Option<&'static str> {
        match argument.split_once('=') {
            None if argument == "combined" => self.combined = true,
            Some(("unavailable", "ignore")) => self.ignore_unavailable = true,
            Some(("unavailable", _)) => return Some("only `ignore` can be chosen"),
            Some(("timeout", seconds)) => {
                let digits = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
                let number = seconds.parse().ok().filter(|n| digits && (1..=LONGEST_TIMEOUT).contains(n));
                self.timeout = number;
                return number.is_none().then_some("the timeout must be 1 to 600, in seconds");
            }
            Some(("socket", path)) => {
                let plain = path
                    .strip_prefix('/')
                    .is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
                self.socket = plain.then(|| path.to_owned());
                return (!plain || path.len() > 107)
                    .then_some("it is no whole, plain path of at most 107 bytes");
            }
            Some(_) | None => return Some("it is not known"),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(given: &[&str]) -> usize {
        let given: Vec<String> = given.iter().map(|&text| text.to_owned()).collect();
        Arguments::read(&given).1.len()
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
}
