//! What a factor keeps sealed: a seed, an address, the hashes of recovery codes, a name elsewhere.
//!
//! Each kind has one form as bytes, read back strictly. Refuses `Clone` and `Display`.

use std::fmt;

use mfa_proto::{
    admin::FactorKind,
    egress::Medium,
    name::{Claim, FactorLabel},
    secret::SecretText,
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Address, Seed};

/// A keyed hash of a recovery code.
pub type CodeHash = [u8; 32];

/// The secret of a factor. Each part is redacted when printed and wiped when dropped.
#[derive(Debug)]
pub enum Secret {
    /// Time- and counter-based codes.
    Seed(Seed),
    /// Sent codes: where to.
    Address(Address),
    /// An outside service, and the user's name there.
    Outside(Outside),
    /// Signed tokens.
    Token(TokenSecret),
    /// Recovery codes: their keyed hashes in order of number.
    Recovery(RecoveryHashes),
}

/// Which outside service judges, and by what name it knows the user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outside {
    /// `corp` for `[rest.corp]` of the configuration.
    pub service: FactorLabel,
    /// The user's name there.
    pub remote_user: Claim,
}

/// Who signs the tokens of a factor.
#[derive(Debug)]
pub enum TokenSecret {
    /// The application of a domain, whose secrets the configuration names.
    Domain(FactorLabel),
    /// Whoever holds the factor's own secrets.
    Own {
        /// Of the time-based code.
        seed: Seed,
        /// The key of the signature, as the ASCII text that it is.
        signing: SecretText,
    },
}

/// A domain whose application signs tokens for any of its users.
#[derive(Debug)]
pub struct TokenDomain {
    /// `example.org`: the host of the names that are signed.
    pub name: FactorLabel,
    /// Of the time-based code.
    pub seed: Seed,
    /// The key of the signature, as the ASCII text that it is.
    pub signing: SecretText,
    /// How many digits its nonces have, exactly: nothing stands between nonce and name, so that with any
    /// number a token for the user `1alice` would be one for `alice`.
    pub nonce_digits: u8,
}

/// What signed tokens are judged by, besides the factor itself.
#[derive(Debug, Default)]
pub struct TokenSettings {
    /// The host in the signed name of factors with secrets of their own.
    pub host: String,
    /// Domains whose applications sign.
    pub domains: Vec<TokenDomain>,
}

/// Keyed hashes of recovery codes, in order of number.
#[derive(Clone, Eq, PartialEq)]
pub struct RecoveryHashes(pub(crate) Vec<CodeHash>);

impl fmt::Debug for RecoveryHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryHashes({}, redacted)", self.0.len())
    }
}

impl From<Seed> for Secret {
    fn from(seed: Seed) -> Self {
        Self::Seed(seed)
    }
}

impl From<Address> for Secret {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}

/// The bytes are not the secret of such a factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not what a factor of this kind keeps")]
pub struct NotSuchSecret;

impl Secret {
    /// Whether a factor of this kind keeps such a secret.
    pub fn fits(&self, kind: FactorKind) -> bool {
        match kind {
            FactorKind::Totp | FactorKind::Hotp => matches!(self, Self::Seed(_)),
            FactorKind::Recovery => matches!(self, Self::Recovery(_)),
            FactorKind::BreakGlass => false,
            FactorKind::Sms => matches!(self, Self::Address(to) if to.medium() == Medium::Sms),
            FactorKind::Mail => matches!(self, Self::Address(to) if to.medium() == Medium::Mail),
            FactorKind::Rest => matches!(self, Self::Outside(_)),
            FactorKind::Token => matches!(self, Self::Token(_)),
        }
    }

    /// Whether whoever has the one has the other: the same seed, the same number or address, the same name at
    /// the same service, or one who signs for both.
    pub fn is_of_one_holder(&self, other: &Self) -> bool {
        match (self.seed(), other.seed()) {
            (Some(own), Some(other)) => return bool::from(own.expose().ct_eq(other.expose())),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => return false,
        }
        match (self, other) {
            (Self::Address(one), Self::Address(two)) => one.expose() == two.expose(),
            (Self::Outside(one), Self::Outside(two)) => one == two,
            (Self::Token(TokenSecret::Domain(one)), Self::Token(TokenSecret::Domain(two))) => one == two,
            (Self::Recovery(one), Self::Recovery(two)) => one == two,
            (Self::Seed(_) | Self::Address(_) | Self::Outside(_) | Self::Token(_) | Self::Recovery(_), _) => {
                false
            }
        }
    }

    fn seed(&self) -> Option<&Seed> {
        match self {
            Self::Seed(seed) | Self::Token(TokenSecret::Own { seed, .. }) => Some(seed),
            Self::Address(_) | Self::Outside(_) | Self::Recovery(_) | Self::Token(TokenSecret::Domain(_)) => {
                None
            }
        }
    }

    /// As it is sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Seed(seed) => Zeroizing::new(seed.expose().to_vec()),
            Self::Address(address) => Zeroizing::new(address.expose().as_bytes().to_vec()),
            Self::Outside(Outside { service, remote_user }) => {
                parts(&[service.as_str().as_bytes(), remote_user.as_str().as_bytes()])
            }
            Self::Token(TokenSecret::Domain(name)) => parts(&[name.as_str().as_bytes()]),
            Self::Token(TokenSecret::Own { seed, signing }) => {
                parts(&[seed.expose(), signing.expose().as_bytes()])
            }
            Self::Recovery(RecoveryHashes(hashes)) => Zeroizing::new(hashes.concat()),
        }
    }

    /// The reverse of [`Self::to_bytes`].
    pub fn from_bytes(kind: FactorKind, bytes: Zeroizing<Vec<u8>>) -> Result<Self, NotSuchSecret> {
        match kind {
            FactorKind::Totp | FactorKind::Hotp => {
                Seed::brought_along(bytes).map(Self::Seed).map_err(|_| NotSuchSecret)
            }
            FactorKind::Sms => address(Medium::Sms, &bytes),
            FactorKind::Mail => address(Medium::Mail, &bytes),
            FactorKind::Rest => match taken_apart(&bytes)?.as_slice() {
                [service, remote_user] => Ok(Self::Outside(Outside {
                    service: FactorLabel::new(text(service)?).map_err(|_| NotSuchSecret)?,
                    remote_user: Claim::try_from(text(remote_user)?.to_owned()).map_err(|_| NotSuchSecret)?,
                })),
                _ => Err(NotSuchSecret),
            },
            FactorKind::Token => match taken_apart(&bytes)?.as_slice() {
                [name] => FactorLabel::new(text(name)?)
                    .map(|name| Self::Token(TokenSecret::Domain(name)))
                    .map_err(|_| NotSuchSecret),
                [seed, signing] => Ok(Self::Token(TokenSecret::Own {
                    seed: Seed::brought_along(Zeroizing::new(seed.to_vec())).map_err(|_| NotSuchSecret)?,
                    signing: secret_text(signing)?,
                })),
                _ => Err(NotSuchSecret),
            },
            FactorKind::BreakGlass => Err(NotSuchSecret),
            FactorKind::Recovery => {
                let (hashes, rest) = bytes.as_chunks::<32>();
                if !rest.is_empty() || hashes.is_empty() {
                    return Err(NotSuchSecret);
                }
                Ok(Self::Recovery(RecoveryHashes(hashes.to_vec())))
            }
        }
    }
}

/// Each part with its length before it.
fn parts(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let room = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()).saturating_add(2));
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    for part in parts {
        // No part is longer than a claim or a secret text.
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn taken_apart(mut bytes: &[u8]) -> Result<Vec<&[u8]>, NotSuchSecret> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(NotSuchSecret)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (part, rest) = rest.split_at_checked(length).ok_or(NotSuchSecret)?;
        parts.push(part);
        bytes = rest;
    }
    Ok(parts)
}

fn text(bytes: &[u8]) -> Result<&str, NotSuchSecret> {
    std::str::from_utf8(bytes).map_err(|_| NotSuchSecret)
}

fn secret_text(bytes: &[u8]) -> Result<SecretText, NotSuchSecret> {
    SecretText::new(text(bytes)?.to_owned()).map_err(|_| NotSuchSecret)
}

fn address(medium: Medium, bytes: &[u8]) -> Result<Secret, NotSuchSecret> {
    Address::of(medium, &secret_text(bytes)?).map(Secret::Address).map_err(|_| NotSuchSecret)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret_of(text: &str) -> SecretText {
        SecretText::new(text.to_owned()).unwrap()
    }

    fn all() -> Vec<(FactorKind, Secret)> {
        let seed = || Seed::new(Zeroizing::new(b"MARKER-seed-of-a-factor".to_vec())).unwrap();
        let label = |text: &str| FactorLabel::new(text).unwrap();
        vec![
            (FactorKind::Totp, seed().into()),
            (FactorKind::Sms, Address::number(&secret_of("+4930555666777")).unwrap().into()),
            (FactorKind::Mail, Address::mail(&secret_of("MARKER@example.org")).unwrap().into()),
            (
                FactorKind::Rest,
                Secret::Outside(Outside { service: label("corp"), remote_user: Claim::clean("jane") }),
            ),
            (FactorKind::Token, Secret::Token(TokenSecret::Domain(label("example.org")))),
            (
                FactorKind::Token,
                Secret::Token(TokenSecret::Own { seed: seed(), signing: secret_of("MARKER-signing") }),
            ),
            (FactorKind::Recovery, Secret::Recovery(RecoveryHashes(vec![[7; 32], [8; 32]]))),
        ]
    }

    #[test]
    fn what_is_sealed_reads_back_as_itself_and_as_no_other_kind() {
        for (kind, secret) in all() {
            assert!(secret.fits(kind));
            let bytes = secret.to_bytes();
            let again = Secret::from_bytes(kind, bytes.clone()).unwrap();
            assert_eq!(*again.to_bytes(), *bytes, "{kind:?}");
            for cut in 0..bytes.len() {
                if let Ok(shorter) = Secret::from_bytes(kind, Zeroizing::new(bytes[..cut].to_vec())) {
                    assert!(shorter.fits(kind));
                }
            }
            let kinds = FactorKind::ALL.into_iter().filter(|other| again.fits(*other)).count();
            assert!(kinds == 1 || kind == FactorKind::Totp && kinds == 2, "{kind:?}");
        }
    }

    #[test]
    fn only_the_same_secret_is_of_one_holder() {
        let (one_way, other_way) = (all(), all());
        for (at, (kind, one)) in one_way.iter().enumerate() {
            for (there, (_, two)) in other_way.iter().enumerate() {
                // The seed of the first is that of the last but one, too.
                let same = at == there || [at, there] == [0, 5] || [at, there] == [5, 0];
                assert_eq!(one.is_of_one_holder(two), same, "{kind:?}");
            }
        }
        let other = Secret::Seed(Seed::new(Zeroizing::new(b"another-seed-of-a-factor".to_vec())).unwrap());
        assert!(!other.is_of_one_holder(&one_way[0].1));
    }

    #[test]
    fn printing_shows_no_secret() {
        for (_, secret) in all() {
            let shown = format!("{secret:?}");
            assert!(!shown.contains("MARKER") && !shown.contains("30555"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            for kind in FactorKind::ALL {
                if let Ok(secret) = Secret::from_bytes(kind, Zeroizing::new(bytes.clone())) {
                    prop_assert!(secret.fits(kind));
                }
            }
        }
    }
}
