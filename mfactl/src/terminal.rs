//! The person at the terminal: questions, codes, keys. Questions go to standard error, answers come from
//! standard input, so that standard output stays clean.
//!
//! Refuses to leave the terminal changed: echo is back before anything else happens, also after Ctrl-C.

mod line;
mod tty;

use std::io::{self, IsTerminal};

pub(crate) use self::tty::Held;

use mfa_proto::secret::SecretText;
use zeroize::Zeroizing;

use crate::{failure::Failure, out::Out};

/// What became of a question.
pub(crate) enum Asked<T> {
    /// An answer.
    Answer(T),
    /// Ctrl-C, the end of input, or a signal that ends the program.
    GivenUp,
}

/// Whether someone can be asked: standard input and standard error are terminals.
pub(crate) fn interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks at the terminal; what is typed is seen when `echo`.
pub(crate) fn ask(out: &mut Out, prompt: &str, echo: bool) -> Result<Asked<Zeroizing<String>>, Failure> {
    let typed =
        tty::read(echo, || out.prompt(prompt)).map_err(|e| Failure::local("read from the terminal", &e))?;
    if matches!(typed, Asked::GivenUp) {
        out.note("");
    }
    Ok(typed)
}

/// Asks for yes or no; anything but `y` or `yes` is no.
pub(crate) fn confirm(out: &mut Out, question: &str) -> Result<bool, Failure> {
    Ok(match ask(out, &format!("{question} [y/N] "), true)? {
        Asked::Answer(text) => matches!(text.trim().to_ascii_lowercase().as_str(), "y" | "yes"),
        Asked::GivenUp => false,
    })
}

/// Reads one line of standard input, which holds `what`; asks for it without echo on a terminal.
pub(crate) fn stdin_line(out: &mut Out, what: &str) -> Result<SecretText, Failure> {
    let typed = if interactive() {
        match ask(out, &format!("{what}: "), false)? {
            Asked::Answer(text) => Some(text),
            Asked::GivenUp => {
                return Err(Failure::Interrupted { state: "nothing was sent".to_owned(), hint: None });
            }
        }
    } else {
        line::read(&io::stdin(), || Ok(()))
            .map_err(|e| Failure::local(format!("read {what} from standard input"), &e))?
    };
    let mut typed = typed.filter(|text| !text.trim().is_empty()).ok_or_else(|| {
        Failure::usage(format!("no {what} on standard input: give it as one line, as in `mfactl … <file`"))
    })?;
    secret(&mut typed)
}

/// One line of standard input without asking, for answers given by a script; `None` at its end.
pub(crate) fn script_line() -> Result<Option<Zeroizing<String>>, Failure> {
    line::read(&io::stdin(), || Ok(())).map_err(|e| Failure::local("read from standard input", &e))
}

/// Moves `text` into a secret.
pub(crate) fn secret(text: &mut Zeroizing<String>) -> Result<SecretText, Failure> {
    SecretText::new(std::mem::take(&mut **text)).map_err(|e| Failure::usage(e.to_string()))
}
