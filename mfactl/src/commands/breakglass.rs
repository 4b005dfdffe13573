//! `breakglass`: has a code for an emergency made and hands it over once, to a terminal or to a new file.

use std::time::Duration;

use mfa_proto::admin::{FactorId, Reply, Request};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::UserId;
use mfa_proto::text::{ShownText, escape_for_log};

use super::{Context, hint, recovery};
use crate::cli::BreakGlassArgs;
use crate::failure::{Failure, exit};
use crate::render;

/// Makes one.
pub(super) fn run(context: &mut Context, arguments: &BreakGlassArgs) -> Result<u8, Failure> {
    // Before the code before is void.
    let file = recovery::place(&arguments.to)?;
    let whom = arguments.user.id();
    let (factor, code, until) = make(context, &whom, (arguments.span, &arguments.reason))?;
    let slip = render::recovery::slip(&whom, &code, until, &context.now);
    let Some(mut file) = file else {
        context.out.json(&render::view::emergency_code(&whom, factor, (&code, until), None))?;
        context.out.text(&slip)?;
        return Ok(exit::OK);
    };
    let name = file.shown();
    file.write(slip.as_bytes())?;
    file.finish()?;
    context.out.json(&render::view::emergency_code(&whom, factor, (&code, until), Some(&name)))?;
    let whom = escape_for_log(&whom.to_string());
    context.out.text(&format!(
        "Emergency code of {whom}: written to {name}, which only its owner can read. It counts until {}.\n",
        context.now.full(Some(until))
    ))?;
    Ok(exit::OK)
}

/// Has one made for `whom`: its id, the code, and until when it counts.
pub(super) fn make(
    context: &Context,
    whom: &UserId,
    (span, reason): (Duration, &str),
) -> Result<(FactorId, RecoveryCode, i64), Failure> {
    let reply = context.target.ask(&Request::BreakGlass {
        user: whom.clone(),
        seconds: u32::try_from(span.as_secs()).unwrap_or(u32::MAX),
        reason: ShownText::clean(reason),
    });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::root_only(code, whom, &context.now)))?;
    let Reply::BreakGlass { factor, code, until } = reply else {
        return Err(context.target.unexpected());
    };
    let code = RecoveryCode::parse(code.expose()).filter(RecoveryCode::is_emergency);
    Ok((factor, code.ok_or_else(|| context.target.unexpected())?, until))
}
