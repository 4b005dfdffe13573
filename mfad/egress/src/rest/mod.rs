//! Outside services that begin and judge second factors: one call each, its answer judged strictly.
//!
//! Refuses to call what the configuration does not have, and to take anything for yes but what
//! [`verdict`] does.

pub mod verdict;

use std::time::Duration;

use mfa_proto::{egress::Consultation, secret::SecretText};
use mfa_role::config::{Argument, Contract, Fact, Method, RestCall, RestCalls};
use serde_json::{Map, Value};
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::verdict::{NoVerdict, Verdict};
use crate::{
    fill::{self, Escape, Facts, Missing},
    http::{self, CallError, Caller, Payload, Request, Trust},
    secrets::Secrets,
};

/// Why a service has not said what counts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RestError {
    /// It was not reached, or its answer broke off.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answered what its contract does not know.
    #[error(transparent)]
    NoVerdict(#[from] NoVerdict),
    /// What its address or its arguments name is not known of this login.
    #[error("is not called: {0}")]
    Missing(#[from] Missing),
    /// The configuration does not have that call.
    #[error("is not called: it has no address for that")]
    NoSuchCall,
}

/// Which call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A login begins.
    Begin,
    /// The person has answered.
    Judge,
}

/// One outside service.
#[derive(Debug)]
pub struct Service {
    contract: Contract,
    begin: Option<Target>,
    judge: Option<Target>,
    timeout: Duration,
}

#[derive(Debug)]
struct Target {
    caller: Caller,
    call: RestCall,
}

impl Service {
    /// Prepares the calls. The error says what is wrong with the configuration.
    pub fn new(
        calls: &RestCalls,
        timeout: Duration,
        (trust, credentials): (&Trust, &Secrets),
    ) -> Result<Self, String> {
        let target = |call: &RestCall| {
            let caller = Caller::new(&call.url, &calls.access, timeout, (trust, credentials))?;
            Ok::<_, String>(Target { caller, call: call.clone() })
        };
        Ok(Self {
            contract: calls.contract,
            begin: calls.begin.as_ref().map(target).transpose()?,
            judge: calls.judge.as_ref().map(target).transpose()?,
            timeout,
        })
    }

    /// Makes one call. The status is of the answer, when there was one: for the log.
    pub async fn consult(
        &self,
        step: Step,
        consultation: &Consultation,
        host: &str,
    ) -> (Option<u16>, Result<Verdict, RestError>) {
        match self.call(step, consultation, host).await {
            Err(error) => (None, Err(error)),
            Ok(Called::Unsendable) => (None, Ok(Verdict::No)),
            Ok(Called::Answered(answer)) => {
                (Some(answer.status), verdict::of(self.contract, &answer).map_err(RestError::from))
            }
        }
    }

    async fn call(&self, step: Step, consultation: &Consultation, host: &str) -> Result<Called, RestError> {
        let target = match step {
            Step::Begin => &self.begin,
            Step::Judge => &self.judge,
        };
        let Target { caller, call } = target.as_ref().ok_or(RestError::NoSuchCall)?;
        let facts = Facts::of_consultation(consultation, host);
        let Some(payload) = self.payload(call, consultation, &facts) else { return Ok(Called::Unsendable) };
        let path = fill::fill(&call.url.path, &facts, &Secrets::none(), Escape::Percent)?;
        let request = Request { method: Method::Post, path, headers: Vec::new(), payload };
        let deadline = Instant::now() + self.timeout;
        Ok(Called::Answered(caller.call(request, deadline).await?))
    }

    /// What is sent; `None` when the contract has no room for what the person answered, which is so no code.
    fn payload(&self, call: &RestCall, consultation: &Consultation, facts: &Facts) -> Option<Payload> {
        let code = consultation.code.as_ref().map(SecretText::expose);
        match self.contract {
            Contract::LemonLdap => Some(as_json(call, facts, code)),
            Contract::Pam2fa => {
                // As it is: the body is nothing but the code, and must not be read as a form of several fields.
                let plain = |code: &&str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric());
                let body = Zeroizing::new(code.filter(plain)?.as_bytes().to_vec());
                Some(Payload::Some(http::FORM, body))
            }
            Contract::Validate => Some(as_form(call, facts, code.unwrap_or_default())),
        }
    }
}

enum Called {
    Answered(http::Answer),
    Unsendable,
}

fn value_of<'a>(argument: &'a Argument, facts: &'a Facts) -> Option<&'a str> {
    match argument {
        Argument::Literal(text) => Some(text),
        Argument::Fact(fact) => facts.get(*fact),
    }
}

/// `{"user":…,"code":…}` and the arguments; one that is not known is null, as LemonLDAP has it.
fn as_json(call: &RestCall, facts: &Facts, code: Option<&str>) -> Payload {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let mut object = Map::new();
    object.insert("user".to_owned(), text(facts.get(Fact::RemoteUser)));
    for (name, argument) in &call.arguments {
        object.insert(name.clone(), text(value_of(argument, facts)));
    }
    if let Some(code) = code {
        object.insert("code".to_owned(), code.into());
    }
    Payload::Some(http::JSON, Zeroizing::new(Value::Object(object).to_string().into_bytes()))
}

/// `user=…&pass=…` and the arguments; one that is not known is left out.
fn as_form(call: &RestCall, facts: &Facts, code: &str) -> Payload {
    let known = call
        .arguments
        .iter()
        .filter_map(|(name, argument)| Some((name.as_str(), value_of(argument, facts)?)));
    let user = facts.get(Fact::RemoteUser).unwrap_or_default();
    let fields = [("user", user), ("pass", code)].into_iter().chain(known);
    let mut form = Zeroizing::new(String::with_capacity(4096));
    for (index, (name, value)) in fields.enumerate() {
        if index > 0 {
            form.push('&');
        }
        fill::percent_encode(name, &mut form);
        form.push('=');
        fill::percent_encode(value, &mut form);
    }
    Payload::Some(http::FORM, Zeroizing::new(std::mem::take(&mut *form).into_bytes()))
}
