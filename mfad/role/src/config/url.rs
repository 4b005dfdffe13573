//! Addresses of HTTP: where calls go.
//!
//! Refuses plain HTTP to another host, user and password within an address, and everything that two
//! readers could take for two hosts.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    kinds::{Checked, text},
    template::{Allowed, Template},
    tree::Value,
};

/// The longest address, in bytes.
const MAX_URL: usize = 1024;

/// An address of HTTP: host and port are fixed, what follows may be a template.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Url {
    /// Scheme, host and port: `https://sms.example.org:8443`.
    pub origin: String,
    /// The host alone, as written; an IPv6 address in brackets.
    pub host: String,
    /// Whether it is within this host, the one place where plain HTTP may go.
    pub loopback: bool,
    /// Path and query, beginning with `/`. What is filled in is to be percent-encoded.
    pub path: Template,
}

impl Url {
    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// Reads an address; `allowed` may stand in braces in its path and query.
    pub(super) fn parse(url: &str, allowed: Allowed) -> Checked<Self> {
        let wanted = "write one as \"https://host.example.org/path\"";
        if url.len() > MAX_URL {
            return Err(format!("has {} bytes: write at most {MAX_URL}", url.len()));
        }
        let odd =
            |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`' | '|' | '#');
        if let Some(odd) = url.chars().find(|c| odd(*c)) {
            return Err(format!("holds `{}`, which no address may: {wanted}", odd.escape_default()));
        }
        let (https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(format!("is no address of HTTP: {wanted}")),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("holds a user or password: name them with `user` and `credential`".into());
        }
        let host = host(authority).ok_or_else(|| format!("names no host: {wanted}"))?;
        let loopback = is_loopback(host);
        if !https && !loopback {
            return Err(
                "sends secrets unencrypted: write https:// (http:// is for 127.0.0.1, [::1] and localhost)"
                    .into(),
            );
        }
        let scheme = if https { "https" } else { "http" };
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            host: host.to_owned(),
            loopback,
            path: Template::parse(
                &if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
                allowed,
            )?,
        })
    }
}

/// An address of HTTP, as a kind of value.
pub(super) fn url(allowed: Allowed) -> impl Fn(&Value) -> Checked<Url> {
    move |value| Url::parse(text(value)?, allowed)
}

/// The host of `host:port`; `None` when either is none.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = if authority.starts_with('[') {
        let (inner, port) = authority.strip_prefix('[')?.split_once(']')?;
        inner.parse::<Ipv6Addr>().ok()?;
        (authority.get(..inner.len().saturating_add(2))?, port)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        let (host, port) = authority.split_at_checked(end)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !host.chars().all(plain) || !host.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        (host, port)
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Some(host),
        Some(port) => {
            port.parse::<u16>().ok().filter(|number| *number > 0 && !port.starts_with('+')).map(|_| host)
        }
        None => None,
    }
}

/// Whether a host as written is this one, whatever a name server says.
pub(super) fn is_loopback(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || plain.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::template::Fact, *};

    const ALLOWED: Allowed = Allowed { facts: &[Fact::RemoteUser], credentials: false };

    #[test]
    fn an_address_has_a_host_and_a_path() {
        for (text, origin, host, loopback) in [
            ("https://a.example.org", "https://a.example.org", "a.example.org", false),
            ("https://a:8443/x?y=1", "https://a:8443", "a", false),
            ("http://localhost/", "http://localhost", "localhost", true),
            ("http://127.0.0.1:80/", "http://127.0.0.1:80", "127.0.0.1", true),
            ("http://[::1]:8080/x", "http://[::1]:8080", "[::1]", true),
            ("https://192.0.2.1", "https://192.0.2.1", "192.0.2.1", false),
        ] {
            let url = Url::parse(text, ALLOWED).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(
                (url.origin.as_str(), url.host.as_str(), url.loopback),
                (origin, host, loopback),
                "{text}"
            );
        }
        let path = Url::parse("https://a/u/{remote_user}/check", ALLOWED).unwrap().path;
        assert!(path.has(Fact::RemoteUser));
    }

    #[test]
    fn addresses_that_leak_or_mislead_are_refused() {
        for (text, part) in [
            ("http://sms.example.org/", "unencrypted"),
            ("http://127.0.0.1.example.org/", "unencrypted"),
            ("http://127.1/", "unencrypted"),
            ("http://0x7f.0.0.1/", "unencrypted"),
            ("http://localhost.example.org/", "unencrypted"),
            ("https://user:word@a/", "`credential`"),
            ("http://localhost@evil.example.org/", "`credential`"),
            ("https://a\\@b/", "holds `\\\\`"),
            ("https://a/ b", "holds ` `"),
            ("https://a/#x", "holds `#`"),
            ("https://ä/", "no address may"),
            ("https://", "names no host"),
            ("https://:443/", "names no host"),
            ("https://a:0/", "names no host"),
            ("https://a:+1/", "names no host"),
            ("https://a:99999/", "names no host"),
            ("https://[::1/", "names no host"),
            ("https://[::1]x/", "names no host"),
            ("https://{remote_user}/", "names no host"),
            ("https://a/{code}", "stands for nothing"),
            ("ftp://a/", "no address of HTTP"),
            ("a.example.org", "no address of HTTP"),
        ] {
            let told = Url::parse(text, ALLOWED).unwrap_err();
            assert!(told.contains(part), "{text:?} gave {told:?}");
        }
    }

    proptest! {
        #[test]
        fn plain_http_never_leaves_this_host(rest in "[a-z0-9.:@/\\[\\]\\\\%-]{0,30}") {
            let Ok(url) = Url::parse(&format!("http://{rest}"), ALLOWED) else { return Ok(()) };
            let host = url.host.trim_matches(['[', ']']);
            prop_assert!(host == "localhost" || host.parse::<IpAddr>().unwrap().is_loopback());
        }
    }
}
