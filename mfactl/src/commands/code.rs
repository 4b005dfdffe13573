//! Codes that people give: at the prompt, or on standard input. They are seen while they are typed, as at
//! a login: a code is of no use to anyone once it is used.

use mfa_proto::admin::{RefusalCode, Reply, Request};
use mfa_proto::answer::OtpCode;
use mfa_proto::secret::SecretText;

use super::Context;
use crate::failure::Failure;
use crate::terminal::{self, Asked};

/// How often a wrong current code is asked for again: the daemon's waits begin soon after.
const TRIES: usize = 3;

/// The digits of a code; `None` when the text is none.
pub(super) fn digits(text: &str) -> Option<SecretText> {
    SecretText::new(OtpCode::parse(text)?.expose().to_owned()).ok()
}

/// Asks until something of the form of a code is typed; `None` when the person gives up.
pub(super) fn ask(context: &mut Context, prompt: &str) -> Result<Option<SecretText>, Failure> {
    loop {
        let Asked::Answer(typed) = terminal::ask(&mut context.out, prompt, true)? else {
            return Ok(None);
        };
        if let Some(code) = digits(&typed) {
            return Ok(Some(code));
        }
        context.out.note("That is no code: it has 6 or 8 digits.");
    }
}

/// Reads a code from standard input.
pub(super) fn from_stdin(context: &mut Context) -> Result<SecretText, Failure> {
    let typed = terminal::stdin_line(&mut context.out, "code")?;
    digits(typed.expose()).ok_or_else(|| Failure::usage("what was given is no code: it has 6 or 8 digits"))
}

/// Sends a request that may need a current code: `make` builds it with or without one. Without one first
/// (root needs none, and the daemon knows who needs one); when it is asked for, the person is.
pub(super) fn ask_with_current(
    context: &mut Context,
    given: Option<SecretText>,
    make: impl Fn(Option<SecretText>) -> Request,
) -> Result<Reply, Failure> {
    let missing = given.is_none();
    let may_ask = missing && terminal::interactive();
    let mut answer = context.target.ask(&make(given));
    if missing && !may_ask {
        let how = "give a current code by --code-stdin, or run it on a terminal";
        let hint = |code| (code == RefusalCode::WrongCode).then(|| how.to_owned());
        return answer.map_err(|failure| failure.or_hint(hint));
    }
    for _ in 0..TRIES {
        match &answer {
            Err(failure) if may_ask && failure.refused_with(RefusalCode::WrongCode) => {
                let message = failure.to_string();
                context.out.note(&message);
            }
            Ok(_) | Err(_) => return answer,
        }
        let Some(code) = ask(context, "Current code of an active factor: ")? else {
            return Err(Failure::Interrupted { state: "nothing was changed".to_owned(), hint: None });
        };
        answer = context.target.ask(&make(Some(code)));
    }
    answer
}
