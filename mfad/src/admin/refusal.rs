//! What is said when nothing was changed: for programs a code, for people what to do next.

use mfa_proto::{
    admin::{Refusal, RefusalCode},
    name::UserId,
    text::ShownText,
};
use tracing::error;

use crate::store::{AdminError, StoreError};

/// A refusal with this message.
pub(super) fn refused(code: RefusalCode, message: &str) -> Refusal {
    Refusal { code, message: ShownText::clean(message) }
}

/// The host has no such account, as far as this peer may know.
pub(super) fn unknown_user(user: &UserId) -> Refusal {
    refused(RefusalCode::UnknownUser, &format!("there is no account {user} on this host"))
}

/// What a failing store means to a front end.
pub(super) fn store_failed(what: &str, error: &StoreError) -> Refusal {
    error!("cannot {what}: {error}");
    let message =
        format!("mfad cannot {what}: {error}. Nothing was changed. The log may say more: journalctl -u mfad");
    refused(RefusalCode::Unavailable, &message)
}

/// What a refused change means to a front end.
pub(super) fn change_refused(user: &UserId, what: &str, error: AdminError) -> Refusal {
    match error {
        AdminError::NotEnrolled => refused(RefusalCode::NoSuchFactor, &format!("{user} has no factor")),
        AdminError::NoSuchFactor => refused(
            RefusalCode::NoSuchFactor,
            &format!("{user} has no such factor: see `mfactl show {user}`"),
        ),
        AdminError::Ambiguous => refused(
            RefusalCode::Ambiguous,
            &format!(
                "{user} has more than one factor that this could mean: name one, by the id or label that `mfactl show {user}` prints"
            ),
        ),
        AdminError::WrongCode => refused(RefusalCode::WrongCode, "that code is wrong"),
        AdminError::GivenUp => refused(
            RefusalCode::NoSuchFactor,
            &format!("too many wrong codes: the new factor of {user} is gone; enroll again"),
        ),
        AdminError::WrongState(why) => refused(RefusalCode::WrongState, why),
        AdminError::Taken => refused(
            RefusalCode::WrongState,
            &format!(
                "{user} has a factor with this label: choose another with --label, or put the new one in its place with --replace"
            ),
        ),
        AdminError::TooMany => refused(
            RefusalCode::TooMany,
            &format!("{user} has as many factors as [enrollment] max_factors allows: remove one first"),
        ),
        AdminError::Tampered => refused(
            RefusalCode::Tampered,
            &format!(
                "the stored rows of {user} fail their integrity check: somebody else wrote to the database, or it is damaged. Logins of {user} are denied. Restore a backup, or `mfactl remove {user}` and enroll again"
            ),
        ),
        AdminError::Store(error) => store_failed(what, &error),
    }
}
