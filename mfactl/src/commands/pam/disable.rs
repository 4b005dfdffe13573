//! `pam disable`: the line out of a service, or out of all.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::Context;
use super::revert;
use crate::apply::{self, Original, Record, Removed, State};
use crate::cli::PamDisableArgs;
use crate::doctor::host::shown;
use crate::doctor::pam::Model;
use crate::failure::{Failure, exit};
use crate::terminal;

/// What one service comes to.
struct Without {
    service: String,
    path: PathBuf,
    original: Original,
    removed: Removed,
}

/// Takes the line out.
pub(super) fn run(context: &mut Context, arguments: &PamDisableArgs) -> Result<u8, Failure> {
    if !arguments.dry_run {
        super::as_root()?;
    }
    let state = State::of_host();
    let services = match &arguments.service {
        Some(service) => vec![service.to_string()],
        None => all(&state)?,
    };
    let (mut edits, mut failed) = (Vec::new(), None);
    for service in &services {
        match without(service) {
            Ok(edit) => edits.extend(edit),
            // The others must not wait for it.
            Err(failure) if arguments.all => failed = failed.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    let style = context.out.style;
    for edit in &edits {
        let text = apply::diff(&shown(&edit.path), &edit.original.text, &edit.removed.text, style);
        context.out.text(&text)?;
        if let Some(note) = &edit.removed.note {
            context.out.note(note);
        }
    }
    let records = records(&state, &services)?;
    nothing_left_to_do(context, &services, &edits, &records)?;
    if arguments.dry_run {
        context.out.text("Nothing was changed (--dry-run).\n")?;
    } else if !(edits.is_empty() && records.is_empty()) {
        meant(context, arguments)?;
        failed = failed.or(make(context, &state, &edits, &records)?);
    }
    let told: Vec<Value> = edits.iter().map(|edit| json(edit, arguments.dry_run)).collect();
    context.out.json(&json!({ "services": told, "dry_run": arguments.dry_run }))?;
    failed.map_or(Ok(exit::OK), Err)
}

/// All services with the module in their own file, and all with a record.
fn all(state: &State) -> Result<Vec<String>, Failure> {
    let host = super::here();
    let directory = host.path("/etc/pam.d");
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::local(format!("read {}", shown(&directory)), &error)),
    };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| {
        let text = std::fs::read_to_string(directory.join(name)).unwrap_or_default();
        !name.starts_with('.') && apply::holds_module(&text)
    });
    names.extend(state.records()?.into_iter().flatten().map(|record| record.service));
    names.sort();
    names.dedup();
    Ok(names)
}

/// What the service's own file is to say; `None` where it does not hold the module.
fn without(service: &str) -> Result<Option<Without>, Failure> {
    let host = super::here();
    let path = apply::path_of(&host, service);
    let Some(original) = Original::read(&path)? else { return Ok(None) };
    if !apply::holds_module(&original.text) {
        return Ok(None);
    }
    let removed = apply::removed(&host, service, &path, &original.text)?;
    Ok(Some(Without { service: service.to_owned(), path, original, removed }))
}

fn records(state: &State, services: &[String]) -> Result<Vec<Record>, Failure> {
    let mut found = Vec::new();
    for service in services {
        found.extend(state.all_of(service)?);
    }
    Ok(found)
}

/// Says so when the module is reached by another file, or not at all.
fn nothing_left_to_do(
    context: &mut Context,
    services: &[String],
    edits: &[Without],
    records: &[Record],
) -> Result<(), Failure> {
    if !edits.is_empty() || !records.is_empty() {
        return Ok(());
    }
    let [service] = services else { return Ok(()) };
    let host = super::here();
    let judged = Model::of(&host).judge(service, None).map_err(|finding| apply::unanswered(&finding))?;
    if judged.asking.is_some() {
        return Err(Failure::withheld(
            format!("{service} asks by a file that it includes, not by its own"),
            "mfactl pam disable common-auth on Debian; elsewhere, take the line out of that file",
        ));
    }
    context.out.text(&format!("{service} asks for no code.\n"))
}

fn meant(context: &mut Context, arguments: &PamDisableArgs) -> Result<(), Failure> {
    if arguments.yes || arguments.all {
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

/// The stacks first: sshd without its drop-in asks for less, and must not meet a stack that asks for the code alone.
/// One that fails keeps none of the others; the first failure.
fn make(
    context: &mut Context,
    state: &State,
    edits: &[Without],
    records: &[Record],
) -> Result<Option<Failure>, Failure> {
    let _lock = state.lock()?;
    let mut failed = None;
    for edit in edits {
        match take_out(state, edit, records) {
            Ok(()) => context.out.text(&format!("{} asks for no code any more.\n", edit.service))?,
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    for record in records {
        match apply::undo(&super::here(), state, record) {
            Ok(undone) => {
                for note in &undone.notes {
                    context.out.note(note);
                }
                if undone.rule {
                    revert::reload(context);
                }
            }
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    revert::rest(state)?;
    Ok(failed)
}

fn take_out(state: &State, edit: &Without, records: &[Record]) -> Result<(), Failure> {
    if edit.service == apply::profile::COMMON && apply::profile::is_there() && switched_off(edit)? {
        return Ok(());
    }
    state.keep(&format!("{}.before-disable", edit.service), &edit.original.text)?;
    let ours = records.iter().find(|record| record.service == edit.service);
    let made_new = ours.and_then(|record| record.stack.as_ref()).is_some_and(|stack| {
        stack.before.is_none() && mfactl::pam::take_back(&stack.after) == edit.removed.text
    });
    if made_new {
        // Without it, libpam reads the one that the distribution ships.
        return apply::remove(&edit.path);
    }
    edit.original.replace(&edit.path, &edit.removed.text)
}

/// Whether the distribution's program took the line out; what it did not write it leaves.
fn switched_off(edit: &Without) -> Result<bool, Failure> {
    apply::profile::disable()?;
    let now = Original::read(&edit.path)?;
    Ok(!now.is_some_and(|now| apply::holds_module(&now.text)))
}

fn json(edit: &Without, dry_run: bool) -> Value {
    let plain = crate::render::style::Style { color: false, screen: None };
    let path = shown(&edit.path);
    json!({
        "service": edit.service,
        "changed": !dry_run,
        "file": path,
        "diff": apply::diff(&path, &edit.original.text, &edit.removed.text, plain),
        "notes": edit.removed.note.iter().collect::<Vec<_>>(),
    })
}
