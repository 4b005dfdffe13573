//! Factors and the users that hold them, as front ends see them: no secret but in [`Enrolled`].

use serde::{Deserialize, Serialize};

use super::status::LockState;
use crate::{
    name::{Claim, FactorLabel, UserId},
    secret::SecretText,
    tag::{Description, Serial},
    text::ShownText,
};

/// Names one factor for as long as it exists; never given twice.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct FactorId(pub i64);

/// The kinds of factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FactorKind {
    /// Time-based codes (RFC 6238).
    Totp,
    /// Counter-based codes (RFC 4226).
    Hotp,
    /// Single-use codes on paper.
    Recovery,
    /// Codes sent to a telephone number.
    Sms,
    /// Codes sent to a mail address.
    Mail,
    /// An outside service judges.
    Rest,
    /// Signed one-time tokens of machines.
    Token,
    /// A code for an emergency, made by an administrator: counts once, within a while.
    BreakGlass,
}

impl FactorKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Totp,
        Self::Hotp,
        Self::Recovery,
        Self::Sms,
        Self::Mail,
        Self::Rest,
        Self::Token,
        Self::BreakGlass,
    ];

    /// The word for it: in rows, in messages, and as the label where none is given.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Hotp => "hotp",
            Self::Recovery => "recovery",
            Self::Sms => "sms",
            Self::Mail => "mail",
            Self::Rest => "rest",
            Self::Token => "token",
            Self::BreakGlass => "breakglass",
        }
    }

    /// Whether an app or a device shows its codes: what may have a PIN, and goes from hand to hand.
    pub const fn shows_codes(self) -> bool {
        match self {
            Self::Totp | Self::Hotp => true,
            Self::Recovery | Self::Sms | Self::Mail | Self::Rest | Self::Token | Self::BreakGlass => false,
        }
    }
}

/// Whether a factor counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FactorState {
    /// Enrolled, not yet proven by a code: as good as none.
    Pending,
    /// Counts.
    Active,
    /// Switched off by a person; can be switched on again.
    Disabled,
    /// Switched off by 100 consecutive failures (NIST SP 800-63B-4 §3.2.2): must be enrolled anew.
    Exhausted,
}

/// The hash inside the code (RFC 6238 §1.2).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC-SHA-1: what every authenticator app supports.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// How time-based codes are made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TotpParams {
    /// The hash.
    pub algorithm: Algorithm,
    /// 6 or 8.
    pub digits: u8,
    /// Seconds a step lasts: 15 to 120.
    pub period: u16,
}

impl Default for TotpParams {
    fn default() -> Self {
        Self { algorithm: Algorithm::Sha1, digits: 6, period: 30 }
    }
}

/// How counter-based codes are made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HotpParams {
    /// The hash.
    pub algorithm: Algorithm,
    /// 6 or 8.
    pub digits: u8,
    /// The first counter that has not been used.
    pub counter: u64,
}

/// Where codes are sent, and how long they are.
#[derive(Debug, Deserialize, Serialize)]
pub struct SentParams {
    /// The telephone number (E.164, `+` first) or mail address.
    pub address: SecretText,
    /// 6 to 8; `None` takes what the configuration says.
    pub digits: Option<u8>,
}

/// Which outside service judges, and by what name it knows the user.
#[derive(Debug, Deserialize, Serialize)]
pub struct RestParams {
    /// The service: `corp` for `[rest.corp]` of the configuration.
    pub service: FactorLabel,
    /// The user's name there; `None` when it is the account's.
    pub remote_user: Option<Claim>,
}

/// Who signs tokens.
#[derive(Debug, Deserialize, Serialize)]
pub struct TokenParams {
    /// The domain whose application signs: `example.org` for `[token."example.org"]` of the configuration.
    /// `None` makes a seed and a signing secret of the factor's own.
    pub domain: Option<FactorLabel>,
    /// The signing secret when it is brought along with the seed ([`NewFactor::secret`]).
    pub signing_secret: Option<SecretText>,
}

/// The kind of a new factor with its parameters. (Recovery codes have a verb of their own.)
#[derive(Debug, Deserialize, Serialize)]
pub enum NewParams {
    /// Time-based.
    Totp(TotpParams),
    /// Counter-based.
    Hotp(HotpParams),
    /// Sent to a telephone number.
    Sms(SentParams),
    /// Sent to a mail address.
    Mail(SentParams),
    /// Judged by an outside service.
    Rest(RestParams),
    /// Signed by a machine.
    Token(TokenParams),
}

impl SentParams {
    fn again(&self) -> Self {
        Self { address: self.address.again(), digits: self.digits }
    }
}

impl NewParams {
    /// A second copy, as [`SecretText::again`] makes one.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Totp(params) => Self::Totp(*params),
            Self::Hotp(params) => Self::Hotp(*params),
            Self::Sms(params) => Self::Sms(params.again()),
            Self::Mail(params) => Self::Mail(params.again()),
            Self::Rest(RestParams { service, remote_user }) => {
                Self::Rest(RestParams { service: service.clone(), remote_user: remote_user.clone() })
            }
            Self::Token(TokenParams { domain, signing_secret }) => Self::Token(TokenParams {
                domain: domain.clone(),
                signing_secret: signing_secret.as_ref().map(SecretText::again),
            }),
        }
    }

    /// The kind.
    pub const fn kind(&self) -> FactorKind {
        match self {
            Self::Totp(_) => FactorKind::Totp,
            Self::Hotp(_) => FactorKind::Hotp,
            Self::Sms(_) => FactorKind::Sms,
            Self::Mail(_) => FactorKind::Mail,
            Self::Rest(_) => FactorKind::Rest,
            Self::Token(_) => FactorKind::Token,
        }
    }
}

/// A factor to add.
#[derive(Debug, Deserialize, Serialize)]
pub struct NewFactor {
    /// For whom.
    pub user: UserId,
    /// What the person calls it; `None` takes the kind's name.
    pub label: Option<FactorLabel>,
    /// Kind and parameters.
    pub params: NewParams,
    /// The shared secret in base32 when it is brought along; else the daemon makes one.
    pub secret: Option<SecretText>,
    /// Active at once, without proof by a code (uid 0 only).
    pub activate: bool,
    /// Replaces the user's active factor with this label.
    pub replace: bool,
    /// A current code of the factor to be replaced, or of any active factor; needed from all but uid 0
    /// when the user has an active factor.
    pub current_code: Option<SecretText>,
    /// The invitation, where a user without a factor needs one.
    pub invitation: Option<SecretText>,
    /// What identifies the device, and what is to be typed before its codes.
    pub tag: NewTag,
}

/// What identifies a new factor's device, and its PIN.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct NewTag {
    /// The serial number, which no other factor may have (uid 0 only).
    pub serial: Option<Serial>,
    /// What the device is, for people.
    pub description: Option<Description>,
    /// What is to be typed before each code ([`crate::answer::Pin`]).
    pub pin: Option<SecretText>,
}

/// What a person needs to set up the new factor. Shown once.
#[derive(Debug, Deserialize, Serialize)]
pub struct Enrolled {
    /// Its id.
    pub factor: FactorId,
    /// Its label.
    pub label: FactorLabel,
    /// Pending, or active when asked so.
    pub state: FactorState,
    /// The shared secret in base32 for typing; `None` when it was brought along.
    pub secret: Option<SecretText>,
    /// The `otpauth://` link that QR codes hold; `None` when the secret was brought along.
    pub uri: Option<SecretText>,
    /// The signing secret of a new token factor; `None` when it was brought along.
    pub signing_secret: Option<SecretText>,
    /// Where a code was sent that confirms the factor, masked: `+49 *** **321`.
    pub sent_to: Option<ShownText>,
}

/// One factor, without its secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FactorDetail {
    /// Its id.
    pub factor: FactorId,
    /// Its kind.
    pub kind: FactorKind,
    /// Its label.
    pub label: FactorLabel,
    /// Whether it counts.
    pub state: FactorState,
    /// The hash inside the code; `None` where there is none.
    pub algorithm: Option<Algorithm>,
    /// Digits of a code; `None` where codes are no digits.
    pub digits: Option<u8>,
    /// Seconds a step lasts; `None` for all but time-based codes.
    pub period: Option<u16>,
    /// Recovery codes that have not been used; `None` for other kinds.
    pub left: Option<u32>,
    /// Where codes go, masked, or who judges; `None` where nothing of that kind applies.
    pub target: Option<ShownText>,
    /// When it was added, Unix seconds.
    pub created: i64,
    /// When it last let someone in, Unix seconds.
    pub last_used: Option<i64>,
    /// Failures since the last success.
    pub failures: u32,
    /// What keeps it from being used now.
    pub lock: LockState,
    /// Learned clock drift in steps (time-based codes).
    pub drift: i32,
    /// Until when it counts, Unix seconds; `None` where that has no end.
    pub until: Option<i64>,
}

/// The device of a factor, and how it stands. Apart from [`FactorDetail`], so that each fits a frame for all that a
/// user may hold.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DeviceDetail {
    /// Of which factor.
    pub factor: FactorId,
    /// The serial number.
    pub serial: Option<Serial>,
    /// What it is, for people.
    pub description: Option<Description>,
    /// A PIN is to be typed before each code.
    pub pin: bool,
    /// The next counter of counter-based codes, the last step used of time-based ones; `None` for other kinds.
    pub position: Option<i64>,
    /// Failures that lock it.
    pub locks_at: u32,
    /// When it was last charged with a failure, Unix seconds; `None` when there is none since the last success.
    pub last_failed: Option<i64>,
}

/// One user with all it holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserDetail {
    /// Who.
    pub user: UserId,
    /// The uid at enrollment.
    pub uid: Option<u32>,
    /// The account is gone, or has another uid now: its factors deny.
    pub orphaned: bool,
    /// Failures in the last 30 days, successes between them not counted off.
    pub failures_30_days: u32,
    /// What keeps the whole account from being used now.
    pub lock: LockState,
    /// What keeps logins with unproven password (combined, unprivileged) from being used now.
    pub unproven_lock: LockState,
    /// Successes that are remembered now.
    pub remembered: u32,
    /// Until when an invitation counts, Unix seconds; `None` where there is none.
    pub invited_until: Option<i64>,
    /// Logins without a factor that the time of grace has let in; `None` for users with a factor.
    pub graced: Option<u32>,
    /// There is more to say of these: a position, failures, a serial number, a description or a PIN
    /// ([`super::Request::Devices`]).
    pub devices: bool,
    /// Its factors.
    pub factors: Vec<FactorDetail>,
}

/// One line of a list of users.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserSummary {
    /// Who.
    pub user: UserId,
    /// Kinds and states of the factors held.
    pub factors: Vec<(FactorKind, FactorState)>,
    /// When a factor last let the user in, Unix seconds.
    pub last_used: Option<i64>,
    /// What keeps the account, or its only factor, from being used now.
    pub lock: LockState,
    /// The rows of this user fail their integrity check: logins are denied.
    pub tampered: bool,
    /// Until when an emergency code counts, Unix seconds; `None` where there is none.
    pub emergency_until: Option<i64>,
}

/// A page of users.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserPage {
    /// In order of name.
    pub users: Vec<UserSummary>,
    /// There are more: ask again after the last.
    pub more: bool,
}
