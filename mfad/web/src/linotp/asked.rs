//! What a call carries, read as LinOTP reads it: empty is as good as absent, and names have realms.
//!
//! Refuses names that can be nobody's, without telling them from names that are nobody's.

use mfa_proto::name::{RealmName, UserId, UserName};
use mfa_role::config::LinOtp;

use crate::call::Params;

/// The parameter that proves a session, which is none of a verb's.
const SESSION: &str = "session";
/// The parameter that says how errors come back.
const HTTPERROR: &str = "httperror";

/// The parameters of one call.
#[derive(Debug)]
pub(super) struct Asked(Params);

impl Asked {
    /// Of a call.
    pub(super) fn new(params: Params) -> Self {
        Self(params)
    }

    /// A parameter, when it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|value| !value.is_empty())
    }

    /// A parameter as it came, which may be empty.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// Whether a parameter says yes.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// What a verb may be asked beside what every call may have, empty values among it.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(name, _)| ![SESSION, HTTPERROR].contains(name))
    }

    /// The session that it claims to be of.
    pub(super) fn session(&self) -> Option<&str> {
        self.get(SESSION)
    }

    /// How errors are to come back, where it says so.
    pub(super) fn httperror(&self) -> Option<&str> {
        self.raw(HTTPERROR)
    }

    /// Whom it is about: `Ok(None)` when no name is there, `Err` when it can be nobody's.
    pub(super) fn user(&self, terms: &LinOtp) -> Result<Option<UserId>, NoName> {
        let Some(given) = self.get("user") else { return Ok(None) };
        user(given, self.get("realm"), terms).map(Some)
    }
}

/// A name that can be nobody's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoName;

/// Name and realm of a user. A realm beside it goes before the one in it.
pub(super) fn user(given: &str, beside: Option<&str>, terms: &LinOtp) -> Result<UserId, NoName> {
    let given = given.trim();
    let (name, within) = match given.rsplit_once('@') {
        Some((name, realm)) if terms.split_at_sign => (name, Some(realm).filter(|realm| !realm.is_empty())),
        Some(_) | None => (given, None),
    };
    let realm = match beside.or(within) {
        Some(realm) => RealmName::new(realm.to_lowercase()).map_err(|_| NoName)?,
        None => terms.default_realm.clone(),
    };
    let name = UserName::new(name).map_err(|_| NoName)?;
    // Nobody is of that realm, but devices are.
    if realm.is_unassigned() { Err(NoName) } else { Ok(UserId { realm, name }) }
}

#[cfg(test)]
mod tests {
    use mfa_role::config::{Config, Source};

    use super::*;

    fn terms(text: &str) -> LinOtp {
        let text = format!("[realm.home]\n[web.linotp]\n{text}");
        let config = Config::from_sources(&[Source { path: "m.toml".into(), text }]).unwrap();
        config.web().linotp.clone()
    }

    fn read(query: &str, terms: &LinOtp) -> Result<Option<String>, NoName> {
        let asked = Asked::new(Params::parse(query.as_bytes()));
        asked.user(terms).map(|user| user.map(|user| format!("{} in {}", user.name, user.realm)))
    }

    #[test]
    fn realms_stand_in_the_name_or_beside_it() {
        let terms = terms("default_realm = \"home\"\n");
        let found = |query: &str| read(query, &terms).unwrap().unwrap();
        assert_eq!(found("user=jane"), "jane in home");
        assert_eq!(found("user=jane&realm="), "jane in home");
        assert_eq!(found("user=jane@vpn"), "jane in vpn");
        assert_eq!(found("user=jane@VPN"), "jane in vpn");
        assert_eq!(found("user=jane@"), "jane in home");
        assert_eq!(found("user=jane@example.org@vpn"), "jane@example.org in vpn");
        assert_eq!(found("user=jane@vpn&realm=office"), "jane in office");
        assert_eq!(read("pass=1", &terms), Ok(None));
        assert_eq!(read("user=&pass=1", &terms), Ok(None));
        for nobody in
            ["user=jane@a/b", "user=@vpn", "user=OATH1@unassigned", "user=a%0Ab", "user=jane&realm=a%20b%2F"]
        {
            assert_eq!(read(nobody, &terms), Err(NoName), "{nobody}");
        }
    }

    #[test]
    fn names_may_hold_an_at_sign() {
        let terms = terms("split_at_sign = false\n");
        assert_eq!(read("user=jane@vpn", &terms), Ok(Some("jane@vpn in local".to_owned())));
    }
}
