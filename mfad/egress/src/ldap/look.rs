//! What a directory has of a person beside the password: telephone number, mail address, sealed TOTP secrets.
//!
//! Takes over, and opens nothing. Refuses to choose among addresses, and to have odd secrets look like none.

use std::sync::Arc;

use ldap3::SearchEntry;
use mfa_proto::{
    egress::{Found, MAX_SEALED},
    name::UserName,
    secret::{MAX_SECRET, SecretText},
};
use mfa_role::config::LdapLook;
use tracing::warn;

use super::{Directory, LdapTrouble, search::values};

/// What is found, or why what is there cannot be taken: that is an answer, and no other server is asked.
type Taken = Result<Option<Found>, LdapTrouble>;

impl Directory {
    /// What the directory has of a person; `None` when there is not exactly one entry of that name. The servers are
    /// asked in turn until one says so or not.
    pub async fn look(self: Arc<Self>, user: &UserName) -> Taken {
        self.in_turn(user, |directory, index| directory.look_at(index, user.clone())).await?
    }

    async fn look_at(self: Arc<Self>, index: usize, user: UserName) -> Result<Taken, LdapTrouble> {
        let Some(wanted) = &self.look else { return Ok(Err(LdapTrouble::NotAsked)) };
        let Some(server) = self.servers.get(index) else { return Err(LdapTrouble::Garbled) };
        let attributes: Vec<&str> = wanted.attributes().collect();
        let entry = self.find(server, &user, &attributes).await?;
        let read = |entry| Reader { entry, user: &user, name: &self.name_attribute, wanted }.read();
        Ok(entry.map(read).transpose())
    }
}

/// One entry, and what is wanted of it.
struct Reader<'a> {
    entry: SearchEntry,
    user: &'a UserName,
    /// The attribute that has the name.
    name: &'a str,
    wanted: &'a LdapLook,
}

impl Reader<'_> {
    fn read(&self) -> Result<Found, LdapTrouble> {
        let address = |attribute: &Option<String>| attribute.as_deref().and_then(|name| self.address(name));
        let sealed = self.wanted.secret_attribute.as_deref().map(|name| self.sealed(name)).transpose()?;
        Ok(Found {
            phone: address(&self.wanted.phone_attribute),
            mail: address(&self.wanted.mail_attribute),
            sealed: sealed.unwrap_or_default(),
        })
    }

    /// The one value; several are as good as none, and so is one that cannot be an address.
    fn address(&self, attribute: &str) -> Option<SecretText> {
        let values = values(&self.entry.attrs, attribute);
        let odd = match values {
            Some([value]) => match SecretText::new(value.trim().to_owned()) {
                Ok(address) if address.expose().is_empty() => "an empty value",
                Ok(address) => return Some(address),
                Err(_) => "a value that is too long",
            },
            Some([_, _, ..]) => "more than one value",
            None if self.is_binary(attribute) => "a value that is no text",
            Some([]) | None => return None,
        };
        warn!(user = %self.user, "the LDAP directory has {odd} of {attribute}: none was taken");
        None
    }

    /// All of them, or none at all.
    fn sealed(&self, attribute: &str) -> Result<Vec<SecretText>, LdapTrouble> {
        if self.is_binary(attribute) {
            return Err(LdapTrouble::OddSecret);
        }
        let Some(values) = values(&self.entry.attrs, attribute) else {
            return if self.has_strangers() { Err(LdapTrouble::OtherNames) } else { Ok(Vec::new()) };
        };
        if values.len() > MAX_SEALED {
            return Err(LdapTrouble::TooManySecrets);
        }
        let is_plain = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let is_whole = |value: &&String| (1..=MAX_SECRET).contains(&value.len()) && is_plain(value);
        let taken = values.iter().filter(is_whole).filter_map(|value| SecretText::new(value.clone()).ok());
        let taken: Vec<_> = taken.collect();
        if !taken.is_empty() && taken.len() == values.len() { Ok(taken) } else { Err(LdapTrouble::OddSecret) }
    }

    fn is_binary(&self, attribute: &str) -> bool {
        values(&self.entry.bin_attrs, attribute).is_some()
    }

    /// Whether there are attributes that were not asked for by this name: one with options, or under the name
    /// that the server has for it (RFC 4512 2.5).
    fn has_strangers(&self) -> bool {
        let is_asked = |name: &str| {
            let mut asked = self.wanted.attributes().chain([self.name]);
            asked.any(|other| other.eq_ignore_ascii_case(name))
        };
        let mut names = self.entry.attrs.keys().chain(self.entry.bin_attrs.keys());
        names.any(|name| !is_asked(name))
    }
}
