//! What `sshd -T` prints: a keyword and its values in each line.

/// The settings of sshd.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    lines: Vec<(String, String)>,
}

impl Settings {
    /// Reads them.
    pub(crate) fn read(text: &str) -> Self {
        let line = |line: &str| {
            let (key, value) = line.trim().split_once(char::is_whitespace)?;
            Some((key.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self { lines: text.lines().filter_map(line).collect() }
    }

    /// The value of a keyword; empty where sshd does not know it.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.lines.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value)
    }

    /// Whether a keyword says yes.
    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.get(key) == "yes"
    }

    /// Whether logins may be by keyboard-interactive, whose older name is the second.
    pub(crate) fn asks(&self) -> bool {
        self.is_on("kbdinteractiveauthentication") || self.is_on("challengeresponseauthentication")
    }

    /// The ways to log in, each a list of methods that are all needed. Without `AuthenticationMethods`: each method
    /// that is on, alone.
    pub(crate) fn ways(&self) -> Vec<Vec<String>> {
        let written = self.get("authenticationmethods");
        if self.names_methods() {
            let way = |way: &str| way.split(',').map(|method| plain(method).to_owned()).collect();
            return written.split_whitespace().map(way).collect();
        }
        let methods = [
            ("publickey", self.is_on("pubkeyauthentication")),
            ("hostbased", self.is_on("hostbasedauthentication")),
            ("gssapi-with-mic", self.is_on("gssapiauthentication")),
            ("password", self.is_on("passwordauthentication")),
            ("keyboard-interactive", self.asks()),
        ];
        methods.into_iter().filter(|(_, on)| *on).map(|(name, _)| vec![name.to_owned()]).collect()
    }

    /// Whether an administrator wrote the ways down.
    pub(crate) fn names_methods(&self) -> bool {
        !matches!(self.get("authenticationmethods"), "" | "any")
    }

    /// Seconds until sshd hangs up; `None` when it never does.
    pub(crate) fn grace(&self) -> Option<u64> {
        self.get("logingracetime").parse().ok().filter(|seconds| *seconds > 0)
    }
}

/// `keyboard-interactive:pam` is `keyboard-interactive`.
fn plain(method: &str) -> &str {
    method.split_once(':').map_or(method, |(method, _)| method)
}
