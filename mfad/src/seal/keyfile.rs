//! The key file: `mfad-key-v1 <id> <64 hexadecimal digits>` per line, the current key first.
//!
//! Refuses a file that others may read or change, a symbolic link, and anything but such lines. Changes
//! are written beside it, synced and renamed into place, one writer at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use mfa_role::credentials::{self, Trust};
use nix::fcntl::OFlag;
use zeroize::{Zeroize, Zeroizing};

use super::{
    keyring::{KeyId, Keyring},
    locked::LockedPage,
};

const HEADER: &str = "mfad-key-v1";

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be {action}: {source}{hint}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The file is there already.
    #[error("the key file {0} exists; it is not replaced, because all secrets sealed with it would be lost")]
    Exists(PathBuf),
    /// Others could read or change the key.
    #[error(
        "the key file {path} {problem}; it must be a plain file of root or of the daemon's user with mode 0600 or 0400"
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A line is not a key.
    #[error("the key file {path}, line {line}: {problem}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// No such key, or it is the current one.
    #[error("key {id} cannot be forgotten: {problem}")]
    NotForgettable {
        /// Which key.
        id: KeyId,
        /// Why.
        problem: &'static str,
    },
    /// The system's random number generator failed.
    #[error("the system gave no random bytes")]
    NoRandomness,
}

/// The 32 bytes of each key of a file, in a locked page, wiped when dropped.
struct Masters {
    page: LockedPage,
    count: usize,
}

impl Masters {
    fn new() -> Self {
        Self { page: LockedPage::new(), count: 0 }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8; 32]> {
        (0..self.count).filter_map(|place| self.page.key(place))
    }

    /// The place for one more key; `None` when there are too many.
    fn next(&mut self) -> Option<&mut [u8; 32]> {
        if self.count >= Keyring::MAX_KEYS {
            return None;
        }
        self.count = self.count.saturating_add(1);
        self.page.key_mut(self.count.saturating_sub(1))
    }

    fn push_fresh(&mut self, path: &Path) -> Result<(), KeyFileError> {
        let place = self.next().ok_or_else(|| too_many(path))?;
        getrandom::fill(place).map_err(|_| KeyFileError::NoRandomness)
    }

    fn keyring(&self, path: &Path) -> Result<Keyring, KeyFileError> {
        let empty = || malformed(path, 1, "the file holds no key");
        Keyring::from_masters(&mut self.iter()).ok_or_else(empty)
    }
}

fn malformed(path: &Path, line: usize, problem: &'static str) -> KeyFileError {
    KeyFileError::Malformed { path: path.to_owned(), line, problem }
}

fn too_many(path: &Path) -> KeyFileError {
    malformed(path, Keyring::MAX_KEYS.saturating_add(1), "too many keys: forget old ones first")
}

fn failed<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(io::Error) -> KeyFileError + 'a {
    move |source| KeyFileError::Io {
        path: path.to_owned(),
        action,
        hint: if source.kind() == io::ErrorKind::NotFound {
            " (`mfad init` makes one on a new host; else restore it from the backup of the key)"
        } else {
            ""
        },
        source,
    }
}

pub(super) fn read(path: &Path, trust: Trust) -> Result<Keyring, KeyFileError> {
    let (masters, _) = read_masters(path, trust)?;
    masters.keyring(path)
}

fn read_masters(path: &Path, trust: Trust) -> Result<(Masters, File), KeyFileError> {
    let opened = credentials::open(path);
    let mut file = opened.map_err(failed(path, "opened (symbolic links are not followed)"))?;
    if let Some(problem) = credentials::exposure(&file.metadata().map_err(failed(path, "examined"))?, trust) {
        return Err(KeyFileError::Exposed { path: path.to_owned(), problem });
    }
    let mut text = LockedPage::new();
    let mut length = 0_usize;
    loop {
        let room = text.bytes_mut().get_mut(length..).unwrap_or_default();
        if room.is_empty() {
            return Err(too_many(path));
        }
        match file.read(room) {
            Ok(0) => break,
            Ok(n) => length = length.saturating_add(n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(failed(path, "read")(e)),
        }
    }
    let masters = parse(path, text.bytes().get(..length).unwrap_or_default())?;
    Ok((masters, file))
}

fn parse(path: &Path, text: &[u8]) -> Result<Masters, KeyFileError> {
    let mut masters = Masters::new();
    let mut seen = Vec::new();
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    for (line, number) in body.split(|b| *b == b'\n').zip(1..) {
        let wrong = |problem| malformed(path, number, problem);
        let mut words = line.split(|b| *b == b' ');
        let (header, id, key) = (words.next(), words.next(), words.next());
        if header != Some(HEADER.as_bytes()) || words.next().is_some() {
            return Err(wrong("expected `mfad-key-v1 <key id> <64 hexadecimal digits>`"));
        }
        let mut named = [0; 8];
        id.and_then(|id| unhex(id, &mut named))
            .ok_or_else(|| wrong("the key id is not 16 hexadecimal digits"))?;
        let place = masters.next().ok_or_else(|| too_many(path))?;
        key.and_then(|key| unhex(key, place)).ok_or_else(|| wrong("the key is not 64 hexadecimal digits"))?;
        let id = KeyId::of(place);
        if id.as_bytes() != &named {
            return Err(wrong("the key id does not belong to the key: one of them was changed"));
        }
        if seen.contains(&id) {
            return Err(wrong("the same key stands there twice"));
        }
        seen.push(id);
    }
    Ok(masters)
}

pub(super) fn create(path: &Path) -> Result<Keyring, KeyFileError> {
    let directory = lock_directory(path)?;
    if fs::symlink_metadata(path).is_ok() {
        return Err(KeyFileError::Exists(path.to_owned()));
    }
    let mut masters = Masters::new();
    masters.push_fresh(path)?;
    let temporary = write_beside(path, &masters, None)?;
    // A link, unlike a rename, never replaces what someone else put there meanwhile.
    let linked = fs::hard_link(&temporary, path);
    let removed = fs::remove_file(&temporary);
    match linked {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists(path.to_owned()));
        }
        other => other.and(removed).map_err(failed(path, "put in place"))?,
    }
    directory.sync_all().map_err(failed(path, "made durable"))?;
    masters.keyring(path)
}

pub(super) fn rotate(path: &Path) -> Result<Keyring, KeyFileError> {
    change(path, |old| {
        let mut masters = Masters::new();
        masters.push_fresh(path)?;
        for key in old.iter() {
            *masters.next().ok_or_else(|| too_many(path))? = *key;
        }
        Ok(masters)
    })
}

pub(super) fn forget(path: &Path, id: KeyId) -> Result<Keyring, KeyFileError> {
    change(path, |old| {
        let position = old.iter().position(|key| KeyId::of(key) == id);
        match position {
            None => {
                return Err(KeyFileError::NotForgettable { id, problem: "the key file does not hold it" });
            }
            Some(0) => {
                return Err(KeyFileError::NotForgettable {
                    id,
                    problem: "it is the current key; rotate first",
                });
            }
            Some(_) => {}
        }
        let mut masters = Masters::new();
        for key in old.iter().filter(|key| KeyId::of(key) != id) {
            *masters.next().ok_or_else(|| too_many(path))? = *key;
        }
        Ok(masters)
    })
}

fn change(
    path: &Path,
    make: impl FnOnce(&Masters) -> Result<Masters, KeyFileError>,
) -> Result<Keyring, KeyFileError> {
    let directory = lock_directory(path)?;
    let (old, file) = read_masters(path, Trust::Private)?;
    let masters = make(&old)?;
    let found = file.metadata().map_err(failed(path, "examined"))?;
    let temporary = write_beside(path, &masters, Some((found.uid(), found.gid())))?;
    fs::rename(&temporary, path).map_err(failed(path, "replaced"))?;
    directory.sync_all().map_err(failed(path, "made durable"))?;
    masters.keyring(path)
}

/// Locks the directory against a second writer: of two that read the same file, the later would drop
/// the key of the earlier, with all that was sealed by it.
fn lock_directory(path: &Path) -> Result<File, KeyFileError> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = File::open(parent).map_err(failed(path, "reached"))?;
    directory.lock().map_err(failed(path, "locked"))?;
    Ok(directory)
}

fn write_beside(path: &Path, masters: &Masters, owner: Option<(u32, u32)>) -> Result<PathBuf, KeyFileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    // Left over by a writer that was killed; the lock says that none is at work.
    match fs::remove_file(&temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&temporary, "removed")(e)),
        _ => {}
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LockedPage::SIZE));
    for key in masters.iter() {
        writeln!(text, "{HEADER} {} {}", KeyId::of(key), *hex(key)).map_err(failed(&temporary, "written"))?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits())
        .open(&temporary)
        .map_err(failed(&temporary, "created"))?;
    if let Some((uid, gid)) = owner {
        fchown(&file, Some(uid), Some(gid))
            .map_err(failed(&temporary, "given to the owner of the old file"))?;
    }
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed(&temporary, "written"))?;
    Ok(temporary)
}

/// 32 bytes as hexadecimal digits.
pub(crate) fn hex(key: &[u8; 32]) -> Zeroizing<String> {
    let digits = b"0123456789abcdef";
    let digit = |n: u8| digits.get(usize::from(n)).map_or('0', |d| char::from(*d));
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in key {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Reads exactly as many hexadecimal digits as `into` has room for; wipes it otherwise.
pub(crate) fn unhex(text: &[u8], into: &mut [u8]) -> Option<()> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != into.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in into.iter_mut().zip(pairs) {
        let (Some(high), Some(low)) = (value(*high), value(*low)) else {
            into.zeroize();
            return None;
        };
        *byte = high << 4 | low;
    }
    Some(())
}

#[cfg(test)]
mod tests;
