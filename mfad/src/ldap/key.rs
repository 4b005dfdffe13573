//! The key that seals secrets in the directory: a credential of core's, apart from the keys of the store.
//!
//! Refuses a key that is not 256 bits in hexadecimal digits: a pass phrase would be guessed from one value that
//! leaked.

use hkdf::Hkdf;
use mfa_proto::secret::SecretText;
use mfa_role::credentials::{CredentialError, Credentials};
use sha2::Sha256;
use std::{fmt, path::Path};
use zeroize::Zeroizing;

use crate::{
    config::Config,
    seal::{KeyId, unhex},
};

/// Bytes of a key's id.
pub(super) const ID: usize = 8;

const SEALS: &[u8] = b"mfad ldap totp seal 1";
const NAMES: &[u8] = b"mfad ldap totp key id 1";

/// What the key was made into. Redacted when printed, wiped when dropped.
pub struct ValueKey {
    id: String,
    seal: Zeroizing<[u8; 32]>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The credential cannot be had.
    #[error("[ldap] secret_key: {0}")]
    Credential(#[from] CredentialError),
    /// It is no key.
    #[error(
        "[ldap] secret_key: the credential {0} is no key: it has to be 64 hexadecimal digits, as `openssl rand -hex 32` prints them"
    )]
    NoKey(String),
}

/// Reads the key from the credential that the configuration names, if it names one.
pub fn load_key(config: &Config) -> Result<Option<ValueKey>, KeyError> {
    let Some(look) = config.ldap().look() else { return Ok(None) };
    look.secret_key.as_ref().map(|name| read(&look.secret_key_dir, name)).transpose()
}

fn read(directory: &Path, name: &str) -> Result<ValueKey, KeyError> {
    let text = Credentials::new(directory).read(name)?;
    ValueKey::parse(&text).ok_or_else(|| KeyError::NoKey(name.to_owned()))
}

impl ValueKey {
    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn parse(text: &SecretText) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        unhex(text.expose().as_bytes(), &mut *key)?;
        let derive = Hkdf::<Sha256>::new(None, &*key);
        let (mut seal, mut id) = (Zeroizing::new([0; 32]), [0_u8; ID]);
        derive.expand(SEALS, &mut *seal).ok()?;
        derive.expand(NAMES, &mut id).ok()?;
        Some(Self { id: KeyId::from_bytes(id).to_string(), seal })
    }

    /// What it is called in the values that it seals: 16 hexadecimal digits that tell nothing of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn seal(&self) -> &[u8; 32] {
        &self.seal
    }
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueKey({}, redacted)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_is_not_printed() {
        let parse = |text: &str| ValueKey::parse(&SecretText::new(text.to_owned()).unwrap());
        let digits = "00112233445566778899aabbccddeeff".repeat(2);
        let key = parse(&digits).unwrap();
        assert_eq!(key.id().len(), 2 * ID);
        assert_eq!(parse(&digits.to_ascii_uppercase()).unwrap().id(), key.id());
        assert!(format!("{key:?}").contains("redacted") && !digits.contains(key.id()), "{key:?}");
        for other in ["", "correct horse battery staple", digits.get(1..).unwrap(), &format!("{digits}0")] {
            assert!(parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_credential_is_told_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let told = || read(dir.path(), "ldap-key").unwrap_err().to_string();
        assert!(told().contains("there is no credential ldap-key"), "{}", told());
        let path = dir.path().join("ldap-key");
        fs::write(&path, "MARKER-is-no-key\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(told().contains("openssl rand -hex 32") && !told().contains("MARKER"), "{}", told());
        fs::write(&path, format!("{}\n", "ab".repeat(32))).unwrap();
        read(dir.path(), "ldap-key").unwrap();
    }
}
