//! Drives one login: reads its start, finds out what it needs, relays prompts and answers between the
//! client and the state machine, and has the store judge answers. `subject` says who it is, `errand` does
//! what goes outside.
//!
//! Refuses to decide: [`crate::policy`], [`crate::session`] and [`crate::store`] do.

mod awake;
mod deliver;
mod directory;
mod ending;
mod errand;
mod explain;
mod first;
mod front;
mod judge;
mod remembering;
mod subject;

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    admin::FactorId,
    login::{ClientMessage, Dialogue, ServerMessage, Start},
    name::UserId,
};
use tokio::{
    net::UnixStream,
    time::{Instant, error::Elapsed, timeout, timeout_at},
};
use tracing::warn;

pub(crate) use self::explain::{explain, explain_client};
pub(super) use self::{
    deliver::deliver,
    front::{by_device, verify},
};
use self::{front::Fronted, subject::Subject};
use super::{
    Peer,
    admission::Logins,
    wire::{Wire, WireError},
};
use crate::{
    audit::{self, Context, SessionId},
    clock::UnixTime,
    core::Core,
    identity::Account,
    limits::{Gate, SourceKey},
    policy::{Need, Origin},
    session::{self, Asking, Reason, Settled, Step},
    settings::Settings,
    store::{Channel, Counting, Outcome},
};

/// How long writing down and telling the end of a login may take, beyond its deadline.
const GRACE: Duration = Duration::from_secs(5);

/// One login under way.
struct Login<'a> {
    core: &'a Core,
    settings: Arc<Settings>,
    context: Context,
    channel: Channel,
    /// Where it comes from and with which keys, as far as that counts.
    origin: Origin,
    /// What its failures are counted under.
    source: Option<SourceKey>,
    /// When it began: what the rules go by.
    began: UnixTime,
    rule: Option<String>,
    /// What the rules ask for.
    need: Need,
    /// The account's uid now; `None` when names are not accounts of this host.
    uid: Option<u32>,
    /// The person has been asked: from here on, an end without a verdict is worth a row in the trail.
    asked: bool,
    /// The store wrote a row with the last attempt, in the same transaction.
    recorded: bool,
    /// The only account that the peer may ask for, by its uid.
    own: Option<u32>,
    /// Where it is counted among those under way.
    logins: &'a Logins,
    /// What it is beside, when a front end asks.
    front: Option<Fronted>,
}

/// What breaks a login off in the middle.
enum Halt {
    /// The client went away, or does not keep to the protocol.
    Wire(WireError),
    /// It ends at once.
    End(Settled),
}

impl From<WireError> for Halt {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Settled> for Halt {
    fn from(settled: Settled) -> Self {
        Self::End(settled)
    }
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
    let login = Login::new(core, settings, &start, peer);
    conduct(login, wire, deadline).await
}

/// Conducts a login from its look-ups to its end.
async fn conduct(
    mut login: Login<'_>,
    wire: &mut Wire<UnixStream>,
    deadline: Instant,
) -> Result<(), WireError> {
    let core = login.core;
    let turn = login.logins.enter(&login.context.user.name, login.settings.caps());
    let outcome =
        if turn.is_some() { login.run(wire, deadline).await } else { Ok(Ok(Settled::denied(Reason::Busy))) };
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
    let settled = settled.by_rule(login.rule.clone());
    let settled = login.account_for(settled).await;
    login.remember(&settled).await;
    // The verdict is durable by now; a client that has gone away only misses it. The log comes after, so
    // that nobody waits for syslog.
    let told = login.tell_end(wire, &settled).await;
    audit::log_login(&login.context, &settled);
    core.metrics().login(&settled);
    told
}

impl<'a> Login<'a> {
    fn new(core: &'a Core, settings: Arc<Settings>, start: &Start, peer: Peer) -> Self {
        // The password is proven only when root's stack says so by asking us after it did.
        let proven = peer.is_root() && start.dialogue == Dialogue::Interactive;
        // The remote host is the word of the host process: only root's counts.
        let source = start.remote_host.as_ref().filter(|_| peer.is_root());
        let origin = Origin::of(start, peer.is_root());
        let key = match origin.source.address() {
            Some(address) => Some(SourceKey::of(address)),
            None if peer.is_root() => None,
            None => Some(SourceKey::Local(peer.uid)),
        };
        let context = Context {
            session: SessionId::fresh(),
            user: UserId::local(start.user.clone()),
            service: start.service.clone(),
            source: source.cloned(),
            actor: peer.uid,
            client: None,
        };
        Self {
            channel: if proven { Channel::Proven } else { Channel::Unproven },
            source: key,
            own: (!peer.is_root()).then_some(peer.uid),
            ..Self::about(core, settings, context, origin)
        }
    }

    /// A login of which nothing is known but what it is about: nobody has proven anything.
    fn about(core: &'a Core, settings: Arc<Settings>, context: Context, origin: Origin) -> Self {
        Self {
            core,
            settings,
            context,
            channel: Channel::Unproven,
            origin,
            source: None,
            began: core.now(),
            rule: None,
            need: Need::default(),
            uid: None,
            asked: false,
            recorded: false,
            own: None,
            logins: core.logins(),
            front: None,
        }
    }

    async fn run(
        &mut self,
        wire: &mut Wire<UnixStream>,
        deadline: Instant,
    ) -> Result<Result<Settled, WireError>, Elapsed> {
        match timeout_at(deadline, self.look_up()).await? {
            Ok(Subject::Newcomer(newcomer)) if newcomer.enrolls => {
                // Whoever has to install an app first needs more time than one who has it in hand.
                let longer = self.settings.config().enrollment().timeout;
                let deadline = deadline.max(Instant::now() + longer);
                timeout_at(deadline, self.converse(wire, Subject::Newcomer(newcomer))).await
            }
            Ok(subject) => timeout_at(deadline, self.converse(wire, subject)).await,
            Err(settled) => Ok(Ok(settled)),
        }
    }

    /// Who it is; an error is the end of the login.
    async fn look_up(&mut self) -> Result<Subject, Settled> {
        let found = match self.settings.asks_directory() {
            Some(refresh) => self.find_by_directory(refresh).await?,
            None => self.find().await?,
        };
        if self.own.is_some_and(|uid| found.account != Account::Known { uid }) {
            // The same for names that exist and names that do not.
            return Err(Settled::denied(Reason::NotAllowed));
        }
        let subject = self.subject(found)?;
        Ok(self.narrowed(subject))
    }

    async fn converse(
        &mut self,
        wire: &mut Wire<UnixStream>,
        subject: Subject,
    ) -> Result<Settled, WireError> {
        if let Some(until) = self.source.and_then(|source| self.core.source_blocked_until(source)) {
            warn!(
                session = self.context.session.as_str(),
                "too many failures from {:?} until {}", self.source, until.0
            );
            return Ok(Settled::denied_and_locked(Reason::Source, Gate::Wait { until }));
        }
        if let Subject::Newcomer(newcomer) = subject {
            return self.enroll_first(wire, newcomer).await;
        }
        if !self.has_answer()
            && let Some(settled) = self.recalled(&subject).await
        {
            return Ok(settled);
        }
        let mut step = session::begin(self.opening(&subject), self.core.now());
        loop {
            step = match self.take(wire, &subject, step).await {
                Ok(step) => step,
                Err(Halt::End(settled)) => return Ok(subject.explain(settled)),
                Err(Halt::Wire(error)) => return Err(error),
            };
        }
    }

    /// Takes one step; the last is the end.
    async fn take(
        &mut self,
        wire: &mut Wire<UnixStream>,
        subject: &Subject,
        step: Step,
    ) -> Result<Step, Halt> {
        Ok(match step {
            Step::Settle(settled) => return Err(settled.into()),
            Step::Ask(asking) => self.ask(wire, asking).await?,
            Step::Judge(judging, answer) => {
                let outcome = self.judge(subject, answer, judging.proven()).await?;
                self.note(matches!(outcome, Outcome::Accepted(_)));
                judging.judged(outcome, self.core.now())
            }
            Step::Issue(issuing, factor) => {
                let issued = self.issue(wire, subject, (factor, issuing.proven())).await?;
                self.note(true);
                issuing.issued(factor, issued, self.core.now())
            }
            Step::Consult(consulting, factor, answer) => {
                let outcome = self.consult(wire, subject, (factor, answer, consulting.proven())).await?;
                self.note(matches!(outcome, Outcome::Accepted(_)));
                consulting.consulted(outcome, self.core.now())
            }
            Step::Inform(informing, text) => {
                // It is a courtesy: a client that cannot be told is told the verdict all the same.
                drop(timeout(GRACE, self.say(wire, ServerMessage::Info(text))).await);
                informing.informed()
            }
        })
    }

    async fn ask(&mut self, wire: &mut Wire<UnixStream>, asking: Asking) -> Result<Step, Halt> {
        self.asked = true;
        if let Some(given) = self.given(&asking) {
            return Ok(asking.answered(&given));
        }
        let prompt =
            ServerMessage::Prompt { text: asking.text().clone(), echo: asking.echo(), shape: asking.shape() };
        self.say(wire, prompt).await?;
        let answer = wire.read().await?;
        // Until what it was for turns out well.
        self.note(false);
        Ok(asking.answered(&answer))
    }

    /// What counts for this login, and what of it has been proven.
    fn counting(&self, proven: Vec<FactorId>) -> Counting {
        Counting { kinds: self.need.kinds, needed: self.need.count, only: self.only(), proven }
    }

    fn is_proven(&self) -> bool {
        self.channel == Channel::Proven
    }
}
