//! What to do next after a refusal.

use mfa_proto::admin::RefusalCode;
use mfa_proto::name::UserId;

use crate::render::{shell_word as shell_word_of, time::Now};

/// After a refused command about `user`.
pub(super) fn user(code: RefusalCode, user: &UserId, now: &Now) -> Option<String> {
    let name = shell_word(user);
    match code {
        RefusalCode::NotAllowed => Some(
            "as root it may be allowed (sudo mfactl …); without USER it is for your own account".to_owned(),
        ),
        RefusalCode::UnknownUser => Some("users with factors: mfactl list".to_owned()),
        RefusalCode::NoSuchFactor => Some(format!("factors there are: mfactl show {name}")),
        RefusalCode::Ambiguous => Some(format!("name one by --factor ID; ids: mfactl show {name}")),
        RefusalCode::WrongCode => Some(format!(
            "a code works once and for a short time; the clock of this host shows {}",
            now.clock()
        )),
        RefusalCode::Locked => {
            Some(format!("how long: mfactl show {name}; root can end it: mfactl unlock {name}"))
        }
        RefusalCode::WrongState => Some(format!("how it stands: mfactl show {name}")),
        RefusalCode::TooMany => Some(format!("delete one that is not used any more: mfactl remove {name}")),
        RefusalCode::Tampered => Some(
            "stored rows were changed or deleted behind the daemon's back: mfactl audit says since when; to \
             start anew: mfactl remove --all, then enroll"
                .to_owned(),
        ),
        RefusalCode::Unavailable => daemon(code),
        RefusalCode::NotSent => Some("which gateway failed, and why: journalctl -t mfad-egress".to_owned()),
        RefusalCode::Invitation => Some(format!("an administrator makes a new one by: mfactl invite {name}")),
        RefusalCode::Invalid | RefusalCode::TooSoon => None,
    }
}

/// After a refused command about `whom` that is root's alone.
pub(super) fn root_only(code: RefusalCode, whom: &UserId, now: &Now) -> Option<String> {
    if code == RefusalCode::NotAllowed { daemon(code) } else { user(code, whom, now) }
}

/// After `user` could not be shown.
pub(super) fn show(code: RefusalCode, whom: &UserId, now: &Now) -> Option<String> {
    match code {
        RefusalCode::NoSuchFactor => Some(format!("to add one: mfactl enroll totp {}", shell_word(whom))),
        RefusalCode::NotAllowed
        | RefusalCode::UnknownUser
        | RefusalCode::Ambiguous
        | RefusalCode::WrongCode
        | RefusalCode::Locked
        | RefusalCode::WrongState
        | RefusalCode::Invalid
        | RefusalCode::TooMany
        | RefusalCode::Tampered
        | RefusalCode::Unavailable
        | RefusalCode::TooSoon
        | RefusalCode::NotSent
        | RefusalCode::Invitation => user(code, whom, now),
    }
}

/// After a refused command about the daemon itself.
pub(super) fn daemon(code: RefusalCode) -> Option<String> {
    match code {
        RefusalCode::NotAllowed => Some("run it as root: sudo mfactl …".to_owned()),
        RefusalCode::Unavailable => Some("what is wrong: mfactl status, journalctl -t mfad".to_owned()),
        RefusalCode::UnknownUser
        | RefusalCode::NoSuchFactor
        | RefusalCode::Ambiguous
        | RefusalCode::WrongCode
        | RefusalCode::Locked
        | RefusalCode::WrongState
        | RefusalCode::Invalid
        | RefusalCode::TooMany
        | RefusalCode::Tampered
        | RefusalCode::TooSoon
        | RefusalCode::NotSent
        | RefusalCode::Invitation => None,
    }
}

/// The arguments that name `user` in a shell.
pub(super) fn shell_word(user: &UserId) -> String {
    let name = shell_word_of(user.name.as_str());
    if user.realm.as_str() == "local" { name } else { format!("{name} --realm {}", user.realm) }
}
