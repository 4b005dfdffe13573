//! What is said when nothing was changed: for programs a code, for people what to do next.

use mfa_proto::{
    admin::{Refusal, RefusalCode},
    name::UserId,
    text::ShownText,
};
use tracing::error;

use crate::{
    clock::UnixTime,
    session::Wording,
    store::{Refused, StoreError},
};

/// A refusal with this message.
pub(super) fn refused(code: RefusalCode, message: &str) -> Refusal {
    Refusal { code, message: ShownText::clean(message) }
}

/// This user has asked for too much in too little time.
pub(super) fn too_often() -> Refusal {
    refused(RefusalCode::Unavailable, "too many requests from this user: wait a minute and try again")
}

/// The host has no such account, as far as this peer may know.
pub(super) fn unknown_user(user: &UserId) -> Refusal {
    refused(RefusalCode::UnknownUser, &format!("there is no account {user} on this host"))
}

/// What a failing store means to a front end; `what` is what was to be done, as in "cannot …".
pub(super) fn store_failed(what: &str, error: &StoreError) -> Refusal {
    error!("cannot {what}: {error}");
    let message =
        format!("mfad cannot {what}: {error}. Nothing was changed. The log may say more: journalctl -t mfad");
    refused(RefusalCode::Unavailable, &message)
}

/// What an error of the store means to whoever wanted something for `user`.
pub(super) fn not_done(user: &UserId, what: &str, now: UnixTime, error: &StoreError) -> Refusal {
    match error {
        StoreError::Refused(why) => explain(user, now, why),
        StoreError::Tampered(detail) => {
            error!("cannot {what} of {user}: {error}");
            refused(
                RefusalCode::Tampered,
                &format!(
                    "the stored rows of {user} fail their integrity check ({detail}): something else wrote to the database, or it is damaged. Logins of {user} are denied. Restore a backup of key and database"
                ),
            )
        }
        StoreError::Missing(_)
        | StoreError::Exists(_)
        | StoreError::Unusable { .. }
        | StoreError::Newer { .. }
        | StoreError::KeyMissing(_)
        | StoreError::Unavailable(_)
        | StoreError::NotDurable(_)
        | StoreError::Internal
        | StoreError::Stopped => store_failed(what, error),
    }
}

fn explain(user: &UserId, now: UnixTime, why: &Refused) -> Refusal {
    let (code, message) = match why {
        Refused::NotEnrolled => (RefusalCode::NoSuchFactor, format!("{user} has no factor")),
        Refused::NoSuchFactor => (RefusalCode::NoSuchFactor, format!("{user} has no such factor")),
        Refused::Ambiguous => {
            (RefusalCode::Ambiguous, format!("{user} has more than one factor that this could mean"))
        }
        Refused::WrongCode => {
            (RefusalCode::WrongCode, format!("a current code of an active factor of {user} is needed"))
        }
        Refused::PendingDropped => (
            RefusalCode::NoSuchFactor,
            format!("too many wrong codes: the new factor of {user} is gone; enroll again"),
        ),
        Refused::Locked { gate } => (RefusalCode::Locked, Wording::refusal(*gate, now)),
        Refused::OfDirectory => (RefusalCode::NotAllowed, why.to_string()),
        Refused::WrongState(_) | Refused::Orphaned | Refused::NotOrphaned | Refused::HeirHolds => {
            (RefusalCode::WrongState, why.to_string())
        }
        Refused::LabelTaken(label) => (
            RefusalCode::WrongState,
            format!(
                "{user} has a factor called \"{label}\": choose another --label, or put the new one in its place with --replace"
            ),
        ),
        Refused::SerialTaken(_) | Refused::GoneFromDirectory => (RefusalCode::WrongState, why.to_string()),
        Refused::TooMany(most) => (
            RefusalCode::TooMany,
            format!(
                "{user} holds {most} factors, as many as [enrollment] max_factors allows: remove one first"
            ),
        ),
        Refused::TooSoon { until } => (
            RefusalCode::TooSoon,
            format!("a code was sent to {user} a moment ago: wait {} s", until.since(now).max(1)),
        ),
        Refused::Capped { .. } => (
            RefusalCode::TooSoon,
            format!("too many codes were sent to {user}, or in all, in the last 24 hours: wait"),
        ),
        Refused::WrongInvitation => (RefusalCode::Invitation, why.to_string()),
        Refused::Unreachable => (RefusalCode::NotSent, why.to_string()),
        Refused::ClockUnusable => (RefusalCode::Unavailable, why.to_string()),
        Refused::Invalid(_) => (RefusalCode::Invalid, why.to_string()),
    };
    refused(code, &message)
}

#[cfg(test)]
mod tests {
    use mfa_proto::name::UserName;

    use super::*;

    /// Two lines of a terminal: what comes next is the front end's to say.
    #[test]
    fn a_refusal_is_short_and_leaves_the_next_step_to_the_front_end() {
        let user = UserId::local(UserName::new("jane").unwrap());
        let whys = [
            (Refused::NotEnrolled, "jane has no factor"),
            (Refused::NoSuchFactor, "jane has no such factor"),
            (Refused::Ambiguous, "jane has more than one factor that this could mean"),
            (Refused::WrongCode, "a current code of an active factor of jane is needed"),
        ];
        for (why, said) in whys {
            let refusal = explain(&user, UnixTime(1_800_000_000), &why);
            assert_eq!(refusal.message.as_str(), said);
            assert!(said.len() < 80 - "mfactl: ".len(), "{said}");
        }
    }
}
