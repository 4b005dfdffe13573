//! `breakglass`: has a code for an emergency made and hands it over once, to a terminal or to a new file.

use mfa_proto::admin::{Reply, Request};
use mfa_proto::answer::RecoveryCode;
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
    let reply = context.target.ask(&Request::BreakGlass {
        user: whom.clone(),
        seconds: u32::try_from(arguments.span.as_secs()).unwrap_or(u32::MAX),
        reason: ShownText::clean(&arguments.reason),
    });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::root_only(code, &whom, &context.now)))?;
    let Reply::BreakGlass { factor, code, until } = reply else {
        return Err(context.target.unexpected());
    };
    let Some(code) = RecoveryCode::parse(code.expose()).filter(RecoveryCode::is_emergency) else {
        return Err(context.target.unexpected());
    };
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
