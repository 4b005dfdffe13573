//! After a change: what to try, and whether it works.

use super::super::Context;
use super::revert;
use crate::apply::Record;
use crate::failure::{Failure, exit};
use crate::terminal::{self, Asked};

/// Says what to do now. On a terminal, waits for the word that a login works.
pub(super) fn after(context: &mut Context, service: &str, record: &Record) -> Result<u8, Failure> {
    let Some(until) = record.until else {
        context.out.note("Try a login in a second terminal before you close this one.");
        return Ok(exit::OK);
    };
    let at = context.now.again().local(until);
    context.out.note(&format!(
        "Keep this terminal open. Try a login in a second one; without `mfactl pam confirm` all is taken back at {at}."
    ));
    if context.out.json || !terminal::interactive() {
        return Ok(exit::OK);
    }
    let question = "Does a login in a second terminal work? y keeps the change, n takes it back now, Enter decides later: ";
    match terminal::ask(&mut context.out, question, true)? {
        Asked::Answer(answer) => match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => revert::keep(context, &[service.to_owned()]),
            "n" | "no" => revert::take_back(context, std::slice::from_ref(record)),
            _ => Ok(later(context, service)),
        },
        Asked::GivenUp => Ok(later(context, service)),
    }
}

fn later(context: &mut Context, service: &str) -> u8 {
    context.out.note(&format!("It waits: mfactl pam confirm {service}, or mfactl pam revert {service}."));
    exit::OK
}
