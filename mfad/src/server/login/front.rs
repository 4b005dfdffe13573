//! A verification that a front end asks for on behalf of one of its clients: the same login, driven by the
//! same states, told in the messages of [`mfa_proto::front`].
//!
//! Refuses what only a login of this host may: to go on without a factor where nobody has proven a password,
//! to enroll on the way, and to send a code to whoever already has one.

use std::sync::Arc;

use mfa_proto::{
    admin::FactorId,
    answer::AnswerShape,
    front::{Ended, FrontMessage, Verify, VerifyDevice},
    login::{ClientMessage, ServerMessage, Verdict, Withheld},
    name::UserId,
    secret::SecretText,
};
use tokio::{
    net::UnixStream,
    time::{Duration, Instant},
};
use tracing::error;

use super::{Login, Subject};
use crate::{
    config::WebClient,
    core::Core,
    limits::{Gate, SourceKey},
    policy::Origin,
    server::{
        Peer,
        front::Behalf,
        wire::{Wire, WireError},
    },
    session::{Asking, Holding, Opening, Reason, Settled},
    settings::Settings,
    store::Channel,
};

/// The longest a conversation across requests may take.
const LONGEST: Duration = Duration::from_secs(600);
/// No factor has this id: theirs begin at 1.
const NO_FACTOR: FactorId = FactorId(0);

/// What a login of a front end is beside what every login is.
#[derive(Debug)]
pub(super) struct Fronted {
    /// What is answered without being asked for, last first.
    given: Vec<SecretText>,
    /// A word among these chooses: it comes first.
    chooses: bool,
    /// The answer came with the question, so a wrong one is the end.
    at_hand: bool,
    /// The only factor that counts.
    only: Option<FactorId>,
    /// The last answer was not right.
    refused: bool,
}

/// Serves one verification of a client that may ask for it.
pub(in crate::server) async fn verify(
    core: &Arc<Core>,
    wire: &mut Wire<UnixStream>,
    (peer, settings, client): (Peer, Arc<Settings>, &WebClient),
    (behalf, verify): (&Behalf, Verify),
) -> Result<(), WireError> {
    let patience = Duration::from_secs(u64::from(verify.patience)).min(LONGEST);
    let deadline = Instant::now() + settings.login_timeout().max(patience);
    let login = Login::of_front(core, settings, (peer, client), (behalf, verify));
    super::conduct(login, wire, deadline).await
}

/// Which login a device is verified by. Whoever has it must be who is named, if somebody is; else it is nobody's, and
/// refused like a wrong answer. `None` when that cannot be known.
pub(in crate::server) async fn by_device(core: &Core, asked: VerifyDevice) -> Option<Verify> {
    let VerifyDevice { serial, user, answer, patience } = asked;
    let found = match core.store().find(serial.clone()).await {
        Ok(found) => found,
        Err(problem) => {
            error!("cannot look for the serial number {serial}: {problem}");
            return None;
        }
    };
    let holds =
        |holder: &UserId| !holder.realm.is_unassigned() && user.as_ref().is_none_or(|user| user == holder);
    let found = found.filter(|(holder, ..)| holds(holder));
    let (user, only) = match found {
        Some((holder, factor, _)) => (holder, factor.factor),
        None => (user.map_or_else(|| serial.keeper().ok(), Some)?, NO_FACTOR),
    };
    Some(Verify { user, choose: None, only: Some(only), answer, patience })
}

impl<'a> Login<'a> {
    /// The login that a client asks about.
    pub(super) fn of_front(
        core: &'a Core,
        settings: Arc<Settings>,
        (peer, client): (Peer, &WebClient),
        (behalf, verify): (&Behalf, Verify),
    ) -> Self {
        let Verify { user, choose, only, answer, .. } = verify;
        let (chooses, at_hand) = (choose.is_some(), answer.is_some());
        let word = choose.and_then(|label| SecretText::new(label.as_str().to_owned()).ok());
        Self {
            front: Some(Fronted {
                given: answer.into_iter().chain(word).collect(),
                chooses,
                at_hand,
                only,
                refused: false,
            }),
            ..Self::of_client(core, settings, (peer, client), (behalf, user))
        }
    }

    /// What is known of a client's question about a person, before it is a conversation.
    pub(super) fn of_client(
        core: &'a Core,
        settings: Arc<Settings>,
        (peer, client): (Peer, &WebClient),
        (behalf, user): (&Behalf, UserId),
    ) -> Self {
        let origin = Origin::of_client(behalf.source.as_ref());
        let context = behalf.context(user, (peer, client));
        Self {
            channel: if client.password_proven { Channel::Proven } else { Channel::Unproven },
            // Where the person is was not said: what fails is no reason to keep out all whom the client serves.
            source: origin.source.address().map(SourceKey::of),
            logins: core.front_logins(),
            ..Self::about(core, settings, context, origin)
        }
    }

    /// Whether a rule that asks for no factor counts: a client that has not proven a password would take it for
    /// a proof.
    pub(super) fn may_skip(&self) -> bool {
        self.front.is_none() || self.is_proven()
    }

    /// What of an opening is another matter for front ends.
    pub(super) fn fronted(&self, opening: Opening) -> Opening {
        let Some(front) = &self.front else { return opening };
        let mut opening = opening;
        if front.at_hand {
            opening.settings.attempts = 1;
            opening.proven = false;
        }
        // Who has proven nothing learns nothing of what is held.
        opening.settings.conceal |= !self.is_proven();
        // A PIN and code is judged whatever is held: not even its form tells who holds a PIN.
        if opening.held.is_empty() {
            opening.held.extend(Holding::of_nobody());
        }
        for holding in opening.held.iter_mut().filter(|holding| holding.may_have_pin()) {
            holding.form = holding.form.or(AnswerShape::PINNED);
        }
        opening
    }

    /// Leaves the one factor that counts, where one was named.
    pub(super) fn narrowed(&self, subject: Subject) -> Subject {
        let Some(only) = self.front.as_ref().and_then(|front| front.only) else { return subject };
        match subject {
            Subject::Enrolled { uid, mut held, gate } => {
                held.retain(|held| held.factor == only);
                if held.is_empty() {
                    return Subject::Decoy { reason: Reason::NoFactor, account: None };
                }
                Subject::Enrolled { uid, held, gate }
            }
            Subject::Decoy { .. } | Subject::Newcomer(_) | Subject::Exhausted => subject,
        }
    }

    /// Whether the answer came with the question: then it is judged, whatever is remembered.
    pub(super) fn has_answer(&self) -> bool {
        self.front.as_ref().is_some_and(|front| front.at_hand)
    }

    /// The only factor that counts, where one was named.
    pub(super) fn only(&self) -> Option<FactorId> {
        self.front.as_ref().and_then(|front| front.only)
    }

    /// Notes whether the last answer got the person on.
    pub(super) fn note(&mut self, got_on: bool) {
        if let Some(front) = &mut self.front {
            front.refused = !got_on;
        }
    }

    /// An answer that need not be asked for. `None`: the person is asked.
    pub(super) fn given(&mut self, asking: &Asking) -> Option<ClientMessage> {
        let front = self.front.as_mut()?;
        if asking.is_last() {
            return Some(ClientMessage::Withheld(Withheld::NoAnswer));
        }
        if std::mem::take(&mut front.chooses) {
            return front.given.pop().map(ClientMessage::Answer);
        }
        let answer = front.given.pop()?;
        // A word would choose: whoever wants that says so.
        let withheld = || ClientMessage::Withheld(Withheld::Shape);
        Some(if asking.takes(&answer) { ClientMessage::Answer(answer) } else { withheld() })
    }

    /// What is said to the client, in its protocol.
    pub(super) async fn say(
        &mut self,
        wire: &mut Wire<UnixStream>,
        message: ServerMessage,
    ) -> Result<(), WireError> {
        match &self.front {
            None => wire.write(&message).await,
            Some(front) => wire.write(&FrontMessage::Turn { message, refused: front.refused }).await,
        }
    }

    /// The end, in its protocol.
    pub(super) async fn tell_end(
        &self,
        wire: &mut Wire<UnixStream>,
        settled: &Settled,
    ) -> Result<(), WireError> {
        if self.front.is_none() {
            return wire.write_within(super::GRACE, &ServerMessage::Settled(settled.verdict())).await;
        }
        let wait = match settled.gate() {
            Gate::Wait { until } => u32::try_from(until.since(self.core.now()).max(0)).unwrap_or(u32::MAX),
            Gate::Open | Gate::UntilAdmin | Gate::Exhausted => 0,
        };
        let denied = settled.verdict() == Verdict::Deny;
        let unjudged = denied && matches!(settled.reason(), Reason::Locked | Reason::Busy);
        let ended = Ended {
            verdict: settled.verdict(),
            unjudged,
            wait,
            factor: settled.factor(),
            session: self.context.session.as_str().to_owned(),
        };
        wire.write_within(super::GRACE, &FrontMessage::Ended(ended)).await
    }
}
