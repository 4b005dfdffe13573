//! Sealing: XChaCha20-Poly1305 with a random 192-bit nonce, bound to the row it stands in.

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Fields, KeyId, Keyring, SealError};

const NONCE: usize = 24;
const TAG: usize = 16;

/// Bytes that sealing adds.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

/// Which row a secret stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowRef<'a> {
    /// A row with a number; numbers start at 1.
    Id(i64),
    /// A row with a name.
    Name(&'a str),
}

/// What a secret is bound to: it opens only in the same row, of the same table, with the same
/// parameters, under the same key.
#[derive(Clone, Debug)]
pub(crate) struct Binding(Fields);

impl Binding {
    /// Bound to a row. Refuses a reference that names none, before any cipher is asked.
    pub(crate) fn new(table: &str, row: RowRef<'_>) -> Result<Self, SealError> {
        let mut fields = Fields::new("mfad/seal/1");
        match row {
            RowRef::Id(id) if id > 0 && !table.is_empty() => fields.text(table).int(id),
            RowRef::Name(name) if !name.is_empty() && !table.is_empty() => fields.text(table).text(name),
            RowRef::Id(_) | RowRef::Name(_) => return Err(SealError::EmptyReference),
        };
        Ok(Self(fields))
    }

    /// More that must be the same when the secret is opened.
    pub(crate) fn fields(&mut self) -> &mut Fields {
        &mut self.0
    }

    fn under(mut self, key: KeyId) -> Fields {
        self.0.bytes(key.as_bytes());
        self.0
    }
}

/// Seals `secret` under key `id`: nonce, ciphertext, tag.
pub(crate) fn seal(
    keyring: &Keyring,
    id: KeyId,
    binding: Binding,
    secret: &[u8],
) -> Result<Vec<u8>, SealError> {
    let cipher = XChaCha20Poly1305::new(keyring.seal_key(id)?.into());
    let mut nonce = XNonce::default();
    getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
    let mut sealed = Vec::with_capacity(NONCE.saturating_add(secret.len()).saturating_add(TAG));
    sealed.extend_from_slice(&nonce);
    let mut buffer = Zeroizing::new(secret.to_vec());
    let tag = cipher
        .encrypt_inout_detached(&nonce, binding.under(id).as_bytes(), buffer.as_mut_slice().into())
        .map_err(|_| SealError::Broken)?;
    sealed.extend_from_slice(&buffer);
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what [`seal`] made, if everything it is bound to is the same.
pub(crate) fn open(
    keyring: &Keyring,
    id: KeyId,
    binding: Binding,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let cipher = XChaCha20Poly1305::new(keyring.seal_key(id)?.into());
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Broken)?;
    let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(SealError::Broken)?;
    let mut buffer = Zeroizing::new(text.to_vec());
    cipher
        .decrypt_inout_detached(
            nonce.into(),
            binding.under(id).as_bytes(),
            buffer.as_mut_slice().into(),
            tag.into(),
        )
        .map_err(|_| SealError::Broken)?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(row: i64, digits: i64) -> Binding {
        let mut binding = Binding::new("factor", RowRef::Id(row)).unwrap();
        binding.fields().int(digits);
        binding
    }

    #[test]
    fn a_secret_opens_only_where_it_was_sealed() {
        let keyring = Keyring::generate().unwrap();
        let id = keyring.current();
        let sealed = seal(&keyring, id, bound(1, 6), b"seed").unwrap();
        assert_eq!(open(&keyring, id, bound(1, 6), &sealed).unwrap().as_slice(), b"seed");
        for other in [bound(2, 6), bound(1, 8), Binding::new("factor", RowRef::Id(1)).unwrap()] {
            assert_eq!(open(&keyring, id, other, &sealed).unwrap_err(), SealError::Broken);
        }
        let other = Keyring::generate().unwrap();
        assert_eq!(open(&other, other.current(), bound(1, 6), &sealed).unwrap_err(), SealError::Broken);
        assert_eq!(open(&other, id, bound(1, 6), &sealed).unwrap_err(), SealError::NoSuchKey(id));
    }

    #[test]
    fn every_changed_bit_shows_and_no_length_panics() {
        let keyring = Keyring::generate().unwrap();
        let id = keyring.current();
        let sealed = seal(&keyring, id, bound(1, 6), b"a seed of twenty oct").unwrap();
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert!(open(&keyring, id, bound(1, 6), &changed).is_err(), "byte {byte}");
            assert!(open(&keyring, id, bound(1, 6), &sealed[..byte]).is_err(), "cut at {byte}");
        }
        assert_ne!(
            seal(&keyring, id, bound(1, 6), b"x").unwrap(),
            seal(&keyring, id, bound(1, 6), b"x").unwrap()
        );
    }

    #[test]
    fn a_secret_without_a_row_is_refused() {
        for row in [RowRef::Id(0), RowRef::Id(-1), RowRef::Name("")] {
            assert_eq!(Binding::new("factor", row).unwrap_err(), SealError::EmptyReference);
        }
        assert_eq!(Binding::new("", RowRef::Id(1)).unwrap_err(), SealError::EmptyReference);
    }
}
