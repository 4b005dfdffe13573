//! Files that hold a secret: whose they may be, and the named ones that the configuration speaks of.
//!
//! A credential is a file of its name: in `$CREDENTIALS_DIRECTORY` when the service manager hands one over,
//! else in a directory that the configuration names. Refuses paths for names, symbolic links, files that
//! others may read or change, empty ones and long ones, and says which is wrong without what is in it.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use mfa_proto::secret::{MAX_SECRET, SecretText};
use nix::{
    fcntl::OFlag,
    unistd::{getegid, geteuid},
};
use zeroize::Zeroizing;

/// Who may have been given a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// A file of its own: only its owner may have any access.
    Private,
    /// A file of root's, for a role that is not root: the role's own group may read it.
    OwnGroup,
    /// A credential of the service manager: its access list for the service's user shows as access of
    /// the group, so reading by the group is let pass.
    ServiceManager,
}

/// Opens a file for reading without following a link, and without waiting for a FIFO's writer.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Why others could read or change what is in a file, worded to follow its path; `None` when they cannot.
pub fn exposure(found: &Metadata, trust: Trust) -> Option<String> {
    let own = geteuid().as_raw();
    let allowed = match trust {
        Trust::OwnGroup if found.gid() == getegid().as_raw() => 0o640,
        Trust::Private | Trust::OwnGroup => 0o600,
        Trust::ServiceManager => 0o640,
    };
    if !found.is_file() {
        Some("is not a plain file".to_owned())
    // Root reads the daemon's own files too, to look after them.
    } else if found.uid() != 0 && found.uid() != own && own != 0 {
        Some(format!("belongs to uid {}", found.uid()))
    } else if found.mode() & 0o7777 & !allowed != 0 {
        Some(format!("has mode {:04o}", found.mode() & 0o7777))
    } else {
        None
    }
}

/// Why a credential cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// There is none of this name.
    #[error(
        "there is no credential {name}: write it to {path} with mode 0600, or let the service manager hand it over (LoadCredential=, LoadCredentialEncrypted=)"
    )]
    Missing {
        /// What it is called.
        name: String,
        /// Where it was looked for last.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the credential {path} cannot be read: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read or change it.
    #[error(
        "the credential {path} {problem}; it must be a plain file of root or of the daemon's user with mode 0600 or 0400{more}"
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What it may be besides.
        more: &'static str,
    },
    /// It is no secret text.
    #[error("the credential {path} {problem}: write the secret as one line of text")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Where named credentials are.
#[derive(Clone, Debug)]
pub struct Credentials {
    handed_over: Option<PathBuf>,
    own: PathBuf,
    trust: Trust,
}

impl Credentials {
    /// Those of the service manager, as `$CREDENTIALS_DIRECTORY` says; of what it does not hand over, those
    /// in `own`.
    pub fn new(own: &Path) -> Self {
        Self { handed_over: directory_handed_over(), own: own.to_owned(), trust: Trust::Private }
    }

    /// As [`Self::new`], for a role whose group may read what root put into `own`.
    pub fn for_group(own: &Path) -> Self {
        Self { trust: Trust::OwnGroup, ..Self::new(own) }
    }

    /// Reads one. Its name is one of a file: configuration lets no other pass.
    pub fn read(&self, name: &str) -> Result<SecretText, CredentialError> {
        let mut text = self.read_up_to(name, MAX_SECRET)?;
        let too_long = |_| CredentialError::Malformed { path: self.own.join(name), problem: "is too long" };
        SecretText::new(std::mem::take(&mut *text)).map_err(too_long)
    }

    /// As [`Self::read`], of at most `most` bytes.
    pub fn read_up_to(&self, name: &str, most: usize) -> Result<Zeroizing<String>, CredentialError> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(CredentialError::Missing {
                name: name.escape_debug().to_string(),
                path: self.own.clone(),
            });
        }
        if let Some(directory) = &self.handed_over
            && let Some(secret) = read_if_there(&directory.join(name), Trust::ServiceManager, most)?
        {
            return Ok(secret);
        }
        let path = self.own.join(name);
        read_if_there(&path, self.trust, most)?
            .ok_or_else(|| CredentialError::Missing { name: name.to_owned(), path })
    }
}

/// The directory of credentials that the service manager made for this process.
pub fn directory_handed_over() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the daemon's environment is the service manager's, not a user's"
    )]
    let directory = std::env::var("CREDENTIALS_DIRECTORY");
    directory.ok().map(PathBuf::from).filter(|path| path.is_absolute())
}

fn read_if_there(
    path: &Path,
    trust: Trust,
    most: usize,
) -> Result<Option<Zeroizing<String>>, CredentialError> {
    let failed = |source| CredentialError::Io { path: path.to_owned(), source };
    let file = match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    if let Some(problem) = exposure(&file.metadata().map_err(failed)?, trust) {
        let more = if trust == Trust::OwnGroup { ", or 0640 with the daemon's group" } else { "" };
        return Err(CredentialError::Exposed { path: path.to_owned(), problem, more });
    }
    let text = read_line(file, most).map_err(failed)?;
    text.map(Some).map_err(|problem| CredentialError::Malformed { path: path.to_owned(), problem })
}

/// The text of a file without the line's end that editors put there, or what is wrong with it.
fn read_line(file: File, most: usize) -> io::Result<Result<Zeroizing<String>, &'static str>> {
    // One allocation that is never outgrown, so that wiping it wipes all there was; one byte beyond what
    // fits tells the longer from the whole.
    let room = most.saturating_add(2);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(u64::try_from(room).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map(|text| text.strip_suffix('\n').unwrap_or(text));
    Ok(match text {
        Err(_) => Err("is not text"),
        Ok(text) if text.len() > most => Err("is too long"),
        Ok("") => Err("is empty"),
        Ok(text) if text.chars().any(char::is_control) => {
            Err("has more than one line, or control characters")
        }
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn write(path: &Path, text: &[u8]) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    struct Place {
        _dir: tempfile::TempDir,
        credentials: Credentials,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (handed, own) = (dir.path().join("handed"), dir.path().join("own"));
            fs::create_dir(&handed).unwrap();
            fs::create_dir(&own).unwrap();
            Self {
                _dir: dir,
                credentials: Credentials { handed_over: Some(handed), own, trust: Trust::Private },
            }
        }

        fn handed(&self, name: &str) -> PathBuf {
            self.credentials.handed_over.as_ref().unwrap().join(name)
        }

        fn own(&self, name: &str) -> PathBuf {
            self.credentials.own.join(name)
        }

        fn told(&self, name: &str) -> String {
            self.credentials.read(name).unwrap_err().to_string()
        }
    }

    #[test]
    fn what_the_service_manager_hands_over_comes_first() {
        let place = Place::new();
        write(&place.own("a"), b"own\n");
        assert_eq!(place.credentials.read("a").unwrap().expose(), "own");
        write(&place.handed("a"), b"handed over");
        assert_eq!(place.credentials.read("a").unwrap().expose(), "handed over");
        fs::set_permissions(place.handed("a"), fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(place.credentials.read("a").unwrap().expose(), "handed over", "as systemd does it");
    }

    #[test]
    fn a_faulty_credential_is_no_reason_to_take_another() {
        let place = Place::new();
        write(&place.own("a"), b"own");
        write(&place.handed("a"), b"");
        assert!(place.told("a").contains("handed/a is empty"), "{}", place.told("a"));
    }

    #[test]
    fn what_others_may_have_read_is_refused() {
        let place = Place::new();
        write(&place.own("a"), b"secret");
        for mode in [0o640, 0o604, 0o620, 0o4600] {
            fs::set_permissions(place.own("a"), fs::Permissions::from_mode(mode)).unwrap();
            assert!(place.told("a").contains("has mode"), "{mode:o}");
        }
        fs::set_permissions(place.own("a"), fs::Permissions::from_mode(0o400)).unwrap();
        assert!(place.credentials.read("a").is_ok());
        std::os::unix::fs::symlink(place.own("a"), place.own("link")).unwrap();
        assert!(place.told("link").contains("cannot be read"));
        fs::create_dir(place.own("dir")).unwrap();
        assert!(place.told("dir").contains("not a plain file"));
        nix::unistd::mkfifo(&place.own("fifo"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        assert!(place.told("fifo").contains("not a plain file"));
    }

    #[test]
    fn the_group_of_a_role_may_read_what_is_root_s() {
        let mut place = Place::new();
        write(&place.own("a"), b"secret");
        place.credentials.trust = Trust::OwnGroup;
        fs::set_permissions(place.own("a"), fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(place.credentials.read("a").unwrap().expose(), "secret");
        for mode in [0o660, 0o644, 0o620] {
            fs::set_permissions(place.own("a"), fs::Permissions::from_mode(mode)).unwrap();
            assert!(place.told("a").contains("0640 with the daemon's group"), "{mode:o}");
        }
        if geteuid().is_root() {
            fs::set_permissions(place.own("a"), fs::Permissions::from_mode(0o640)).unwrap();
            std::os::unix::fs::chown(place.own("a"), None, Some(65_534)).unwrap();
            assert!(place.told("a").contains("has mode 0640"), "another group's");
        }
    }

    #[test]
    fn a_foreign_owner_is_refused_unless_root_looks() {
        let place = Place::new();
        write(&place.own("a"), b"secret");
        let found = fs::metadata(place.own("a")).unwrap();
        assert_eq!(exposure(&found, Trust::Private), None);
        if geteuid().is_root() {
            std::os::unix::fs::chown(place.own("a"), Some(65_534), None).unwrap();
            assert!(place.credentials.read("a").is_ok(), "root looks after the daemon's files");
        }
    }

    #[test]
    fn names_are_no_paths_and_the_missing_is_told_with_what_to_do() {
        let place = Place::new();
        write(&place.handed("a"), b"secret");
        for name in ["../handed/a", "/etc/passwd", ".", "..", "", "b"] {
            let told = place.told(name);
            assert!(
                told.contains("there is no credential") && told.contains("LoadCredential"),
                "{name}: {told}"
            );
        }
    }

    #[test]
    fn a_credential_is_one_line_of_text() {
        let place = Place::new();
        let most = "x".repeat(MAX_SECRET);
        for (text, problem) in [
            (b"".as_slice(), "is empty"),
            (b"\n", "is empty"),
            (b"a\nb\n", "more than one line"),
            (b"a\r\n", "control characters"),
            (b"\xff", "is not text"),
            (format!("{most}x").as_bytes(), "is too long"),
            (format!("{most}\nMARKER").as_bytes(), "is too long"),
        ] {
            write(&place.own("a"), text);
            let told = place.told("a");
            assert!(told.contains(problem) && !told.contains("MARKER"), "{told}");
        }
        write(&place.own("a"), format!("{most}\n").as_bytes());
        assert_eq!(place.credentials.read("a").unwrap().expose(), most);
    }
}
