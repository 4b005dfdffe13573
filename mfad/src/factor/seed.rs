//! The shared secret of a factor: wiped on drop, never printed.

use std::fmt;

use mfa_proto::{admin::Algorithm, secret::SecretText};
use zeroize::{Zeroize, Zeroizing};

/// A shared secret of 16 to 128 bytes.
pub struct Seed(Zeroizing<Vec<u8>>);

/// Why bytes or text are not a seed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SeedError {
    /// RFC 4226 §4 R6: at least 128 bits.
    #[error("the key has {0} bits; RFC 4226 wants at least 128 (160 recommended)")]
    TooShort(usize),
    /// Longer than any hash block makes use of.
    #[error("the key has {0} bits, more than the 1024 allowed")]
    TooLong(usize),
    /// Not base32.
    #[error("the key is not base32 (letters A-Z and digits 2-7)")]
    NotBase32,
    /// The system's random number generator failed.
    #[error("the system gave no random bytes")]
    NoRandomness,
}

impl Seed {
    /// The least bytes of a seed.
    pub const MIN: usize = 16;
    /// The least bytes of a seed that another program made: what older authenticators and Prosody's
    /// examples have.
    pub const MIN_BROUGHT_ALONG: usize = 10;
    /// The most bytes of a seed.
    pub const MAX: usize = 128;

    /// Takes bytes over.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SeedError> {
        Self::bounded(bytes, Self::MIN)
    }

    /// Takes bytes over that another program made, and that may be as few as it makes.
    pub fn brought_along(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SeedError> {
        Self::bounded(bytes, Self::MIN_BROUGHT_ALONG)
    }

    /// Whether it has fewer bits than RFC 4226 wants: worth telling whoever brings it along.
    pub fn is_short(&self) -> bool {
        self.0.len() < Self::MIN
    }

    fn bounded(bytes: Zeroizing<Vec<u8>>, least: usize) -> Result<Self, SeedError> {
        match bytes.len() {
            n if n < least => Err(SeedError::TooShort(n.saturating_mul(8))),
            n if n > Self::MAX => Err(SeedError::TooLong(n.saturating_mul(8))),
            _ => Ok(Self(bytes)),
        }
    }

    /// Fresh random bytes, as many as the hash puts out (RFC 6238 §5.1).
    pub fn generate(algorithm: Algorithm) -> Result<Self, SeedError> {
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        let mut bytes = Zeroizing::new(vec![0_u8; length]);
        getrandom::fill(&mut bytes).map_err(|_| SeedError::NoRandomness)?;
        Self::new(bytes)
    }

    /// Reads base32 as people have it: any case, with spaces and dashes, padded or not.
    pub fn from_base32(text: &SecretText) -> Result<Self, SeedError> {
        Self::new(base32(text)?)
    }

    /// As [`Self::from_base32`], for a seed that another program made ([`Self::brought_along`]).
    pub fn brought_along_base32(text: &SecretText) -> Result<Self, SeedError> {
        Self::brought_along(base32(text)?)
    }

    /// Base32 without padding, upper case.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(totp_rs::Secret::from(self.0.to_vec()).to_base32())
    }

    /// The bytes. Every call is a place where a seed may leak: keep them few.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn to_totp_rs(&self) -> totp_rs::Secret {
        totp_rs::Secret::from(self.0.to_vec())
    }
}

fn base32(text: &SecretText) -> Result<Zeroizing<Vec<u8>>, SeedError> {
    let mut clean = Zeroizing::new(String::with_capacity(text.expose().len()));
    clean.extend(
        text.expose()
            .trim_end()
            .trim_end_matches('=')
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .map(|c| c.to_ascii_uppercase()),
    );
    let secret = totp_rs::Secret::try_from_base32(clean.as_str()).map_err(|_| SeedError::NotBase32)?;
    Ok(Zeroizing::new(secret.as_bytes().to_vec()))
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SecretText {
        SecretText::new(text.to_owned()).unwrap()
    }

    #[test]
    fn base32_is_read_as_people_have_it() {
        let expected = Seed::from_base32(&text("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")).unwrap();
        let typed = Seed::from_base32(&text("jbsw y3dp-ehpk 3pxp jbsw y3dp ehpk 3pxp==\n")).unwrap();
        assert_eq!(expected.expose(), typed.expose());
        assert_eq!(expected.to_base32().as_str(), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    }

    #[test]
    fn short_long_and_garbled_keys_are_refused() {
        assert_eq!(Seed::from_base32(&text("JBSWY3DPEHPK3PXP")).unwrap_err(), SeedError::TooShort(80));
        assert_eq!(Seed::from_base32(&text("")).unwrap_err(), SeedError::TooShort(0));
        assert_eq!(Seed::from_base32(&text("not base 32 at all! 0189")).unwrap_err(), SeedError::NotBase32);
        assert_eq!(Seed::from_base32(&text(&"A".repeat(400))).unwrap_err(), SeedError::TooLong(2000));
    }

    #[test]
    fn what_other_programs_made_may_be_shorter() {
        let short = text("XVGR73KMZH2M4XMY");
        assert_eq!(Seed::from_base32(&short).unwrap_err(), SeedError::TooShort(80));
        let seed = Seed::brought_along_base32(&short).unwrap();
        assert!(seed.is_short() && seed.expose().len() == 10);
        assert_eq!(Seed::brought_along_base32(&text("XVGR73KM")).unwrap_err(), SeedError::TooShort(40));
    }

    #[test]
    fn fresh_seeds_have_the_length_of_the_hash_and_differ() {
        for (algorithm, length) in [(Algorithm::Sha1, 20), (Algorithm::Sha256, 32), (Algorithm::Sha512, 64)] {
            let (a, b) = (Seed::generate(algorithm).unwrap(), Seed::generate(algorithm).unwrap());
            assert_eq!(a.expose().len(), length);
            assert_ne!(a.expose(), b.expose());
            assert_eq!(format!("{a:?}"), "Seed(redacted)");
        }
    }
}
