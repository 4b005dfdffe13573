//! Drives one login: reads its start, finds out what it needs, relays prompts and answers between the
//! client and the state machine, and has the store judge codes.
//!
//! Refuses to decide: [`crate::policy`], [`crate::session`] and [`crate::store`] do.

use std::{net::IpAddr, sync::Arc, time::Duration};

use mfa_proto::{
    answer::{Answer, AnswerShape, OtpCode},
    login::{ClientMessage, Dialogue, ServerMessage, Start},
    name::UserId,
};
use tokio::{
    net::UnixStream,
    time::{Instant, timeout, timeout_at},
};
use tracing::{error, warn};

use super::{
    Peer,
    wire::{Wire, WireError},
};
use crate::{
    audit::{self, Context, SessionId},
    core::Core,
    identity::Account,
    limits::SourceKey,
    policy::{Decision, Request},
    session::{self, Reason, Settled, Step},
    settings::Settings,
    store::{AccountView, Attempt, Channel, Outcome, StoreError},
};

/// How long writing down and telling the end of a login may take, beyond its deadline.
const GRACE: Duration = Duration::from_secs(5);

/// What stands behind the name that logs in.
enum Subject {
    /// An account with at least one active factor.
    Enrolled {
        /// Its uid now; `None` when names are not accounts of this host.
        uid: Option<u32>,
        /// What its codes look like.
        shape: AnswerShape,
        /// How its limits stand.
        gate: crate::limits::Gate,
    },
    /// No account, or none that holds a factor: asked like any other, and always refused.
    Decoy(Reason),
    /// An account whose factors failed too often: no code is right until one is enrolled again.
    Exhausted,
}

/// One login under way.
struct Login<'a> {
    core: &'a Core,
    settings: Arc<Settings>,
    context: Context,
    channel: Channel,
    source: Option<SourceKey>,
    rule: Option<String>,
    /// The person has been asked: from here on, an end without a verdict is worth a row in the trail.
    asked: bool,
    /// The store wrote a row with the last attempt, in the same transaction.
    recorded: bool,
}

/// Serves one login on a connection that has said hello.
pub(super) async fn serve(
    core: &Arc<Core>,
    wire: &mut Wire<UnixStream>,
    peer: Peer,
) -> Result<(), WireError> {
    let settings = core.settings();
    // One deadline over all that the client, the account database and the store take.
    let deadline = Instant::now() + settings.login_timeout();
    let Ok(first) = timeout_at(deadline, wire.read::<ClientMessage>()).await else { return Ok(()) };
    let ClientMessage::Start(start) = first? else { return Ok(()) };
    let mut login = Login::new(core, settings, &start, peer);
    let turn = core.logins().enter(&start.user, login.settings.caps());
    let outcome = if turn.is_some() {
        timeout_at(deadline, login.run(wire, &start, peer)).await
    } else {
        Ok(Ok(Settled::denied(Reason::Busy)))
    };
    let settled = match outcome {
        Ok(Ok(settled)) => settled,
        Ok(Err(error)) => {
            warn!(
                session = login.context.session.as_str(),
                "login of {} broke off: {error}", login.context.user
            );
            Settled::denied(if matches!(error, WireError::Bad(_)) {
                Reason::Protocol
            } else {
                Reason::Cancelled
            })
        }
        Err(_) => Settled::denied(Reason::TimedOut),
    };
    let settled = settled.by_rule(login.rule.take());
    let settled = login.account_for(settled).await;
    // The verdict is durable by now; a client that has gone away only misses it. The log comes after, so
    // that nobody waits for syslog.
    let told = wire.write_within(GRACE, &ServerMessage::Settled(settled.verdict())).await;
    audit::log_login(&login.context, &settled);
    core.tally(&settled);
    told
}

impl<'a> Login<'a> {
    fn new(core: &'a Core, settings: Arc<Settings>, start: &Start, peer: Peer) -> Self {
        // The password is proven only when root's stack says so by asking us after it did.
        let proven = peer.is_root() && start.dialogue == Dialogue::Interactive;
        // The remote host is the word of the host process: only root's counts.
        let source = start.remote_host.as_ref().filter(|_| peer.is_root());
        let key = match source.and_then(|host| host.as_str().parse::<IpAddr>().ok()) {
            Some(address) => Some(SourceKey::of(address)),
            None if peer.is_root() => None,
            None => Some(SourceKey::Local(peer.uid)),
        };
        Self {
            core,
            settings,
            context: Context {
                session: SessionId::fresh(),
                user: UserId::local(start.user.clone()),
                service: start.service.clone(),
                source: source.cloned(),
                actor: peer.uid,
            },
            channel: if proven { Channel::Proven } else { Channel::Unproven },
            source: key,
            rule: None,
            asked: false,
            recorded: false,
        }
    }

    async fn run(
        &mut self,
        wire: &mut Wire<UnixStream>,
        start: &Start,
        peer: Peer,
    ) -> Result<Settled, WireError> {
        // Side by side: neither needs the other, and each costs a thread's time. What the store says is
        // looked at only once the account and the policy ask for it.
        let (account, view) = tokio::join!(
            self.settings.directory().find(&start.user),
            self.core.login_store().view(self.context.user.clone(), self.channel)
        );
        let account = match account {
            Ok(account) => account,
            Err(error) => {
                error!(
                    session = self.context.session.as_str(),
                    "cannot look up {}: {error}", self.context.user
                );
                return Ok(Settled::unavailable(Reason::Lookup));
            }
        };
        if !peer.is_root() && account != (Account::Known { uid: peer.uid }) {
            // The same for names that exist and names that do not.
            return Ok(Settled::denied(Reason::NotAllowed));
        }
        let subject = match self.subject(start, account, view) {
            Ok(subject) => subject,
            Err(settled) => return Ok(settled),
        };
        self.converse(wire, subject).await
    }

    /// Who this is, as far as factors are concerned; an error is the end of the login.
    fn subject(
        &mut self,
        start: &Start,
        account: Account,
        view: Result<AccountView, StoreError>,
    ) -> Result<Subject, Settled> {
        let request = Request { user: &start.user, service: &start.service };
        let decision = self.settings.policy().decide(&request);
        if let Decision::Deny { rule } = decision {
            self.rule = Some(rule);
            // The same answer whether the account exists; only the reason in the log differs.
            let unknown = account == Account::Unknown;
            return Err(Settled::denied(if unknown { Reason::UnknownUser } else { Reason::Policy }));
        }
        let uid = match account {
            Account::Unknown => return Ok(Subject::Decoy(Reason::UnknownUser)),
            Account::Known { uid } => Some(uid),
            Account::Unchecked => None,
        };
        match decision {
            Decision::Require { rule } => self.rule = rule,
            Decision::Skip(grant) => return Err(Settled::not_applicable(grant)),
            Decision::Deny { .. } => return Err(Settled::denied(Reason::Policy)),
        }
        let view = view.map_err(|error| {
            error!(
                session = self.context.session.as_str(),
                "cannot read the factors of {}: {error}", self.context.user
            );
            Settled::unavailable(Reason::Store)
        })?;
        if view.tampered {
            error!(
                session = self.context.session.as_str(),
                "the stored rows of {} fail their integrity check: denied; run `mfactl show`",
                self.context.user
            );
            return Err(Settled::denied(Reason::Tampered));
        }
        if let Some(shape) = view.shape {
            return Ok(Subject::Enrolled { uid, shape, gate: view.gate });
        }
        if view.exhausted {
            return Ok(Subject::Exhausted);
        }
        // Whoever is this account now did not enroll what it holds, and must not pass for new.
        if view.uid.is_some() && view.uid != uid {
            return Ok(Subject::Decoy(Reason::Orphaned));
        }
        match self.settings.policy().without_factor() {
            Some(grant) => Err(Settled::not_applicable(grant)),
            None => Ok(Subject::Decoy(Reason::NotEnrolled)),
        }
    }

    async fn converse(
        &mut self,
        wire: &mut Wire<UnixStream>,
        subject: Subject,
    ) -> Result<Settled, WireError> {
        let now = self.core.now();
        let (shape, gate) = match &subject {
            Subject::Enrolled { shape, gate, .. } => (*shape, *gate),
            Subject::Exhausted => (AnswerShape::SIX_DIGITS, crate::limits::Gate::Exhausted),
            Subject::Decoy(_) => {
                let settings = self.settings.for_store();
                let gate = self.core.decoys().gate(&self.context.user, self.channel, &settings, now);
                (AnswerShape::SIX_DIGITS, gate)
            }
        };
        if let Some(until) = self.source.and_then(|source| self.core.source_blocked_until(source)) {
            warn!(
                session = self.context.session.as_str(),
                "too many failures from {:?} until {}", self.source, until.0
            );
            return Ok(Settled::denied_and_locked(Reason::Source, crate::limits::Gate::Wait { until }));
        }
        let mut step = session::begin(self.settings.prompt().clone(), shape, gate, now);
        loop {
            step = match step {
                Step::Settle(settled) => return Ok(explain(settled, &subject)),
                Step::Ask(asking) => {
                    self.asked = true;
                    let prompt = ServerMessage::Prompt {
                        text: asking.text().clone(),
                        echo: asking.echo(),
                        shape: asking.shape(),
                    };
                    wire.write(&prompt).await?;
                    asking.answered(&wire.read().await?)
                }
                Step::Judge(judging, code) => match self.judge(&subject, code).await {
                    Ok(outcome) => judging.judged(outcome, self.core.now()),
                    Err(settled) => return Ok(settled),
                },
            };
        }
    }

    /// Has a code judged, and counts a failure against its source. Failures beyond the daemon's rate are
    /// answered later: a timer, no worker, waits.
    async fn judge(&mut self, subject: &Subject, code: OtpCode) -> Result<Outcome, Settled> {
        let outcome = match subject {
            Subject::Enrolled { uid, .. } => self.attempt(*uid, code).await?,
            Subject::Decoy(_) | Subject::Exhausted => {
                let (settings, now) = (self.settings.for_store(), self.core.now());
                let outcome = self.core.decoys().judge(&self.context.user, self.channel, &settings, now);
                // The same cost on the same disk as a wrong code of a real account, and no row.
                self.core.login_store().decoy().await.map_err(|_| Settled::unavailable(Reason::Store))?;
                outcome
            }
        };
        // A host without the time is not the doing of whoever logs in.
        if !matches!(outcome, Outcome::Accepted(_) | Outcome::ClockUnusable) {
            let delay = self.core.charge_failure(self.source);
            tokio::time::sleep(delay).await;
        }
        Ok(outcome)
    }

    async fn attempt(&mut self, uid: Option<u32>, code: OtpCode) -> Result<Outcome, Settled> {
        let attempt = Attempt {
            context: self.context.clone(),
            rule: self.rule.clone(),
            uid,
            answer: Answer::Code(code),
            channel: self.channel,
        };
        let outcome = self.core.login_store().attempt(attempt).await.map_err(|error| {
            error!(
                session = self.context.session.as_str(),
                "cannot judge a code of {}: {error}", self.context.user
            );
            Settled::unavailable(Reason::Store)
        })?;
        self.recorded = true;
        audit::log_attempt(&self.context, &outcome);
        Ok(outcome)
    }

    /// Writes the end to the trail, where the store has not done so with the attempt itself. What cannot
    /// be written is not granted.
    async fn account_for(&self, settled: Settled) -> Settled {
        // No row for names that are no accounts, nor for what a flood could repeat at no cost.
        let unworthy = matches!(
            settled.reason(),
            Reason::UnknownUser
                | Reason::NotAllowed
                | Reason::Source
                | Reason::Busy
                | Reason::Store
                | Reason::Lookup
        );
        let idle = !self.asked
            && matches!(settled.reason(), Reason::Cancelled | Reason::TimedOut | Reason::Protocol);
        if self.recorded || unworthy || idle {
            return settled;
        }
        let written = timeout(GRACE, self.core.login_store().record(&self.context, &settled)).await;
        let problem = match written {
            Ok(Ok(())) => return settled,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the disk does not answer".to_owned(),
        };
        error!(session = self.context.session.as_str(), "cannot write the audit trail: {problem}");
        Settled::unavailable(Reason::Store)
    }
}

/// For the trail only: a decoy's refusal looks like any other to the client.
fn explain(settled: Settled, subject: &Subject) -> Settled {
    match subject {
        Subject::Decoy(reason) => settled.because(*reason),
        Subject::Exhausted => settled.because(Reason::Exhausted),
        Subject::Enrolled { .. } => settled,
    }
}
