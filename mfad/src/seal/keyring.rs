//! The keys in use: which one is current, which older ones can still be read.
//!
//! Keeps only what is derived from the key file, in one locked page. Refuses to write the key file in
//! any other way than whole, synced and renamed into place.

use std::{fmt, path::Path, sync::Arc};

use hkdf::Hkdf;
use mfa_role::credentials::Trust;
use sha2::Sha256;

use super::{
    SealError,
    keyfile::{self, KeyFileError},
    locked::LockedPage,
};

/// Names a key; derived from it, so that a key under a wrong name is noticed.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The id as it stands in rows.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// An id as it stands in rows.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Reads 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 8];
        keyfile::unhex(text.as_bytes(), &mut bytes)?;
        Some(Self(bytes))
    }

    pub(super) fn of(master: &[u8; 32]) -> Self {
        let mut id = [0; 8];
        derive(master, b"key id", &mut id);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// HKDF-SHA256 (RFC 5869); the label keeps uses apart.
fn derive(master: &[u8; 32], label: &[u8], into: &mut [u8]) {
    // The only error is an output of more than 255 hashes; ours are one at most.
    let _ = Hkdf::<Sha256>::new(Some(b"mfad/key/1"), master).expand(label, into);
}

/// The keys of one key file; clones share them.
#[derive(Clone, Debug)]
pub struct Keyring {
    ids: Vec<KeyId>,
    /// Two keys per id, in order: sealing, rows.
    page: Arc<LockedPage>,
}

impl Keyring {
    /// The most keys a key file holds: the current one and older ones.
    pub const MAX_KEYS: usize = 32;

    /// Reads the key file at `path`, which only root or the daemon's own user may read.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        keyfile::read(path, Trust::Private)
    }

    /// Reads a key file that the service manager hands over (`$CREDENTIALS_DIRECTORY`).
    pub fn load_credential(path: &Path) -> Result<Self, KeyFileError> {
        keyfile::read(path, Trust::ServiceManager)
    }

    /// Makes a key file with one fresh key. Refuses to replace a file.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        keyfile::create(path)
    }

    /// Puts a fresh key first; the older ones stay readable. Whoever is killed meanwhile leaves either
    /// the old file or the new one.
    pub fn rotate(path: &Path) -> Result<Self, KeyFileError> {
        keyfile::rotate(path)
    }

    /// Takes an older key out of the file. Rows still sealed with it are lost: ask the store first.
    pub fn forget(path: &Path, id: KeyId) -> Result<Self, KeyFileError> {
        keyfile::forget(path, id)
    }

    /// A keyring with one fresh key that is in no file: for tests and measurements.
    pub fn generate() -> Result<Self, KeyFileError> {
        let mut page = LockedPage::new();
        let master = page.key_mut(0).ok_or(KeyFileError::NoRandomness)?;
        getrandom::fill(master).map_err(|_| KeyFileError::NoRandomness)?;
        Self::from_masters(&mut std::iter::once(&*master)).ok_or(KeyFileError::NoRandomness)
    }

    /// Derives all there is to derive; `None` without any key or with too many.
    pub(super) fn from_masters(masters: &mut dyn Iterator<Item = &[u8; 32]>) -> Option<Self> {
        let (mut ids, mut page) = (Vec::new(), LockedPage::new());
        for master in masters {
            let place = ids.len();
            if place >= Self::MAX_KEYS {
                return None;
            }
            derive(master, b"seal", page.key_mut(seal_place(place))?);
            derive(master, b"row mac", page.key_mut(row_place(place))?);
            ids.push(KeyId::of(master));
        }
        (!ids.is_empty()).then(|| Self { ids, page: Arc::new(page) })
    }

    /// The key that new rows are sealed with.
    pub fn current(&self) -> KeyId {
        self.ids.first().copied().unwrap_or(KeyId([0; 8]))
    }

    /// All keys, the current one first.
    pub fn ids(&self) -> &[KeyId] {
        &self.ids
    }

    fn place(&self, id: KeyId) -> Result<usize, SealError> {
        self.ids.iter().position(|known| *known == id).ok_or(SealError::NoSuchKey(id))
    }

    pub(super) fn seal_key(&self, id: KeyId) -> Result<&[u8; 32], SealError> {
        self.page.key(seal_place(self.place(id)?)).ok_or(SealError::NoSuchKey(id))
    }

    pub(super) fn row_key(&self, id: KeyId) -> Result<&[u8; 32], SealError> {
        self.page.key(row_place(self.place(id)?)).ok_or(SealError::NoSuchKey(id))
    }
}

const fn seal_place(key: usize) -> usize {
    key.saturating_mul(2)
}

const fn row_place(key: usize) -> usize {
    seal_place(key).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_one_key_are_independent() {
        let keyring = Keyring::from_masters(&mut [[1; 32], [2; 32]].iter()).unwrap();
        let [a, b] = keyring.ids() else { panic!("two keys") };
        assert_ne!(a, b);
        let keys = [a, b].map(|id| [*keyring.seal_key(*id).unwrap(), *keyring.row_key(*id).unwrap()]);
        assert!(keys.concat().iter().all(|key| *key != [0; 32] && *key != [1; 32] && *key != [2; 32]));
        assert_ne!(keys[0][0], keys[0][1]);
        assert_ne!(keys[0][0], keys[1][0]);
        assert_eq!(keyring.current(), *a);
        assert_eq!(KeyId::parse(&a.to_string()), Some(*a));
    }

    #[test]
    fn printing_shows_no_key() {
        let keyring = Keyring::from_masters(&mut [[1; 32]].iter()).unwrap();
        let shown = format!("{keyring:?}");
        assert!(shown.contains("redacted"), "{shown}");
    }

    #[test]
    fn none_or_too_many_keys_are_refused() {
        assert!(Keyring::from_masters(&mut [].iter()).is_none());
        assert!(Keyring::from_masters(&mut [[1; 32]; Keyring::MAX_KEYS + 1].iter()).is_none());
    }
}
