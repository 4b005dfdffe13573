//! What can go wrong with the store. Every one of these denies.

use std::path::PathBuf;

use mfa_proto::{name::FactorLabel, tag::Serial};

use crate::{
    clock::UnixTime,
    limits::Gate,
    seal::{KeyId, SealError},
};

/// Why the store did not do what was asked. Nothing was granted, and nothing half done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// There is no database.
    #[error("there is no database at {0}; run `mfad init` if this host is new, or restore a backup")]
    Missing(PathBuf),
    /// There is one already.
    #[error("{0} exists; it is not replaced, because every enrollment in it would be lost")]
    Exists(PathBuf),
    /// The file cannot be opened, or is not what it should be.
    #[error("the database {path} cannot be used: {problem}")]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A newer version of the program made the database.
    #[error(
        "the database has schema {found}, this program knows up to {known}: it was made by a newer mfad; install that or restore an older backup"
    )]
    Newer {
        /// The version in the file.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The key file does not hold a key that the database needs.
    #[error(
        "the database is sealed with key {0}, which the key file does not hold: restore the key file that belongs to it"
    )]
    KeyMissing(KeyId),
    /// A row was changed, removed, moved or added by something other than this program.
    #[error(
        "stored rows fail their integrity check: {0}; find out who changed them, then restore a backup, or remove the user (`mfactl remove`) and enroll again"
    )]
    Tampered(String),
    /// Reading or writing failed: disk full, I/O error, read-only, locked by another process.
    #[error("the database cannot be read or written: {0}")]
    Unavailable(String),
    /// The transaction did not become durable. What was asked may or may not have happened.
    #[error("the change was not made durable: {0}")]
    NotDurable(String),
    /// An administrator's or owner's request does not fit what is stored.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The request ended in a programming error, which is in the log; the store goes on.
    #[error("an internal error ended the request; see the log")]
    Internal,
    /// The store has been shut down.
    #[error("the store has been shut down")]
    Stopped,
}

/// Why a request of an administrator or owner was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The user has no factor at all.
    #[error("no factor is enrolled for this user")]
    NotEnrolled,
    /// The user has no such factor.
    #[error("the user has no such factor")]
    NoSuchFactor,
    /// More than one factor fits.
    #[error("more than one factor fits: name one by its number or label")]
    Ambiguous,
    /// The code was wrong, had been used, or is missing.
    #[error("the code was wrong, used before, or is missing")]
    WrongCode,
    /// The fifth wrong code: the pending factor is gone.
    #[error("the code was wrong too often: the pending factor was removed; enroll again")]
    PendingDropped,
    /// Too many wrong codes.
    #[error("too many wrong codes: wait")]
    Locked {
        /// Until when.
        gate: Gate,
    },
    /// The factor's state does not allow it.
    #[error("the factor is {0}, which does not allow this")]
    WrongState(&'static str),
    /// The label is in use.
    #[error("the user has a factor labelled \"{0}\" already; choose another label, or replace it")]
    LabelTaken(FactorLabel),
    /// The serial number is in use.
    #[error("a factor with the serial number {0} exists: choose another, or take that one away first")]
    SerialTaken(Serial),
    /// The directory keeps the factor.
    #[error(
        "the directory keeps this factor: change it there, or ask root to switch it off (mfactl disable)"
    )]
    OfDirectory,
    /// The directory has no such factor any more, or none that opens.
    #[error(
        "the directory has this factor no more, or only what does not open: mend that there, then mfactl ldap pull"
    )]
    GoneFromDirectory,
    /// The user holds as many factors as allowed.
    #[error("the user holds {0} factors, as many as allowed; remove one first")]
    TooMany(u32),
    /// The account has another uid than at enrollment.
    #[error(
        "the account has another uid than when its factors were enrolled: they deny, until root takes them over for the account (mfactl reassign) or removes them"
    )]
    Orphaned,
    /// The account is there, and is the one that enrolled.
    #[error("the account is there, with the uid with which its factors were enrolled: they are not orphaned")]
    NotOrphaned,
    /// The account that is to take factors over has some.
    #[error("the account that is to take the factors over holds factors of its own")]
    HeirHolds,
    /// The host's clock cannot be used to judge codes.
    #[error(
        "the host's clock is not set, or behind the last code that was accepted: codes cannot be checked; an administrator's `mfactl reset` mends the second"
    )]
    ClockUnusable,
    /// A code was sent a moment ago, and has not been used.
    #[error("a code was sent a moment ago")]
    TooSoon {
        /// When another may be sent.
        until: UnixTime,
    },
    /// Too many codes were sent.
    #[error("too many codes were sent today")]
    Capped {
        /// When another may be sent.
        until: UnixTime,
    },
    /// The outside service could not be asked.
    #[error("the outside service could not be asked")]
    Unreachable,
    /// The invitation does not count: it is wrong, used, or too old; or there is none.
    #[error("this invitation does not count: it is wrong, was used or taken back, or is too old")]
    WrongInvitation,
    /// Something given is not valid.
    #[error("{0}")]
    Invalid(&'static str),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        // The schema is fixed, so a value of another type or range was put there by someone else.
        let foreign = matches!(
            error,
            E::FromSqlConversionFailure(..)
                | E::IntegralValueOutOfRange(..)
                | E::InvalidColumnType(..)
                | E::Utf8Error(..)
        );
        if foreign {
            return Self::Tampered(format!("a column holds what it cannot: {error}"));
        }
        Self::Unavailable(explain(&error))
    }
}

/// SQLite's words, with what to do where that is known.
pub(super) fn explain(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode as C;
    let hint = match error.sqlite_error_code() {
        Some(C::DiskFull) => "free some space on the disk of the state directory",
        Some(C::ReadOnly) => "the file system is mounted read-only, or the database belongs to another user",
        Some(C::DatabaseBusy | C::DatabaseLocked) => "another process holds it locked",
        Some(C::DatabaseCorrupt | C::NotADatabase) => "it is damaged: stop mfad and restore a backup",
        Some(C::SystemIoFailure) => "look for disk errors in the kernel log",
        _ => return error.to_string(),
    };
    format!("{error} ({hint})")
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoSuchKey(_) | SealError::Broken | SealError::EmptyReference => {
                Self::Tampered(error.to_string())
            }
            SealError::NoRandomness => Self::Unavailable(error.to_string()),
        }
    }
}
