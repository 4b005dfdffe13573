//! `invite`: makes an invitation and says what its user has to do with it, or takes one back.

use mfa_proto::admin::{Reply, Request};
use mfa_proto::answer::RecoveryCode;
use zeroize::Zeroizing;

use super::{Context, hint};
use crate::cli::InviteArgs;
use crate::failure::{Failure, exit};
use crate::render;

/// Makes or takes back.
pub(super) fn run(context: &mut Context, arguments: &InviteArgs) -> Result<u8, Failure> {
    let whom = arguments.user.id();
    let name = mfa_proto::text::escape_for_log(&whom.to_string());
    let request = if arguments.withdraw {
        Request::Uninvite { user: whom.clone() }
    } else {
        // No time takes what the configuration says.
        Request::Invite { user: whom.clone(), seconds: arguments.lifetime.unwrap_or(0) }
    };
    let reply = context.target.ask(&request);
    let reply = reply.map_err(|f| f.or_hint(|code| hint::root_only(code, &whom, &context.now)))?;
    if arguments.withdraw {
        let Reply::Done { .. } = reply else { return Err(context.target.unexpected()) };
        context.out.json(&render::view::uninvited(&whom))?;
        context.out.text(&format!("Taken back: the invitation of {name}.\n"))?;
        return Ok(exit::OK);
    }
    let Reply::Invited { code, until } = reply else { return Err(context.target.unexpected()) };
    if RecoveryCode::parse(code.expose()).is_none() {
        return Err(context.target.unexpected());
    }
    context.out.json(&render::view::invited(&whom, &code, until))?;
    let mut text = Zeroizing::new(String::with_capacity(512));
    text.push_str("Invitation of ");
    text.push_str(&name);
    text.push_str(", shown once:\n\n    ");
    text.push_str(code.expose());
    text.push_str("\n\nIt counts once, until ");
    text.push_str(&context.now.full(Some(until)));
    text.push_str(
        ". The user types it at the next login, when asked for it, or at:\n    mfactl enroll totp\n",
    );
    context.out.text(&text)?;
    Ok(exit::OK)
}
