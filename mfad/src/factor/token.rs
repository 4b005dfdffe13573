//! Signed one-time tokens of machines, as Prosody's `mod_auth_token` has them: verifying and issuing.
//!
//! `otp nonce " " base64(HMAC-SHA-256(signing secret, otp nonce jid))`: eight digits of a time-based code
//! (SHA-1, steps of 30 seconds), a nonce of digits, and a signature over both and the name they are for.
//! Refuses to remember: that a token works once is the matter of [`crate::store`], which keeps its nonce.

use std::ops::RangeInclusive;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac as _};
use mfa_proto::{
    admin::Algorithm,
    answer::{OtpCode, SignedToken},
    secret::SecretText,
};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Seed, SeedError, digits::random_digits, oath};
use crate::clock::UnixTime;

/// Seconds a step lasts.
pub const PERIOD: i64 = 30;
/// Steps accepted before and after the present one.
pub const WINDOW: i64 = 1;
/// Digits of the nonce in tokens that are issued, and in those of a domain unless it says otherwise.
pub const NONCE_DIGITS: u8 = 32;
/// Bytes of a signature.
const SIGNATURE: usize = 32;
/// Characters of a signature in padded base64.
const SIGNATURE_BASE64: usize = 44;
/// Digits of the time-based code.
const CODE_DIGITS: u8 = 8;
/// The fewest and the most characters of a signing secret.
const SIGNING: RangeInclusive<usize> = 16..=128;

/// The step that `now` lies in.
pub const fn step_at(now: UnixTime) -> i64 {
    now.0.div_euclid(PERIOD)
}

/// Whom a token is for: `name@host`, as it is signed.
///
/// The name is the account's, exactly as the account database has it. XMPP servers lower the case of a name
/// before they sign it, so `alice@example.org` is what they sign for `Alice`; on a host these may be two
/// accounts, and a token for the one must not open the other. An account whose name has capitals is
/// therefore one that such a server cannot sign for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Jid(String);

impl Jid {
    /// Puts a name and a host together. The host's letters are made small, as DNS does not tell them apart.
    pub fn new(name: &str, host: &str) -> Self {
        Self(format!("{name}@{}", host.to_ascii_lowercase()))
    }

    /// As it is signed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text cannot sign tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it needs 16 to 128 characters (32 recommended), all of them visible ASCII")]
pub struct NotASigningSecret;

/// Whether `text` can sign tokens. The characters themselves are the key, also where they look like base32.
pub fn check_signing(text: &SecretText) -> Result<(), NotASigningSecret> {
    let text = text.expose();
    let sound = SIGNING.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(()) } else { Err(NotASigningSecret) }
}

/// A fresh signing secret: 32 characters that hold 160 random bits.
pub fn fresh_signing() -> Result<SecretText, SeedError> {
    let text = Seed::generate(Algorithm::Sha1)?.to_base32();
    SecretText::new(text.as_str().to_owned()).map_err(|_| SeedError::NoRandomness)
}

/// The two secrets behind signed tokens: what signs them, and what verifies them.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// Of the time-based code.
    pub seed: &'a Seed,
    /// The key of the signature, as the ASCII text that it is.
    pub signing: &'a SecretText,
}

impl Signer<'_> {
    /// Judges a token: the step that its code is of, or `None` when it is not right. Says nothing of whether
    /// the token was used. Does the same work whichever part is wrong, for every token of the same length.
    pub fn verify(&self, token: &SignedToken, jid: &Jid, now: UnixTime) -> Option<i64> {
        let code = OtpCode::parse(token.otp())?;
        let generator = self.generator()?;
        let mut matched = None;
        for offset in -WINDOW..=WINDOW {
            let step = step_at(now).saturating_add(offset);
            // No early exit: the work tells nothing of which step it was. A later step wins.
            if generator.matches(step, &code) {
                matched = Some(step);
            }
        }
        let is_signed = self.has_signed(token, jid);
        matched.filter(|_| is_signed)
    }

    fn generator(&self) -> Option<oath::Generator> {
        oath::Generator::new(Algorithm::Sha1, CODE_DIGITS, self.seed)
    }

    fn has_signed(&self, token: &SignedToken, jid: &Jid) -> bool {
        let mut claimed = Zeroizing::new([0_u8; SIGNATURE + 1]);
        // Constant time over the bytes, and strict: no white space, no bits left over, padding as it must be.
        let decoded = Base64::decode(token.signature(), claimed.as_mut_slice());
        let expected = self.signature(token.signed(), jid);
        decoded.is_ok_and(|claimed| claimed.len() == SIGNATURE && claimed.ct_eq(expected.as_slice()).into())
    }

    fn signature(&self, signed: &str, jid: &Jid) -> Zeroizing<[u8; SIGNATURE]> {
        // A key of any length is a valid HMAC key by definition.
        let hmac = Hmac::<Sha256>::new_from_slice(self.signing.expose().as_bytes());
        Zeroizing::new(hmac.map_or([0; SIGNATURE], |mut hmac| {
            hmac.update(signed.as_bytes());
            hmac.update(jid.as_str().as_bytes());
            hmac.finalize().into_bytes().into()
        }))
    }

    /// Makes a fresh token: good from the step before `now` to the step after, and once.
    pub fn issue(&self, jid: &Jid, now: UnixTime) -> Result<SecretText, SeedError> {
        let nonce = random_digits(NONCE_DIGITS)?;
        self.issue_with(&nonce, jid, now).ok_or(SeedError::NoRandomness)
    }

    fn issue_with(&self, nonce: &str, jid: &Jid, now: UnixTime) -> Option<SecretText> {
        let code = self.generator()?.code(step_at(now))?;
        let signed = Zeroizing::new(format!("{}{nonce}", code.expose()));
        let signature = self.signature(&signed, jid);
        let mut base64 = Zeroizing::new([0_u8; SIGNATURE_BASE64]);
        let signature = Base64::encode(signature.as_slice(), base64.as_mut_slice()).ok()?;
        SecretText::new(format!("{} {signature}", *signed)).ok()
    }
}

#[cfg(test)]
mod tests;
