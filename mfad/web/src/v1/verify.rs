//! `POST /v1/verify`: whether a person has a second factor, in one request or with a challenge.

use hyper::StatusCode;
use mfa_proto::{
    name::{FactorLabel, RealmName, UserId, UserName},
    secret::SecretText,
};
use mfa_role::config::Right;
use serde::{Deserialize, Serialize};

use super::problem;
use crate::{
    answer::Answer,
    call::{BadBody, Call},
    verify::{Desk, Question, Verified},
};

/// What is asked: about a user, or in answer to a challenge.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    user: Option<String>,
    realm: Option<String>,
    code: Option<Typed>,
    factor: Option<String>,
    source: Option<String>,
    transaction: Option<String>,
}

/// What a person typed; nothing when it is too long to be a code.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Typed(pub(super) Option<SecretText>);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(SecretText::new(text).ok())
    }
}

impl Asked {
    /// A question with a code at hand; `None` when that is too long for one.
    pub(super) fn of(user: String, code: String, source: Option<String>) -> Option<(Self, SecretText)> {
        let code = SecretText::new(code).ok().filter(|code| !code.expose().is_empty())?;
        let source = source.filter(|source| !source.is_empty());
        Some((
            Self { user: Some(user), realm: None, code: None, factor: None, source, transaction: None },
            code,
        ))
    }
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Said<'a> {
    result: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    messages: &'a [String],
}

/// Answers the call.
pub(super) async fn answer(call: &mut Call, desk: &Desk) -> Result<Answer, BadBody> {
    if !desk.client().rights.include(Right::Verify) {
        return Ok(problem(StatusCode::FORBIDDEN, "forbidden", "this client has not the right: verify"));
    }
    let mut asked: Asked = call.json().await?;
    let transaction = asked.transaction.take();
    let verified = match (&transaction, asked.code.take()) {
        (Some(number), Some(Typed(Some(code)))) => desk.answer(number, code).await,
        // Like a wrong code, which leaves a challenge open.
        (Some(number), Some(Typed(None))) => {
            Verified::Reject { wait: 0, open: desk.is_about(number, None, None) }
        }
        (Some(_), None) => return Err(BadBody::Content("`transaction` needs `code` beside it")),
        (None, Some(Typed(None))) => Verified::Reject { wait: 0, open: false },
        (None, code) => match question(asked, code.and_then(|Typed(code)| code))? {
            Some(question) => desk.verify(question).await,
            // No user has such a name: like a wrong code.
            None => Verified::Reject { wait: 0, open: false },
        },
    };
    Ok(said(&verified, transaction.as_deref()))
}

/// The question; `None` when the names in it are none.
pub(super) fn question(asked: Asked, code: Option<SecretText>) -> Result<Option<Question>, BadBody> {
    let Asked { user, realm, factor, source, .. } = asked;
    let user = user.ok_or(BadBody::Content("`user` is missing"))?;
    let realm = realm.map_or_else(|| Ok(RealmName::local()), RealmName::new);
    let choose = factor.map(FactorLabel::new).transpose();
    let (Ok(name), Ok(realm), Ok(choose)) = (UserName::new(user), realm, choose) else { return Ok(None) };
    let user = UserId { realm, name };
    Ok(Some(Question { user, answer: code, choose, source }))
}

pub(super) fn said(verified: &Verified, transaction: Option<&str>) -> Answer {
    let with_wait = |wait: u32| Some(wait).filter(|wait| *wait > 0);
    let said = match verified {
        Verified::Accept(accepted) => Said {
            result: "accept",
            factor: accepted.factor.map(|factor| factor.0),
            messages: &accepted.told,
            ..Said::default()
        },
        Verified::Reject { wait, open } => Said {
            result: "reject",
            wait: with_wait(*wait),
            transaction: transaction.filter(|_| *open),
            ..Said::default()
        },
        Verified::Locked { wait } => Said { result: "locked", wait: with_wait(*wait), ..Said::default() },
        Verified::Challenge(challenge) => Said {
            result: "challenge",
            transaction: Some(&challenge.transaction),
            prompt: Some(&challenge.prompt),
            ..Said::default()
        },
        Verified::TooSoon { wait } => return super::too_many(*wait),
        Verified::Unavailable => return super::unavailable(),
    };
    Answer::json(StatusCode::OK, &said)
}
