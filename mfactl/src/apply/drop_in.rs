//! The drop-in that makes sshd ask: the example of `etc/ssh`, with the way of logging in that is wanted.

/// Where it is written.
pub(crate) const DROP_IN: &str = "/etc/ssh/sshd_config.d/50-mfad.conf";
/// The example.
const EXAMPLE: &str = include_str!("../../../etc/ssh/sshd_config.d/50-mfad.conf");
/// How a file begins that was written here.
pub(super) const HEAD: &str = "# Written by mfactl pam enable; mfactl pam disable takes it out again.\n";
/// Password and code.
const PASSWORD: &str = "AuthenticationMethods keyboard-interactive\n";
/// Key and code.
const KEY: &str = "AuthenticationMethods publickey,keyboard-interactive\n";

/// What people log in to sshd with, beside the code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// The account's password.
    Password,
    /// A key.
    Key,
}

impl Way {
    /// The text of the drop-in.
    pub(crate) fn text(self) -> String {
        let example = match self {
            Self::Password => EXAMPLE.to_owned(),
            Self::Key => EXAMPLE
                .replace(&format!("\n{PASSWORD}"), &format!("\n#{PASSWORD}"))
                .replace(&format!("\n#{KEY}"), &format!("\n{KEY}")),
        };
        format!("{HEAD}{example}")
    }
}

/// Whether a drop-in was written here, whatever became of it.
pub(super) fn is_ours(text: &str) -> bool {
    text.starts_with(HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_is_the_only_one() {
        for (way, line) in [(Way::Password, PASSWORD), (Way::Key, KEY)] {
            let text = way.text();
            let said: Vec<&str> =
                text.lines().filter(|line| line.starts_with("AuthenticationMethods")).collect();
            assert_eq!(said, [line.trim_end()], "{text}");
            assert!(text.contains("\nKbdInteractiveAuthentication yes\n") && is_ours(&text));
        }
    }
}
