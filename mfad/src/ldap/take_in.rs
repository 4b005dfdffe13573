//! Has what the directory has of a person taken in, before it matters what the person holds.
//!
//! Refuses to take silence for an answer: what was taken in before stays, and the caller is told.

use std::time::Duration;

use mfa_proto::text::escape_for_log;
use tracing::{error, info, warn};

use super::{Asked, ask};
use crate::{
    audit::Context,
    core::Core,
    identity::Account,
    settings::Settings,
    store::{Adopt, Authority, Order, Refused, StoreError},
};

/// Whether what the directory has of an account is here now; it is asked once in `refresh`. For a name without an
/// account it is asked, too, and nothing is taken in.
pub async fn take_in(
    core: &Core,
    settings: &Settings,
    (context, account): (&Context, Account),
    refresh: Duration,
) -> bool {
    let (user, now) = (&context.user, core.now());
    if core.looked_up().is_known(user, account, (now, refresh)) {
        return true;
    }
    let asked = match ask(core, settings, user).await {
        Ok(asked) => asked,
        Err(why) => {
            let session = context.session.as_str();
            warn!(session, "{why}; what {user} holds is what was known of {user} before");
            return false;
        }
    };
    let known = match account {
        Account::Unknown => true,
        Account::Known { uid } => adopt(core, settings, (context, Some(uid)), asked).await,
        Account::Unchecked => adopt(core, settings, (context, None), asked).await,
    };
    if known {
        core.looked_up().know(user, account, now);
    }
    known
}

async fn adopt(
    core: &Core,
    settings: &Settings,
    (context, uid): (&Context, Option<u32>),
    asked: Asked,
) -> bool {
    let (user, session) = (&context.user, context.session.as_str());
    let notes = core.looked_up().is_news(user, &asked.entry.unusable, core.now());
    if notes {
        for unusable in &asked.entry.unusable {
            let (kind, why) = (unusable.kind.word(), escape_for_log(&unusable.why));
            warn!(session, "the directory has a value for {kind} of {user} that cannot be used: {why}");
        }
    }
    let order = Order { context: context.clone(), uid, authority: Authority::Admin };
    let most = settings.config().enrollment().max_factors;
    match core.login_store().adopt(Adopt { order, entry: asked.entry, most, notes }).await {
        Ok(changed) => {
            for change in changed {
                info!(session, "{} of {user}: {}", change.kind.word(), change.change.word());
            }
            true
        }
        // What is held is another account's: a login ends by that.
        Err(StoreError::Refused(Refused::Orphaned)) => true,
        Err(why) => {
            error!(session, "what the directory has of {user} cannot be taken in: {why}");
            false
        }
    }
}
