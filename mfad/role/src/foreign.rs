//! Whether somebody else than root and this process's own user could have written a file, or put it where it is.
//!
//! Refuses to look: judges what its caller has found, and leaves to it what to do.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _};

use nix::unistd::geteuid;

/// Who could have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Foreign {
    /// Its owner: the uid.
    #[error("belongs to uid {0}")]
    Owner(u32),
    /// Its group, or everyone: the mode, without the kind of file.
    #[error("is writable by others (mode {0:04o})")]
    Writable(u32),
}

/// Looks at owner and mode, of a directory as of a file: a directory that everyone can put files into is writable
/// by others, whether or not the sticky bit keeps each to its own.
///
/// # Errors
///
/// Who else could have written it.
pub fn check(found: &Metadata) -> Result<(), Foreign> {
    let mode = found.mode() & 0o7777;
    if found.uid() != 0 && found.uid() != geteuid().as_raw() {
        Err(Foreign::Owner(found.uid()))
    } else if mode & 0o022 != 0 {
        Err(Foreign::Writable(mode))
    } else {
        Ok(())
    }
}

/// Whether it is a directory like `/tmp`: everyone can put files there, and each is its maker's alone to replace.
pub fn is_sticky(found: &Metadata) -> bool {
    found.is_dir() && found.mode() & 0o1000 != 0
}
