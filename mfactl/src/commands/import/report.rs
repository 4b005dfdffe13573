//! What became of it all: who was imported, what is different for them, what was skipped, where, and why.
//!
//! Names people, labels and places, and nothing else of what was read.

mod json;
mod text;

use mfa_proto::name::UserName;

use super::{person::Person, skip::Skip};
use crate::commands::Context;
use crate::failure::{Failure, exit};

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Nothing was changed.
    pub(super) dry_run: bool,
    /// Imported, or would be.
    pub(super) imported: Vec<Person>,
    /// Not imported.
    pub(super) skipped: Vec<Skip>,
    /// Entries of other users than the one asked for.
    pub(super) left_out: usize,
    /// Not tried, because of what is in `stopped`.
    pub(super) untried: Vec<UserName>,
    /// The daemon was asked to import this user and did not say what became of it.
    pub(super) in_doubt: Option<UserName>,
    /// Why a dry run could not ask the daemon who has factors already.
    pub(super) unasked: Option<String>,
    /// Why it ended before its end.
    pub(super) stopped: Option<Failure>,
}

impl Report {
    /// Ends with a failure that concerns all who are left.
    pub(super) fn stop(&mut self, failure: Failure, rest: Vec<Person>) {
        let names = rest.into_iter().map(|person| person.name);
        self.untried = names.filter(|name| self.in_doubt.as_ref() != Some(name)).collect();
        self.stopped = Some(failure);
    }

    /// Shows it; the exit code says whether anything was skipped.
    pub(super) fn show(mut self, context: &mut Context) -> Result<u8, Failure> {
        self.skipped.sort_by(|a, b| (&a.place, &a.user).cmp(&(&b.place, &b.user)));
        context.out.json(&json::of(&self))?;
        let style = context.out.style;
        context.out.text(&text::of(&self, style))?;
        let code = if self.skipped.is_empty() && !self.imported.is_empty() { exit::OK } else { exit::FAILED };
        match self.stopped {
            Some(failure) if context.out.json => {
                context.out.note(&format!("mfactl: {failure}"));
                Ok(failure.exit())
            }
            Some(failure) => Err(failure),
            None => Ok(code),
        }
    }
}
