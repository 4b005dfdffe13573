//! `/validate`: whether a person has a second factor, in one request or with a challenge.
//!
//! Refuses to say more than yes or no of a person: who is unknown, holds nothing, is locked, or was asked about wrongly
//! gets the `false` of a wrong answer, and so does everybody while core cannot judge.

mod detail;
mod judge;

use hyper::StatusCode;
use mfa_role::config::{LinOtp, Right};
use serde_json::json;
use tracing::warn;

use self::judge::Judged;
use super::{
    asked::Asked,
    asked_rightly,
    envelope::{Envelope, Fault},
    manage::known,
};
use crate::{
    answer::{Answer, TEXT},
    call::Call,
    verify::{Desk, Verified},
};

/// What there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    Check,
    CheckSerial,
    CheckTransaction,
    CheckStatus,
    Simple,
    Fixed(bool),
}

impl Verb {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "check" => Self::Check,
            "check_s" => Self::CheckSerial,
            "check_t" => Self::CheckTransaction,
            "check_status" => Self::CheckStatus,
            "simplecheck" => Self::Simple,
            "ok" => Self::Fixed(true),
            "fail" => Self::Fixed(false),
            _ => return None,
        })
    }

    /// The number that its answers have.
    const fn id(self) -> u8 {
        match self {
            Self::CheckTransaction => 1,
            Self::Check | Self::CheckSerial | Self::CheckStatus | Self::Simple | Self::Fixed(_) => 0,
        }
    }
}

/// One call of a client that may have people verified.
struct Visit<'a> {
    desk: Desk,
    asked: Asked,
    terms: &'a LinOtp,
    envelope: Envelope<'a>,
}

/// Answers a call of `/validate`; `None` when there is no such verb.
pub(super) async fn answer(call: &mut Call, word: &str) -> Option<Answer> {
    let verb = Verb::of(word)?;
    let terms = call.state().web.linotp.clone();
    Some(match visit(call, &terms, verb).await {
        Ok(visit) => visit.answer(verb).await,
        Err(answer) => answer,
    })
}

async fn visit<'a>(call: &mut Call, terms: &'a LinOtp, verb: Verb) -> Result<Visit<'a>, Answer> {
    asked_rightly(call).map_err(|refused| *refused)?;
    let envelope = Envelope::new(terms, verb.id());
    if let Verb::Fixed(value) = verb {
        return Err(envelope.value(value, None));
    }
    let desk = known(call, verb.id()).map_err(|refused| *refused)?;
    if !desk.client().rights.include(Right::Verify) {
        warn!("client {} has not the right to ask for a second factor: verify", desk.client().name);
        let told = Fault::new(510, "this client has not the right: verify");
        return Err(envelope.fault_with(StatusCode::FORBIDDEN, &told));
    }
    match call.params().await {
        Ok(params) => Ok(Visit { desk, asked: Asked::new(params), terms, envelope }),
        Err(bad) => Err(envelope.fault_with(bad.status(), &Fault::other(bad.to_string()))),
    }
}

impl Visit<'_> {
    async fn answer(&self, verb: Verb) -> Answer {
        match verb {
            Verb::CheckSerial if self.asked.get("serial").or(self.asked.get("user")).is_none() => {
                self.envelope.neither()
            }
            Verb::Check | Verb::CheckSerial => self.check().await,
            Verb::CheckTransaction => self.check_transaction().await,
            Verb::CheckStatus => self.check_status(),
            Verb::Simple => self.simple().await,
            Verb::Fixed(value) => self.envelope.value(value, None),
        }
    }

    async fn check(&self) -> Answer {
        let judged = self.judge().await;
        let detail = self.detail(&judged).await;
        self.envelope.value(judged.is_yes(), detail)
    }

    /// By number of a challenge alone.
    async fn check_transaction(&self) -> Answer {
        let Some(number) = self.transaction() else {
            let told = Fault::missing("transactionid");
            return self.envelope.fault_with(StatusCode::OK, &told);
        };
        if !self.desk.is_about(number, None, None) {
            let failure = format!("No challenge for transaction '{number}' found");
            return self.counted(false, json!({ "failure": failure }));
        }
        let judged = self.judge().await;
        let value = judged.is_yes();
        let detail = self.transaction_detail(&judged).await;
        self.counted(value, detail)
    }

    /// Failures are nobody's to know who may merely verify.
    fn counted(&self, value: bool, detail: serde_json::Value) -> Answer {
        self.envelope.value(json!({ "value": value, "failcount": 0 }), Some(detail))
    }

    /// Whether a challenge still waits. It never says yes: that stands in the answer to the code.
    fn check_status(&self) -> Answer {
        let Some(number) = self.transaction() else {
            return self.envelope.fault_with(StatusCode::OK, &Fault::missing("transactionid"));
        };
        let user = self.asked.user(self.terms).ok();
        let waiting = user.and_then(|user| self.desk.waiting(number, user.as_ref()));
        self.envelope.value(false, waiting.map(|waiting| detail::open(number, &waiting)))
    }

    /// In one word; a challenge with its number and what to ask.
    async fn simple(&self) -> Answer {
        let judged = self.judge().await;
        let text = match &judged.verified {
            Verified::Accept(_) => ":-)".to_owned(),
            Verified::Challenge(challenge) => {
                let prompt = challenge.prompt.replace(char::is_control, " ");
                format!(":-( {} {}", challenge.transaction, prompt.trim_end())
            }
            Verified::Reject { .. }
            | Verified::Locked { .. }
            | Verified::TooSoon { .. }
            | Verified::Unavailable => ":-(".to_owned(),
        };
        Answer::body(StatusCode::OK, TEXT, text)
    }

    /// The number of the challenge that is answered.
    fn transaction(&self) -> Option<&str> {
        self.asked.get("transactionid").or_else(|| self.asked.get("state"))
    }
}

impl Judged {
    fn is_yes(&self) -> bool {
        matches!(self.verified, Verified::Accept(_))
    }
}
