//! What of a login goes outside: a code is made and sent, a service begins or judges.
//!
//! First a transaction, then the call, then a transaction: none is open while egress works, and only this
//! login waits. What was charged before a call stays charged unless the service says yes, also when the
//! client goes away meanwhile. Refuses to take any failure for a yes.

use std::sync::Arc;

use mfa_proto::{admin::FactorId, login::ClientMessage, secret::SecretText};
use tokio::{net::UnixStream, time::Instant};
use tracing::{info, warn};

use super::{
    Halt, Login, Wire,
    subject::{AccountUid, Subject},
};
use crate::{
    audit,
    outgoing::{Line, Said, Undone, consultation, delivery, outside_code},
    session::{Issued, Reason, Settled},
    settings::Settings,
    store::{self, Consult, Consulted, Held, Issue, Judgment, Outcome, SentCode, Ticket, Undelivered},
};

/// A factor that something is to be sent or asked for, and the way there.
struct Errand<'a> {
    uid: AccountUid,
    held: &'a Held,
    line: &'a Line,
}

impl Login<'_> {
    /// Has a code of `factor` made and sent, or its outside service begin.
    pub(super) async fn issue(
        &mut self,
        wire: &mut Wire<UnixStream>,
        subject: &Subject,
        (factor, proven): (FactorId, Vec<FactorId>),
    ) -> Result<Issued, Halt> {
        let settings = Arc::clone(&self.settings);
        let Some(errand) = self.errand(&settings, subject, factor)? else { return Ok(Issued::Failed) };
        let Ok(made) = outside_code(errand.held.rest_service.as_ref().and_then(|s| settings.outside(s)))
        else {
            return Err(Settled::unavailable(Reason::Store).into());
        };
        let issue = Issue {
            context: self.context.clone(),
            rule: self.rule.clone(),
            uid: errand.uid.0,
            factor,
            channel: self.channel,
            made: made.as_ref().map(crate::outgoing::OutsideCode::for_store),
            counting: self.counting(proven),
        };
        let issued = self.core.login_store().issue(issue).await.map_err(|e| self.store_failed(&e))?;
        let sent = match issued {
            store::Issued::Code(code) => self.deliver(wire, errand.line, *code).await?,
            store::Issued::Begin { outside, .. } => {
                let code = made.filter(|made| made.told).map(|made| made.code);
                let consultation = consultation(&self.context, &outside, code);
                attend(wire, self.core.outgoing().begin(errand.line, consultation)).await?
            }
            store::Issued::TooSoon { until } => return Ok(Issued::TooSoon { until }),
            store::Issued::Capped { until } => return Ok(Issued::Capped { until }),
            store::Issued::Locked { gate } => return Ok(Issued::Locked { gate }),
            store::Issued::Gone => return Ok(Issued::Impossible(Reason::NoFactor)),
            store::Issued::Orphaned => return Ok(Issued::Impossible(Reason::Orphaned)),
            store::Issued::Tampered => return Ok(Issued::Impossible(Reason::Tampered)),
        };
        match sent {
            Ok(()) => Ok(Issued::Out),
            Err(undone) => self.not_sent(factor, &undone).await,
        }
    }

    /// Has the outside service of `factor` judge an answer.
    pub(super) async fn consult(
        &mut self,
        wire: &mut Wire<UnixStream>,
        subject: &Subject,
        (factor, answer, proven): (FactorId, SecretText, Vec<FactorId>),
    ) -> Result<Outcome, Halt> {
        let began = Instant::now();
        let settings = Arc::clone(&self.settings);
        let Some(errand) = self.errand(&settings, subject, factor)? else {
            // Nobody was asked, so nothing was learned: it costs nothing.
            return Ok(Outcome::Unreachable { gate: crate::limits::Gate::Open });
        };
        let consult = Consult {
            context: self.context.clone(),
            rule: self.rule.clone(),
            uid: errand.uid.0,
            factor,
            channel: self.channel,
            counting: self.counting(proven),
        };
        let consulted = self.core.login_store().consult(consult).await.map_err(|e| self.store_failed(&e))?;
        let outcome = match consulted {
            Consulted::Ticket(ticket) => self.ask_outside(wire, errand.line, *ticket, answer).await?,
            Consulted::Locked { gate } => Outcome::Locked { gate },
            Consulted::Gone => Outcome::NoFactor,
            Consulted::Orphaned => Outcome::Orphaned,
            Consulted::Tampered => Outcome::Tampered,
        };
        audit::log_attempt(&self.context, &outcome);
        self.core.metrics().judged(&outcome, began.elapsed());
        self.slow_down(&outcome).await;
        Ok(outcome)
    }

    async fn ask_outside(
        &mut self,
        wire: &mut Wire<UnixStream>,
        line: &Line,
        ticket: Ticket,
        answer: SecretText,
    ) -> Result<Outcome, Halt> {
        let consultation = consultation(&self.context, ticket.outside(), Some(answer));
        let judgment = match attend(wire, self.core.outgoing().judge(line, consultation)).await? {
            Ok(Said::Yes) => Judgment::Yes,
            Ok(Said::No) => Judgment::No,
            Err(undone) => {
                let service = &ticket.outside().service;
                let session = self.context.session.as_str();
                warn!(
                    session,
                    "service {service} did not judge an answer of {}: {undone}", self.context.user
                );
                Judgment::Unreachable
            }
        };
        let settled = self.core.login_store().settle(ticket, judgment).await;
        let outcome = settled.map_err(|error| self.store_failed(&error))?;
        self.recorded = outcome.ends_in_trail();
        Ok(outcome)
    }

    async fn deliver(
        &self,
        wire: &mut Wire<UnixStream>,
        line: &Line,
        code: SentCode,
    ) -> Result<Result<(), Undone>, Halt> {
        let masked = code.masked.clone();
        let Some(delivery) = delivery(&self.context, code, self.core.now()) else {
            return Ok(Err(Undone::Senseless));
        };
        let delivered = attend(wire, self.core.outgoing().deliver(line, delivery)).await?;
        Ok(delivered.map(|via| {
            let session = self.context.session.as_str();
            info!(session, "a code for {} was sent to {masked} by {via}", self.context.user);
        }))
    }

    /// A code that did not leave is of no use: it must not be found later, nor be guessed.
    async fn not_sent(&self, factor: FactorId, undone: &Undone) -> Result<Issued, Halt> {
        let session = self.context.session.as_str();
        warn!(session, "no code was sent for {}: {undone}", self.context.user);
        let undelivered = Undelivered { context: self.context.clone(), factor };
        let noted = self.core.login_store().undelivered(undelivered).await;
        noted.map_err(|error| self.store_failed(&error))?;
        Ok(if matches!(undone, Undone::Busy) { Issued::Busy } else { Issued::Failed })
    }

    /// The factor and the way to egress; `None` when this host has none.
    fn errand<'a>(
        &self,
        settings: &'a Settings,
        subject: &'a Subject,
        factor: FactorId,
    ) -> Result<Option<Errand<'a>>, Halt> {
        // Only an account that holds something is ever led here.
        let Subject::Enrolled { uid, held, .. } = subject else {
            return Err(Settled::denied(Reason::NoFactor).into());
        };
        let Some(held) = held.iter().find(|held| held.factor == factor) else {
            return Err(Settled::denied(Reason::NoFactor).into());
        };
        let Some(line) = settings.line() else {
            let session = self.context.session.as_str();
            warn!(session, "factor {} needs [egress], which is not configured", held.label);
            return Ok(None);
        };
        Ok(Some(Errand { uid: *uid, held, line }))
    }
}

/// Waits for egress, and meanwhile for the end of the client: nobody is to be called for a login that was
/// given up.
async fn attend<T>(wire: &mut Wire<UnixStream>, call: impl Future<Output = T>) -> Result<T, Halt> {
    tokio::select! {
        biased;
        done = call => Ok(done),
        said = wire.read::<ClientMessage>() => Err(match said {
            // It was not asked anything.
            Ok(_) => Settled::denied(Reason::Protocol).into(),
            Err(gone) => gone.into(),
        }),
    }
}
