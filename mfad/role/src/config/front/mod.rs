//! `[web]`: the role that speaks HTTP, where it listens, and which clients may ask it for what.
//!
//! Both sides read it: `mfad-web` to know who a client is, core to judge what that client may ask. Refuses
//! plain HTTP on anything but this host, and secrets written out.

mod client;
mod linotp;
mod listen;

use std::{path::PathBuf, time::Duration};

pub use self::{
    client::{CertificateName, CertificatePrint, ClientProof, Right, Rights, WebClient},
    linotp::{LinOtp, LinOtpDetail},
    listen::{Dialect, Mount, PemFile, Place as WebPlace, Tls, WebListen},
};
use super::{
    kinds::{account, boolean, choice, duration, line, number, path, socket},
    reader::{Reader, Section},
    realm::Realm,
    tree::Place,
};

const SECOND: Duration = Duration::from_secs(1);
/// The most listeners.
const MAX_LISTENERS: usize = 16;
/// The most clients.
const MAX_CLIENTS: usize = 256;

/// The role that speaks HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Web {
    /// The account it runs as: the one that core takes for a front end.
    pub user: String,
    /// The socket on which core takes its questions. Mode 0660.
    pub core_socket: PathBuf,
    /// By what passwords are proven, for dialects that ask for one.
    pub passwords: Passwords,
    /// Where PAM proves them.
    pub password_socket: PathBuf,
    /// Where credentials are when the service manager hands over none.
    pub credentials_dir: PathBuf,
    /// The most connections at a time.
    pub max_connections: u32,
    /// The most connections from one address at a time; trusted proxies excepted.
    pub per_address_connections: u32,
    /// The longest body of a request, in bytes.
    pub max_body: u32,
    /// How long a connection may be idle, and the head of a request take to arrive.
    pub header_timeout: Duration,
    /// How long a whole request may take, its answer included.
    pub request_timeout: Duration,
    /// How long a challenge may be answered.
    pub transaction_lifetime: Duration,
    /// The most challenges that are open at a time; a quarter of them of one client.
    pub max_transactions: u32,
    /// Whether each request is logged.
    pub access_log: bool,
    /// What clients with Digest authentication are told that they log in to.
    pub digest_realm: String,
    /// What LinOTP's clients meet.
    pub linotp: LinOtp,
    /// Where it listens. Nowhere: the role is off.
    pub listen: Vec<WebListen>,
    /// Who may ask.
    pub clients: Vec<WebClient>,
}

/// By what passwords are proven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Passwords {
    /// By PAM, which `mfad-password` asks.
    Pam,
    /// By a directory, which egress asks: `[ldap]`.
    Ldap,
}

impl Web {
    /// Whether it listens anywhere.
    pub fn is_on(&self) -> bool {
        !self.listen.is_empty()
    }

    pub(super) fn read(
        reader: &mut Reader,
        root: &mut Section,
        (realms, has_directory): (&[Realm], bool),
    ) -> Self {
        let mut section = reader.section(root, "web");
        let s = &mut section;
        let minute = SECOND * 60;
        let ways = choice(&[("pam", Passwords::Pam), ("ldap", Passwords::Ldap)]);
        let passwords = reader.value(s, "passwords", Passwords::Pam, ways);
        if passwords.value == Passwords::Ldap && !has_directory {
            let message = "`web.passwords` cannot be \"ldap\" without a directory: add `servers` to [ldap]";
            reader.fault(passwords.place, message);
        }
        let mut read = Self {
            user: reader.value(s, "user", "mfad-web".into(), account).value,
            core_socket: reader.value(s, "core_socket", "/run/mfad/web.sock".into(), socket).value,
            passwords: passwords.value,
            password_socket: reader
                .value(s, "password_socket", "/run/mfad-password/password.sock".into(), socket)
                .value,
            credentials_dir: reader.value(s, "credentials_dir", "/etc/mfad/web".into(), path).value,
            max_connections: reader.value(s, "max_connections", 1024, number(1..=10_000)).value,
            per_address_connections: reader.value(s, "per_address_connections", 64, number(1..=10_000)).value,
            max_body: reader.value(s, "max_body", 65_536, number(1024..=1_048_576)).value,
            header_timeout: reader.value(s, "header_timeout", SECOND * 10, duration(SECOND..=minute)).value,
            request_timeout: reader
                .value(s, "request_timeout", SECOND * 90, duration(SECOND * 5..=minute * 10))
                .value,
            transaction_lifetime: reader
                .value(s, "transaction_lifetime", SECOND * 120, duration(SECOND * 10..=minute * 10))
                .value,
            max_transactions: reader.value(s, "max_transactions", 256, number(4..=4096)).value,
            access_log: reader.value(s, "access_log", true, boolean).value,
            digest_realm: reader.value(s, "digest_realm", "mfad".into(), realm).value,
            linotp: LinOtp::read(reader, s, realms),
            listen: Vec::new(),
            clients: Vec::new(),
        };
        let (listeners, clients) = (reader.sections(s, "listen"), reader.sections(s, "client"));
        reader.close(section);
        let first = listeners.first().map(|(place, _)| *place);
        read.listen = read_listeners(reader, listeners);
        read.clients = read_clients(reader, clients, !read.listen.is_empty());
        let asks_for_certificates =
            |listen: &WebListen| listen.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if read.clients.iter().any(|client| !client.proof.names.is_empty())
            && !read.listen.iter().any(asks_for_certificates)
        {
            let message =
                "a [[web.client]] has `names`, and no listener asks for certificates: add `client_ca`";
            reader.fault(first, message);
        }
        let for_people = |mount: &Mount| mount.dialect == Dialect::Ceptor;
        let has_page = read.clients.iter().any(|client| client.proof.login_page);
        if !has_page && read.listen.iter().flat_map(|listen| &listen.dialects).any(for_people) {
            let message =
                "the dialect ceptor is spoken, and no [[web.client]] has `login_page = true`: add one";
            reader.fault(first, message);
        }
        read
    }

    /// Notes the keys of listeners and clients as known, though there may be none.
    pub(super) fn note_keys(reader: &mut Reader, place: Place) {
        let _none = listen::read(reader, place, Section::empty("web.listen"));
        let _none = client::read(reader, place, Section::empty("web.client"));
    }

    /// The names of the credentials that the role needs, each with the section that names it.
    pub fn credentials(&self) -> Vec<(String, &str)> {
        let of_client = |client: &'_ WebClient| format!("[[web.client]] \"{}\"", client.name);
        let clients = self.clients.iter();
        clients
            .flat_map(|client| client.proof.credentials().map(move |name| (of_client(client), name)))
            .collect()
    }
}

/// What is shown between quotes in a header.
fn realm(value: &super::tree::Value) -> super::kinds::Checked<String> {
    let text = line(64)(value)?;
    if text.chars().any(|c| !(c == ' ' || c.is_ascii_graphic()) || matches!(c, '"' | '\\' | ':')) {
        return Err("holds other characters than plain ASCII without quotes and `:`".into());
    }
    Ok(text)
}

fn read_listeners(reader: &mut Reader, tables: Vec<(Place, Section)>) -> Vec<WebListen> {
    let mut read: Vec<WebListen> = Vec::new();
    for (index, (place, table)) in tables.into_iter().enumerate() {
        if index == MAX_LISTENERS {
            reader.fault(Some(place), format!("this is one listener too many: keep {MAX_LISTENERS}"));
        }
        let Some(listen) = listen::read(reader, place, table) else { continue };
        if read.iter().any(|other| other.place == listen.place) {
            reader.fault(Some(place), "another [[web.listen]] has this address already: remove one");
        }
        read.push(listen);
    }
    read
}

fn read_clients(reader: &mut Reader, tables: Vec<(Place, Section)>, listens: bool) -> Vec<WebClient> {
    let mut read: Vec<WebClient> = Vec::new();
    for (index, (place, table)) in tables.into_iter().enumerate() {
        if index == MAX_CLIENTS {
            reader.fault(Some(place), format!("this is one client too many: keep {MAX_CLIENTS}"));
        }
        if !listens {
            reader.fault(Some(place), "this client has nowhere to ask: add [[web.listen]]");
        }
        let Some(client) = client::read(reader, place, table) else { continue };
        if client.proof.login_page && read.iter().any(|other| other.proof.login_page) {
            reader.fault(Some(place), "another client has `login_page` already: keep one");
        }
        if read.iter().any(|other| other.name == client.name) {
            let message =
                format!("another client is called \"{}\" too: give this one its own name", client.name);
            reader.fault(Some(place), message);
        }
        if let Some(name) =
            read.iter().flat_map(|other| &other.proof.names).find(|name| client.proof.names.contains(name))
        {
            let message = format!(
                "another client has `names` with \"{}\" too: whose certificate would that be?",
                name.as_str()
            );
            reader.fault(Some(place), message);
        }
        read.push(client);
    }
    read
}

#[cfg(test)]
mod tests;
