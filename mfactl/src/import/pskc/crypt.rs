//! Keys encrypted with a pre-shared key: AES-128-CBC, with a MAC over what is encrypted (RFC 6030 §6.1).
//!
//! Refuses what has no MAC, and tells a wrong key from damage by nothing: both fail the MAC.

use std::fmt;

use aes::Aes128;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding};
use hmac::{Hmac, KeyInit, Mac};
use roxmltree::Node;
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    super::{encoding, reason::Reason},
    XENC, is, only, text,
};

/// The key that key packages are encrypted with.
pub struct PreSharedKey(Zeroizing<[u8; 16]>);

/// The text is not such a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a pre-shared key is 32 hexadecimal digits, alone in its file")]
pub struct PreSharedKeyError;

impl PreSharedKey {
    /// Reads 32 hexadecimal digits with white space around them.
    pub fn from_hex(bytes: &[u8]) -> Result<Self, PreSharedKeyError> {
        let text = std::str::from_utf8(bytes).map_err(|_| PreSharedKeyError)?;
        let key = encoding::hex(text.trim()).ok_or(PreSharedKeyError)?;
        let key: &[u8; 16] = key.as_slice().try_into().map_err(|_| PreSharedKeyError)?;
        Ok(Self(Zeroizing::new(*key)))
    }
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreSharedKey(redacted)")
    }
}

/// What opens the keys of one container.
pub(super) enum Lock<'k> {
    /// With this key, and the MAC checked by that one.
    Open { key: &'k PreSharedKey, mac: Hash, mac_key: Zeroizing<Vec<u8>> },
    /// Not, because of this.
    Shut(Reason),
}

/// The hash of the MAC.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

impl<'k> Lock<'k> {
    /// As the container says.
    pub(super) fn of(container: Node<'_, '_>, key: Option<&'k PreSharedKey>) -> Self {
        Self::opened(container, key).unwrap_or_else(Self::Shut)
    }

    fn opened(container: Node<'_, '_>, key: Option<&'k PreSharedKey>) -> Result<Self, Reason> {
        if let Some(named) = only(container, "EncryptionKey")? {
            if named.descendants().any(|node| node.tag_name().name() == "DerivedKey") {
                return Err(Reason::Encrypted("by a password, which is not supported: ask for a plain file"));
            }
            if named.descendants().any(|node| node.tag_name().name() == "X509Data") {
                return Err(Reason::Encrypted(
                    "for a certificate, which is not supported: ask for a plain file",
                ));
            }
        }
        let key = key.ok_or(Reason::Encrypted("with a pre-shared key: give it by --key-file"))?;
        let method = only(container, "MACMethod")?.ok_or(NO_MAC)?;
        let mac = match method.attribute("Algorithm").and_then(|name| name.rsplit('#').next()) {
            Some("hmac-sha1") => Hash::Sha1,
            Some("hmac-sha256") => Hash::Sha256,
            Some(_) | None => return Err(Reason::Encrypted("with a MAC that is not supported")),
        };
        let mac_key = match only(method, "MACKey")? {
            Some(sealed) => decrypted(key, &cipher_value(sealed)?)?,
            None => Zeroizing::new(key.0.to_vec()),
        };
        Ok(Self::Open { key, mac, mac_key })
    }

    /// The key in `secret`, which has an `EncryptedValue`.
    pub(super) fn open(&self, secret: Node<'_, '_>) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let sealed = only(secret, "EncryptedValue")?.ok_or(Reason::NoKey)?;
        let (key, mac, mac_key) = match self {
            Self::Open { key, mac, mac_key } => (key, *mac, mac_key),
            Self::Shut(why) => return Err(why.clone()),
        };
        let sealed = cipher_value(sealed)?;
        let given = secret.children().find(|node| is(*node, "ValueMAC")).ok_or(NO_MAC)?;
        let given = encoding::base64(text(given)?).ok_or(NO_MAC)?;
        let right = match mac {
            Hash::Sha1 => authentic::<Hmac<Sha1>>(mac_key, &sealed, &given),
            Hash::Sha256 => authentic::<Hmac<Sha256>>(mac_key, &sealed, &given),
        };
        if !right {
            return Err(Reason::Encrypted("with another key than --key-file has, or the file is damaged"));
        }
        decrypted(key, &sealed)
    }
}

const NO_MAC: Reason = Reason::Encrypted("without a MAC, so that nobody can tell what it decrypts to");
const DAMAGED: Reason = Reason::Encrypted("with another key than --key-file has, or the file is damaged");

fn authentic<M: Mac + KeyInit>(key: &[u8], bytes: &[u8], given: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.update(bytes);
    mac.verify_slice(given).is_ok()
}

/// The bytes of an element of XML Encryption; AES-128-CBC and nothing else.
fn cipher_value(node: Node<'_, '_>) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let method = node.children().find(|child| child.has_tag_name((XENC, "EncryptionMethod")));
    let algorithm = method.and_then(|method| method.attribute("Algorithm"));
    if algorithm.and_then(|name| name.rsplit('#').next()) != Some("aes128-cbc") {
        return Err(Reason::Encrypted("by another cipher than AES-128-CBC, which is not supported"));
    }
    let data = node.children().find(|child| child.has_tag_name((XENC, "CipherData")));
    let value = data.and_then(|data| data.children().find(|child| child.has_tag_name((XENC, "CipherValue"))));
    encoding::base64(text(value.ok_or(DAMAGED)?)?).ok_or(DAMAGED)
}

/// The initialization vector is the first block; the last byte says how many are padding (XML Encryption
/// §5.2).
fn decrypted(key: &PreSharedKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let (start, blocks) = sealed.split_first_chunk::<16>().ok_or(DAMAGED)?;
    let mut plain = Zeroizing::new(blocks.to_vec());
    let cipher = cbc::Decryptor::<Aes128>::new(&(*key.0).into(), &(*start).into());
    let whole = cipher.decrypt_padded::<NoPadding>(&mut plain).map_err(|_| DAMAGED)?.len();
    let padding =
        plain.last().map(|last| usize::from(*last)).filter(|n| (1..=16).contains(n)).ok_or(DAMAGED)?;
    plain.truncate(whole.saturating_sub(padding));
    Ok(plain)
}
