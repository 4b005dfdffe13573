//! Hashes of secrets that a program made: no salt and no stretching, because there is nothing to guess.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How such a secret and its hash are made.
pub(super) const HOW: &str =
    "make a secret with `openssl rand -hex 32`, and write what `printf %s SECRET | sha256sum` shows";

/// The SHA-256 of a secret.
pub(super) struct Hash([u8; 32]);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(redacted)")
    }
}

impl Hash {
    /// Of a secret that was given.
    pub(super) fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Of 64 hexadecimal digits, as `sha256sum` writes them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix("  -").unwrap_or(text).trim();
        text.parse::<mfa_role::config::CertificatePrint>().ok().map(|print| Self(print.0))
    }

    /// Whether both are of one secret; in constant time.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
