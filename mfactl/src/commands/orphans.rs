//! `list --orphaned`, `reassign`, `prune --orphaned`.
//!
//! Refuses to remove anybody who was not shown before: the daemon is told names, and looks each up again.

use mfa_proto::admin::{LeftAlone, OrphanPage, Reply, Request, UserSummary};
use mfa_proto::hello::Protocol;
use mfa_proto::text::escape_for_log;

use super::{Context, hint, verb};
use crate::cli::{PruneArgs, ReassignArgs};
use crate::client::{self, Wire};
use crate::failure::{Failure, exit};
use crate::render;
use crate::terminal;

/// Shows users whose account is gone or has another uid.
pub(super) fn list(context: &mut Context) -> Result<u8, Failure> {
    let found = look(context)?;
    context.out.json(&render::orphans::json(&found))?;
    tell_left_alone(context, &found.left_alone);
    context.out.text(&render::orphans::list(&found.orphaned, &context.now, context.out.style))?;
    Ok(exit::OK)
}

/// Lets an account take over what a user holds.
pub(super) fn reassign(context: &mut Context, arguments: &ReassignArgs) -> Result<u8, Failure> {
    let (user, to) = (arguments.user.id(), arguments.heir());
    let reply = context.target.ask(&Request::Reassign { user: user.clone(), to: to.clone() });
    verb::done(context, to.as_ref().unwrap_or(&user), "reassign", "Reassigned to", reply)
}

/// Removes users whose account is gone or has another uid, after asking whether it is meant.
pub(super) fn prune(context: &mut Context, arguments: &PruneArgs) -> Result<u8, Failure> {
    let found = look(context)?;
    tell_left_alone(context, &found.left_alone);
    if arguments.dry_run || found.orphaned.is_empty() {
        context.out.json(&render::orphans::pruned_json(arguments.dry_run, &found))?;
        context.out.text(&render::orphans::list(&found.orphaned, &context.now, context.out.style))?;
        return Ok(exit::OK);
    }
    if !arguments.yes {
        meant(context, &found.orphaned)?;
    }
    let removed = remove(context, found)?;
    context.out.json(&render::orphans::pruned_json(false, &removed))?;
    context.out.text(&render::orphans::pruned(&removed))?;
    Ok(if removed.left_alone.is_empty() { exit::OK } else { exit::FAILED })
}

fn meant(context: &mut Context, users: &[UserSummary]) -> Result<(), Failure> {
    if !terminal::interactive() {
        return Err(Failure::usage("deleting needs --yes when nobody can be asked"));
    }
    let list = render::orphans::list(users, &context.now, context.out.style);
    context.out.note(list.trim_end());
    let many = render::orphans::users(users.len());
    if terminal::confirm(&mut context.out, &format!("Delete all factors of {many}?"))? {
        return Ok(());
    }
    Err(Failure::Declined { state: "nothing was deleted" })
}

/// Removes those who were found, a few at a time.
fn remove(context: &mut Context, found: OrphanPage) -> Result<OrphanPage, Failure> {
    let mut removed = OrphanPage::default();
    for some in found.orphaned.chunks(OrphanPage::AT_ONCE) {
        let users = some.iter().map(|summary| summary.user.clone()).collect();
        let reply = context.target.ask(&Request::PruneOrphaned { users });
        let Reply::Orphans(page) = reply.map_err(|f| f.or_hint(hint::daemon))? else {
            return Err(context.target.unexpected());
        };
        tell_left_alone(context, &page.left_alone);
        removed.orphaned.extend(page.orphaned);
        removed.left_alone.extend(page.left_alone);
    }
    // What could not be looked up in the first place was told, and counts as not done.
    removed.left_alone.extend(found.left_alone);
    Ok(removed)
}

fn look(context: &Context) -> Result<OrphanPage, Failure> {
    let mut wire = context.target.open(Protocol::Admin)?;
    all(&mut wire).map_err(|f| f.or_hint(hint::daemon))
}

/// All of them, page after page.
pub(crate) fn all(wire: &mut Wire) -> Result<OrphanPage, Failure> {
    let mut all = OrphanPage::default();
    loop {
        let after = all.more_after.take();
        let Reply::Orphans(page) =
            client::ask(wire, &Request::List { after: after.clone(), orphaned: true })?
        else {
            return Err(wire.unexpected());
        };
        all.orphaned.extend(page.orphaned);
        all.left_alone.extend(page.left_alone);
        all.more_after = page.more_after;
        match &all.more_after {
            None => return Ok(all),
            // A page that does not go on would be asked for again for ever.
            Some(_) if all.more_after == after => return Err(wire.unexpected()),
            Some(_) => {}
        }
    }
}

fn tell_left_alone(context: &mut Context, left: &[LeftAlone]) {
    for LeftAlone { user, why } in left {
        let user = escape_for_log(&user.to_string());
        context.out.note(&format!("mfactl: {user} is left alone: {}", escape_for_log(why.as_str())));
    }
}
