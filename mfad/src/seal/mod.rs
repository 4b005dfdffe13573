//! Secrets at rest: the key file, what is derived from it, sealing (AEAD) and row codes (MAC).
//!
//! Keys come from outside the database (`docs/threat-model.md`, T18 and T21). Refuses to know what it
//! seals: the store says which row, which user and which parameters a secret is bound to.
//!
//! ```text
//! key file line ── HKDF-SHA256 ──┬─ "key id"   8 bytes, written beside each row
//!   (32 bytes)                   ├─ "seal"     XChaCha20-Poly1305
//!                                └─ "row mac"  HMAC-SHA256
//! ```
//! The 32 bytes themselves are forgotten once these are derived.

mod aead;
mod encode;
mod keyfile;
mod keyring;
mod locked;
mod mac;

pub(crate) use self::{
    aead::{Binding, OVERHEAD, RowRef, open, seal},
    encode::Fields,
    keyfile::{hex, unhex},
    locked::LockedPage,
    mac::{Mac, keyed, row_mac, verify_row},
};
pub use self::{
    keyfile::KeyFileError,
    keyring::{KeyId, Keyring},
};

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// A row names a key that the key file does not hold.
    #[error("key {0} is not in the key file")]
    NoSuchKey(KeyId),
    /// The bytes, or what they are bound to, were changed, or the key is another one.
    #[error("a sealed value does not open: it or its row was changed")]
    Broken,
    /// A secret must name the row that it belongs to.
    #[error("a sealed value names no row")]
    EmptyReference,
    /// The system's random number generator failed.
    #[error("the system gave no random bytes")]
    NoRandomness,
}
