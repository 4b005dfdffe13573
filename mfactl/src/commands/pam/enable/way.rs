//! How sshd is to ask: as the command line says, as it does already, or as the person at the terminal chooses.

use super::super::super::Context;
use super::change::Change;
use super::way_of;
use crate::apply::{self, Caller, DROP_IN, DropIn, Form, Way, has_no_password};
use crate::cli::{Despite, PamEnableArgs, SshdWay};
use crate::doctor::Finding;
use crate::doctor::host::Host;
use crate::doctor::pam::{Asking, Model, said};
use crate::failure::Failure;
use crate::terminal::{self, Asked};

/// What the stack is to ask, where that is said or there is no choice.
pub(super) fn form(arguments: &PamEnableArgs) -> Option<Form> {
    let is_sshd = arguments.service.as_str() == "sshd";
    match arguments.sshd {
        Some(SshdWay::Key) if is_sshd => Some(Form::CodeAlone),
        Some(SshdWay::Key | SshdWay::Password | SshdWay::Keep) => Some(Form::AfterPassword),
        None if !is_sshd => Some(Form::AfterPassword),
        None => None,
    }
}

/// What the stack is to ask where sshd's configuration has to be changed for either.
pub(super) fn ask_form(
    context: &mut Context,
    host: &Host,
    arguments: &PamEnableArgs,
    module: &str,
) -> Result<Form, Failure> {
    if !host.is_this() {
        return Ok(Form::AfterPassword);
    }
    let found = settings_as_planned(host, module)?;
    if apply::asks_all(&found) || arguments.despite.contains(&Despite::Sshd) {
        return Ok(Form::AfterPassword);
    }
    if arguments.yes || !terminal::interactive() {
        return Err(cannot_ask(&found));
    }
    context.out.note("sshd does not ask for a code as it is configured:");
    for finding in &found {
        context.out.note(&format!("  {}", said(finding)));
    }
    context.out.note(&format!("{DROP_IN} can have it ask for"));
    context.out.note("  p   password and code (keys alone let nobody in any more)");
    context.out.note("  k   key and code (passwords let nobody in any more)");
    let usual = match Caller::hint() {
        Some(name) if has_no_password(name.as_str()) => Form::CodeAlone,
        Some(_) | None => Form::AfterPassword,
    };
    let letter = if usual == Form::CodeAlone { "k" } else { "p" };
    match terminal::ask(&mut context.out, &format!("Which one? p, k, or n for neither [{letter}] "), true)? {
        Asked::Answer(answer) => match answer.trim() {
            "" => Ok(usual),
            "p" | "P" => Ok(Form::AfterPassword),
            "k" | "K" => Ok(Form::CodeAlone),
            _ => Err(Failure::Declined { state: "nothing was changed" }),
        },
        Asked::GivenUp => Err(Failure::Declined { state: "nothing was changed" }),
    }
}

/// What is wrong with sshd's settings once its stack asks after the password.
fn settings_as_planned(host: &Host, module: &str) -> Result<Vec<Finding>, Failure> {
    let asking = match apply::plan(host, "sshd", Form::AfterPassword, module)? {
        Some(plan) => plan.judged.asking,
        None => judged_now(host, "sshd")?,
    };
    Ok(apply::settings_of(host, &asking.into_iter().collect::<Vec<_>>()))
}

/// How a service asks now, if it does.
pub(super) fn judged_now(host: &Host, service: &str) -> Result<Option<Asking>, Failure> {
    Ok(Model::of(host).judge(service, None).map_err(|finding| apply::unanswered(&finding))?.asking)
}

/// Whether the stack, as it is, asks for a password as well.
pub(super) fn asks_for_password(host: &Host, service: &str) -> Result<bool, Failure> {
    Ok(judged_now(host, service)?.is_some_and(|asking| asking.first_factor))
}

fn cannot_ask(found: &[Finding]) -> Failure {
    let why: Vec<String> = found.iter().map(said).collect();
    Failure::withheld(
        format!("sshd could not ask for a code as it is configured: {}", why.join("; ")),
        format!(
            "--sshd password has {DROP_IN} written for password and code, --sshd key for key and code; where you configure \
             it yourself: --sshd keep --despite sshd"
        ),
    )
}

/// The drop-in that is to be written, where one is.
pub(super) fn drop_in(
    host: &Host,
    arguments: &PamEnableArgs,
    change: &Change,
    form: Form,
) -> Result<Option<(DropIn, Way)>, Failure> {
    if !host.is_this() {
        return Ok(None);
    }
    let asking = match change.asking() {
        Some(asking) => Some(asking.clone()),
        None => judged_now(host, "sshd")?,
    };
    let found = apply::settings_of(host, &asking.into_iter().collect::<Vec<_>>());
    let fits = apply::asks_all(&found);
    if fits || arguments.despite.contains(&Despite::Sshd) && arguments.sshd != Some(SshdWay::Key) {
        return Ok(None);
    }
    let said_or_asked = arguments.sshd.is_some() || form_was_asked(arguments);
    if arguments.sshd == Some(SshdWay::Keep) || !said_or_asked {
        return Err(cannot_ask(&found));
    }
    if let Some(sshd) = apply::Sshd::find() {
        // What is wrong already is not to be blamed on what is written.
        sshd.test()?;
    }
    let way = way_of(form);
    let text = way.text();
    match apply::Original::read(std::path::Path::new(DROP_IN))? {
        Some(there) if there.text != text => Err(Failure::withheld(
            format!("{DROP_IN} is there already, says something else, and is not written over"),
            format!(
                "correct it by hand (mfactl doctor says what is wrong), or move it away; {}",
                why(&found)
            ),
        )),
        Some(_) => Err(cannot_ask(&found)),
        None => Ok(Some((DropIn { path: DROP_IN.to_owned(), text }, way))),
    }
}

/// Whether the person at the terminal chose the form ([`ask_form`]).
fn form_was_asked(arguments: &PamEnableArgs) -> bool {
    arguments.service.as_str() == "sshd"
}

fn why(found: &[Finding]) -> String {
    found.first().map(said).unwrap_or_default()
}
