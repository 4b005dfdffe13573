//! `backup` and `restore`: hand copies of the sealed database over to the daemon and back.
//!
//! The daemon writes and reads only in its own directory; this carries the file between there and where the
//! administrator wants it. Refuses to look into it: the keys are the daemon's.

use std::fs::File;
use std::io;
use std::path::Path;

use mfa_proto::admin::{Reply, Request, Restored, Status};
use mfa_proto::hello::Protocol;
use mfa_proto::text::escape_for_log;

use super::state_dir::StateDir;
use super::{Context, hint};
use crate::cli::{BackupArgs, RestoreArgs};
use crate::client;
use crate::failure::{Failure, exit};
use crate::new_file::NewFile;
use crate::{render, terminal};

/// What the daemon looks for beside its database.
const RESTORE: &str = "restore.db";

/// Where the daemon cannot, it can be done without it.
const OFFLINE: &str = "where mfad cannot do it: stop it, then: mfad restore FILE";

/// Writes a backup.
pub(super) fn backup(context: &mut Context, arguments: &BackupArgs) -> Result<u8, Failure> {
    let mut file = NewFile::create(&arguments.file)?;
    let mut wire = context.target.open(Protocol::Admin)?;
    let reply = client::ask(&mut wire, &Request::Backup).map_err(|f| f.or_hint(hint::daemon))?;
    let Reply::Copy { path, users, keys } = reply else {
        return Err(wire.unexpected());
    };
    let copy = StateDir::of(Path::new(&path), wire.keeper().uid())?;
    let bytes = copy.open().and_then(|mut from| file.copy(&mut from));
    let removed = copy.remove();
    let bytes = bytes?;
    removed?;
    let name = file.shown();
    file.finish()?;
    context.out.json(&render::view::backup(&name, users, bytes, &keys))?;
    context.out.text(&render::status::backup(&name, users, &keys))?;
    Ok(exit::OK)
}

/// Puts a backup in the place of the database.
pub(super) fn restore(context: &mut Context, arguments: &RestoreArgs) -> Result<u8, Failure> {
    let shown = escape_for_log(&arguments.file.to_string_lossy());
    let failed = |error: io::Error| Failure::local(format!("read {shown}"), &error);
    let mut from = File::open(&arguments.file).map_err(failed)?;
    let status = status(context)?;
    if !arguments.yes {
        meant(context, &shown, &status)?;
    }
    let mut wire = context.target.open(Protocol::Admin)?;
    let place = StateDir::of(Path::new(&status.database), wire.keeper().uid())?.with_name(RESTORE);
    let mut to = place.create()?;
    let copied = io::copy(&mut from, &mut to).and_then(|_| to.sync_all());
    let reply = copied.map_err(failed).and_then(|()| client::ask(&mut wire, &Request::Restore));
    // Taken by the daemon, or of no use.
    let removed = place.remove();
    let reply = reply.map_err(|f| f.or_hint(|code| hint::daemon(code).map(|_| OFFLINE.to_owned())))?;
    removed?;
    let Reply::Restored(restored) = reply else {
        return Err(wire.unexpected());
    };
    tell(context, &shown, &restored)
}

fn status(context: &Context) -> Result<Status, Failure> {
    let answer = context.target.ask(&Request::Status);
    let Reply::Status(status) = answer.map_err(|f| f.or_hint(|_| Some(OFFLINE.to_owned())))? else {
        return Err(context.target.unexpected());
    };
    Ok(*status)
}

fn meant(context: &mut Context, file: &str, status: &Status) -> Result<(), Failure> {
    if !terminal::interactive() {
        return Err(Failure::usage("restoring needs --yes when nobody can be asked"));
    }
    let users = status.users;
    let question = format!(
        "The database in use ({users} users) is replaced by {file}: what was enrolled, removed or changed \
         since that was made is lost. Go on?"
    );
    if terminal::confirm(&mut context.out, &question)? {
        return Ok(());
    }
    Err(Failure::Declined { state: "nothing was changed" })
}

fn tell(context: &mut Context, file: &str, restored: &Restored) -> Result<u8, Failure> {
    context.out.json(&render::view::restored(restored))?;
    context.out.text(&render::status::restored(file, restored))?;
    Ok(exit::OK)
}
