//! What would lock people out: a daemon that does not answer, and a service that no administrator, or not whoever runs
//! this, could log in to.
//!
//! Refuses to take a name's word for a right: who the caller is only adds to who must still get in.

use std::collections::BTreeSet;

use mfa_proto::admin::{Counting, Explanation, LockState, Outlook, Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::name::ServiceName;
use mfa_proto::text::escape_for_log;

use super::drop_in::Way;
use super::people::{self, Caller, has_no_password};
use crate::client::Wire;
use crate::commands::Context;
use crate::doctor::{sshd, users};
use crate::failure::Failure;

/// Names that are asked about.
const MOST: usize = 200;
/// Names in one message.
const NAMED: usize = 8;

/// Refuses when the daemon does not answer, or takes no writes: every login would be denied.
pub(crate) fn daemon_answers(context: &Context) -> Result<(), Failure> {
    let hint = "systemctl status mfad; mfactl doctor; all the same: --despite daemon";
    match context.target.ask(&Request::Status) {
        Ok(Reply::Status(status)) => match &status.store {
            Ok(()) => Ok(()),
            Err(why) => Err(Failure::withheld(
                format!("mfad takes no writes, so that every login would be denied: {}", why.as_str()),
                hint,
            )),
        },
        Ok(_) => Err(context.target.unexpected()),
        Err(failure) => Err(Failure::withheld(
            format!("mfad does not answer, so that every login would be denied: {failure}"),
            hint,
        )),
    }
}

/// Refuses when no administrator, or not the caller, would get in by `service`. `way` is what sshd will ask first,
/// where it is sshd.
pub(crate) fn someone_gets_in(context: &Context, service: &str, way: Option<Way>) -> Result<(), Failure> {
    let mut asked = Asked {
        wire: context.target.open(Protocol::Admin)?,
        service: ServiceName::new(service).map_err(|error| Failure::usage(error.to_string()))?,
        way,
    };
    let candidates = candidates(service);
    let mut why = Vec::new();
    let mut someone = false;
    for name in candidates.iter().take(MOST) {
        match asked.shut_out(name)? {
            None => {
                someone = true;
                break;
            }
            Some(reason) => why.push(format!("{} ({reason})", escape_for_log(name))),
        }
    }
    if !someone {
        return Err(nobody(service, &why));
    }
    let caller = Caller::hint().filter(|_| !becomes_another(service));
    let Some(caller) = caller else { return Ok(()) };
    match asked.shut_out(caller.as_str())? {
        None => Ok(()),
        Some(reason) => Err(Failure::withheld(
            format!("{caller}, as whom you are logged in, would be locked out of {service}: {reason}"),
            format!("mfactl enroll totp {caller}, then again; all the same: --despite no-admin"),
        )),
    }
}

/// In su it is the account one changes to that is asked.
fn becomes_another(service: &str) -> bool {
    matches!(service, "su" | "su-l" | "runuser" | "runuser-l")
}

/// Of whom one must get in. Where nobody is in a group that administers, that is whoever can log in.
fn candidates(service: &str) -> BTreeSet<String> {
    let root = || BTreeSet::from(["root".to_owned()]);
    if becomes_another(service) {
        return root();
    }
    let mut all = people::administrators();
    if all.is_empty() {
        all = people::accounts();
        all.remove("root");
    }
    // root needs no sudo, and sshd asks root for a code only where all methods are open to it.
    let root_counts = match service {
        "sudo" | "sudo-i" => false,
        "sshd" => sshd::usual().is_some_and(|settings| settings.is_on("permitrootlogin")),
        _ => true,
    };
    if root_counts {
        all.extend(root());
    }
    all
}

fn nobody(service: &str, why: &[String]) -> Failure {
    let more = why.len().saturating_sub(NAMED);
    let names = why.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let who = match more {
        _ if names.is_empty() => "there is none".to_owned(),
        0 => names,
        more => format!("{names} and {more} more"),
    };
    Failure::withheld(
        format!("no administrator could log in by {service} any more: {who}"),
        "mfactl enroll totp NAME for a member of sudo or wheel, then again; all the same: --despite no-admin",
    )
}

struct Asked {
    wire: Wire,
    service: ServiceName,
    way: Option<Way>,
}

impl Asked {
    /// Why an account would not get in; `None` when it would.
    fn shut_out(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(user) = people::id(name) else {
            return Ok(Some("a name that mfad does not take".to_owned()));
        };
        if self.way == Some(Way::Password) && has_no_password(name) {
            return Ok(Some("it has no password; --sshd key asks for key and code".to_owned()));
        }
        let told = match users::explain(&mut self.wire, &user, &self.service, None) {
            Ok(told) => told,
            Err(Failure::Refused { refusal, .. }) => {
                return Ok(Some(escape_for_log(refusal.message.as_str())));
            }
            Err(failure) => return Err(failure),
        };
        Ok(hindrance(&told))
    }
}

fn hindrance(told: &Explanation) -> Option<String> {
    let usable = |one: &&Counting| one.counts && matches!(one.lock, LockState::Open);
    let enough = told.factors.iter().filter(usable).count() >= usize::from(told.needed.max(1));
    let locked = !matches!(told.lock, LockState::Open);
    match told.outlook {
        Outlook::Skipped => None,
        Outlook::Asked if enough && !locked => None,
        Outlook::Asked | Outlook::Denied | Outlook::Enrolled if told.factors.is_empty() => {
            Some("no active factor".to_owned())
        }
        Outlook::Asked | Outlook::Denied | Outlook::Enrolled if locked => Some("locked".to_owned()),
        Outlook::Asked | Outlook::Enrolled => Some("no factor that counts".to_owned()),
        Outlook::Denied => Some("denied by policy".to_owned()),
    }
}
