//! A secret as it stands in a directory: one line of ASCII that opens only with the key, for one person, with the
//! parameters beside it.
//!
//! ```text
//! mfad1$aes256gcm$<key id>$<sha1|sha256|sha512>$<digits>$<period>$<Base64 of nonce 12, ciphertext, tag 16>
//! ```
//! The associated data are what stands before the last `$`, a line feed, the person's realm, a line feed and the
//! person's name. Refuses to say more of a value that does not open than whether it is of this key.

use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _, Nonce};
use base64ct::{Base64, Encoding as _};
use mfa_proto::{
    admin::{Algorithm, TotpParams},
    name::UserId,
    secret::SecretText,
    text::escape_for_log,
};
use zeroize::Zeroizing;

use super::key::{ID, ValueKey};
use crate::factor::{Params, Seed};

const VERSION: &str = "mfad1";
const CIPHER: &str = "aes256gcm";
const NONCE: usize = 12;
const TAG: usize = 16;
const ALGORITHMS: [(&str, Algorithm); 3] =
    [("sha1", Algorithm::Sha1), ("sha256", Algorithm::Sha256), ("sha512", Algorithm::Sha512)];

/// A secret of a person, opened.
#[derive(Debug)]
pub struct Sealed {
    /// What its codes are like.
    pub params: TotpParams,
    /// The secret.
    pub seed: Seed,
}

/// Why a value is no secret of the person.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Broken {
    /// It is not of this form, or a later one.
    #[error("it is no value that `mfactl ldap seal` makes")]
    Form,
    /// Its parameters are none that codes can have.
    #[error("its codes would have other than 6 or 8 digits, or other steps than of 15 to 120 seconds")]
    Parameters,
    /// It was sealed with another key.
    #[error("it was sealed with key {found}, and [ldap] secret_key is {own}")]
    OtherKey {
        /// With which.
        found: String,
        /// Which is known here.
        own: String,
    },
    /// It was changed, or is another person's.
    #[error("it does not open: it was changed, or sealed for another person")]
    Sealed,
    /// What was sealed is no secret.
    #[error("it holds no secret of 16 to 128 bytes")]
    Seed,
    /// The system's random number generator failed.
    #[error("the system gave no random bytes")]
    NoRandomness,
}

/// Seals a secret for a person.
pub fn seal(key: &ValueKey, user: &UserId, secret: &Sealed) -> Result<SecretText, Broken> {
    let before = written(key, secret.params)?;
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).map_err(|_| Broken::NoRandomness)?;
    let mut buffer = Zeroizing::new(secret.seed.expose().to_vec());
    let tag = Aes256Gcm::new(key.seal().into())
        .encrypt_inout_detached(&nonce, &bound(&before, user), buffer.as_mut_slice().into())
        .map_err(|_| Broken::Sealed)?;
    let sealed = [nonce.as_slice(), &buffer, &tag].concat();
    SecretText::new(format!("{before}${}", Base64::encode_string(&sealed))).map_err(|_| Broken::Seed)
}

/// Opens a value that was sealed for a person.
pub fn open(key: &ValueKey, user: &UserId, value: &SecretText) -> Result<Sealed, Broken> {
    let (before, sealed) = value.expose().rsplit_once('$').ok_or(Broken::Form)?;
    let params = parameters(key, before)?;
    let sealed = Base64::decode_vec(sealed).map_err(|_| Broken::Form)?;
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(Broken::Form)?;
    let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(Broken::Form)?;
    let mut buffer = Zeroizing::new(text.to_vec());
    Aes256Gcm::new(key.seal().into())
        .decrypt_inout_detached(nonce.into(), &bound(before, user), buffer.as_mut_slice().into(), tag.into())
        .map_err(|_| Broken::Sealed)?;
    Ok(Sealed { params, seed: Seed::new(buffer).map_err(|_| Broken::Seed)? })
}

/// What stands before the sealed bytes.
pub fn written(key: &ValueKey, params: TotpParams) -> Result<String, Broken> {
    if !Params::Totp(params).is_valid() {
        return Err(Broken::Parameters);
    }
    let TotpParams { algorithm, digits, period } = params;
    let algorithm = ALGORITHMS.iter().find(|(_, known)| *known == algorithm).map_or("", |(word, _)| word);
    Ok(format!("{VERSION}${CIPHER}${}${algorithm}${digits}${period}", key.id()))
}

/// The same read, in the one way in which it is written.
pub fn parameters(key: &ValueKey, before: &str) -> Result<TotpParams, Broken> {
    let parts: Vec<&str> = before.split('$').collect();
    let [VERSION, CIPHER, id, algorithm, digits, period] = parts.as_slice() else { return Err(Broken::Form) };
    let is_id = |id: &str| id.len() == 2 * ID && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_id(id) {
        return Err(Broken::Form);
    }
    if *id != key.id() {
        return Err(Broken::OtherKey { found: escape_for_log(id), own: key.id().to_owned() });
    }
    let known = ALGORITHMS.iter().find(|(word, _)| word == algorithm);
    let (_, algorithm) = *known.ok_or(Broken::Form)?;
    let (digits, period) = (number(digits)?, number(period)?);
    let digits = u8::try_from(digits).map_err(|_| Broken::Parameters)?;
    let params = TotpParams { algorithm, digits, period };
    if Params::Totp(params).is_valid() { Ok(params) } else { Err(Broken::Parameters) }
}

/// A number without sign and leading zeros.
fn number(text: &str) -> Result<u16, Broken> {
    let number: u16 = text.parse().map_err(|_| Broken::Form)?;
    if number.to_string() == text { Ok(number) } else { Err(Broken::Form) }
}

/// What a value is bound to. No part of a name holds a line feed.
fn bound(before: &str, user: &UserId) -> Vec<u8> {
    format!("{before}\n{}\n{}", user.realm.as_str(), user.name.as_str()).into_bytes()
}

#[cfg(test)]
mod tests;
