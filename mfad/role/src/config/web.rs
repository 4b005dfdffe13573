//! What all calls over HTTP have in common: where they go, what proves who calls, what they send.
//!
//! Refuses plain HTTP to another host, user and password within an address, and secrets written out:
//! they are named, and egress alone reads them.

use std::{
    net::{IpAddr, Ipv6Addr},
    path::PathBuf,
};

use super::{
    kinds::{Checked, credential, line, path, text},
    reader::{Reader, Section},
    suggest::printable,
    template::{Allowed, Fact, Template, template},
    tree::Value,
};

/// The longest address, in bytes.
const MAX_URL: usize = 1024;
/// The longest value of a header, or of a field of a form, in bytes.
const MAX_VALUE: usize = 2048;
/// The most headers, and the most fields of a form.
const MAX_FIELDS: usize = 32;
/// Headers that say how a message is framed, which is not the administrator's to say.
const FRAMING: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

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

/// Whom to trust, and what proves who calls.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Access {
    /// The certificates trusted instead of the system's: a file in PEM.
    pub ca: Option<PathBuf>,
    /// With a credential: the user name of Basic authentication (RFC 7617).
    pub user: Option<String>,
    /// The name of the password; without a user, of a bearer token (RFC 6750).
    pub credential: Option<String>,
}

impl Access {
    pub(super) fn read(reader: &mut Reader, section: &mut Section) -> Self {
        let user = reader.optional(section, "user", line(256));
        let credential = reader.optional(section, "credential", credential);
        if user.value.is_some() && credential.place.is_none() {
            reader.fault(user.place, "`user` needs `credential` beside it: the name of its password");
        }
        if user.value.as_deref().is_some_and(|user| user.contains(':')) {
            reader.fault(user.place, "`user` holds `:`, which ends a user name in HTTP: write one without");
        }
        let ca = reader.optional(section, "ca", path);
        Self { ca: ca.value, user: user.value, credential: credential.value }
    }
}

/// A name and what is sent under it.
pub type Field = (String, Template);

/// The fields of a table such as `headers = { "X-Key" = "{credential:key}" }`.
pub(super) fn fields(
    reader: &mut Reader,
    section: &mut Section,
    key: &'static str,
    allowed: Allowed,
) -> Vec<Field> {
    let entries = reader.entries(section, key);
    let mut fields = Vec::with_capacity(entries.len());
    for (index, (name, entry)) in entries.into_iter().enumerate() {
        let shown = printable(&name);
        if index == MAX_FIELDS {
            reader.fault(Some(entry.key), format!("`{key}` has one entry too many: keep {MAX_FIELDS}"));
        }
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            reader.fault(
                Some(entry.key),
                format!("`{shown}` is no name for an entry of `{key}`: write a plain one"),
            );
        }
        match template(MAX_VALUE, true, allowed)(&entry.node.value) {
            Ok(value) => fields.push((name, value)),
            Err(message) => reader.fault(Some(entry.node.place), format!("`{key}.{shown}` {message}")),
        }
    }
    fields
}

/// The headers a gateway wants beside those of HTTP itself.
pub(super) fn headers(reader: &mut Reader, section: &mut Section, allowed: Allowed) -> Vec<Field> {
    let place = section.place_of("headers");
    let headers = fields(reader, section, "headers", allowed);
    for (name, value) in &headers {
        let shown = printable(name);
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !name.bytes().all(token) {
            reader.fault(
                place,
                format!("`headers.{shown}` is no name of a header: write one as \"X-Api-Key\""),
            );
        }
        if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
            reader.fault(place, format!("`headers.{shown}` is set by HTTP itself: remove it"));
        }
        let breaks = |piece: &super::template::Piece| matches!(piece, super::template::Piece::Text(text) if text.contains('\n'));
        if value.pieces().iter().any(breaks) {
            reader.fault(place, format!("`headers.{shown}` has a line end in it: write one line"));
        }
    }
    headers
}

/// What a call for an outside service is told beside user and code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Argument {
    /// What it is at that time.
    Fact(Fact),
    /// Always the same.
    Literal(String),
}

/// The facts an argument may be.
const ARGUMENTS: &[Fact] = &[Fact::User, Fact::RemoteUser, Fact::Service, Fact::Source, Fact::Host];

/// Names under which user and code are sent by one contract or another.
const SENT_ANYWAY: [&str; 3] = ["user", "code", "pass"];

/// The arguments of a table such as `verify_args = { ip = "source", realm = "'corp'" }`.
pub(super) fn arguments(
    reader: &mut Reader,
    section: &mut Section,
    key: &'static str,
) -> Vec<(String, Argument)> {
    let mut arguments = Vec::new();
    for (name, entry) in reader.entries(section, key) {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(word) {
            let shown = printable(&name);
            reader.fault(
                Some(entry.key),
                format!("`{key}` holds `{shown}`, no name of an argument: write letters and digits"),
            );
        }
        if SENT_ANYWAY.contains(&name.as_str()) {
            let message = format!("`{key}.{name}` is sent anyway: remove it");
            reader.fault(Some(entry.key), message);
        }
        match argument(&entry.node.value) {
            Ok(value) => arguments.push((name, value)),
            Err(message) => {
                reader.fault(Some(entry.node.place), format!("`{key}.{}` {message}", printable(&name)));
            }
        }
    }
    if arguments.len() > MAX_FIELDS {
        let place = section.place_of(key);
        reader.fault(place, format!("`{key}` has too many entries: keep {MAX_FIELDS}"));
    }
    arguments
}

fn argument(value: &Value) -> Checked<Argument> {
    let text = line(256)(value)?;
    let quoted = |quote| text.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    if let Some(literal) = quoted('\'').or_else(|| quoted('"')) {
        return Ok(Argument::Literal(literal.to_owned()));
    }
    Fact::of(&text, ARGUMENTS).map(Argument::Fact).ok_or_else(|| {
        let list = Fact::list(ARGUMENTS, |name| format!("\"{name}\""));
        format!(
            "cannot be \"{}\": write one of {list}, or a fixed text in quotes of its own, as \"'text'\"",
            printable(&text)
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    #[test]
    fn an_argument_is_a_fact_or_has_quotes_of_its_own() {
        let read = |text: &str| argument(&Value::Text(text.to_owned()));
        assert_eq!(read("source").unwrap(), Argument::Fact(Fact::Source));
        assert_eq!(read("'corp'").unwrap(), Argument::Literal("corp".into()));
        assert_eq!(read("\"corp\"").unwrap(), Argument::Literal("corp".into()));
        for bad in ["corp", "code", "'", "number", ""] {
            assert!(read(bad).is_err(), "{bad:?}");
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
