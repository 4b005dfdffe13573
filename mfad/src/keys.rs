//! Where the keys come from: the file that the configuration names, or a credential of systemd.

use mfa_role::credentials::directory_handed_over;

use crate::{
    config::{Config, KeySource},
    seal::{KeyFileError, Keyring},
};

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A credential is configured, and systemd handed none over.
    #[error(
        "[core] credential = \"{0}\" is set, but the service manager handed none over: the unit needs LoadCredential= or LoadCredentialEncrypted="
    )]
    NoCredential(String),
}

/// Reads the keys from where the configuration says.
pub fn load(config: &Config) -> Result<Keyring, KeysError> {
    match &config.core().key {
        KeySource::File(path) => Ok(Keyring::load(path)?),
        KeySource::Credential(name) => {
            let directory = directory_handed_over().ok_or_else(|| KeysError::NoCredential(name.clone()))?;
            Ok(Keyring::load_credential(&directory.join(name))?)
        }
    }
}
