//! Stretching PINs: what makes each guess at a stolen, opened database cost memory and time.
//!
//! Argon2id with 19 MiB, 2 passes and one lane, as OWASP's password storage cheat sheet has it. Takes tens of
//! milliseconds: never on the store's thread. Refuses to compare and to store.

use argon2::{Algorithm, Argon2, Params, Version};
use mfa_proto::answer::Pin;
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What makes the same PIN of two accounts stretch to different bytes.
pub type PinSalt = [u8; 16];

/// A stretched PIN: as good as the PIN for whoever holds the store's key.
pub struct StretchedPin(Zeroizing<[u8; 32]>);

impl StretchedPin {
    /// Stretches a PIN. `None` only when there is no memory for it.
    pub fn of(pin: &Pin, salt: &PinSalt) -> Option<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).ok()?;
        let mut out = Zeroizing::new([0; 32]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(pin.expose().as_bytes(), salt, out.as_mut_slice()).ok()?;
        Some(Self(out))
    }

    /// The bytes. Every call is a place where they may leak: keep them few.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for StretchedPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StretchedPin(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `argon2 0123456789abcdef -id -t 2 -k 19456 -p 1 -r` of the reference implementation makes of `hunter2`.
    #[test]
    fn a_pin_stretches_as_the_reference_implementation_has_it() {
        let pin = Pin::new("hunter2").unwrap();
        let stretched = StretchedPin::of(&pin, b"0123456789abcdef").unwrap();
        let hex = crate::seal::hex(stretched.expose());
        assert_eq!(*hex, "9d4c62adf54ad88fef393e9fda5cb6c12823c19d68ab04cb0a6adca43ca389c0");
        let other = StretchedPin::of(&pin, b"0123456789abcdeg").unwrap();
        assert_ne!(other.expose(), stretched.expose());
        assert_eq!(format!("{stretched:?}"), "StretchedPin(redacted)");
    }
}
