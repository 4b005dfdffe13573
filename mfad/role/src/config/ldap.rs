//! `[ldap]`: a directory that says whether a password is a person's, and what core may ask it about people.
//!
//! Refuses to send a password unencrypted to another host, and a filter that does not ask for the person.

mod look;

use std::{path::PathBuf, time::Duration};

use super::{
    kinds::{choice, credential, duration, host_or_address, line, list, number, path, socket},
    reader::{Reader, Section},
    template::{Allowed, Fact, Template, template},
    tree::Value,
    url::is_loopback,
};

pub use self::look::LdapLook;
pub(super) use self::look::Places;

/// The most servers: they share the time.
const MAX_SERVERS: usize = 4;
/// The longest distinguished name and filter, in bytes.
const MAX_LINE: usize = 1024;
const IN_FILTER: Allowed = Allowed { facts: &[Fact::User], credentials: false };

/// A directory, and where front ends have passwords proven by it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Ldap {
    /// The socket of egress at which web alone has passwords proven. Mode 0660.
    pub password_socket: PathBuf,
    /// The directory. Without one, there is no such socket.
    pub directory: Option<LdapDirectory>,
}

/// A directory: where it is, and how a person is found in it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LdapDirectory {
    /// In the order in which they are tried.
    pub servers: Vec<LdapServer>,
    /// The port of those that have one.
    pub port: u16,
    /// How connections to them are encrypted.
    pub tls: LdapTls,
    /// The certificates trusted instead of the system's: a file in PEM.
    pub ca: Option<PathBuf>,
    /// The account that looks people up.
    pub bind_dn: String,
    /// The name of its password.
    pub credential: String,
    /// Below which entry people are.
    pub base: String,
    /// What holds a person's name.
    pub name_attribute: String,
    /// What finds a person; `None` for the name alone.
    pub filter: Option<Template>,
    /// How long one password or one look-up may take, all servers together.
    pub timeout: Duration,
    /// What core asks about people; `None` when passwords are all it is there for.
    pub look: Option<LdapLook>,
}

/// Where a server is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LdapServer {
    /// A host's name, which its certificate has to show, or its address (IPv6 without brackets).
    Host(String),
    /// A Unix socket of this host.
    Socket(PathBuf),
}

/// How connections to hosts are encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LdapTls {
    /// After `StartTLS` (RFC 4511 4.14), without which nothing is sent.
    StartTls,
    /// From the first byte: `ldaps`.
    Tls,
    /// Not at all: within this host only.
    None,
}

impl LdapTls {
    fn port(self) -> u16 {
        match self {
            Self::Tls => 636,
            Self::StartTls | Self::None => 389,
        }
    }
}

impl Ldap {
    /// Whether passwords are proven by a directory.
    pub fn is_on(&self) -> bool {
        self.directory.is_some()
    }

    /// What core asks about people, where it asks at all.
    pub fn look(&self) -> Option<&LdapLook> {
        self.directory.as_ref()?.look.as_ref()
    }

    /// Also gives where things stand, for [`Places::check`].
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> (Self, Places) {
        let mut section = reader.section(root, "ldap");
        let s = &mut section;
        let default = PathBuf::from("/run/mfad-ldap/password.sock");
        let password_socket = reader.value(s, "password_socket", default, socket).value;
        let (directory, places) = read_directory(reader, s);
        reader.close(section);
        (Self { password_socket, directory }, places)
    }
}

fn read_directory(reader: &mut Reader, s: &mut Section) -> (Option<LdapDirectory>, Places) {
    let servers = reader.optional(s, "servers", servers);
    let words = choice(&[("starttls", LdapTls::StartTls), ("tls", LdapTls::Tls), ("none", LdapTls::None)]);
    let tls = reader.value(s, "tls", LdapTls::Tls, words);
    let port = reader.value(s, "port", tls.value.port(), number(1..=u16::MAX));
    let ca = reader.optional(s, "ca", path);
    let bind_dn = reader.optional(s, "bind_dn", line(MAX_LINE));
    let password = reader.optional(s, "credential", credential);
    let base = reader.optional(s, "base", line(MAX_LINE));
    let name_attribute = reader.value(s, "name_attribute", "uid".to_owned(), attribute);
    let filter = reader.optional(s, "filter", template(MAX_LINE, false, IN_FILTER));
    let seconds = duration(Duration::from_secs(1)..=Duration::from_secs(25));
    let timeout = reader.value(s, "timeout", Duration::from_secs(10), seconds);
    let asked = look::read(reader, s);
    if filter.value.as_ref().is_some_and(|filter| !filter.has(Fact::User)) {
        reader.fault(filter.place, "`ldap.filter` has no {user} in it: write where the name stands");
    }
    let plain_abroad = |server: &LdapServer| match server {
        LdapServer::Host(host) => tls.value == LdapTls::None && !is_loopback(host),
        LdapServer::Socket(_) => false,
    };
    if servers.value.iter().flatten().any(plain_abroad) {
        let message = "`ldap.tls` cannot be \"none\" to another host: write \"tls\" or \"starttls\"";
        reader.fault(tls.place, message);
    }
    for (found, key) in [(bind_dn.place, "bind_dn"), (password.place, "credential"), (base.place, "base")] {
        if servers.value.is_some() && found.is_none() {
            reader.fault(servers.place, format!("`ldap.servers` needs `{key} = \"…\"` beside it"));
        }
    }
    if servers.place.is_none() {
        let idle = [bind_dn.place, password.place, base.place, ca.place, filter.place, asked.first];
        let place = idle.into_iter().flatten().next();
        reader.fault(place, "this is for a directory: add `servers = [\"…\"]` to [ldap]");
    }
    let places = asked.places.with_timeout(timeout.place);
    let whole = || {
        Some(LdapDirectory {
            servers: servers.value?,
            port: port.value,
            tls: tls.value,
            ca: ca.value,
            bind_dn: bind_dn.value?,
            credential: password.value?,
            base: base.value?,
            name_attribute: name_attribute.value,
            filter: filter.value,
            timeout: timeout.value,
            look: asked.look,
        })
    };
    (whole(), places)
}

fn servers(value: &Value) -> Result<Vec<LdapServer>, String> {
    let one = |text: &str| {
        let value = Value::Text(text.to_owned());
        if text.starts_with('/') {
            socket(&value).map(LdapServer::Socket)
        } else {
            host_or_address(&value).map(LdapServer::Host)
        }
    };
    let servers: Vec<_> = list(value, "ldap.example.org", one)?.into_iter().map(|(_, one)| one).collect();
    if servers.len() > MAX_SERVERS {
        return Err(format!("has {} servers: keep {MAX_SERVERS}", servers.len()));
    }
    Ok(servers)
}

/// The name of an attribute (RFC 4512 1.4: a keystring).
fn attribute(value: &Value) -> Result<String, String> {
    let text = line(64)(value)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) || !text.bytes().all(plain) {
        return Err("is no name of an attribute: write one as \"uid\" or \"sAMAccountName\"".into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{assert_told, read, told},
        *,
    };

    const WHOLE: &str = "[ldap]\nservers = [\"a.example.org\", \"/run/ldapi\"]\nbind_dn = \"cn=m\"\ncredential = \"c\"\nbase = \"dc=x\"\n";

    #[test]
    fn a_directory_is_whole_or_told() {
        assert_eq!(told(WHOLE), [""; 0]);
        let config = read(WHOLE).unwrap();
        let directory = config.ldap().directory.as_ref().unwrap();
        assert_eq!((directory.port, directory.tls), (636, LdapTls::Tls));
        let servers = [LdapServer::Host("a.example.org".into()), LdapServer::Socket("/run/ldapi".into())];
        assert_eq!(directory.servers, servers);
        assert!(config.runs_egress() && !config.needs_egress(), "core has nothing to ask there");
        assert_eq!(config.credentials(), [("[ldap]".to_owned(), "c")]);
        for (more, start, part) in [
            ("tls = \"none\"", "m.toml:6:7: ", "to another host"),
            ("filter = \"(uid=jane)\"", "m.toml:6:10: ", "no {user}"),
            ("filter = \"(uid={remote_user})\"", "m.toml:6:10: ", "stands for nothing"),
            ("name_attribute = \"uid)(\"", "m.toml:6:18: ", "no name of an attribute"),
            ("timeout = \"30s\"", "m.toml:6:11: ", "to \"25s\""),
            ("ca = \"ca.pem\"", "m.toml:6:6: ", "relative path"),
        ] {
            assert_told(&format!("{WHOLE}{more}"), start, part);
        }
        for key in ["bind_dn", "credential", "base"] {
            let less: String = WHOLE.split_inclusive('\n').filter(|line| !line.starts_with(key)).collect();
            assert_told(&less, "m.toml:2:11: ", &format!("needs `{key}"));
        }
        assert_told("[ldap]\nbase = \"dc=x\"", "m.toml:2:8: ", "add `servers");
        assert_told("[ldap]\nservers = []", "m.toml:2:11: ", "empty list");
        assert_told("[ldap]\nservers = [\"ldaps://a\"]", "m.toml:2:11: ", "name of a host");
    }

    #[test]
    fn within_this_host_nothing_has_to_be_encrypted() {
        for server in ["127.0.0.1", "::1", "localhost", "/run/ldapi"] {
            let text = WHOLE.replace("\"a.example.org\", \"/run/ldapi\"", &format!("\"{server}\""));
            assert_eq!(told(&format!("{text}tls = \"none\"")), [""; 0], "{server}");
        }
    }

    #[test]
    fn front_ends_ask_the_directory_only_where_there_is_one() {
        assert_told("[web]\npasswords = \"ldap\"", "m.toml:2:13: ", "[ldap]");
        assert_eq!(told(&format!("{WHOLE}[web]\npasswords = \"ldap\"")), [""; 0]);
    }
}
