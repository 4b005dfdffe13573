//! Has a code delivered that a client made and will judge itself: to an address that is held of a person, past the
//! same look-ups, rules and limits as a code of a login.
//!
//! Refuses to tell the client what came of it, and to keep anything that an answer could be taken for.

use std::sync::Arc;

use mfa_proto::{
    admin::{FactorId, Refusal, RefusalCode, Reply},
    foreign::ForeignCode,
    front::Deliver,
    name::FactorLabel,
    text::ShownText,
};
use tracing::{error, info, warn};

use super::{Login, subject::Found};
use crate::{
    config::WebClient,
    core::Core,
    identity::Account,
    outgoing::{Undone, carriage},
    policy::{Decision, Need},
    server::{Peer, front::Behalf},
    session::{Settled, carried_by},
    settings::Settings,
    store::{Addressed, Carry, Hindrance, StoreError},
};

/// Nothing could be looked into: says nothing of the person.
struct Unavailable;

impl From<Settled> for Unavailable {
    fn from(_: Settled) -> Self {
        Self
    }
}

/// Serves a client that has the right to it. `Done` says no more than that somebody looked.
pub(in crate::server) async fn deliver(
    core: &Core,
    (peer, settings, client): (Peer, Arc<Settings>, &WebClient),
    (behalf, deliver): (&Behalf, Deliver),
) -> Reply {
    let Deliver { user, code, choose, minutes } = deliver;
    let mut login = Login::of_client(core, settings, (peer, client), (behalf, user));
    let turn = login.logins.enter(&login.context.user.name, login.settings.caps());
    if turn.is_none() {
        return refused("too many verifications are under way: ask again later");
    }
    match login.carry(choose.as_ref(), (code, minutes)).await {
        Ok(()) => Reply::Done { factors: 0 },
        Err(Unavailable) => refused("mfad cannot look anybody up at present: its journal says why"),
    }
}

fn refused(message: &str) -> Reply {
    Reply::Refused(Refusal { code: RefusalCode::Unavailable, message: ShownText::clean(message) })
}

impl Login<'_> {
    /// All there is to it, whatever came of it.
    async fn carry(
        &mut self,
        choose: Option<&FactorLabel>,
        code: (ForeignCode, u16),
    ) -> Result<(), Unavailable> {
        let found = self.find().await?;
        let blocked = self.source.is_some_and(|source| self.core.source_blocked_until(source).is_some());
        let account = found.account;
        // For every name, so that what cannot be known of a rule tells nobody whose name is an account.
        let by = self.way(found, choose)?;
        let uid = match account {
            Account::Unknown => return self.nobody("the host has no such account").await,
            Account::Known { .. } | Account::Unchecked if blocked => {
                return self.nobody("too many failures came from where the person is").await;
            }
            Account::Known { uid } => Some(uid),
            Account::Unchecked => None,
        };
        let wanted = Carry { context: self.context.clone(), rule: self.rule.clone(), uid, by };
        match self.done(self.core.login_store().carry(wanted).await)? {
            Ok(addressed) => self.send(addressed, code).await,
            Err(hindrance) => {
                self.log_refusal(why(hindrance));
                Ok(())
            }
        }
    }

    /// No row for names that are no accounts, nor for what a flood could repeat at no cost; and the work that a row
    /// takes.
    async fn nobody(&self, why: &str) -> Result<(), Unavailable> {
        self.log_refusal(why);
        self.done(self.core.login_store().decoy().await)
    }

    /// By which factor the code is to go, as far as rules and what is held say.
    fn way(
        &mut self,
        found: Found,
        choose: Option<&FactorLabel>,
    ) -> Result<Result<FactorId, Hindrance>, Unavailable> {
        let need = match self.decision(&found.membership)? {
            Decision::Require(need) => need,
            // Nothing is asked for here; what the client asks for is its own affair.
            Decision::Skip(_) => Need::default(),
            Decision::Deny { rule } => {
                self.rule = Some(rule);
                return Ok(Err(Hindrance::Policy));
            }
        };
        self.rule = need.rule;
        let view = self.done(found.view)?;
        if view.tampered {
            return Ok(Err(Hindrance::Tampered));
        }
        if self.settings.line().is_none() {
            return Ok(Err(Hindrance::NoGateway));
        }
        let words = (choose.map(FactorLabel::as_str), need.preferred.as_deref());
        Ok(carried_by(&self.holdings(&view.held), need.kinds, words).ok_or(Hindrance::NoAddress))
    }

    /// Has egress send it. It is counted and written down by now.
    async fn send(&self, by: Addressed, code: (ForeignCode, u16)) -> Result<(), Unavailable> {
        let (factor, masked) = (by.factor, by.masked.clone());
        let sent = match self.settings.line() {
            Some(line) => self.core.outgoing().deliver(line, carriage(&self.context, by, code)).await,
            None => Err(Undone::Unconfigured),
        };
        let (session, client, user) =
            (self.context.session.as_str(), self.context.client_word(), &self.context.user);
        match sent {
            Ok(via) => {
                info!(session, "a code of client {client} for {user} was sent to {masked} by {via}");
                Ok(())
            }
            Err(undone) => {
                warn!(session, "a code of client {client} for {user} was not sent: {undone}");
                self.done(self.core.login_store().not_carried(&self.context, factor).await)
            }
        }
    }

    fn log_refusal(&self, why: &str) {
        let (session, client, user) =
            (self.context.session.as_str(), self.context.client_word(), &self.context.user);
        warn!(session, "a code of client {client} for {user} was not sent: {why}");
    }

    fn done<T>(&self, result: Result<T, StoreError>) -> Result<T, Unavailable> {
        result.map_err(|problem| {
            let session = self.context.session.as_str();
            error!(session, "cannot say where a code for {} is to go: {problem}", self.context.user);
            Unavailable
        })
    }
}

/// For the log: why, and what to do about it.
const fn why(hindrance: Hindrance) -> &'static str {
    match hindrance {
        Hindrance::Policy => "a rule denies this login; see `mfactl explain`",
        Hindrance::NoAddress => {
            "no active sms or mail factor is held that fits, or several are: enroll one, or name one by `factor` or a \
             default"
        }
        Hindrance::NoGateway => "[sms] and [mail] are not configured",
        Hindrance::Locked => "attempts are used up; see `mfactl show`",
        Hindrance::TooSoon => "something was sent there a moment ago",
        Hindrance::Capped => "too many messages were sent today",
        Hindrance::Orphaned => "the account has another uid than at enrollment; see `mfactl list --orphaned`",
        Hindrance::Tampered => "the stored rows fail their integrity check; run `mfactl show`",
    }
}
