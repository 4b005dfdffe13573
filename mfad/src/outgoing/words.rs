//! What egress is told of a login, a change, or a code of somebody else's. Refuses more than it needs.

use mfa_proto::{
    egress::{Consultation, Delivery},
    foreign::ForeignCode,
    secret::SecretText,
};

use crate::{
    audit::Context,
    clock::UnixTime,
    factor::Outside,
    store::{Addressed, SentCode},
};

/// No message says of a code that it counts longer than one that is made here may.
const MOST_MINUTES: u16 = 10;

/// A code to deliver; `None` for one that cannot be sent.
pub fn delivery(context: &Context, code: SentCode, now: UnixTime) -> Option<Delivery> {
    let seconds = code.until.since(now).max(0);
    Some(Delivery {
        medium: code.medium,
        to: code.to,
        code: SecretText::new(code.code.expose().to_owned()).ok()?,
        user: context.user.clone(),
        service: context.service.clone(),
        source: context.source.clone(),
        minutes: u16::try_from(seconds.saturating_add(59) / 60).unwrap_or(u16::MAX).max(1),
    })
}

/// A code to deliver that somebody else made, and that counts for so many minutes where it is judged.
pub fn carriage(context: &Context, by: Addressed, (code, minutes): (ForeignCode, u16)) -> Delivery {
    Delivery {
        medium: by.medium,
        to: by.to,
        code: code.into_text(),
        user: context.user.clone(),
        service: context.service.clone(),
        source: context.source.clone(),
        minutes: minutes.clamp(1, MOST_MINUTES),
    }
}

/// What an outside service is to begin with, or to judge.
pub fn consultation(context: &Context, outside: &Outside, code: Option<SecretText>) -> Consultation {
    Consultation {
        outside: outside.service.clone(),
        remote_user: outside.remote_user.clone(),
        user: context.user.clone(),
        service: context.service.clone(),
        source: context.source.clone(),
        code,
    }
}
