//! What ntopng asks at `/lua/admin/change_user_mfa.lua`: an app is set up, switched on and off.
//!
//! Every answer is 200 with an integer `result`, as its pages expect. A new secret stays pending beside the active
//! one until a code of it has been shown. Refuses to let a session that has no code replace what is active: in the
//! original it could, and then switch the factor off.

use hyper::{Method, StatusCode, header::ALLOW};
use mfa_proto::{
    admin::{
        Enrolled, FactorDetail, FactorId, FactorKind, FactorRef, FactorState, NewFactor, NewParams, NewTag,
        Refusal, RefusalCode, Reply, Request, TotpParams,
    },
    name::{FactorLabel, UserId, UserName},
    secret::SecretText,
};
use mfa_role::config::Right;
use serde::Serialize;

use crate::{
    answer::Answer,
    call::{Call, Params},
    clients::Unknown,
    verify::Desk,
};

/// Where it is.
const PATH: &str = "/lua/admin/change_user_mfa.lua";
/// Says on behalf of whose session it is asked. Without it, an administrator asks.
const SESSION: &str = "x-mfa-session-user";
/// What the factor is called.
const LABEL: &str = "ntopng";
/// Codes of the original have this many digits.
const DIGITS: usize = 6;

const MISSING_USERNAME: &str = "Missing username";
const NOT_AUTHORIZED: &str = "Not authorized";
const MISSING_CODE: &str = "Missing TOTP code";
const INVALID_CODE: &str = "Invalid TOTP code";
const NOT_GENERATED: &str = "Failed to generate secret";
const NOT_ENABLED: &str = "Failed to enable MFA";
const NOT_DISABLED: &str = "Failed to disable MFA";
const UNKNOWN_ACTION: &str = "Unknown action";

/// An answer in its words.
#[derive(Debug, Serialize)]
struct Said<'a> {
    result: i8,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioning_uri: Option<&'a str>,
}

/// Answers a request; `None` when its path is none of this dialect.
pub async fn answer(call: &mut Call) -> Option<Answer> {
    if call.path() != PATH {
        return None;
    }
    if call.method() != Method::POST {
        return Some(Answer::status(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW, "POST"));
    }
    let desk = match call.client() {
        Ok(desk) => desk,
        Err(Unknown::Nobody) => {
            return Some(call.asking_for_proof(no_with(StatusCode::UNAUTHORIZED, NOT_AUTHORIZED)));
        }
        Err(Unknown::TooOften) => return Some(no_with(StatusCode::TOO_MANY_REQUESTS, NOT_AUTHORIZED)),
    };
    let session = call.header(SESSION).map(str::to_owned);
    let unreadable = call.headers().contains_key(SESSION) && session.is_none();
    Some(match call.params().await {
        Ok(_) if unreadable => no(NOT_AUTHORIZED),
        Ok(params) => changed(&params, session.as_deref(), &desk).await,
        Err(bad) => no_with(bad.status(), MISSING_USERNAME),
    })
}

/// In the order of the original: the name, the right, the action.
async fn changed(params: &Params, session: Option<&str>, desk: &Desk) -> Answer {
    let given = params.get("username").unwrap_or_default().to_lowercase();
    if given.is_empty() {
        return no(MISSING_USERNAME);
    }
    let rights = &desk.client().rights;
    let may = [Right::FactorsRead, Right::FactorsWrite].into_iter().all(|right| rights.include(right))
        && session.is_none_or(|user| user == given);
    let Some(name) = UserName::new(given).ok().filter(|_| may) else {
        return no(NOT_AUTHORIZED);
    };
    let order = Order { user: UserId::local(name), code: code(params), own: session.is_some(), desk };
    match params.get("action") {
        Some("generate_secret") => order.generate().await,
        Some("enable") => order.enable().await,
        Some("disable") => order.disable().await,
        Some(_) | None => no(UNKNOWN_ACTION),
    }
}

/// The code, when one is there: `Err` for what is none.
fn code(params: &Params) -> Option<Result<SecretText, ()>> {
    let text = params.get("totp").filter(|text| !text.is_empty())?;
    let sound = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(
        SecretText::new(text.to_owned())
            .map_err(drop)
            .and_then(|code| if sound { Ok(code) } else { Err(()) }),
    )
}

struct Order<'a> {
    user: UserId,
    code: Option<Result<SecretText, ()>>,
    /// The person itself asks, who has to show a code.
    own: bool,
    desk: &'a Desk,
}

impl Order<'_> {
    /// A new secret, pending. Whoever has an active one and asks for itself must show a code of it.
    async fn generate(self) -> Answer {
        let Self { user, code, own, desk } = self;
        let Some(held) = held(desk, &user).await else { return no(NOT_GENERATED) };
        let Ok(current_code) = proof(own && in_state(&held, FactorState::Active).is_some(), code) else {
            return no(INVALID_CODE);
        };
        let new = NewFactor {
            user,
            label: FactorLabel::new(LABEL).ok(),
            params: NewParams::Totp(TotpParams::default()),
            secret: None,
            activate: false,
            replace: true,
            current_code,
            invitation: None,
            tag: NewTag::default(),
        };
        match desk.admin(Request::Enroll(Box::new(new))).await {
            Ok(Reply::Enrolled(enrolled)) => shown(&enrolled),
            Ok(Reply::Refused(refusal)) if own && is_about_code(&refusal) => no(INVALID_CODE),
            Ok(_) | Err(_) => no(NOT_GENERATED),
        }
    }

    /// The pending secret becomes the active one, by a code of it.
    async fn enable(self) -> Answer {
        let Self { user, code, desk, .. } = self;
        let code = match code {
            None => return no(MISSING_CODE),
            Some(Err(())) => return no(INVALID_CODE),
            Some(Ok(code)) => code,
        };
        let Some(held) = held(desk, &user).await else { return no(NOT_ENABLED) };
        let Some(factor) = in_state(&held, FactorState::Pending) else { return no(INVALID_CODE) };
        match desk.admin(Request::Confirm { user, factor: Some(factor), code }).await {
            Ok(Reply::Done { .. }) => yes("MFA enabled"),
            Ok(Reply::Refused(refusal)) if is_about_code(&refusal) => no(INVALID_CODE),
            Ok(_) | Err(_) => no(NOT_ENABLED),
        }
    }

    /// Switched off: by an administrator as it is, by the person with a code of what is active.
    async fn disable(self) -> Answer {
        let Self { user, code, own, desk } = self;
        let Ok(code) = proof(own, code) else { return no(INVALID_CODE) };
        let Some(held) = held(desk, &user).await else { return no(NOT_DISABLED) };
        let Some(factor) = in_state(&held, FactorState::Active) else {
            return if own { no(INVALID_CODE) } else { yes("MFA disabled") };
        };
        let target = FactorRef { user, factor: Some(factor), label: None };
        match desk.admin(Request::Disable { target, code }).await {
            Ok(Reply::Done { .. }) => yes("MFA disabled"),
            Ok(Reply::Refused(refusal)) if own && is_about_code(&refusal) => no(INVALID_CODE),
            Ok(_) | Err(_) => no(NOT_DISABLED),
        }
    }
}

/// The code that a change needs, when it needs one; an error where it is missing or none.
fn proof(needed: bool, code: Option<Result<SecretText, ()>>) -> Result<Option<SecretText>, ()> {
    if needed { code.unwrap_or(Err(())).map(Some) } else { Ok(None) }
}

/// What of this dialect a user holds; `None` when core does not tell, or there is no such user.
async fn held(desk: &Desk, user: &UserId) -> Option<Vec<FactorDetail>> {
    let mut factors = match desk.admin(Request::Show { user: user.clone() }).await {
        Ok(Reply::User(detail)) => detail.factors,
        Ok(Reply::Refused(Refusal { code: RefusalCode::NoSuchFactor, .. })) => Vec::new(),
        Ok(_) | Err(_) => return None,
    };
    factors.retain(|factor| factor.kind == FactorKind::Totp && factor.label.as_str() == LABEL);
    Some(factors)
}

fn in_state(held: &[FactorDetail], state: FactorState) -> Option<FactorId> {
    held.iter().find(|factor| factor.state == state).map(|factor| factor.factor)
}

/// Whether it was the code that was not taken.
fn is_about_code(refusal: &Refusal) -> bool {
    matches!(refusal.code, RefusalCode::WrongCode | RefusalCode::Locked)
}

fn shown(enrolled: &Enrolled) -> Answer {
    let Some(secret) = &enrolled.secret else { return no(NOT_GENERATED) };
    // Its pages show a key to type where there is no link.
    let link = enrolled.uri.as_ref().map_or("", SecretText::expose);
    say(
        StatusCode::OK,
        &Said { result: 0, message: None, secret: Some(secret.expose()), provisioning_uri: Some(link) },
    )
}

fn yes(message: &str) -> Answer {
    say(StatusCode::OK, &Said { result: 0, message: Some(message), secret: None, provisioning_uri: None })
}

fn no(message: &str) -> Answer {
    no_with(StatusCode::OK, message)
}

fn no_with(status: StatusCode, message: &str) -> Answer {
    say(status, &Said { result: -1, message: Some(message), secret: None, provisioning_uri: None })
}

fn say(status: StatusCode, said: &Said<'_>) -> Answer {
    Answer::json(status, said)
}
