//! `[[web.listen]]`: where HTTP is spoken, by whom it is trusted, and which dialects are there.

use std::{fmt, net::SocketAddr, path::PathBuf};

use crate::config::{
    kinds::{Checked, credential_name, names, path, socket, text},
    policy::Network,
    reader::{Found, Reader, Section},
    suggest::{printable, unknown_choice},
    tree::{Place as At, Value},
};

/// The longest prefix of a dialect.
const MAX_PREFIX: usize = 64;

/// One listener.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WebListen {
    /// Where.
    pub place: Place,
    /// Its certificate; without one it speaks plain HTTP, which only this host hears.
    pub tls: Option<Tls>,
    /// Proxies whose word counts on where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// What is spoken, and under which prefix.
    pub dialects: Vec<Mount>,
}

/// Where a listener is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// At an address.
    Address(SocketAddr),
    /// At a Unix socket, mode 0660: for a proxy on this host.
    Socket(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// The certificate of a listener.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate and those above it, in PEM.
    pub certificate: PemFile,
    /// Its key, in PEM.
    pub key: PemFile,
    /// Whose certificates clients may show; without it none is asked for.
    pub client_ca: Option<PemFile>,
}

/// A file in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PemFile {
    /// At a path.
    Path(PathBuf),
    /// A credential of this name.
    Credential(String),
}

/// A dialect and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Mount {
    /// What is spoken.
    pub dialect: Dialect,
    /// What paths begin with: empty, or `/mfa` without a slash at the end.
    pub prefix: String,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// mfad's own API, `/v1`.
    V1,
    /// Ceptor's LDAP-OTP authentication, `/ceptorauthenticateldap/1`.
    Ceptor,
    /// The REST second factor of a `LemonLDAP::NG` portal, `/rest2f`.
    LemonLdap,
    /// LinOTP's, `/validate`, `/admin`, `/audit` and `/system`.
    LinOtp,
    /// ntopng's switch for its second factor, `/lua/admin/change_user_mfa.lua`.
    Ntopng,
}

impl Dialect {
    /// All there are, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("v1", Self::V1),
        ("ceptor", Self::Ceptor),
        ("lemonldap", Self::LemonLdap),
        ("linotp", Self::LinOtp),
        ("ntopng", Self::Ntopng),
    ];
}

/// A listener, when all it needs is there; else it has been told what is missing.
pub(super) fn read(reader: &mut Reader, at: At, mut section: Section) -> Option<WebListen> {
    let s = &mut section;
    let address = reader.optional(s, "address", address);
    let unix = reader.optional(s, "socket", socket);
    let tls = read_tls(reader, s);
    let proxies = reader.optional(s, "trusted_proxies", names("127.0.0.1"));
    let dialects = read_dialects(reader, s);
    reader.close(section);
    let place = match (&address, &unix) {
        (Found { value: Some(_), .. }, Found { value: Some(_), .. }) => {
            reader.fault(unix.place, "`address` and `socket` are both set: keep one");
            return None;
        }
        (Found { value: Some(found), .. }, _) => {
            if tls.is_none() && !found.ip().is_loopback() {
                let message = "plain HTTP is for this host alone: add `certificate` and `key`, or listen on \
                               127.0.0.1, [::1] or a `socket`";
                reader.fault(address.place, message);
            }
            Place::Address(*found)
        }
        (_, Found { value: Some(path), .. }) => Place::Socket(path.clone()),
        _ => {
            if address.place.is_none() && unix.place.is_none() {
                let message =
                    "this listener is not whole: add `address = \"127.0.0.1:8080\"` or `socket = \"/…\"`";
                reader.fault(Some(at), message);
            }
            return None;
        }
    };
    Some(WebListen { place, tls, trusted_proxies: proxies.value.unwrap_or_default(), dialects })
}

/// TLS needs certificate and key.
fn read_tls(reader: &mut Reader, s: &mut Section) -> Option<Tls> {
    let certificate = reader.optional(s, "certificate", pem);
    let key = reader.optional(s, "key", pem);
    let client_ca = reader.optional(s, "client_ca", pem);
    if certificate.place.is_some() != key.place.is_some() {
        let message = "`certificate` and `key` go together: write both";
        reader.fault(certificate.place.or(key.place), message);
    }
    if certificate.place.is_none() {
        reader.fault(client_ca.place, "`client_ca` needs `certificate` and `key` beside it");
    }
    Some(Tls { certificate: certificate.value?, key: key.value?, client_ca: client_ca.value })
}

/// What is spoken where; mfad's own API at the root when nothing is said.
fn read_dialects(reader: &mut Reader, s: &mut Section) -> Vec<Mount> {
    let place = s.place_of("dialects");
    let entries = reader.entries(s, "dialects");
    if place.is_none() {
        return vec![Mount { dialect: Dialect::V1, prefix: String::new() }];
    }
    if entries.is_empty() {
        reader.fault(place, "`dialects` is empty: write { v1 = \"/\" }");
    }
    let mut mounts = Vec::new();
    for (name, entry) in entries {
        let Some((_, dialect)) = Dialect::ALL.into_iter().find(|(known, _)| *known == name) else {
            let message = unknown_choice(&name, Dialect::ALL.iter().map(|(known, _)| *known));
            reader.fault(Some(entry.key), format!("`dialects` {message}"));
            continue;
        };
        match prefix(&entry.node.value) {
            Ok(prefix) => mounts.push(Mount { dialect, prefix }),
            Err(message) => reader.fault(Some(entry.node.place), format!("`dialects.{name}` {message}")),
        }
    }
    mounts
}

fn address(value: &Value) -> Checked<SocketAddr> {
    let text = text(value)?;
    let wanted = "write an address and a port, as \"127.0.0.1:8080\" or \"[::]:443\"";
    let parsed = text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
    parsed.ok_or_else(|| format!("cannot be \"{}\": {wanted}", printable(text)))
}

/// A path, or the name of a credential.
fn pem(value: &Value) -> Checked<PemFile> {
    let text = text(value)?;
    if text.starts_with('/') {
        return path(value).map(PemFile::Path);
    }
    let name = credential_name(text).map(PemFile::Credential);
    name.map_err(|_| "is neither a path, as \"/etc/…/cert.pem\", nor the name of a credential".into())
}

/// What paths begin with; `/` is the root.
fn prefix(value: &Value) -> Checked<String> {
    let text = text(value)?;
    if text == "/" {
        return Ok(String::new());
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    let sound = text.starts_with('/') && !text.ends_with('/') && !text.contains("//") && !text.contains("..");
    if !sound || text.len() > MAX_PREFIX || !text.bytes().all(plain) {
        return Err(format!(
            "cannot be \"{}\": write what paths begin with, as \"/\" or \"/mfa\"",
            printable(text)
        ));
    }
    Ok(text.to_owned())
}
