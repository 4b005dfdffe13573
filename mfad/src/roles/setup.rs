//! Key and database: made once, found again. Refuses to make either where one is, and to go on where
//! one is missing: a lost database must not look like a host where nobody is enrolled.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use super::{Failure, say};
use crate::{
    clock::SystemClock,
    config::{Config, KeySource},
    keys,
    seal::{KeyId, Keyring},
    store::Store,
};

/// Where the database is.
pub(super) fn database(config: &Config) -> PathBuf {
    config.core().state_dir.join("mfad.db")
}

/// Makes key file and database.
pub(super) fn init(config: &Config) -> Result<(), Failure> {
    if let KeySource::File(path) = &config.core().key
        && !path.exists()
    {
        make_key(path)?;
    }
    make_state_dir(&config.core().state_dir)?;
    let keys = keys::load(config).map_err(Failure::new)?;
    let database = database(config);
    Store::create(&database, &keys, &SystemClock).map_err(Failure::new)?;
    say(&format!("database: {}", database.display()));
    Ok(())
}

/// [`init`] on a host that has neither; a host that has only one of them has lost the other.
pub(super) fn init_if_new(config: &Config) -> Result<(), Failure> {
    let has_key = match &config.core().key {
        KeySource::File(path) => path.exists(),
        // It was made elsewhere, so a database that is not here either is lost or was never asked for.
        KeySource::Credential(_) => true,
    };
    if has_key || database(config).exists() { Ok(()) } else { init(config) }
}

/// Makes a key file.
pub(super) fn make_key(path: &Path) -> Result<(), Failure> {
    let keys = Keyring::create(path).map_err(Failure::new)?;
    say(&format!(
        "key {}: {} (keep a copy off this host; without it no factor can be used)",
        keys.current(),
        path.display()
    ));
    Ok(())
}

/// Puts a new key first in the key file.
pub(super) fn rotate_key(path: &Path) -> Result<(), Failure> {
    let before = Keyring::load(path).map_err(Failure::new)?.current();
    let keys = Keyring::rotate(path).map_err(Failure::new)?;
    say(&format!(
        "key {} is first in {} now; back it up, then: mfactl reload",
        keys.current(),
        path.display()
    ));
    say(&format!("when `mfactl status` shows no rows under an older key: mfad key forget {before}"));
    Ok(())
}

/// Removes an old key from the key file, when the database holds nothing that only it opens.
pub(super) fn forget_key(config: &Config, path: &Path, id: &str) -> Result<(), Failure> {
    let id = KeyId::parse(id)
        .ok_or_else(|| Failure::new(format_args!("{id} is not the id of a key (16 hex digits)")))?;
    let keys = Keyring::load(path).map_err(Failure::new)?;
    if keys.ids().contains(&id)
        && keys.current() != id
        && Store::uses_key(&database(config), &keys, id).map_err(Failure::new)?
    {
        return Err(Failure::new(format_args!(
            "key {id} is still needed: rows in {} are sealed with it; run `mfactl reload`, and wait until `mfactl status` shows no rows under an older key",
            database(config).display()
        )));
    }
    Keyring::forget(path, id).map_err(Failure::new)?;
    say(&format!("key {id} is gone from {}", path.display()));
    Ok(())
}

/// Makes this process the only daemon on the state directory, for as long as what is returned is kept.
///
/// A second one would keep its own count of what the database holds, and each would undo the other's.
pub(super) fn lock_state(config: &Config) -> Result<Flock<File>, Failure> {
    let path = config.core().state_dir.join("mfad.lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open.map_err(|e| {
        Failure::new(format_args!("{}: cannot lock the state directory: {e}", path.display()))
    })?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| {
        Failure::new(if errno == Errno::EWOULDBLOCK {
            format!(
                "{}: another mfad runs on this state directory; stop it, or set another [core] state_dir",
                config.core().state_dir.display()
            )
        } else {
            format!("{}: cannot lock the state directory: {errno}", path.display())
        })
    })
}

fn make_state_dir(path: &Path) -> Result<(), Failure> {
    let failed = |e| Failure::new(format_args!("{}: cannot make the state directory: {e}", path.display()));
    if !path.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    }
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::new(format_args!(
            "{}: others may look into the state directory; run: chmod 0700 {}",
            path.display(),
            path.display()
        )));
    }
    Ok(())
}
