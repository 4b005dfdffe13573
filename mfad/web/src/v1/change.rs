//! Changes of what people hold, for clients with the right `factors:write`.
//!
//! Refuses nothing by itself: core judges by the rights of the client, and by a code where one is sent along.

use hyper::StatusCode;
use mfa_proto::{
    admin::{
        Algorithm, FactorId, FactorRef, HotpParams, NewFactor, NewParams, NewTag, Refusal, RefusalCode,
        Request, SentParams, TotpParams,
    },
    name::FactorLabel,
    secret::SecretText,
};
use serde::{Deserialize, Serialize};

use super::{look::named, problem, whole};
use crate::{
    answer::Answer,
    call::{BadBody, Call},
};

/// The kinds that can be added here.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Totp,
    Hotp,
    Sms,
    Mail,
}

/// A new factor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    user: String,
    realm: Option<String>,
    kind: Kind,
    label: Option<String>,
    /// Base32; without it core makes one.
    secret: Option<SecretText>,
    algorithm: Option<Algorithm>,
    #[serde(default, deserialize_with = "whole::option")]
    digits: Option<u8>,
    #[serde(default, deserialize_with = "whole::option")]
    period: Option<u16>,
    #[serde(default, deserialize_with = "whole::option")]
    counter: Option<u64>,
    /// Where codes are sent.
    address: Option<SecretText>,
    /// Active at once, without a code that proves it.
    #[serde(default)]
    activate: bool,
    #[serde(default)]
    replace: bool,
    /// A current code: then it is judged, as if the owner asked.
    current_code: Option<SecretText>,
}

/// A factor of a user, and a code where one is needed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    user: String,
    realm: Option<String>,
    #[serde(default, deserialize_with = "whole::option")]
    factor: Option<i64>,
    label: Option<String>,
    code: Option<SecretText>,
    codes: Option<[SecretText; 2]>,
    #[serde(default, deserialize_with = "whole::option")]
    count: Option<u8>,
}

/// A new set of recovery codes.
#[derive(Serialize)]
pub(super) struct Made<'a> {
    pub(super) factor: FactorId,
    pub(super) codes: &'a [SecretText],
}

/// A signed token.
#[derive(Serialize)]
pub(super) struct Token<'a> {
    pub(super) token: &'a SecretText,
}

/// What is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    Confirm,
    Enable,
    Disable,
    Remove,
    Resync,
    Send,
    Recovery,
    Unlock,
    Reset,
    Token,
}

impl New {
    /// Nothing is there that has no meaning for the kind: whoever sends it expects something of it.
    fn is_of_its_kind(&self) -> bool {
        let has_key = matches!(self.kind, Kind::Totp | Kind::Hotp);
        let key = self.secret.is_some() || self.algorithm.is_some();
        (has_key || !key)
            && (!has_key || self.address.is_none())
            && (matches!(self.kind, Kind::Totp) || self.period.is_none())
            && (matches!(self.kind, Kind::Hotp) || self.counter.is_none())
    }
}

impl Of {
    /// Nothing is there that has no meaning for the change: to name one factor where all are meant is a mistake.
    fn is_of(&self, change: Change) -> bool {
        let (factor, label) = match change {
            Change::Confirm => (true, false),
            Change::Recovery | Change::Unlock | Change::Reset => (false, false),
            Change::Enable
            | Change::Disable
            | Change::Remove
            | Change::Resync
            | Change::Send
            | Change::Token => (true, true),
        };
        let code = matches!(change, Change::Confirm | Change::Disable | Change::Remove | Change::Recovery);
        (factor || self.factor.is_none())
            && (label || self.label.is_none())
            && (code || self.code.is_none())
            && (change == Change::Resync || self.codes.is_none())
            && (change == Change::Recovery || self.count.is_none())
    }
}

/// `POST /v1/factors`: a new factor.
pub(super) async fn enroll(call: &mut Call) -> Result<Request, BadBody> {
    let new: New = call.json().await?;
    if !new.is_of_its_kind() {
        return Err(BadBody::Content("it has what this kind of factor has not"));
    }
    let params = params(&new)?;
    let label = new.label.map(FactorLabel::new).transpose();
    Ok(Request::Enroll(Box::new(NewFactor {
        user: named(new.user, new.realm)?,
        label: label.map_err(|_| BadBody::Content("`label` is no name"))?,
        params,
        secret: new.secret,
        activate: new.activate,
        replace: new.replace,
        current_code: new.current_code,
        invitation: None,
        tag: NewTag::default(),
    })))
}

fn params(new: &New) -> Result<NewParams, BadBody> {
    let (algorithm, digits) = (new.algorithm.unwrap_or_default(), new.digits.unwrap_or(6));
    let address =
        || new.address.as_ref().map(SecretText::again).ok_or(BadBody::Content("`address` is missing"));
    Ok(match new.kind {
        Kind::Totp => NewParams::Totp(TotpParams { algorithm, digits, period: new.period.unwrap_or(30) }),
        Kind::Hotp => NewParams::Hotp(HotpParams { algorithm, digits, counter: new.counter.unwrap_or(0) }),
        Kind::Sms => NewParams::Sms(SentParams { address: address()?, digits: new.digits }),
        Kind::Mail => NewParams::Mail(SentParams { address: address()?, digits: new.digits }),
    })
}

/// All other changes.
pub(super) async fn change(call: &mut Call, change: Change) -> Result<Request, BadBody> {
    let of: Of = call.json().await?;
    if !of.is_of(change) {
        return Err(BadBody::Content("it has what is no part of this change"));
    }
    let user = named(of.user, of.realm)?;
    let label = of.label.map(FactorLabel::new).transpose();
    let label = label.map_err(|_| BadBody::Content("`label` is no name"))?;
    let factor = of.factor.map(FactorId);
    let target = FactorRef { user: user.clone(), factor, label };
    let code = of.code;
    Ok(match change {
        Change::Confirm => {
            let code = code.ok_or(BadBody::Content("`code` is missing"))?;
            Request::Confirm { user, factor, code }
        }
        Change::Enable => Request::Enable { target },
        Change::Disable => Request::Disable { target, code },
        Change::Remove => Request::Remove { target, code },
        Change::Resync => {
            Request::Resync { target, codes: of.codes.ok_or(BadBody::Content("`codes` is missing"))? }
        }
        Change::Send => Request::Send { target },
        Change::Recovery => Request::RecoveryNew { user, count: of.count.unwrap_or(10), code },
        Change::Unlock => Request::Unlock { user },
        Change::Reset => Request::Reset { user },
        Change::Token => Request::TokenIssue { target },
    })
}

/// A refusal of core's.
pub(super) fn refused(refusal: &Refusal) -> Answer {
    let (status, code) = match refusal.code {
        RefusalCode::NotAllowed | RefusalCode::Invitation => (StatusCode::FORBIDDEN, "forbidden"),
        RefusalCode::UnknownUser => (StatusCode::NOT_FOUND, "unknown_user"),
        RefusalCode::NoSuchFactor => (StatusCode::NOT_FOUND, "no_such_factor"),
        RefusalCode::Ambiguous => (StatusCode::CONFLICT, "ambiguous"),
        RefusalCode::WrongCode => (StatusCode::UNPROCESSABLE_ENTITY, "wrong_code"),
        RefusalCode::Locked => (StatusCode::LOCKED, "locked"),
        RefusalCode::WrongState => (StatusCode::CONFLICT, "wrong_state"),
        RefusalCode::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        RefusalCode::TooMany => (StatusCode::CONFLICT, "too_many"),
        RefusalCode::Tampered => (StatusCode::SERVICE_UNAVAILABLE, "tampered"),
        RefusalCode::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        RefusalCode::TooSoon => (StatusCode::TOO_MANY_REQUESTS, "too_soon"),
        RefusalCode::NotSent => (StatusCode::SERVICE_UNAVAILABLE, "not_sent"),
    };
    problem(status, code, refusal.message.as_str())
}
