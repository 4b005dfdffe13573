//! The arithmetic of factors: is this code right for this secret, now? Pure; one file per kind.
//!
//! Refuses to store, to count and to decide: a right code is a login only after the store has consumed
//! it ([`crate::store`]). `totp-rs` types do not leave this module, because their `Display` and `Debug`
//! print secrets and codes.

mod address;
mod digits;
mod hotp;
mod oath;
mod pin;
mod recovery;
mod secret;
mod seed;
mod sent;
pub mod token;
mod totp;

use mfa_proto::{
    admin::{Algorithm, FactorKind, TotpParams},
    answer::{AnswerShape, OtpCode},
};

pub use self::{
    address::{Address, AddressError},
    pin::{PinSalt, StretchedPin},
    recovery::RecoverySet,
    secret::{
        CodeHash, EmergencyHash, NotSuchSecret, Outside, RecoveryHashes, Secret, TokenDomain, TokenSecret,
        TokenSettings,
    },
    seed::{Seed, SeedError},
    sent::digits as sent_digits,
};
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
    /// A set of single-use codes.
    Recovery {
        /// 0 for codes made here ([`mfa_proto::answer::RecoveryCode`]); 8 for codes of as many digits that
        /// were brought along, which have no number.
        digits: u8,
    },
    /// Codes sent to a telephone number.
    Sms {
        /// 6 to 8.
        digits: u8,
    },
    /// Codes sent to a mail address.
    Mail {
        /// 6 to 8.
        digits: u8,
    },
    /// An outside service judges.
    Rest,
    /// Signed one-time tokens.
    Token,
    /// One code for an emergency ([`mfa_proto::answer::RecoveryCode::is_emergency`]).
    BreakGlass {
        /// Minutes that it counts, from when it was made.
        minutes: u16,
    },
}

/// Minutes that a code for an emergency may count: long enough to be told over the telephone, and gone the
/// next day.
pub const EMERGENCY_MINUTES: std::ops::RangeInclusive<u16> = 5..=24 * 60;

/// What moves with each success, and only forward.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Moving {
    /// Time-based: the last step that was accepted (-1 before the first). Counter-based: the next
    /// counter not used yet. Recovery codes: the used ones as bits. Sent codes and outside services: a
    /// serial of what was sent and what was used. Tokens: the serial of the last nonce.
    pub position: i64,
    /// Time-based: steps by which the person's device is ahead of this host, as learned. Tokens: how many
    /// nonces are remembered.
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

impl Check {
    /// What it is when something that belongs to it was wrong: nothing is used up.
    pub fn denied(self) -> Self {
        match self {
            Self::Match(_) | Self::Used | Self::Wrong => Self::Wrong,
            Self::ClockUnusable => Self::ClockUnusable,
        }
    }

    /// The same, but that a code was used before is not told.
    pub fn used_is_wrong(self) -> Self {
        match self {
            Self::Used => Self::Wrong,
            other @ (Self::Match(_) | Self::Wrong | Self::ClockUnusable) => other,
        }
    }
}

impl Params {
    /// The kind.
    pub const fn kind(&self) -> FactorKind {
        match self {
            Self::Totp(_) => FactorKind::Totp,
            Self::Hotp { .. } => FactorKind::Hotp,
            Self::Recovery { .. } => FactorKind::Recovery,
            Self::Sms { .. } => FactorKind::Sms,
            Self::Mail { .. } => FactorKind::Mail,
            Self::Rest => FactorKind::Rest,
            Self::Token => FactorKind::Token,
            Self::BreakGlass { .. } => FactorKind::BreakGlass,
        }
    }

    /// The hash inside the code; `None` where codes are not made of a seed.
    pub const fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Totp(params) => Some(params.algorithm),
            Self::Hotp { algorithm, .. } => Some(*algorithm),
            Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => None,
        }
    }

    /// Digits of a code; 0 where codes are no digits.
    pub const fn digits(&self) -> u8 {
        match self {
            Self::Totp(params) => params.digits,
            Self::Hotp { digits, .. }
            | Self::Recovery { digits }
            | Self::Sms { digits }
            | Self::Mail { digits } => *digits,
            Self::Rest | Self::Token | Self::BreakGlass { .. } => 0,
        }
    }

    /// Seconds a step lasts; 0 for all but time-based codes.
    pub const fn period(&self) -> u16 {
        match self {
            Self::Totp(params) => params.period,
            Self::Hotp { .. }
            | Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => 0,
        }
    }

    /// Minutes that it counts, from when it was made; `None` for kinds without an end.
    pub const fn minutes(&self) -> Option<u16> {
        match self {
            Self::BreakGlass { minutes } => Some(*minutes),
            Self::Totp(_)
            | Self::Hotp { .. }
            | Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token => None,
        }
    }

    /// Whether a PIN can be asked for before its codes.
    pub const fn takes_pin(&self) -> bool {
        matches!(self, Self::Totp(_) | Self::Hotp { .. } | Self::Sms { .. } | Self::Mail { .. })
    }

    /// Whether it is a code for an emergency.
    pub const fn is_emergency(&self) -> bool {
        self.minutes().is_some()
    }

    /// Whether the parameters are ones this module can work with.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Totp(params) => matches!(params.digits, 6 | 8) && (15..=120).contains(&params.period),
            Self::Hotp { digits, .. } => matches!(digits, 6 | 8),
            Self::Recovery { digits } => matches!(digits, 0 | 8),
            Self::Sms { digits } | Self::Mail { digits } => matches!(digits, 6..=8),
            Self::Rest | Self::Token => true,
            Self::BreakGlass { minutes } => EMERGENCY_MINUTES.contains(minutes),
        }
    }

    /// Whether codes are sent to an address, which has to be proven by one of them.
    pub const fn is_sent(&self) -> bool {
        matches!(self, Self::Sms { .. } | Self::Mail { .. })
    }

    /// The answers that may be right for this factor.
    pub fn shape(&self) -> Option<AnswerShape> {
        match self {
            Self::Recovery { digits: 0 } | Self::BreakGlass { .. } => Some(AnswerShape::RECOVERY),
            Self::Totp(_)
            | Self::Hotp { .. }
            | Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. } => AnswerShape::of_digits(self.digits()),
            Self::Rest => Some(AnswerShape::TEXT),
            Self::Token => Some(AnswerShape::TOKEN),
        }
    }

    /// Where a factor stands that has never been used: for counter-based codes, at `counter`.
    pub fn start(&self, counter: i64) -> Moving {
        let position = match self {
            Self::Totp(_) => -1,
            Self::Hotp { .. } => counter,
            Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => 0,
        };
        Moving { position, drift: 0 }
    }

    /// Where a factor is put by an administrator's reset: behind nothing that was used, ahead of nothing
    /// that is to come. Time-based codes of this step and before are burnt.
    pub fn fenced(&self, moving: Moving, now: UnixTime) -> Moving {
        match self {
            Self::Totp(params) => Moving { position: totp::step_at(*params, now), drift: 0 },
            Self::Hotp { .. }
            | Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => moving,
        }
    }

    /// The `otpauth://` link for authenticator apps; `None` for kinds that have none.
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
            Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => None,
        }
    }

    /// Judges a code made of a seed. Does the same work for every code of the right length.
    pub fn check(&self, trial: &Trial<'_>) -> Check {
        if trial.code.digits() != self.digits() || !self.is_valid() {
            return Check::Wrong;
        }
        match self {
            Self::Totp(params) => totp::check(*params, trial),
            Self::Hotp { algorithm, digits } => hotp::check(*algorithm, *digits, trial),
            Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => Check::Wrong,
        }
    }

    /// Finds the counter of a device by two codes that it showed one after the other; where it then
    /// stands. Refuses all but counter-based codes.
    pub fn resync(&self, seed: &Seed, moving: Moving, codes: [&OtpCode; 2]) -> Option<Moving> {
        match self {
            Self::Hotp { algorithm, digits } if codes.iter().all(|code| code.digits() == *digits) => {
                hotp::resync(*algorithm, *digits, (seed, moving), codes)
            }
            Self::Totp(_)
            | Self::Hotp { .. }
            | Self::Recovery { .. }
            | Self::Sms { .. }
            | Self::Mail { .. }
            | Self::Rest
            | Self::Token
            | Self::BreakGlass { .. } => None,
        }
    }
}
