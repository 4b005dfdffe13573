//! What `[ldap]` has core ask about people: addresses and sealed secrets, from which attributes, when, and which
//! key opens the secrets.
//!
//! Refuses sealed secrets that nobody could open, a key that egress would read, and attributes that stand for two
//! things.

use std::{path::PathBuf, time::Duration};

use super::{
    super::{
        Config, KeySource,
        kinds::{boolean, credential, duration, path, show_duration},
        reader::{Found, Reader, Section},
        tree::Place,
    },
    attribute,
};

/// A day: what the directory said is not taken for true for longer.
const MAX_REFRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// What the directory is asked about people, and what core does with it. At least one attribute is there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LdapLook {
    /// What holds a person's telephone number, for codes by text message.
    pub phone_attribute: Option<String>,
    /// What holds a person's mail address, for codes by mail.
    pub mail_attribute: Option<String>,
    /// What holds a person's sealed TOTP secrets. There is a `secret_key` where it is, and only there.
    pub secret_attribute: Option<String>,
    /// The name of the credential that opens them: core's, never read by egress.
    pub secret_key: Option<String>,
    /// Where `secret_key` is when the service manager hands over none of its name.
    pub secret_key_dir: PathBuf,
    /// Whether the directory is asked when somebody logs in.
    pub at_login: bool,
    /// For how long what it said is good enough for further logins. Zero: every login asks.
    pub refresh: Duration,
}

/// Where things stand that do not go with other sections.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Places {
    secret_key: Option<Place>,
    secret_key_dir: Option<Place>,
    at_login: Option<Place>,
    timeout: Option<Place>,
}

/// What was read, and the first place that is idle without a directory.
pub(super) struct Read {
    pub(super) look: Option<LdapLook>,
    pub(super) first: Option<Place>,
    pub(super) places: Places,
}

pub(super) fn read(reader: &mut Reader, s: &mut Section) -> Read {
    let phone = reader.optional(s, "phone_attribute", attribute);
    let mail = reader.optional(s, "mail_attribute", attribute);
    let secret = reader.optional(s, "secret_attribute", attribute);
    let key = reader.optional(s, "secret_key", credential);
    let dir = reader.value(s, "secret_key_dir", "/etc/mfad/ldap-keys".into(), path);
    let at_login = reader.value(s, "at_login", false, boolean);
    let refresh =
        reader.value(s, "refresh", Duration::from_secs(600), duration(Duration::ZERO..=MAX_REFRESH));
    tell_halves(reader, &secret, &key);
    tell_one_for_two(reader, &[&phone, &mail, &secret]);
    let attributes = [phone.place, mail.place, secret.place];
    let wanted = at_login.place.filter(|_| at_login.value);
    if attributes.iter().all(Option::is_none) {
        let message = "nothing is asked of the directory: add `phone_attribute`, `mail_attribute` or \
                       `secret_attribute` to [ldap]";
        reader.fault(wanted, message);
    }
    let places =
        Places { secret_key: key.place, secret_key_dir: dir.place, at_login: at_login.place, timeout: None };
    let first = attributes.into_iter().chain([key.place, wanted]).flatten().next();
    let look = LdapLook {
        phone_attribute: phone.value,
        mail_attribute: mail.value,
        secret_attribute: secret.value,
        secret_key: key.value,
        secret_key_dir: dir.value,
        at_login: at_login.value,
        refresh: refresh.value,
    };
    let asks = look.attributes().next().is_some();
    Read { look: asks.then_some(look), first, places }
}

/// Sealed secrets and what opens them go together.
fn tell_halves(reader: &mut Reader, secret: &Found<Option<String>>, key: &Found<Option<String>>) {
    if secret.place.is_some() && key.place.is_none() {
        let message = "`ldap.secret_attribute` needs `secret_key = \"…\"` beside it: the name of the credential \
                       that opens the secrets";
        reader.fault(secret.place, message);
    }
    if secret.place.is_none() {
        let message = "this opens sealed secrets: add `secret_attribute = \"…\"` to [ldap]";
        reader.fault(key.place, message);
    }
}

/// A secret would be shown as an address, or sent to where a secret says.
fn tell_one_for_two(reader: &mut Reader, attributes: &[&Found<Option<String>>]) {
    let mut before: Vec<&str> = Vec::new();
    for found in attributes {
        let Some(name) = found.value.as_deref() else { continue };
        if before.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            reader.fault(found.place, "this attribute stands for two things: each has one of its own");
        }
        before.push(name);
    }
}

impl LdapLook {
    /// The attributes to ask for.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let all = [&self.phone_attribute, &self.mail_attribute, &self.secret_attribute];
        all.into_iter().filter_map(Option::as_deref)
    }
}

impl Places {
    /// Notes where the time of one look-up stands.
    pub(super) fn with_timeout(self, timeout: Option<Place>) -> Self {
        Self { timeout, ..self }
    }

    /// Tells what does not go with other sections.
    pub(in super::super) fn check(self, reader: &mut Reader, config: &Config) {
        let Some(directory) = &config.ldap.directory else { return };
        let Some(look) = &directory.look else { return };
        let login = config.core.login_timeout;
        if look.at_login && directory.timeout >= login {
            let message = format!(
                "`ldap.timeout` ({}) is not below `core.login_timeout` ({}): a login that asks the directory would never end in time",
                show_duration(directory.timeout),
                show_duration(login)
            );
            reader.fault(self.timeout.or(self.at_login), message);
        }
        let Some(key) = &look.secret_key else { return };
        if let Some((section, _)) = config.credentials().iter().find(|(_, name)| name == key) {
            let message = format!(
                "`ldap.secret_key` is a credential of {section} too, which egress reads: what opens sealed secrets is core's alone"
            );
            reader.fault(self.secret_key, message);
        }
        let signs =
            |name: &String| config.token.domains.iter().any(|d| [&d.seed, &d.signing_secret].contains(&name));
        let seals = matches!(&config.core.key, KeySource::Credential(name) if name == key);
        if signs(key) || seals {
            let message = "`ldap.secret_key` is another credential of core's too ([core], [token]): they are two secrets";
            reader.fault(self.secret_key, message);
        }
        if [&config.egress.credentials_dir, &config.web.credentials_dir].contains(&&look.secret_key_dir) {
            let message = "`ldap.secret_key_dir` is where egress or web has its credentials: what opens sealed secrets is core's alone";
            reader.fault(self.secret_key_dir.or(self.secret_key), message);
        }
    }
}

#[cfg(test)]
mod tests;
