//! `send`: has a code sent, by itself or at a prompt.

use mfa_proto::admin::{FactorRef, Reply, Request};
use mfa_proto::text::escape_for_log;

use super::{Context, hint, verb};
use crate::cli::TargetArgs;
use crate::failure::{Failure, exit};
use crate::render::{self, time::span};

/// Sends.
pub(super) fn run(context: &mut Context, arguments: TargetArgs) -> Result<u8, Failure> {
    let target = verb::target(context, arguments)?;
    let reply = context.target.ask(&Request::Send { target: target.clone() });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, &target.user, &context.now)))?;
    let Reply::Sent { to, digits, until } = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::sent(&target.user, &to, digits, until))?;
    let (to, wait) = (escape_for_log(to.as_str()), span(context.now.until(until)));
    let text = if digits == 0 {
        format!("{to} was asked to begin; it has {wait}.\n")
    } else {
        format!("Code sent to {to}: {digits} digits, valid for {wait}.\n")
    };
    context.out.text(&text)?;
    Ok(exit::OK)
}

/// Has a code sent while one is asked for. That the daemon refuses does not end the asking: the code sent
/// before may still come.
pub(super) fn or_say_why(context: &mut Context, target: &FactorRef) -> Result<(), Failure> {
    match context.target.ask(&Request::Send { target: target.clone() }) {
        Ok(Reply::Sent { to, .. }) => {
            context.out.note(&format!("Code sent to {}.", escape_for_log(to.as_str())));
            Ok(())
        }
        Err(failure @ Failure::Refused { .. }) => {
            context.out.note(&failure.to_string());
            Ok(())
        }
        Err(failure) => Err(failure),
        Ok(_) => Err(context.target.unexpected()),
    }
}
