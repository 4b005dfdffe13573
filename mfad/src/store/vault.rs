//! The keys the store works with: the key file's, and two of its own that a rotation does not change.
//!
//! `index_key` hashes names into slots, and derived of it another hashes codes; `audit_key` chains the audit
//! trail. Both are made with the
//! database and stand in it sealed, so that rotating the key file re-wraps two rows and leaves every
//! slot and every link of the chain as it is.

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use super::StoreError;
use crate::seal::{self, Binding, Fields, KeyId, Keyring, LockedPage, Mac, RowRef, SealError};

/// Where a name stands in the ring.
pub(super) type Slot = [u8; 16];

const OWN_KEYS: [&str; 2] = ["index_key", "audit_key"];
const INDEX: usize = 0;
const AUDIT: usize = 1;
/// Not stored: derived of the first.
const CODES: usize = 2;

/// All keys of an open store.
#[derive(Debug)]
pub(super) struct Vault {
    keyring: Keyring,
    own: LockedPage,
}

impl Vault {
    /// Makes the store's own keys.
    pub(super) fn generate(keyring: Keyring) -> Result<Self, StoreError> {
        let mut own = LockedPage::new();
        for place in 0..OWN_KEYS.len() {
            let key = own.key_mut(place).ok_or(SealError::NoRandomness)?;
            getrandom::fill(key).map_err(|_| SealError::NoRandomness)?;
        }
        derive_codes(&mut own)?;
        Ok(Self { keyring, own })
    }

    /// Opens the store's own keys.
    pub(super) fn load(connection: &Connection, keyring: Keyring) -> Result<Self, StoreError> {
        let mut own = LockedPage::new();
        for (place, name) in OWN_KEYS.into_iter().enumerate() {
            let row: Option<([u8; 8], Vec<u8>)> = connection
                .query_row("SELECT key_id, sealed FROM meta WHERE name = ?1", [name], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some((id, sealed)) = row else {
                return Err(StoreError::Tampered(format!("the store's own key `{name}` is gone")));
            };
            let id = KeyId::from_bytes(id);
            let opened =
                seal::open(&keyring, id, own_binding(name)?, &sealed).map_err(|error| match error {
                    SealError::NoSuchKey(id) => StoreError::KeyMissing(id),
                    other @ (SealError::Broken | SealError::EmptyReference | SealError::NoRandomness) => {
                        StoreError::Tampered(format!("the store's own key `{name}`: {other}"))
                    }
                })?;
            let key = own.key_mut(place).ok_or(SealError::Broken)?;
            key.copy_from_slice(<&[u8; 32]>::try_from(opened.as_slice()).map_err(|_| SealError::Broken)?);
        }
        derive_codes(&mut own)?;
        Ok(Self { keyring, own })
    }

    /// Writes the store's own keys, sealed with the current key.
    pub(super) fn save(&self, connection: &Connection) -> Result<(), StoreError> {
        let current = self.current();
        for (place, name) in OWN_KEYS.into_iter().enumerate() {
            let key = self.own.key(place).ok_or(SealError::Broken)?;
            let sealed = seal::seal(&self.keyring, current, own_binding(name)?, key)?;
            connection.execute(
                "INSERT OR REPLACE INTO meta (name, key_id, sealed) VALUES (?1, ?2, ?3)",
                params![name, current.as_bytes(), sealed],
            )?;
        }
        Ok(())
    }

    /// The key that new rows are sealed with.
    pub(super) fn current(&self) -> KeyId {
        self.keyring.current()
    }

    /// Where a name stands in the ring.
    pub(super) fn slot(&self, realm: &str, name: &str) -> Slot {
        let mut fields = Fields::new("mfad/slot/1");
        fields.text(realm).text(name);
        let hash = self.own.key(INDEX).map_or([0; 32], |key| seal::keyed(key, &fields));
        let mut slot = Slot::default();
        slot.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        slot
    }

    /// The next link of the audit chain.
    pub(super) fn chain(&self, before: &Mac, row: &mut Fields) -> Mac {
        row.bytes(before);
        self.own.key(AUDIT).map_or([0; 32], |key| seal::keyed(key, row))
    }

    /// A keyed hash that stands for a code, a number or a nonce: it tells nothing without the key, and a
    /// rotation of the key file does not change it.
    pub(super) fn digest(&self, fields: &Fields) -> Result<Mac, StoreError> {
        let key = self.own.key(CODES).ok_or(SealError::Broken)?;
        Ok(seal::keyed(key, fields))
    }

    /// The code of a row under `id`.
    pub(super) fn sign(&self, id: KeyId, row: &Fields) -> Result<Mac, StoreError> {
        Ok(seal::row_mac(&self.keyring, id, row)?)
    }

    /// Whether a row is as this program wrote it; `what` names it in the error.
    pub(super) fn verify(
        &self,
        id: KeyId,
        row: &Fields,
        mac: &Mac,
        what: impl FnOnce() -> String,
    ) -> Result<(), StoreError> {
        seal::verify_row(&self.keyring, id, row, mac).map_err(|error| match error {
            SealError::Broken => StoreError::Tampered(format!("{} was changed", what())),
            other @ (SealError::NoSuchKey(_) | SealError::EmptyReference | SealError::NoRandomness) => {
                StoreError::Tampered(format!("{}: {other}", what()))
            }
        })
    }

    /// Seals a secret with key `id`.
    pub(super) fn seal(&self, id: KeyId, binding: Binding, secret: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(seal::seal(&self.keyring, id, binding, secret)?)
    }

    /// Opens a secret sealed with key `id`.
    pub(super) fn open(
        &self,
        id: KeyId,
        binding: Binding,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        Ok(seal::open(&self.keyring, id, binding, sealed)?)
    }
}

fn derive_codes(own: &mut LockedPage) -> Result<(), SealError> {
    let index = own.key(INDEX).ok_or(SealError::Broken)?;
    let mut derived = Zeroizing::new(seal::keyed(index, &Fields::new("mfad/key/codes/1")));
    let key = own.key_mut(CODES).ok_or(SealError::Broken)?;
    std::mem::swap(key, &mut derived);
    Ok(())
}

fn own_binding(name: &str) -> Result<Binding, SealError> {
    Binding::new("meta", RowRef::Name(name))
}
