//! `resync`: finds the counter of a device again, by two of its codes.

use mfa_proto::admin::Request;
use mfa_proto::secret::SecretText;

use super::code::Form;
use super::{Context, code, verb};
use crate::cli::TargetArgs;
use crate::failure::Failure;
use crate::terminal;

/// Asks for two codes, and has the counter found.
pub(super) fn run(context: &mut Context, arguments: TargetArgs) -> Result<u8, Failure> {
    let target = verb::target(context, arguments)?;
    let codes = if terminal::interactive() {
        [one(context, "A code that the device shows: ")?, one(context, "The one it shows after that: ")?]
    } else {
        [code::from_stdin(context, Form::DIGITS)?, code::from_stdin(context, Form::DIGITS)?]
    };
    let user = target.user.clone();
    let reply = context.target.ask(&Request::Resync { target, codes });
    verb::done(context, &user, "resync", "Resynchronized", reply)
}

fn one(context: &mut Context, prompt: &str) -> Result<SecretText, Failure> {
    let given_up = || Failure::Interrupted { state: "nothing was changed".to_owned(), hint: None };
    code::ask(context, prompt)?.ok_or_else(given_up)
}
