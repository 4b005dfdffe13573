//! The arithmetic of factors: is this code right for this secret, now? Pure; one file per kind.
//!
//! Refuses to store, to count and to decide: a right code is a login only after the store has consumed
//! it ([`crate::store`]). `totp-rs` types do not leave this module, because their `Display` and `Debug`
//! print secrets and codes.

mod hotp;
mod oath;
mod seed;
mod totp;

use mfa_proto::{
    admin::{Algorithm, FactorKind, TotpParams},
    answer::{AnswerShape, OtpCode},
};

pub use self::seed::{Seed, SeedError};
use crate::clock::UnixTime;

/// What does not change in the life of a factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Params {
    /// Time-based codes (RFC 6238).
    Totp(TotpParams),
    /// Counter-based codes (RFC 4226).
    Hotp {
        /// The hash.
        algorithm: Algorithm,
        /// 6 or 8.
        digits: u8,
    },
}

/// What moves with each success, and only forward.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Moving {
    /// Time-based: the last step that was accepted (-1 before the first). Counter-based: the next
    /// counter not used yet.
    pub position: i64,
    /// Time-based: steps by which the person's device is ahead of this host, as learned.
    pub drift: i32,
}

/// What the administrator allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// Steps accepted before and after the present one: 0 or 1 (RFC 6238 §5.2).
    pub window: u8,
    /// Learn how far a device's clock is off.
    pub learn_drift: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { window: 1, learn_drift: false }
    }
}

/// A code and all it is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The factor's secret.
    pub seed: &'a Seed,
    /// Where the factor stands.
    pub moving: Moving,
    /// What the person typed.
    pub code: &'a OtpCode,
    /// The time of judgment.
    pub now: UnixTime,
    /// What the administrator allows.
    pub rules: Rules,
}

/// What a code turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Check {
    /// Right and not used before: the factor has to move to this, or the code is not accepted.
    Match(Moving),
    /// Right, but this code, or a later one, has been used.
    Used,
    /// Not right.
    Wrong,
    /// Codes cannot be judged: the host's clock is not set, or behind the last accepted step because
    /// it once was far ahead. An administrator's `mfactl reset` mends the second.
    ClockUnusable,
}

impl Params {
    /// The kind.
    pub const fn kind(&self) -> FactorKind {
        match self {
            Self::Totp(_) => FactorKind::Totp,
            Self::Hotp { .. } => FactorKind::Hotp,
        }
    }

    /// The hash inside the code.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Totp(params) => params.algorithm,
            Self::Hotp { algorithm, .. } => *algorithm,
        }
    }

    /// Digits of a code.
    pub const fn digits(&self) -> u8 {
        match self {
            Self::Totp(params) => params.digits,
            Self::Hotp { digits, .. } => *digits,
        }
    }

    /// Seconds a step lasts; 0 for counter-based codes.
    pub const fn period(&self) -> u16 {
        match self {
            Self::Totp(params) => params.period,
            Self::Hotp { .. } => 0,
        }
    }

    /// Whether the parameters are ones this module can work with: 6 or 8 digits, 15 to 120 seconds.
    pub fn is_valid(&self) -> bool {
        AnswerShape::of_digits(self.digits()).is_some()
            && match self {
                Self::Totp(params) => (15..=120).contains(&params.period),
                Self::Hotp { .. } => true,
            }
    }

    /// The answers that may be codes of this factor.
    pub fn shape(&self) -> Option<AnswerShape> {
        AnswerShape::of_digits(self.digits())
    }

    /// Where a factor stands that has never been used: for counter-based codes, at `counter`.
    pub fn start(&self, counter: i64) -> Moving {
        let position = match self {
            Self::Totp(_) => -1,
            Self::Hotp { .. } => counter,
        };
        Moving { position, drift: 0 }
    }

    /// Where a factor is put by an administrator's reset: behind nothing that was used, ahead of nothing
    /// that is to come. Time-based codes of this step and before are burnt.
    pub fn fenced(&self, moving: Moving, now: UnixTime) -> Moving {
        match self {
            Self::Totp(params) => Moving { position: totp::step_at(*params, now), drift: 0 },
            Self::Hotp { .. } => moving,
        }
    }

    /// The `otpauth://` link for authenticator apps.
    pub fn uri(
        &self,
        seed: &Seed,
        issuer: &str,
        account: &str,
        moving: Moving,
    ) -> Option<zeroize::Zeroizing<String>> {
        match self {
            Self::Totp(params) => totp::uri(*params, seed, issuer, account),
            Self::Hotp { algorithm, digits } => {
                let link = oath::uri(*algorithm, *digits, 30, seed, (issuer, account))?;
                hotp::uri(&link, moving)
            }
        }
    }

    /// Judges a code. Does the same work for every code of the right length.
    pub fn check(&self, trial: &Trial<'_>) -> Check {
        if trial.code.digits() != self.digits() || !self.is_valid() {
            return Check::Wrong;
        }
        match self {
            Self::Totp(params) => totp::check(*params, trial),
            Self::Hotp { algorithm, digits } => hotp::check(*algorithm, *digits, trial),
        }
    }
}
