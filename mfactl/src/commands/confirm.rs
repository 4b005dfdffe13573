//! `confirm`: proves a pending factor by one of its codes.

use mfa_proto::admin::{FactorId, RefusalCode, Reply, Request};
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;
use zeroize::Zeroizing;

use super::{Context, code, hint, user};
use crate::cli::{ConfirmArgs, OptionalUser};
use crate::failure::{Failure, exit};
use crate::render;
use crate::terminal;

/// Confirms by the code given, or asks for one until it is right.
pub(super) fn run(context: &mut Context, arguments: ConfirmArgs) -> Result<u8, Failure> {
    let typed = arguments.code.map(Zeroizing::new);
    if typed.is_none() {
        not_a_code(&arguments.user)?;
    }
    let whom = user::resolve(context, &arguments.user)?;
    let factor = arguments.factor.map(FactorId);
    let code = match typed {
        Some(typed) => {
            code::digits(&typed).ok_or_else(|| Failure::usage("CODE is no code: it has 6 or 8 digits"))?
        }
        None if terminal::interactive() => {
            return until_right(context, &whom, factor, "Code that the authenticator shows now: ");
        }
        None => code::from_stdin(context)?,
    };
    let reply = send(context, &whom, factor, code);
    active(context, &whom, reply)
}

/// A single argument is the user; a code in its place would be looked up as an account.
fn not_a_code(given: &OptionalUser) -> Result<(), Failure> {
    match &given.user {
        Some(name) if code::digits(name.as_str()).is_some() && !user::exists(name) => Err(Failure::usage(
            "the only argument is the USER, and this looks like a code: leave it out and type the code when \
             asked, or give both, USER and CODE",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Asks for codes until one is right, the daemon wants no more, or the person gives up.
pub(super) fn until_right(
    context: &mut Context,
    whom: &UserId,
    factor: Option<FactorId>,
    prompt: &str,
) -> Result<u8, Failure> {
    loop {
        let Some(code) = code::ask(context, prompt)? else {
            return Err(Failure::Interrupted {
                state: "not confirmed: the factor is pending and does not count yet".to_owned(),
                hint: Some(format!("when the authenticator is set up: {}", command(whom, factor))),
            });
        };
        match send(context, whom, factor, code) {
            Err(failure) if failure.refused_with(RefusalCode::WrongCode) => {
                let clock = context.now.again().clock();
                context.out.note(&format!("{failure}\n  (the clock of this host shows {clock})"));
            }
            reply => return active(context, whom, reply),
        }
    }
}

/// The command that confirms later.
pub(super) fn command(whom: &UserId, factor: Option<FactorId>) -> String {
    let factor = factor.map_or_else(String::new, |id| format!(" --factor {}", id.0));
    format!("mfactl confirm {}{factor}", hint::shell_word(whom))
}

fn send(
    context: &Context,
    whom: &UserId,
    factor: Option<FactorId>,
    code: SecretText,
) -> Result<Reply, Failure> {
    context.target.ask(&Request::Confirm { user: whom.clone(), factor, code })
}

fn active(context: &mut Context, whom: &UserId, reply: Result<Reply, Failure>) -> Result<u8, Failure> {
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, whom, &context.now)))?;
    let Reply::Done { factors } = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::done(whom, "confirm", factors))?;
    let name = escape_for_log(&whom.to_string());
    context.out.text(&format!("Confirmed: the new factor of {name} is active.\n"))?;
    Ok(exit::OK)
}
