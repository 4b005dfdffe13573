//! `pam enable`: what is wrong with it first, then what it changes, then the change itself, in an order in which each
//! step can be taken back.

mod change;
mod profile;
mod way;

use serde_json::json;

use self::change::Change;
use super::super::Context;
use super::wait;
use crate::apply::{self, Form, State, Way};
use crate::cli::{Despite, PamEnableArgs};
use crate::doctor::Finding;
use crate::doctor::host::{Host, shown};
use crate::failure::{Failure, exit};
use crate::render::time::rfc3339;
use crate::terminal;

/// Has a service ask for a code.
pub(super) fn run(context: &mut Context, arguments: &PamEnableArgs) -> Result<u8, Failure> {
    let host = Host::below(&arguments.root);
    if !arguments.dry_run {
        super::as_root()?;
    }
    nothing_waits(arguments)?;
    let obstacle = fit(context, &host, arguments).err();
    if let Some(failure) = obstacle.filter(|_| !arguments.dry_run) {
        return Err(failure);
    }
    let change = planned(context, &host, arguments)?;
    if change.is_none() {
        context.out.text(&format!("{} asks for a code already.\n", arguments.service))?;
        tell(context, &change, arguments)?;
        return Ok(exit::OK);
    }
    show(context, &host, &change)?;
    if arguments.dry_run {
        return dry(context, &host, arguments, &change);
    }
    guarded(context, &host, arguments, &change)?;
    meant(context, arguments)?;
    let change = change.until(reverting(arguments)?);
    let notes = change.make(context, &host)?;
    for note in notes {
        context.out.note(&note);
    }
    tell(context, &change, arguments)?;
    wait::after(context, arguments.service.as_str(), &change.record)
}

/// Whether what a login needs is there: the module, and a daemon that answers.
fn fit(context: &Context, host: &Host, arguments: &PamEnableArgs) -> Result<(), Failure> {
    apply::loadable(host)?;
    if host.is_this() && !arguments.despite.contains(&Despite::Daemon) {
        apply::daemon_answers(context)?;
    }
    Ok(())
}

/// Says what stands against it, in place of doing it.
fn dry(
    context: &mut Context,
    host: &Host,
    arguments: &PamEnableArgs,
    change: &Change,
) -> Result<u8, Failure> {
    let refused =
        fit(context, host, arguments).and_then(|()| guarded(context, host, arguments, change)).err();
    if let Some(failure) = &refused {
        context.out.note(&format!("It would be refused: {failure}"));
    }
    context.out.text("Nothing was changed (--dry-run).\n")?;
    tell(context, change, arguments)?;
    Ok(if refused.is_some() { exit::FAILED } else { exit::OK })
}

fn nothing_waits(arguments: &PamEnableArgs) -> Result<(), Failure> {
    let service = arguments.service.as_str();
    if arguments.root != std::path::Path::new("/") || !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    match State::of_host().pending_for(service)? {
        Some(_) => Err(Failure::withheld(
            format!("a change to {service} waits to be confirmed"),
            format!("mfactl pam confirm {service}, or mfactl pam revert {service}; then again"),
        )),
        None => Ok(()),
    }
}

/// What is to be changed.
fn planned(context: &mut Context, host: &Host, arguments: &PamEnableArgs) -> Result<Change, Failure> {
    let service = arguments.service.as_str();
    if service == apply::profile::COMMON {
        return profile::planned(context, host, arguments);
    }
    let module = module_line(context);
    let form = match way::form(arguments) {
        Some(form) => form,
        None => way::ask_form(context, host, arguments, &module)?,
    };
    let mut change = Change::of(service, super::now());
    if let Some(plan) = apply::plan(host, service, form, &module)? {
        change.stack(plan);
    } else if form == Form::CodeAlone && way::asks_for_password(host, service)? {
        return Err(Failure::withheld(
            format!("{service} asks for password and code already"),
            format!("mfactl pam disable {service} first, then again with --sshd key"),
        ));
    } else {
        change.asks(way::judged_now(host, service)?);
    }
    if arguments.optional {
        change.rule(apply::rule::of(service));
    }
    if service == "sshd" {
        change.drop_in(way::drop_in(host, arguments, &change, form)?);
    }
    Ok(change)
}

/// The module with the arguments that it needs here.
fn module_line(context: &Context) -> String {
    match &context.target.socket {
        Some(socket) => format!("pam_mfa.so socket={}", socket.display()),
        None => "pam_mfa.so".to_owned(),
    }
}

fn show(context: &mut Context, host: &Host, change: &Change) -> Result<(), Failure> {
    let style = context.out.style;
    for (path, before, after) in change.differences() {
        context.out.text(&apply::diff(&path, &before, &after, style))?;
    }
    let mut found: Vec<Finding> = change.findings().cloned().collect();
    // Where sshd is left as it is, what it lets be is to be seen before the change; else it is told after it.
    if change.record.service == "sshd" && change.record.drop_in.is_none() && host.is_this() {
        found.extend(change.settings(host));
    }
    for warning in change::warnings(&found) {
        context.out.note(&warning);
    }
    Ok(())
}

/// Refuses what would lock people out.
fn guarded(
    context: &Context,
    host: &Host,
    arguments: &PamEnableArgs,
    change: &Change,
) -> Result<(), Failure> {
    let people = host.is_this()
        && !arguments.optional
        && ![Despite::NoAdmin, Despite::Daemon].iter().any(|one| arguments.despite.contains(one));
    if people {
        for service in change.services(arguments.service.as_str()) {
            apply::someone_gets_in(context, service, change.way)?;
        }
    }
    Ok(())
}

fn meant(context: &mut Context, arguments: &PamEnableArgs) -> Result<(), Failure> {
    if arguments.yes {
        return Ok(());
    }
    if !terminal::interactive() {
        return Err(Failure::usage("a change of how people log in needs --yes when nobody can be asked"));
    }
    if terminal::confirm(&mut context.out, "Make this change?")? {
        return Ok(());
    }
    Err(Failure::Declined { state: "nothing was changed" })
}

/// In how many seconds it is taken back; `None` for never.
fn reverting(arguments: &PamEnableArgs) -> Result<Option<i64>, Failure> {
    if arguments.no_revert || arguments.confirm_within.is_zero() {
        return Ok(None);
    }
    if apply::Timer::find().is_none() {
        return Err(Failure::withheld(
            "systemd does not run here, so that nothing would take the change back by itself",
            "keep a root shell open, and run it again with --no-revert; mfactl pam revert takes it back",
        ));
    }
    Ok(Some(i64::try_from(arguments.confirm_within.as_secs()).unwrap_or(i64::MAX)))
}

fn tell(context: &mut Context, change: &Change, arguments: &PamEnableArgs) -> Result<(), Failure> {
    let plain = crate::render::style::Style { color: false, screen: None };
    let diff = |wanted: Option<&String>| {
        change
            .differences()
            .into_iter()
            .find(|(path, ..)| Some(path) == wanted)
            .map(|(path, before, after)| apply::diff(&path, &before, &after, plain))
    };
    let record = &change.record;
    let file = record.stack.as_ref().map(|edited| shown(std::path::Path::new(&edited.path)));
    let drop_in = record.drop_in.as_ref().map(|made| made.path.clone());
    context.out.json(&json!({
        "service": record.service,
        "changed": !change.is_none() && !arguments.dry_run,
        "dry_run": arguments.dry_run,
        "file": file,
        "diff": diff(file.as_ref()),
        "drop_in": drop_in,
        "sshd_diff": diff(drop_in.as_ref()),
        "rule": record.rule.as_ref().map(|made| made.path.clone()),
        "until": record.until,
        "until_rfc3339": record.until.and_then(rfc3339),
        "notes": change.findings().map(crate::doctor::pam::said).collect::<Vec<_>>(),
    }))
}

/// The way of sshd that a form stands for.
fn way_of(form: Form) -> Way {
    match form {
        Form::AfterPassword => Way::Password,
        Form::CodeAlone => Way::Key,
    }
}
