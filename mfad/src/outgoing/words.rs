//! What egress is told of a login or a change. Refuses more than it needs.

use mfa_proto::{
    egress::{Consultation, Delivery},
    secret::SecretText,
};

use crate::{audit::Context, clock::UnixTime, factor::Outside, store::SentCode};

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
