//! Whether polkit lets an account's own processes change what the account holds, where the configuration has it
//! asked (`[enrollment] self_auth = "polkit"`). It comes on top of the codes that a change needs, never in
//! their place.
//!
//! Egress asks, because this process links no D-Bus. Refuses to take anything for a yes but a yes: without
//! egress, polkit or an answer in time, nothing is changed. Root is not asked, nor any login.

use mfa_proto::{
    admin::{Refusal, RefusalCode, Request},
    egress::Authorization,
    name::UserId,
    text::ShownText,
};
use tracing::{info, warn};

use super::{Desk, refusal::refused};
use crate::{
    config::SelfAuth,
    outgoing::{Said, Undone},
    server::PeerProcess,
};

/// Adding a factor, and proving it. Both in `packaging/polkit/io.github.mfad.policy`.
const ENROLL: &str = "io.github.mfad.enroll";
/// Changing or removing what is there.
const CHANGE: &str = "io.github.mfad.change";

impl Desk<'_> {
    /// Whether the request may go on as far as polkit has a say in it. To be asked before anything is done.
    pub(super) async fn authorize(
        &self,
        process: Option<&PeerProcess>,
        request: &Request,
    ) -> Result<(), Refusal> {
        let settings = self.core.settings();
        if self.acts_for_any() || settings.config().enrollment().self_auth != SelfAuth::Polkit {
            return Ok(());
        }
        let Some((action, user)) = needed(request) else { return Ok(()) };
        // Nobody is asked for what would be refused anyway.
        self.root_or_self(user).await?;
        let Some(process) = process else {
            return Err(not_asked("the configuration has changed since this connection was made: try again"));
        };
        let unknown = |unknown| {
            warn!(uid = self.peer.uid, "polkit cannot be asked for {user}: {unknown}");
            not_asked("it is not known which process asks: tell an administrator (journalctl -t mfad)")
        };
        let (pid, start_time) = process.present().map_err(unknown)?;
        let Some(line) = settings.line() else {
            return Err(not_asked("mfad egress is not configured: tell an administrator"));
        };
        let wanted = Authorization { action: ShownText::clean(action), pid, start_time, uid: self.peer.uid };
        let said = self.core.outgoing().authorize(line, wanted).await;
        // Had it ended meanwhile, polkit might have been asked about another one.
        process.present().map_err(unknown)?;
        self.judge(said, action, user)
    }

    fn judge(&self, said: Result<Said, Undone>, action: &str, user: &UserId) -> Result<(), Refusal> {
        let (uid, session) = (self.peer.uid, self.session.as_str());
        match said {
            Ok(Said::Yes) => {
                info!(uid, session, "polkit allows {action} to {user}");
                Ok(())
            }
            Ok(Said::No) => {
                warn!(uid, session, "polkit refuses {action} to {user}");
                Err(refused(
                    RefusalCode::NotAllowed,
                    "polkit does not allow this, or was not given the right password: try again, or ask an administrator",
                ))
            }
            Err(undone) => {
                warn!(uid, session, "polkit could not be asked about {action} for {user}: {undone}");
                Err(not_asked(match &undone {
                    Undone::Failed(why) => why,
                    Undone::Busy => "too many wait for polkit already: try again in a minute",
                    Undone::TimedOut => "it took too long: try again",
                    Undone::Unconfigured
                    | Undone::Unreachable { .. }
                    | Undone::Stranger { .. }
                    | Undone::Broken(_)
                    | Undone::Senseless => "mfad egress does not answer: tell an administrator",
                }))
            }
        }
    }
}

fn not_asked(why: &str) -> Refusal {
    let message = format!("polkit has to allow this ([enrollment] self_auth), and could not be asked: {why}");
    refused(RefusalCode::NotAllowed, &message)
}

/// The action that a request is, and for whom; `None` for looks, and for what only root may do.
fn needed(request: &Request) -> Option<(&'static str, &UserId)> {
    match request {
        Request::Enroll(new) => Some((ENROLL, &new.user)),
        Request::Confirm { user, .. } => Some((ENROLL, user)),
        Request::Disable { target, .. }
        | Request::Remove { target, .. }
        | Request::Resync { target, .. }
        | Request::SetPin { target, .. } => Some((CHANGE, &target.user)),
        Request::RecoveryNew { user, .. } | Request::Forget { user: Some(user), .. } => Some((CHANGE, user)),
        Request::List { .. }
        | Request::Show { .. }
        | Request::Enable { .. }
        | Request::Unlock { .. }
        | Request::Reset { .. }
        | Request::Status
        | Request::Audit(_)
        | Request::ConfigCheck
        | Request::Reload
        | Request::Send { .. }
        | Request::TokenIssue { .. }
        | Request::EnrollAll { .. }
        | Request::Backup
        | Request::Restore
        | Request::Invite { .. }
        | Request::Uninvite { .. }
        | Request::Remembered { .. }
        | Request::Forget { user: None, .. }
        | Request::Reassign { .. }
        | Request::PruneOrphaned { .. }
        | Request::AuditVerify
        | Request::Explain(_)
        | Request::ExplainClient(_)
        | Request::BreakGlass { .. }
        | Request::Metrics { .. }
        | Request::Devices { .. }
        | Request::Find { .. }
        | Request::Describe { .. }
        | Request::Assign { .. }
        | Request::Unassign { .. }
        | Request::LdapSeal { .. }
        | Request::LdapPull { .. }
        | Request::Lost { .. }
        | Request::Identify(_) => None,
    }
}
