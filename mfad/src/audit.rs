//! One structured event for each decision: for the log at once, for the trail in the store.
//!
//! Refuses secrets by its types: nothing here can hold a code or a seed.

use mfa_proto::{
    admin::FactorId,
    name::{Claim, ServiceName, UserId},
};
use tracing::{info, warn};

use crate::{session::Settled, store::Outcome};

/// The number that ties together what happened in one login: 64 random bits as hex.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SessionId(String);

impl SessionId {
    /// A fresh number. A system without randomness gives zeros: log lines then look alike, and codes, which
    /// count in one session only, cannot be made either.
    pub fn fresh() -> Self {
        let mut bytes = [0_u8; 8];
        if getrandom::fill(&mut bytes).is_err() {
            bytes = [0; 8];
        }
        Self(format!("{:016x}", u64::from_be_bytes(bytes)))
    }

    /// The number as hex text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who asks for what, from where: the part of an event that is known when a request begins.
#[derive(Clone, Debug)]
pub struct Context {
    /// Ties together what happened in one login.
    pub session: SessionId,
    /// Whom it is about.
    pub user: UserId,
    /// Through which service.
    pub service: ServiceName,
    /// From where, as claimed.
    pub source: Option<Claim>,
    /// The uid that asks, by the kernel's word.
    pub actor: u32,
}

/// Writes to the log that a code was not accepted: the login it belongs to may go on, and end otherwise. Of
/// what was accepted, that it was an emergency code.
pub fn log_attempt(context: &Context, outcome: &Outcome) {
    if let Outcome::Accepted(proof) = outcome {
        if proof.emergency().is_some() {
            log_emergency(context);
        }
        return;
    }
    let user = context.user.to_string();
    let source = context.source.as_ref().map_or("-", Claim::as_str);
    let (verdict, reason) = outcome.words();
    let (service, session, reason) = (context.service.as_str(), context.session.as_str(), reason.word());
    let (event, actor) = ("attempt", context.actor);
    warn!(
        event,
        user,
        service,
        source,
        verdict,
        reason,
        session,
        actor,
        "code refused: user={user} service={service} source={source} reason={reason}"
    );
}

fn log_emergency(context: &Context) {
    let user = context.user.to_string();
    let source = context.source.as_ref().map_or("-", Claim::as_str);
    let (service, session) = (context.service.as_str(), context.session.as_str());
    let (event, actor) = ("breakglass_used", context.actor);
    warn!(
        event,
        user,
        service,
        source,
        session,
        actor,
        "emergency code used: user={user} service={service} source={source}"
    );
}

/// Writes the end of a login to the log: journald gets each part as a field of its own.
pub fn log_login(context: &Context, settled: &Settled) {
    let user = context.user.to_string();
    let source = context.source.as_ref().map_or("-", Claim::as_str);
    let factor = settled.factor().map_or(-1, |FactorId(id)| id);
    let (verdict, reason) = (settled.verdict_word(), settled.reason().word());
    let rule = settled.rule().unwrap_or("-");
    let (service, session) = (context.service.as_str(), context.session.as_str());
    let actor = context.actor;
    let event = "login";
    match settled.verdict() {
        mfa_proto::login::Verdict::Accept | mfa_proto::login::Verdict::NotApplicable => {
            info!(
                event,
                user,
                service,
                source,
                factor,
                rule,
                verdict,
                reason,
                session,
                actor,
                "login {verdict}: user={user} service={service} source={source} reason={reason}"
            );
        }
        mfa_proto::login::Verdict::Deny
        | mfa_proto::login::Verdict::Locked
        | mfa_proto::login::Verdict::Unavailable => {
            warn!(
                event,
                user,
                service,
                source,
                factor,
                rule,
                verdict,
                reason,
                session,
                actor,
                "login {verdict}: user={user} service={service} source={source} reason={reason}"
            );
        }
    }
}
