//! Logins of every kind, in words and by the thousand.

mod chance;
mod first;
mod said;
mod several;

use mfa_proto::{
    admin::{FactorId, FactorKind},
    answer::AnswerShape,
    login::ClientMessage,
    name::{FactorLabel, UserId, UserName},
    secret::SecretText,
    text::ShownText,
};

use super::{Holding, Opening, PromptSettings, Way};
use crate::{clock::UnixTime, limits::Gate, policy::Kinds};

const NOW: UnixTime = UnixTime(2_000_000_000);

fn jane() -> UserId {
    UserId::local(UserName::new("jane").unwrap())
}

fn settings(conceal: bool, attempts: u32) -> PromptSettings {
    PromptSettings { text: ShownText::clean("Verification code: "), echo: true, conceal, attempts }
}

/// What somebody with these factors meets, after the password.
fn opening(held: Vec<Holding>) -> Opening {
    Opening {
        settings: settings(false, 3),
        held,
        tokens: false,
        gate: Gate::Open,
        proven: true,
        preferred: None,
        kinds: Kinds::ALL,
        needed: 1,
    }
}

fn holding(id: i64, kind: FactorKind, label: &str, (form, way): (AnswerShape, Way)) -> Holding {
    let label = FactorLabel::new(label).unwrap();
    Holding { factor: FactorId(id), kind, label, form, way, target: None, service: None, pin: false }
}

fn totp() -> Holding {
    holding(1, FactorKind::Totp, "phone", (AnswerShape::SIX_DIGITS, Way::Own))
}

fn sms() -> Holding {
    let target = Some(ShownText::clean("+49 *** **321"));
    Holding { target, ..holding(2, FactorKind::Sms, "sms", (AnswerShape::SIX_DIGITS, Way::Sent)) }
}

fn mail() -> Holding {
    let target = Some(ShownText::clean("a***@example.org"));
    Holding { target, ..holding(3, FactorKind::Mail, "letters", (AnswerShape::EIGHT_DIGITS, Way::Sent)) }
}

fn recovery() -> Holding {
    holding(4, FactorKind::Recovery, "recovery", (AnswerShape::RECOVERY, Way::Own))
}

fn emergency() -> Holding {
    holding(8, FactorKind::BreakGlass, "breakglass", (AnswerShape::RECOVERY, Way::Own))
}

/// A service that judges what a device shows.
fn corp() -> Holding {
    let way = Way::Outside { begins: false };
    rest(5, "corp", (Holding::OUTSIDE, way))
}

/// A service that has to be told first, and judges.
fn push() -> Holding {
    rest(6, "push", (Holding::OUTSIDE, Way::Outside { begins: true }))
}

/// A service that delivers codes made here.
fn llng() -> Holding {
    rest(7, "llng", (AnswerShape::TEXT, Way::Sent))
}

fn rest(id: i64, name: &str, how: (AnswerShape, Way)) -> Holding {
    let service = Some(FactorLabel::new(name).unwrap());
    Holding { service, ..holding(id, FactorKind::Rest, &format!("my-{name}"), how) }
}

fn types(text: &str) -> ClientMessage {
    ClientMessage::Answer(SecretText::new(text.to_owned()).unwrap())
}
