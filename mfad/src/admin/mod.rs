//! Requests of `mfactl` and other front ends: who may ask what, then the store does it.
//!
//! Refuses to reveal what others hold: to a peer that is not root, every account but its own does not
//! exist as far as can be told.

mod authority;
mod breakglass;
mod codes;
mod copies;
mod device;
mod directory;
pub(crate) mod draft;
mod enroll;
mod explain;
mod identify;
mod invite;
mod look;
mod lost;
mod metrics;
mod orphans;
mod outside;
mod refusal;
mod remembered;
mod rights;
mod state;
mod trail;

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    admin::{Refusal, Reply, Request},
    name::{ServiceName, UserId},
};
use tokio::net::UnixStream;
use tracing::info;

pub(crate) use self::rights::rights_of;
use crate::{
    audit::{Context, SessionId},
    core::Core,
    server::{
        Peer, PeerProcess,
        admission::Place,
        front::Behalf,
        wire::{Wire, WireError},
    },
};

/// A front end that is silent, or reads no reply, for so long has gone away.
const IDLE: Duration = Duration::from_secs(60);

/// Serves requests until the peer closes the connection.
pub(crate) async fn serve(
    core: &Arc<Core>,
    wire: &mut Wire<UnixStream>,
    (peer, process): (Peer, Option<PeerProcess>),
    held: &Place,
) -> Result<(), WireError> {
    let mut figures = String::new();
    loop {
        let request = match tokio::time::timeout(IDLE, wire.read::<Request>()).await {
            Err(_) | Ok(Err(WireError::Closed)) => return Ok(()),
            Ok(request) => request?,
        };
        let reply = if held.may_ask() {
            let desk = Desk { core, peer, session: SessionId::fresh(), behalf: None };
            let authorized = tokio::select! {
                biased;
                authorized = desk.authorize(process.as_ref(), &request) => authorized,
                // Nobody is to be asked for what was given up. And nothing is read that was not asked for.
                _ = wire.read::<Request>() => return Ok(()),
            };
            let done = match authorized {
                Ok(()) => handle(&desk, request, &mut figures).await,
                Err(refusal) => Err(refusal),
            };
            done.unwrap_or_else(Reply::Refused)
        } else {
            Reply::Refused(refusal::too_often())
        };
        wire.write_within(IDLE, &reply).await?;
    }
}

/// Answers one request of a front end's client, whose rights ([`rights_of`]) cover it.
pub(crate) async fn answer(core: &Core, peer: Peer, behalf: Behalf, request: Request) -> Reply {
    let desk = Desk { core, peer, session: SessionId::fresh(), behalf: Some(behalf) };
    handle(&desk, request, &mut String::new()).await.unwrap_or_else(Reply::Refused)
}

/// One request under way: who asks, and the core that answers.
struct Desk<'a> {
    core: &'a Core,
    peer: Peer,
    session: SessionId,
    /// On whose behalf, where a front end asks.
    behalf: Option<Behalf>,
}

/// `figures` are those that are read in parts on this connection.
#[expect(clippy::cognitive_complexity, reason = "one line for each verb, and nothing else")]
async fn handle(desk: &Desk<'_>, request: Request, figures: &mut String) -> Result<Reply, Refusal> {
    match request {
        Request::Enroll(new) => desk.enroll(*new).await,
        Request::Confirm { user, factor, code } => desk.confirm(user, factor, &code).await,
        Request::List { after, orphaned: false } => desk.list(after).await,
        Request::List { after, orphaned: true } => desk.list_orphaned(after).await,
        Request::Show { user } => desk.show(user).await,
        Request::Disable { target, code } => desk.disable(target, code).await,
        Request::Enable { target } => desk.enable(target).await,
        Request::Remove { target, code } => desk.remove(target, code).await,
        Request::Unlock { user } => desk.unlock(user).await,
        Request::Reset { user } => desk.reset(user).await,
        Request::Status => desk.status().await,
        Request::Audit(filter) => desk.audit(*filter).await,
        Request::ConfigCheck => desk.config_check().await,
        Request::Reload => desk.reload().await,
        Request::Resync { target, codes } => desk.resync(target, codes).await,
        Request::RecoveryNew { user, count, code } => desk.recovery_new(user, count, code).await,
        Request::Send { target } => desk.send(target).await,
        Request::TokenIssue { target } => desk.token_issue(target).await,
        Request::EnrollAll { user, factors, recovery, replace } => {
            desk.enroll_all(user, factors, recovery, replace).await
        }
        Request::Backup => desk.backup().await,
        Request::Restore => desk.restore().await,
        Request::Invite { user, seconds } => desk.invite(user, seconds).await,
        Request::Uninvite { user } => desk.uninvite(user).await,
        Request::Remembered { user, after } => desk.remembered(user, after).await,
        Request::Forget { user, row } => desk.forget(user, row).await,
        Request::Reassign { user, to } => desk.reassign(user, to).await,
        Request::PruneOrphaned { users } => desk.prune_orphaned(users).await,
        Request::AuditVerify => desk.audit_verify().await,
        Request::Explain(login) => desk.explain(*login).await,
        Request::ExplainClient(login) => desk.explain_client(*login).await,
        Request::BreakGlass { user, seconds, reason } => desk.break_glass(user, seconds, reason).await,
        Request::Metrics { after } => desk.metrics(after, figures).await,
        Request::Devices { user } => desk.devices(user).await,
        Request::Find { serial } => desk.find(serial).await,
        Request::SetPin { target, pin, code } => desk.set_pin(target, pin, code).await,
        Request::Describe { target, serial, description } => desk.describe(target, serial, description).await,
        Request::Assign { serial, user } => desk.assign(serial, user).await,
        Request::Unassign { serial } => desk.unassign(serial).await,
        Request::LdapSeal { user, params, secret } => desk.ldap_seal(user, params, secret).await,
        Request::LdapPull { user, dry_run } => desk.ldap_pull(user, dry_run).await,
        Request::Lost { target, seconds, reason } => desk.lost(target, seconds, reason).await,
        Request::Identify(search) => desk.identify(*search).await,
    }
}

impl Desk<'_> {
    /// The context under which a change of `user` is written to the trail.
    fn context(&self, user: &UserId) -> Context {
        Context {
            session: self.session.clone(),
            user: user.clone(),
            service: ServiceName::administration(),
            source: self.behalf.as_ref().and_then(|behalf| behalf.origin().cloned()),
            actor: self.peer.uid,
            client: self.behalf.as_ref().map(|behalf| behalf.client.clone()),
        }
    }

    /// The client, as a field of the log.
    fn client_word(&self) -> &str {
        self.behalf.as_ref().map_or("-", |behalf| behalf.client.as_str())
    }

    /// Says in the log what was changed; the trail has it from the change's own transaction.
    fn log_change(&self, event: &str, user: &UserId) {
        // What the directory has was taken over into what was held before.
        self.core.looked_up().forget(user);
        let (actor, session) = (self.peer.uid, self.session.as_str());
        let user = user.to_string();
        let client = self.client_word();
        info!(event, user, actor, client, session, "{event}: user={user} by uid {actor}");
    }
}

#[cfg(test)]
mod tests;
