//! `confirm`: proves a pending factor by one of its codes.

use mfa_proto::admin::{FactorId, FactorRef, RefusalCode, Reply, Request};
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;
use zeroize::Zeroizing;

use super::code::{Form, Typed};
use super::{Context, code, hint, send, user};
use crate::cli::{ConfirmArgs, OptionalUser};
use crate::failure::{Failure, exit};
use crate::render;
use crate::terminal;

/// What proves a pending factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proof {
    /// A code that the authenticator shows.
    Shown,
    /// A code that was sent.
    Sent,
    /// An answer that an outside service says yes to.
    Outside,
    /// A signed token.
    Token,
    /// Whatever the pending factor, whose kind is not known here, takes.
    Any,
}

impl Proof {
    const fn prompt(self) -> &'static str {
        match self {
            Self::Shown => "Code that the authenticator shows now (Ctrl-C to confirm later): ",
            Self::Sent => "Code that was sent (Enter: send again, Ctrl-C to confirm later): ",
            Self::Outside => "Answer for the service to judge (Ctrl-C to confirm later): ",
            Self::Token => "A token (Ctrl-C to confirm later): ",
            Self::Any => "Code of the new factor: ",
        }
    }

    const fn form(self) -> Form {
        match self {
            Self::Shown | Self::Sent => Form::DIGITS,
            Self::Outside => Form::TEXT,
            Self::Token => Form::TOKEN,
            Self::Any => Form::ANY,
        }
    }
}

/// Confirms by the code given, or asks for one until it is right.
pub(super) fn run(context: &mut Context, arguments: ConfirmArgs) -> Result<u8, Failure> {
    let typed = arguments.code.map(Zeroizing::new);
    if typed.is_none() {
        not_a_code(&arguments.user)?;
    }
    let whom = user::resolve(context, &arguments.user)?;
    let factor = arguments.factor.map(FactorId);
    let proof = if arguments.text { Proof::Outside } else { Proof::Any };
    let code = match typed {
        Some(typed) => proof.form().take_given(&typed, "CODE")?,
        None if terminal::interactive() => return until_right(context, &whom, factor, proof),
        None => code::from_stdin(context, proof.form())?,
    };
    let reply = ask(context, &whom, factor, code);
    active(context, &whom, reply)
}

/// A single argument is the user; a code in its place would be looked up as an account.
fn not_a_code(given: &OptionalUser) -> Result<(), Failure> {
    match &given.user {
        Some(name) if Form::DIGITS.take(name.as_str()).is_some() && !user::exists(name) => {
            Err(Failure::usage(
                "the only argument is the USER, and this looks like a code: leave it out and type the code when \
             asked, or give both, USER and CODE",
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// Asks for codes until one is right, the daemon wants no more, or the person gives up.
pub(super) fn until_right(
    context: &mut Context,
    whom: &UserId,
    factor: Option<FactorId>,
    proof: Proof,
) -> Result<u8, Failure> {
    loop {
        let code = match code::ask_or_empty(context, proof.prompt(), proof.form())? {
            Typed::Code(code) => code,
            Typed::Empty if matches!(proof, Proof::Sent | Proof::Any) => {
                send::or_say_why(context, &FactorRef { user: whom.clone(), factor, label: None })?;
                continue;
            }
            Typed::Empty => continue,
            Typed::GivenUp => return Err(given_up(whom, factor, proof)),
        };
        match ask(context, whom, factor, code) {
            Err(failure) if failure.refused_with(RefusalCode::WrongCode) => {
                let clock = context.now.again().clock();
                context.out.note(&match proof {
                    Proof::Sent | Proof::Outside => failure.to_string(),
                    Proof::Shown | Proof::Token | Proof::Any => {
                        format!("{failure}\n  (the clock of this host shows {clock})")
                    }
                });
            }
            reply => return active(context, whom, reply),
        }
    }
}

fn given_up(whom: &UserId, factor: Option<FactorId>, proof: Proof) -> Failure {
    let when = match proof {
        Proof::Shown => "when the authenticator is set up",
        Proof::Sent => "when the code is there",
        Proof::Outside | Proof::Token | Proof::Any => "later",
    };
    Failure::Interrupted {
        state: "not confirmed: the factor is pending and does not count yet".to_owned(),
        hint: Some(format!("{when}: {}", command(whom, factor, proof))),
    }
}

/// The command that confirms later.
pub(super) fn command(whom: &UserId, factor: Option<FactorId>, proof: Proof) -> String {
    let factor = factor.map_or_else(String::new, |id| format!(" --factor {}", id.0));
    let text = if proof == Proof::Outside { " --text" } else { "" };
    format!("mfactl confirm {}{factor}{text}", hint::shell_word(whom))
}

fn ask(
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
