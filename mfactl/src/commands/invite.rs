//! `invite`: makes an invitation and says what its user has to do with it, or takes one back.

use mfa_proto::admin::{Reply, Request};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;

use super::{Context, hint};
use crate::cli::InviteArgs;
use crate::failure::{Failure, exit};
use crate::render;

/// Makes or takes back.
pub(super) fn run(context: &mut Context, arguments: &InviteArgs) -> Result<u8, Failure> {
    let whom = arguments.user.id();
    if arguments.withdraw {
        return withdraw(context, &whom);
    }
    // No time takes what the configuration says.
    let (code, until) = make(context, &whom, arguments.lifetime.unwrap_or(0))?;
    context.out.json(&render::view::invited(&whom, &code, until))?;
    context.out.text(&render::recovery::invitation(&whom, &code, until, &context.now))?;
    Ok(exit::OK)
}

fn withdraw(context: &mut Context, whom: &UserId) -> Result<u8, Failure> {
    let Reply::Done { .. } = asked(context, whom, &Request::Uninvite { user: whom.clone() })? else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::uninvited(whom))?;
    let name = escape_for_log(&whom.to_string());
    context.out.text(&format!("Taken back: the invitation of {name}.\n"))?;
    Ok(exit::OK)
}

/// Has one made for `whom` that counts for so many seconds, 0 for what the configuration says: the invitation, and until
/// when it counts.
pub(super) fn make(context: &Context, whom: &UserId, seconds: u32) -> Result<(SecretText, i64), Failure> {
    let Reply::Invited { code, until } =
        asked(context, whom, &Request::Invite { user: whom.clone(), seconds })?
    else {
        return Err(context.target.unexpected());
    };
    if RecoveryCode::parse(code.expose()).is_none() {
        return Err(context.target.unexpected());
    }
    Ok((code, until))
}

fn asked(context: &Context, whom: &UserId, request: &Request) -> Result<Reply, Failure> {
    let reply = context.target.ask(request);
    reply.map_err(|f| f.or_hint(|code| hint::root_only(code, whom, &context.now)))
}
