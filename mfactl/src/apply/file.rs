//! Files of root's that are read whole and replaced whole: owner, mode, label and ACL stay.
//!
//! Refuses symbolic links, files with several names, and what others than root could write to or rename.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::doctor::host::shown;
use crate::failure::Failure;
use crate::new_file::{NewFile, sync_directory};

/// What is kept beside owner and mode: the label of `SELinux`, and an ACL.
const ATTRIBUTES: [&str; 2] = ["security.selinux", "system.posix_acl_access"];
/// The longest value of such an attribute, and of a file that is edited.
const MOST: usize = 64 * 1024;

/// A file as it was when it was read.
#[derive(Debug)]
pub(crate) struct Original {
    /// What it says.
    pub(crate) text: String,
    owner: (u32, u32),
    mode: u32,
    attributes: Vec<(&'static str, Vec<u8>)>,
}

impl Original {
    /// Reads the file at `path`; `None` where there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let fault = |why: &dyn std::fmt::Display| Failure::local(format!("read {}", shown(path)), why);
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) => {
                return Err(linked(path, &error));
            }
            Err(error) => return Err(fault(&error)),
        };
        let found = file.metadata().map_err(|error| fault(&error))?;
        trusted(path, &found)?;
        let mut bytes = Vec::new();
        let most = u64::try_from(MOST).unwrap_or(u64::MAX);
        (&file).take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| fault(&error))?;
        if bytes.len() > MOST {
            return Err(fault(&"it is larger than any such file that is meant"));
        }
        let text = String::from_utf8(bytes).map_err(|_| fault(&"it is not UTF-8, and so left alone"))?;
        Ok(Some(Self {
            text,
            owner: (found.uid(), found.gid()),
            mode: found.permissions().mode() & 0o7777,
            attributes: attributes(&file).map_err(|error| fault(&error))?,
        }))
    }

    /// A file that is made new, for root alone.
    pub(crate) fn absent_private() -> Self {
        Self { mode: 0o600, ..Self::absent() }
    }

    /// A file that is made new: root's, for all to read.
    pub(crate) fn absent() -> Self {
        Self {
            text: String::new(),
            owner: (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw()),
            mode: 0o644,
            attributes: Vec::new(),
        }
    }

    /// Puts a file that says `text` in the place of the one that was read, unless that changed meanwhile.
    pub(crate) fn replace(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let temporary = beside(path);
        // What a run left behind that was ended here.
        let _none_is_fine = fs::remove_file(&temporary);
        let mut new = NewFile::create(&temporary)?;
        new.write(text.as_bytes())?;
        let set = fchown(new.file(), Some(self.owner.0), Some(self.owner.1))
            .and_then(|()| new.file().set_permissions(fs::Permissions::from_mode(self.mode)))
            .and_then(|()| {
                self.attributes.iter().try_for_each(|(name, value)| {
                    Ok(rustix::fs::fsetxattr(new.file(), *name, value, rustix::fs::XattrFlags::empty())?)
                })
            });
        set.map_err(|error| {
            Failure::local(format!("keep owner, mode and label of {}", shown(path)), &error)
        })?;
        let now = Self::read(path)?.map(|now| now.text).unwrap_or_default();
        if now != self.text {
            return Err(Failure::withheld(
                format!("{} was changed by somebody else meanwhile, and is left as it is", shown(path)),
                "look at it, then try again",
            ));
        }
        new.replace(path)
    }
}

/// Deletes a file, if it is there: after a crash it does not come back.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    let removed = match fs::remove_file(path) {
        Ok(()) => sync_directory(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|error| Failure::local(format!("delete {}", shown(path)), &error))
}

/// A name in the same directory that no service has.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.mfactl-new"))
}

fn attributes(file: &File) -> std::io::Result<Vec<(&'static str, Vec<u8>)>> {
    let mut found = Vec::new();
    for name in ATTRIBUTES {
        let mut value = vec![0_u8; MOST];
        match rustix::fs::fgetxattr(file, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                found.push((name, value));
            }
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(found)
}

/// Whether nobody but root, or whoever runs this, can change the file or put another one in its place.
fn trusted(path: &Path, found: &fs::Metadata) -> Result<(), Failure> {
    let own = |found: &fs::Metadata| [0, nix::unistd::geteuid().as_raw()].contains(&found.uid());
    let directory = path.parent().unwrap_or(Path::new("/"));
    let around = fs::symlink_metadata(directory)
        .map_err(|error| Failure::local(format!("look at {}", shown(directory)), &error))?;
    let why = if !found.is_file() {
        "it is no plain file"
    } else if found.nlink() != 1 {
        "it has a second name (a hard link), which would keep what it says now"
    } else if !own(found) || found.mode() & 0o022 != 0 {
        "others than root can write to it"
    } else if !around.is_dir() || !own(&around) || around.mode() & 0o022 != 0 {
        "others than root can change its directory, or that is a symbolic link"
    } else {
        return Ok(());
    };
    Err(Failure::withheld(
        format!("{} is left alone: {why}", shown(path)),
        format!("ls -ld {} {}; chown root:root, chmod go-w", shown(directory), shown(path)),
    ))
}

fn linked(path: &Path, error: &std::io::Error) -> Failure {
    let target = fs::read_link(path).map_or_else(|_| error.to_string(), |target| shown(&target));
    let hint = if target.contains("authselect") {
        "authselect writes it, and would write over an edit: name the service instead (sshd, sudo, login), or make a \
         custom profile with the line in it (authselect create-profile)"
    } else {
        "edit what it points to by hand, or put a plain file in its place"
    };
    Failure::withheld(format!("{} is a symbolic link to {target}, and is left alone", shown(path)), hint)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sshd");
        fs::write(&path, "before\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        (place, path)
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let (place, path) = place();
        fs::write(beside(&path), "left behind").unwrap();
        let original = Original::read(&path).unwrap().unwrap();
        original.replace(&path, "after\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_somebody_else_changed_is_not_written_over() {
        let (place, path) = place();
        let original = Original::read(&path).unwrap().unwrap();
        fs::write(&path, "theirs\n").unwrap();
        assert!(matches!(original.replace(&path, "after\n"), Err(Failure::Withheld { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_and_what_others_can_write_to_are_left_alone() {
        let (place, path) = place();
        let link = place.path().join("link");
        symlink(&path, &link).unwrap();
        let told = Original::read(&link).unwrap_err();
        assert!(told.to_string().contains("symbolic link"), "{told}");
        fs::hard_link(&path, place.path().join("second")).unwrap();
        assert!(Original::read(&path).unwrap_err().to_string().contains("second name"));
        fs::remove_file(place.path().join("second")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        assert!(Original::read(&path).unwrap_err().to_string().contains("others than root"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Original::read(&path).unwrap_err().to_string().contains("its directory"));
        assert!(Original::read(place.path()).is_err());
        assert!(Original::read(&place.path().join("none")).unwrap().is_none());
    }
}
