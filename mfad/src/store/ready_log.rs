//! Lengthens the write-ahead log beforehand to what it grows to anyway.
//!
//! A commit that lengthens a file waits for the file system's journal as well; one that overwrites what is
//! there waits for its own few pages only, which takes less than half as long. Refuses to take space that
//! may be missed, and to matter: what cannot be done here is left undone.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use nix::sys::statvfs::fstatvfs;

/// Pages that the log holds before they are copied into the database.
pub(super) const PAGES: u32 = 1000;

/// Bytes of such a log: a header, and for each page a header of its own and the page.
const LENGTH: u64 = 32 + 1000 * (24 + 4096);

/// The log is only lengthened where it takes a small part of what is free.
const SMALL_PART: u64 = 16;

/// Writes zeros behind the end of the log. SQLite reads none of them: a page of the log counts only with a
/// checksum that continues the one before.
pub(super) fn lengthen(log: &Path) {
    if let Err(error) = try_lengthen(log) {
        tracing::debug!("{}: the log was not lengthened beforehand: {error}", log.display());
    }
}

fn try_lengthen(log: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(log)?;
    let end = file.metadata()?.len();
    let free = fstatvfs(&file).map(|disk| disk.blocks_available().saturating_mul(disk.fragment_size()))?;
    if end >= LENGTH || free / SMALL_PART < LENGTH {
        return Ok(());
    }
    file.seek(SeekFrom::Start(end))?;
    let zeros = [0; 4096];
    let mut missing = LENGTH.saturating_sub(end);
    while missing > 0 {
        let part = usize::try_from(missing).unwrap_or(zeros.len()).min(zeros.len());
        file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
        missing = missing.saturating_sub(u64::try_from(part).unwrap_or(missing));
    }
    file.sync_all()
}
