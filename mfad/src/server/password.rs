//! A password that a front end has proven elsewhere: whether its source may try, and what the trail says of what
//! came of it.
//!
//! It counts as wrong from the moment it may be tried, so a front end that goes away leaves no guess uncounted.
//! Refuses to count any of it against the account: else whoever knows a name could lock its owner out.

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    front::{PasswordMessage, PasswordOutcome},
    name::UserId,
};
use tokio::{net::UnixStream, time::timeout};
use tracing::error;

use super::{
    Peer,
    front::Behalf,
    wire::{Wire, WireError},
};
use crate::{
    audit::{self, Context},
    config::WebClient,
    core::Core,
    limits::{Charge, SourceKey},
    metrics::Passwords,
    policy::Origin,
    session::Reason,
};

/// How long it may take until it is known what came of it: more than a front end waits for a prover.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the trail may take, and the front end to take an answer.
const GRACE: Duration = Duration::from_secs(5);

/// One password of which core is to know.
struct Told<'a> {
    core: &'a Core,
    context: Context,
    /// What was counted beforehand; `None` where nobody has said where the person is.
    charge: Option<Charge>,
}

/// Gives leave to try a password, and notes what came of it. For clients that may ask this alone.
pub(super) async fn attend(
    core: &Arc<Core>,
    wire: &mut Wire<UnixStream>,
    (peer, client): (Peer, &WebClient),
    (behalf, user): (&Behalf, UserId),
) -> Result<(), WireError> {
    let context = behalf.context(user, (peer, client));
    let source = Origin::of_client(behalf.source.as_ref()).source.address().map(SourceKey::of);
    let charge = match source.map(|source| core.try_source(source)).transpose() {
        Ok(charge) => charge,
        Err(until) => {
            // No row: a flood could repeat it at no cost.
            core.metrics().password(Passwords::Blocked);
            audit::log_password(&context, "locked", Reason::Source);
            let wait = u32::try_from(until.since(core.now()).max(1)).unwrap_or(u32::MAX);
            return wire.write_within(GRACE, &PasswordMessage::Blocked { wait }).await;
        }
    };
    Told { core, context, charge }.see_to_its_end(wire).await
}

impl Told<'_> {
    async fn see_to_its_end(self, wire: &mut Wire<UnixStream>) -> Result<(), WireError> {
        let outcome = async {
            wire.write(&PasswordMessage::Try).await?;
            wire.read::<PasswordOutcome>().await
        };
        let outcome = timeout(PATIENCE, outcome).await;
        let answer = match outcome {
            Ok(Ok(PasswordOutcome::Right)) => self.was_no_failure(Passwords::Right),
            Ok(Ok(PasswordOutcome::Unjudged)) => self.was_no_failure(Passwords::Unjudged),
            Ok(Ok(PasswordOutcome::Wrong)) => self.was_refused(Passwords::Wrong, Reason::WrongPassword).await,
            Ok(Err(broken)) => {
                // Whether it was right is not known; whoever typed it may.
                let _unread = self.was_refused(Passwords::GivenUp, Reason::Cancelled).await;
                return Err(broken);
            }
            Err(_) => {
                let _unread = self.was_refused(Passwords::GivenUp, Reason::TimedOut).await;
                return Err(WireError::Closed);
            }
        };
        wire.write_within(GRACE, &answer).await
    }

    /// Right, or not judged at all.
    fn was_no_failure(self, what: Passwords) -> PasswordMessage {
        self.core.metrics().password(what);
        if let Some(charge) = &self.charge {
            self.core.take_back(charge);
        }
        PasswordMessage::Noted
    }

    /// A row in the trail, and a failure among all.
    async fn was_refused(self, what: Passwords, reason: Reason) -> PasswordMessage {
        let Self { core, context, .. } = self;
        core.metrics().password(what);
        let written = timeout(GRACE, core.login_store().record_password(&context, reason)).await;
        audit::log_password(&context, "deny", reason);
        // Its source is charged already.
        tokio::time::sleep(core.charge_failure(None)).await;
        let problem = match written {
            Ok(Ok(())) => return PasswordMessage::Noted,
            Ok(Err(problem)) => problem.to_string(),
            Err(_) => "the disk does not answer".to_owned(),
        };
        error!(session = context.session.as_str(), "cannot write the audit trail: {problem}");
        PasswordMessage::Unavailable
    }
}

/// Tells a client that it may not have passwords proven.
pub(super) async fn refuse(wire: &mut Wire<UnixStream>) -> Result<(), WireError> {
    wire.write_within(GRACE, &PasswordMessage::Unavailable).await
}
