//! Administration, version 1: one typed request and one typed reply per verb.
//!
//! Who may do what is decided by the daemon from the kernel's word on the peer (`SO_PEERCRED`): uid 0
//! everything, another uid a few verbs for its own account. Long answers come in pages.

mod audit;
mod factor;
mod status;

use serde::{Deserialize, Serialize};

pub use self::{
    audit::{AuditFilter, AuditPage, AuditRow},
    factor::{
        Algorithm, Enrolled, FactorDetail, FactorId, FactorKind, FactorState, HotpParams, NewFactor,
        NewParams, TotpParams, UserDetail, UserPage, UserSummary,
    },
    status::{ConfigReport, LockReason, LockState, Status},
};
use crate::{
    name::{FactorLabel, UserId},
    secret::SecretText,
    text::ShownText,
};

/// What a front end asks.
#[derive(Debug, Deserialize, Serialize)]
pub enum Request {
    /// Adds a factor. Reply: [`Reply::Enrolled`].
    Enroll(Box<NewFactor>),
    /// Proves a pending factor with one code, which makes it active. Reply: [`Reply::Done`].
    Confirm {
        /// Whose factor.
        user: UserId,
        /// Which; `None` when there is one pending factor.
        factor: Option<FactorId>,
        /// A code of that factor.
        code: SecretText,
    },
    /// Users in order of name, after `after`. Reply: [`Reply::Users`].
    List {
        /// The last user of the page before.
        after: Option<UserId>,
    },
    /// One user with its factors and limits. Reply: [`Reply::User`].
    Show {
        /// Whom.
        user: UserId,
    },
    /// Makes a factor unusable until it is enabled again. Reply: [`Reply::Done`].
    Disable {
        /// Whose and which.
        target: FactorRef,
        /// A current code; needed from all but uid 0.
        code: Option<SecretText>,
    },
    /// Makes a disabled factor usable again; not one that was disabled by failures. uid 0 only.
    Enable {
        /// Whose and which.
        target: FactorRef,
    },
    /// Deletes a factor, or all of a user. Reply: [`Reply::Done`].
    Remove {
        /// Whose and which; `factor: None` takes all.
        target: FactorRef,
        /// A current code; needed from all but uid 0.
        code: Option<SecretText>,
    },
    /// Ends the waits of a user now; counts stay. uid 0 only.
    Unlock {
        /// Whom.
        user: UserId,
    },
    /// Forgets failures and waits, and moves watermarks and drift to now, after a clock or counting
    /// accident. Used codes stay used. uid 0 only.
    Reset {
        /// Whom.
        user: UserId,
    },
    /// How the daemon is. Reply: [`Reply::Status`]. uid 0 only.
    Status,
    /// Audit rows, oldest first. Reply: [`Reply::Audit`]. uid 0 only.
    Audit(Box<AuditFilter>),
    /// Reads the configuration files and says what is wrong. Reply: [`Reply::Config`]. uid 0 only.
    ConfigCheck,
    /// Reads configuration and key again. Reply: [`Reply::Config`]. uid 0 only.
    Reload,
}

/// A factor of a user.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FactorRef {
    /// Whose.
    pub user: UserId,
    /// Which; `None` where the verb says what that means, else the user's only factor.
    pub factor: Option<FactorId>,
    /// Which, by label, where `factor` is not known.
    pub label: Option<FactorLabel>,
}

/// What the daemon answers.
#[derive(Debug, Deserialize, Serialize)]
pub enum Reply {
    /// It is done.
    Done {
        /// How many factors it concerned.
        factors: u32,
    },
    /// A new factor.
    Enrolled(Box<Enrolled>),
    /// One page of users.
    Users(UserPage),
    /// One user.
    User(Box<UserDetail>),
    /// How the daemon is.
    Status(Box<Status>),
    /// One page of audit rows.
    Audit(AuditPage),
    /// What became of a look at the configuration.
    Config(ConfigReport),
    /// Nothing was changed.
    Refused(Refusal),
}

/// Why a request was refused, for programs and for people.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people: what failed, on what, what to do next.
    pub message: ShownText,
}

/// Kinds of refusal; `mfactl` makes its exit code of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RefusalCode {
    /// The peer's uid may not do this.
    NotAllowed,
    /// The host has no such account.
    UnknownUser,
    /// The user has no such factor.
    NoSuchFactor,
    /// More than one factor fits: name one.
    Ambiguous,
    /// The code was wrong, used before, or missing.
    WrongCode,
    /// Too many wrong codes: wait.
    Locked,
    /// The factor is not in a state that allows this.
    WrongState,
    /// Something given is not valid.
    Invalid,
    /// A bound is reached (factors of a user, size of a page).
    TooMany,
    /// Stored rows fail their integrity check.
    Tampered,
    /// The daemon cannot do it at present.
    Unavailable,
}
