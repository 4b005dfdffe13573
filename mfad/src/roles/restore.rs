//! Restoring a backup where no daemon runs: the same check and the same fences as the daemon's own.
//!
//! Refuses to go on beside a running daemon, and to leave files of root's in a directory of the daemon's.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use mfa_proto::admin::Restored;
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};

use super::{Failure, say, setup};
use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    keys,
    settings::Settings,
    store::{Store, StoreError, Trail},
};

/// Puts the copy in `file` in the place of the database.
pub(super) fn run(config: Config, file: &Path, trail: Trail) -> Result<(), Failure> {
    let unreadable = |e: io::Error| Failure::new(format_args!("{}: cannot be read: {e}", file.display()));
    // Before the rights go with which the administrator may read it.
    let mut copy = File::open(file).map_err(unreadable)?;
    become_owner(&config.core().state_dir)?;
    let _only_one = setup::lock_state(&config)?;
    let keyring = keys::load(&config).map_err(Failure::new)?;
    let database = setup::database(&config);
    let laid = Store::handed_over(&database);
    lay(&mut copy, &laid)
        .map_err(|e| Failure::new(format_args!("{}: cannot be written: {e}", laid.display())))?;
    let settings = Settings::new(config).for_store();
    let restored = Store::restore_offline(&database, &keyring, &settings, (SystemClock.now(), trail));
    let (restored, unknown) = restored.map_err(|error| {
        drop(fs::remove_file(&laid));
        Failure::new(format_args!("nothing was changed: {error}"))
    })?;
    tell(&restored, unknown.as_ref());
    Ok(())
}

/// Root goes on as the user that owns the state directory: the database is to be that user's.
fn become_owner(state_dir: &Path) -> Result<(), Failure> {
    let failed = |what: &str, e: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: cannot {what}: {e}", state_dir.display()))
    };
    let found = fs::metadata(state_dir).map_err(|e| failed("use the state directory", &e))?;
    if !geteuid().is_root() || found.uid() == 0 {
        return Ok(());
    }
    setgroups(&[])
        .and_then(|()| setgid(Gid::from_raw(found.gid())))
        .and_then(|()| setuid(Uid::from_raw(found.uid())))
        .map_err(|e| failed("go on as its owner", &e))
}

fn lay(copy: &mut File, to: &Path) -> io::Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(copy, &mut file)?;
    file.sync_all()
}

fn tell(restored: &Restored, unknown: Option<&StoreError>) {
    let Restored { users, carried_over, need_resync, recovery_void } = restored;
    if let Some(error) = unknown {
        say(&format!("the database before tells nothing of used codes: {error}"));
        say(
            "signed tokens of domains: wait two minutes before mfad is started, so that used ones are too old",
        );
    }
    say(&format!("restored: {users} users; of {carried_over} factors it was known what was used"));
    say(&format!("disabled until `mfactl resync USER`: {need_resync} counter-based factors"));
    say(&format!("void until `mfactl recovery new USER`: {recovery_void} sets of recovery codes"));
    say("the database before is kept beside it, as replaced.db");
}
