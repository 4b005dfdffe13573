//! `import`: takes users over from other programs: reads their files, sorts what is in them by user, and has the
//! daemon take each user whole or not at all.
//!
//! Refuses to guess whose a factor is, and to show or keep any key.

mod accounts;
mod homes;
mod input;
mod names;
mod open;
mod person;
mod plan;
mod progress;
mod report;
mod send;
mod skip;

use std::path::Path;

use mfactl::import::{Options, PreSharedKey};
use nix::fcntl::AT_FDCWD;

use self::{input::Inputs, names::Names, plan::Plan, report::Report, send::Manner};
use super::Context;
use crate::cli::ImportArgs;
use crate::failure::Failure;

/// Imports, or says what would be imported.
pub(super) fn run(context: &mut Context, arguments: ImportArgs) -> Result<u8, Failure> {
    let ImportArgs { paths, format, user, map, dry_run, replace, key_encoding, columns, key_file } =
        arguments;
    let pre_shared_key = key_file.as_deref().map(pre_shared).transpose()?;
    let options = Options { key_encoding: key_encoding.map(Into::into), columns, pre_shared_key };
    let names = Names::of(user, map.as_deref())?;
    let Inputs { inputs, skipped } = Inputs::gather(&paths, names.only.as_ref());
    let mut plan = Plan::of(inputs, format.named(), &names, &options);
    let people = plan.people();
    let mut report = Report { dry_run, left_out: plan.left_out, ..Report::default() };
    report.skipped = skipped.into_iter().chain(plan.skipped).collect();
    if !people.is_empty() {
        send::all(context, people, Manner { dry_run, replace }, &mut report);
    }
    report.show(context)
}

fn pre_shared(path: &Path) -> Result<PreSharedKey, Failure> {
    let shown = input::shown(path);
    let content = open::file(AT_FDCWD, path).map_err(|why| Failure::local(format!("use {shown}"), &why))?;
    PreSharedKey::from_hex(&content.bytes).map_err(|why| Failure::usage(format!("{shown}: {why}")))
}
