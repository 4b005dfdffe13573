//! Keyed codes (HMAC-SHA256) over rows, names and the audit chain.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{Fields, KeyId, Keyring, SealError};

/// A code over a row.
pub(crate) type Mac = [u8; 32];

/// The code of `fields` under `key`.
pub(crate) fn keyed(key: &[u8; 32], fields: &Fields) -> Mac {
    // A key of 32 bytes is a valid HMAC key by definition; the empty code is never stored.
    Hmac::<Sha256>::new_from_slice(key).map_or([0; 32], |mut hmac| {
        hmac.update(fields.as_bytes());
        hmac.finalize().into_bytes().into()
    })
}

/// The code of a row under the row key of `id`.
pub(crate) fn row_mac(keyring: &Keyring, id: KeyId, row: &Fields) -> Result<Mac, SealError> {
    Ok(keyed(keyring.row_key(id)?, row))
}

/// Whether `found` is the code of the row; the time taken does not depend on where they differ.
pub(crate) fn verify_row(keyring: &Keyring, id: KeyId, row: &Fields, found: &Mac) -> Result<(), SealError> {
    let expected = row_mac(keyring, id, row)?;
    if bool::from(expected.ct_eq(found)) { Ok(()) } else { Err(SealError::Broken) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 test case 1, by way of `Hmac` directly: the library is what it says it is.
    #[test]
    fn rfc_4231_case_1() {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&[0x0b; 20]).unwrap();
        hmac.update(b"Hi There");
        let code: [u8; 32] = hmac.finalize().into_bytes().into();
        assert_eq!(code[..4], [0xb0, 0x34, 0x4c, 0x61]);
    }

    #[test]
    fn a_row_code_depends_on_key_and_content() {
        let (a, b) = (Keyring::generate().unwrap(), Keyring::generate().unwrap());
        let (mut row, mut other) = (Fields::new("row"), Fields::new("row"));
        row.int(1);
        other.int(2);
        let mac = row_mac(&a, a.current(), &row).unwrap();
        assert_eq!(verify_row(&a, a.current(), &row, &mac), Ok(()));
        assert_eq!(verify_row(&a, a.current(), &other, &mac), Err(SealError::Broken));
        assert_eq!(verify_row(&a, b.current(), &row, &mac), Err(SealError::NoSuchKey(b.current())));
        assert_eq!(verify_row(&b, b.current(), &row, &mac), Err(SealError::Broken));
    }
}
