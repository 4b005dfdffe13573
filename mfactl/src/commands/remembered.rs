//! `remembered`: what is remembered, page after page, and having it forgotten.
//!
//! Refuses to forget that of all users unasked: root says `--all`.

use mfa_proto::admin::{RememberedRow, Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::name::UserId;
use mfa_proto::text::escape_for_log;
use nix::unistd::getuid;

use super::{Context, hint, user};
use crate::cli::{OptionalUser, RememberedVerb, RevokeArgs};
use crate::client;
use crate::failure::{Failure, exit};
use crate::render;

/// Lists or forgets.
pub(super) fn run(context: &mut Context, verb: RememberedVerb) -> Result<u8, Failure> {
    match verb {
        RememberedVerb::List(whom) => list(context, &whom),
        RememberedVerb::Revoke(arguments) => revoke(context, &arguments),
    }
}

/// Whose: the user named, else all for root, else the account this runs as.
fn whose(context: &mut Context, whom: &OptionalUser) -> Result<Option<UserId>, Failure> {
    if whom.user.is_none() && getuid().is_root() {
        return Ok(None);
    }
    user::resolve(context, whom).map(Some)
}

fn list(context: &mut Context, whom: &OptionalUser) -> Result<u8, Failure> {
    let whom = whose(context, whom)?;
    let rows = all(context, whom.as_ref())?;
    context.out.json(&render::remembered::json(&rows))?;
    context.out.text(&render::remembered::list(&rows, &context.now, context.out.style))?;
    Ok(exit::OK)
}

fn all(context: &Context, whom: Option<&UserId>) -> Result<Vec<RememberedRow>, Failure> {
    let mut wire = context.target.open(Protocol::Admin)?;
    let mut rows: Vec<RememberedRow> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.row);
        let request = Request::Remembered { user: whom.cloned(), after };
        let Reply::Remembered(page) =
            client::ask(&mut wire, &request).map_err(|f| f.or_hint(|code| hinted(code, whom, context)))?
        else {
            return Err(wire.unexpected());
        };
        // A page that does not go on would be asked for again for ever.
        let goes_on = page.rows.last().is_some_and(|last| last.row > after);
        if page.more && !goes_on {
            return Err(wire.unexpected());
        }
        rows.extend(page.rows);
        if !page.more {
            return Ok(rows);
        }
    }
}

fn hinted(code: mfa_proto::admin::RefusalCode, whom: Option<&UserId>, context: &Context) -> Option<String> {
    whom.map_or_else(|| hint::daemon(code), |whom| hint::user(code, whom, &context.now))
}

fn revoke(context: &mut Context, arguments: &RevokeArgs) -> Result<u8, Failure> {
    let whom = whose(context, &arguments.user)?;
    if whom.is_none() && arguments.row.is_none() && !arguments.all {
        return Err(Failure::usage(
            "name a USER, or one success by --row N, or say --all for those of all users",
        ));
    }
    let count = forget(context, whom.as_ref(), arguments.row)?;
    context.out.json(&render::remembered::revoked(whom.as_ref(), count))?;
    let of = whom.map_or_else(|| "all users".to_owned(), |whom| escape_for_log(&whom.to_string()));
    let many =
        if count == 1 { "1 remembered success".to_owned() } else { format!("{count} remembered successes") };
    let text = match arguments.row {
        Some(row) if count == 0 => format!("Number {row} is not remembered.\n"),
        Some(row) => format!("Forgotten: number {row}.\n"),
        None => format!("Forgotten: {many} of {of}.\n"),
    };
    context.out.text(&text)?;
    let missing = count == 0 && arguments.row.is_some();
    Ok(if missing { exit::NOT_FOUND } else { exit::OK })
}

/// Has all of `whom` forgotten, or one. How many.
pub(super) fn forget(context: &Context, whom: Option<&UserId>, row: Option<i64>) -> Result<u32, Failure> {
    let reply = context.target.ask(&Request::Forget { user: whom.cloned(), row });
    let Reply::Done { factors } = reply.map_err(|f| f.or_hint(|code| hinted(code, whom, context)))? else {
        return Err(context.target.unexpected());
    };
    Ok(factors)
}
