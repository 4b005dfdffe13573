//! The secrets of gateways and services, by the names that the configuration has for them.
//!
//! Read once, when the role starts or reads its configuration again, so that a missing one shows then.

use std::{collections::BTreeMap, fmt};

use mfa_role::credentials::{CredentialError, Credentials};
use zeroize::Zeroizing;

/// The longest secret, in bytes: room for a signed token.
const MAX_SECRET: usize = 8192;

/// A secret of a gateway. Redacted when printed, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself. Every call is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The secrets that a configuration names.
#[derive(Debug, Default)]
pub struct Secrets {
    known: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Without any.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads one by name, unless it has been.
    pub fn read(&mut self, from: &Credentials, name: &str) -> Result<(), CredentialError> {
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), Secret(from.read_up_to(name, MAX_SECRET)?));
        }
        Ok(())
    }

    /// One that was read.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.known.get(name)
    }

    /// Those of these names alone.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let known = names.iter().filter_map(|name| Some(((*name).to_owned(), self.get(name)?.clone())));
        Self { known: known.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_shows_no_secret() {
        let secret = Secret(Zeroizing::new("marker".into()));
        let secrets = Secrets { known: [("name".to_owned(), secret)].into() };
        assert_eq!(format!("{secrets:?}"), r#"Secrets { known: {"name": Secret(redacted)} }"#);
    }
}
