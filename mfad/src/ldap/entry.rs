//! Asks what the directory has of a person, and makes of it what the store can take in.
//!
//! Refuses to guess: what cannot be used is named as that, and an answer that is none says nothing of the person.

use mfa_proto::{
    admin::FactorKind,
    egress::{Found, Medium},
    name::UserId,
    secret::SecretText,
};

use super::{Broken, Sealed, ValueKey, open};
use crate::{
    config::LdapLook,
    core::Core,
    factor::{Address, Params, Secret},
    outgoing::Undone,
    settings::Settings,
    store::{Entry, Unusable},
};

/// What the directory says of a person.
#[derive(Debug)]
pub struct Asked {
    /// Whether there is exactly one entry of the person.
    pub found: bool,
    /// What it has, as far as it was asked for.
    pub entry: Entry,
}

/// Why it is not known what the directory has.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nothing says what to ask for.
    #[error(
        "the directory is not asked about people: set phone_attribute, mail_attribute or secret_attribute in [ldap]"
    )]
    Unconfigured,
    /// Realms other than the host's own may have other people of the same name.
    #[error("the directory is asked about accounts of this host alone")]
    OtherRealm,
    /// It could not be asked.
    #[error("the directory cannot be asked: {0}")]
    Undone(#[from] Undone),
}

/// Asks about a person, and notes whether that could be done.
pub async fn ask(core: &Core, settings: &Settings, user: &UserId) -> Result<Asked, AskError> {
    let (Some(look), Some(line)) = (settings.config().ldap().look(), settings.line()) else {
        return Err(AskError::Unconfigured);
    };
    if !user.realm.is_local() {
        return Err(AskError::OtherRealm);
    }
    let found = core.outgoing().look(line, (user.clone(), settings.directory_patience())).await;
    core.last_look_up().note(core.now(), found.as_ref().map(|_| ()));
    let found = found?;
    let reading = Reading { settings, look, user };
    let kinds = reading.kinds();
    let mut entry = Entry { kinds, has: Vec::new(), unusable: Vec::new() };
    let is_found = found.is_some();
    if let Some(found) = found {
        reading.take(*found, &mut entry);
    }
    Ok(Asked { found: is_found, entry })
}

/// An answer being read.
struct Reading<'a> {
    settings: &'a Settings,
    look: &'a LdapLook,
    user: &'a UserId,
}

impl Reading<'_> {
    fn key(&self) -> Option<&ValueKey> {
        self.settings.value_key().filter(|_| self.look.secret_attribute.is_some())
    }

    /// What the directory is asked for, and can be used here: a number is none where nothing sends to it.
    fn kinds(&self) -> Vec<FactorKind> {
        let config = self.settings.config();
        let asked = [
            (FactorKind::Sms, self.look.phone_attribute.is_some() && config.sms().is_on()),
            (FactorKind::Mail, self.look.mail_attribute.is_some() && config.mail().is_on()),
            (FactorKind::Totp, self.key().is_some()),
        ];
        asked.into_iter().filter(|(_, asked)| *asked).map(|(kind, _)| kind).collect()
    }

    fn take(&self, found: Found, entry: &mut Entry) {
        let Found { phone, mail, sealed } = found;
        let digits = self.settings.for_store().sent.digits;
        for (medium, text) in [(Medium::Sms, phone), (Medium::Mail, mail)] {
            let params = match medium {
                Medium::Sms => Params::Sms { digits },
                Medium::Mail => Params::Mail { digits },
            };
            if let Some(text) = text.filter(|_| entry.kinds.contains(&params.kind())) {
                address(entry, (medium, params), &text);
            }
        }
        if let Some(key) = self.key() {
            for value in &sealed {
                self.secret(entry, key, value);
            }
        }
    }

    fn secret(&self, entry: &mut Entry, key: &ValueKey, value: &SecretText) {
        match open(key, self.user, value) {
            Ok(Sealed { params, seed }) => entry.has.push((Params::Totp(params), seed.into())),
            Err(broken) => {
                let (kind, word, why) = (FactorKind::Totp, word(&broken), broken.to_string());
                entry.unusable.push(Unusable { kind, word, why });
            }
        }
    }
}

fn address(entry: &mut Entry, (medium, params): (Medium, Params), text: &SecretText) {
    match Address::of(medium, text) {
        Ok(address) => entry.has.push((params, Secret::Address(address))),
        Err(why) => {
            entry.unusable.push(Unusable { kind: params.kind(), word: "address", why: why.to_string() });
        }
    }
}

/// Why a sealed value cannot be used, in the trail.
const fn word(broken: &Broken) -> &'static str {
    match broken {
        Broken::Form => "form",
        Broken::Parameters => "parameters",
        Broken::OtherKey { .. } => "other_key",
        Broken::Sealed => "sealed",
        Broken::Seed => "seed",
        Broken::NoRandomness => "randomness",
    }
}
