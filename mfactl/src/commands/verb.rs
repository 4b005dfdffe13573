//! Verbs that change something and are answered by "done": disable, enable, unlock, reset.

use mfa_proto::admin::{FactorId, FactorRef, Reply, Request};
use mfa_proto::name::UserId;

use super::code::Form;
use super::{Context, code, hint, user};
use crate::cli::{NamedUser, SwitchArgs, TargetArgs};
use crate::failure::{Failure, exit};
use crate::render;

/// Switches a factor off.
pub(super) fn disable(context: &mut Context, arguments: SwitchArgs) -> Result<u8, Failure> {
    let target = target(context, arguments.target)?;
    let given = if arguments.code_stdin { Some(code::from_stdin(context, Form::CURRENT)?) } else { None };
    let user = target.user.clone();
    let reply = code::ask_with_current(context, &user, given, |code| Request::Disable {
        target: target.clone(),
        code,
    });
    done(context, &user, "disable", "Disabled", reply)
}

/// Switches a disabled factor on.
pub(super) fn enable(context: &mut Context, arguments: TargetArgs) -> Result<u8, Failure> {
    let target = target(context, arguments)?;
    let user = target.user.clone();
    let reply = context.target.ask(&Request::Enable { target });
    done(context, &user, "enable", "Enabled", reply)
}

/// Ends waits.
pub(super) fn unlock(context: &mut Context, whom: &NamedUser) -> Result<u8, Failure> {
    let reply = context.target.ask(&Request::Unlock { user: whom.id() });
    done(context, &whom.id(), "unlock", "Unlocked", reply)
}

/// Forgets failures, waits and drift.
pub(super) fn reset(context: &mut Context, whom: &NamedUser) -> Result<u8, Failure> {
    let reply = context.target.ask(&Request::Reset { user: whom.id() });
    done(context, &whom.id(), "reset", "Reset", reply)
}

/// As the daemon names whose factor and which.
pub(super) fn target(context: &mut Context, arguments: TargetArgs) -> Result<FactorRef, Failure> {
    Ok(FactorRef {
        user: user::resolve(context, &arguments.user)?,
        factor: arguments.factor.map(FactorId),
        label: arguments.label,
    })
}

/// Shows that it is done, or why not.
pub(super) fn done(
    context: &mut Context,
    user: &UserId,
    verb: &str,
    past: &str,
    reply: Result<Reply, Failure>,
) -> Result<u8, Failure> {
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, user, &context.now)))?;
    let Reply::Done { factors } = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::done(user, verb, factors))?;
    let many = if factors == 1 { "1 factor".to_owned() } else { format!("{factors} factors") };
    let name = mfa_proto::text::escape_for_log(&user.to_string());
    context.out.text(&format!("{past}: {name}, {many}.\n"))?;
    Ok(exit::OK)
}
