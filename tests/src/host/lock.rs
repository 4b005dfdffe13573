//! One process at a time makes what hosts share. Refuses to leave it locked: the lock ends with its process.

use std::{fs::File, path::Path};

/// Held while it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for its turn.
    #[track_caller]
    pub(super) fn take(path: &Path) -> Self {
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { _file: file }
    }
}
