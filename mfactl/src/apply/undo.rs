//! A change taken back: the stack first, then sshd, then what is remembered of it.
//!
//! Refuses to write over what somebody edited since: there, only what mfactl put in is taken out. Can be run again
//! after it was ended anywhere.

use std::path::Path;

use super::drop_in::is_ours;
use super::file::{self, Original};
use super::record::{DropIn, Edited, Record};
use super::removal::removed;
use super::sshd::Sshd;
use super::state::State;
use crate::doctor::host::{Host, shown};
use crate::failure::Failure;

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    /// What was done, beyond what was asked, or left.
    pub(crate) notes: Vec<String>,
    /// A rule of the daemon's configuration went: it has to read that again.
    pub(crate) rule: bool,
}

/// Takes a change back. What fails leaves the record, so that it is tried again; the rest is done all the same.
pub(crate) fn undo(host: &Host, state: &State, record: &Record) -> Result<Undone, Failure> {
    undo_files(host, state, record, true)
}

/// The same for a change that was given up half-way: the running sshd has read nothing of it.
pub(crate) fn give_up(host: &Host, state: &State, record: &Record) -> Result<Undone, Failure> {
    undo_files(host, state, record, false)
}

fn undo_files(host: &Host, state: &State, record: &Record, sshd_knows: bool) -> Result<Undone, Failure> {
    let mut undone = Undone::default();
    let mut first = Ok(());
    let mut step = |result: Result<(), Failure>| {
        if first.is_ok() {
            first = result;
        } else if let Err(more) = result {
            first =
                std::mem::replace(&mut first, Ok(())).map_err(|one| Failure::local(one.to_string(), &more));
        }
    };
    if let Some(edited) = &record.stack {
        step(stack(host, &record.service, edited, &mut undone));
    }
    if record.profile {
        step(super::profile::disable());
    }
    if let Some(drop_in) = &record.drop_in {
        step(sshd(state, drop_in, sshd_knows, &mut undone));
    }
    if let Some(rule) = &record.rule {
        step(made(state, rule, &mut undone).map(|gone| undone.rule = gone));
    }
    first?;
    state.forget(record)?;
    Ok(undone)
}

fn stack(host: &Host, service: &str, edited: &Edited, undone: &mut Undone) -> Result<(), Failure> {
    let path = Path::new(&edited.path);
    let Some(original) = Original::read(path)? else {
        undone.notes.push(format!("{} is gone, and stays so", shown(path)));
        return Ok(());
    };
    if original.text == edited.after {
        return match &edited.before {
            Some(before) => original.replace(path, before),
            None => file::remove(path),
        };
    }
    if edited.before.as_ref() == Some(&original.text) {
        return Ok(());
    }
    let left = removed(host, service, path, &original.text)?;
    if left.text != original.text {
        original.replace(path, &left.text)?;
        undone.notes.push(format!(
            "{} was edited since: only the lines of mfactl were taken out, the rest is as it was left",
            shown(path)
        ));
    }
    undone.notes.extend(left.note);
    Ok(())
}

fn sshd(state: &State, drop_in: &DropIn, knows: bool, undone: &mut Undone) -> Result<(), Failure> {
    made(state, drop_in, undone)?;
    // Also where the file was gone: a run that was ended may not have come so far.
    match Sshd::find().filter(|_| knows) {
        Some(sshd) => sshd.reload().map(|_| ()),
        None => Ok(()),
    }
}

/// Takes a file away that was made; whether it was there. One that was edited is kept elsewhere.
fn made(state: &State, made: &DropIn, undone: &mut Undone) -> Result<bool, Failure> {
    let path = Path::new(&made.path);
    let Some(original) = Original::read(path)? else { return Ok(false) };
    if original.text != made.text {
        if !is_ours(&original.text) {
            undone.notes.push(format!("{} is somebody else's by now, and stays", shown(path)));
            return Ok(false);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kept = state.keep(&format!("{name}.edited"), &original.text)?;
        undone.notes.push(format!("{} was edited since: it is kept as {}", shown(path), shown(&kept)));
    }
    file::remove(path)?;
    Ok(true)
}
