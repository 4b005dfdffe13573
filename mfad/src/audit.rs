//! One structured event for each decision: for the log at once, for the trail in the store.
//!
//! Refuses secrets by its types: nothing here can hold a code or a seed.

use std::{fmt, net::IpAddr};

use mfa_proto::{
    admin::FactorId,
    name::{Claim, ClientName, ServiceName, UserId},
};
use tracing::{info, warn};

use crate::{
    session::{Reason, Settled},
    store::Outcome,
};

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
    /// The client on whose behalf a front end asks.
    pub client: Option<ClientName>,
}

impl Context {
    /// What the daemon does by itself about a user.
    pub fn of_daemon(user: UserId) -> Self {
        Self {
            session: SessionId::fresh(),
            user,
            service: ServiceName::administration(),
            source: None,
            actor: nix::unistd::geteuid().as_raw(),
            client: None,
        }
    }

    /// The client, as a field of the log.
    pub(crate) fn client_word(&self) -> &str {
        self.client.as_ref().map_or("-", ClientName::as_str)
    }
}

/// A name or a claim as it stands in a line of the log: plain where it cannot be taken for anything else, in
/// quotes otherwise. What watches the log (fail2ban) must not be led to ban whom somebody names.
#[derive(Clone, Copy, Debug)]
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "-._@+%$:".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return f.write_str(self.0);
        }
        // Escapes quotes, controls and what changes direction.
        write!(f, "{:?}", self.0)
    }
}

/// Where somebody claims to come from: plain only when it is an address.
#[derive(Clone, Copy, Debug)]
struct Origin<'a>(Option<&'a Claim>);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.map(Claim::as_str) {
            None => f.write_str("-"),
            Some(text) => match text.parse::<IpAddr>() {
                Ok(address) => write!(f, "{}", address.to_canonical()),
                Err(_) => write!(f, "{text:?}"),
            },
        }
    }
}

/// The line for people, and for programs that watch the log: what is proven first, what others may have
/// chosen last. `etc/fail2ban` depends on it.
fn line(what: impl fmt::Display, context: &Context, reason: &str) -> String {
    let (source, service) = (Origin(context.source.as_ref()), Word(context.service.as_str()));
    let user = context.user.to_string();
    format!("{what}: source={source} reason={reason} service={service} user={}", Word(&user))
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
    let (event, actor, client) = ("attempt", context.actor, context.client_word());
    warn!(
        event,
        user,
        service,
        client,
        source,
        verdict,
        reason,
        session,
        actor,
        "{}",
        line("code refused", context, reason)
    );
}

/// Writes to the log that a password was not accepted, or not let try.
pub fn log_password(context: &Context, verdict: &str, reason: Reason) {
    let user = context.user.to_string();
    let source = context.source.as_ref().map_or("-", Claim::as_str);
    let (service, session, reason) = (context.service.as_str(), context.session.as_str(), reason.word());
    let (event, actor, client) = ("password", context.actor, context.client_word());
    let line = line(format_args!("password {verdict}"), context, reason);
    warn!(event, user, service, client, source, verdict, reason, session, actor, "{line}");
}

fn log_emergency(context: &Context) {
    let user = context.user.to_string();
    let source = context.source.as_ref().map_or("-", Claim::as_str);
    let (service, session) = (context.service.as_str(), context.session.as_str());
    let (event, actor, client) = ("breakglass_used", context.actor, context.client_word());
    warn!(
        event,
        user,
        service,
        client,
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
    let (actor, client) = (context.actor, context.client_word());
    let event = "login";
    let line = line(format_args!("login {verdict}"), context, reason);
    match settled.verdict() {
        mfa_proto::login::Verdict::Accept | mfa_proto::login::Verdict::NotApplicable => {
            info!(
                event,
                user, service, client, source, factor, rule, verdict, reason, session, actor, "{line}"
            );
        }
        mfa_proto::login::Verdict::Deny
        | mfa_proto::login::Verdict::Locked
        | mfa_proto::login::Verdict::Unavailable => {
            warn!(
                event,
                user, service, client, source, factor, rule, verdict, reason, session, actor, "{line}"
            );
        }
    }
}

#[cfg(test)]
mod fail2ban;
#[cfg(test)]
mod tests {
    use mfa_proto::name::UserName;

    use super::*;

    fn context(user: &str, service: &str, source: Option<&str>) -> Context {
        Context {
            session: SessionId::fresh(),
            user: UserId::local(UserName::new(user).unwrap()),
            service: ServiceName::new(service).unwrap(),
            source: source.map(Claim::clean),
            actor: 0,
            client: None,
        }
    }

    #[test]
    fn a_line_cannot_be_read_in_another_way_than_it_was_written() {
        for (user, service, source, expected) in [
            ("jane", "sshd", Some("203.0.113.7"), "source=203.0.113.7 reason=policy service=sshd user=jane"),
            (
                "jane",
                "sshd",
                Some("::ffff:203.0.113.7"),
                "source=203.0.113.7 reason=policy service=sshd user=jane",
            ),
            ("jane", "sshd", Some("2001:DB8::1"), "source=2001:db8::1 reason=policy service=sshd user=jane"),
            ("jane", "su-l", None, "source=- reason=policy service=su-l user=jane"),
            (
                "jane",
                "sshd",
                Some("host.example"),
                "source=\"host.example\" reason=policy service=sshd user=jane",
            ),
            (
                "x source=192.0.2.1",
                "sshd",
                Some("203.0.113.7"),
                "source=203.0.113.7 reason=policy service=sshd user=\"x source=192.0.2.1\"",
            ),
            (
                "x\" login deny",
                "a b",
                Some("192.0.2.1 reason=ok"),
                "source=\"192.0.2.1 reason=ok\" reason=policy service=\"a b\" user=\"x\\\" login deny\"",
            ),
            ("x\u{202e}y", "sshd", Some(""), "source=\"\" reason=policy service=sshd user=\"x\\u{202e}y\""),
        ] {
            let line = line("login deny", &context(user, service, source), "policy");
            assert_eq!(line, format!("login deny: {expected}"));
        }
    }
}
