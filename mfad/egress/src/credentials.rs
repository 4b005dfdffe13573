//! Secrets by name: what the service manager hands over, else files of one directory.
//!
//! Read once, when the role starts or reads its configuration again, so that a missing one shows then.
//! Refuses files that others may read or could have written, and links that lead elsewhere.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{File, Metadata, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::OFlag,
    unistd::{getegid, geteuid},
};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest credential, in bytes: room for a signed token.
const MAX_CREDENTIAL: usize = 8192;

/// A secret of a gateway. Redacted when printed, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself. Every call is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Why there is no credential of a name. Says where it was looked for, never what was in it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It cannot be read.
    #[error("credential \"{name}\": {path} cannot be read: {source}")]
    Unreadable {
        /// Its name.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read or have written it.
    #[error("credential \"{name}\": {path} {problem}")]
    Exposed {
        /// Its name.
        name: String,
        /// Which file or directory.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// It is empty, too long, not text or more than one line.
    #[error("credential \"{name}\": {path} {problem}")]
    Malformed {
        /// Its name.
        name: String,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Where credentials are.
#[derive(Clone, Debug)]
pub struct Places {
    /// What the service manager handed over (`$CREDENTIALS_DIRECTORY`).
    pub handed_over: Option<PathBuf>,
    /// The directory looked into for what was not handed over.
    pub directory: PathBuf,
}

impl Places {
    /// As the environment and `[egress] credentials_dir` have it.
    pub fn of(directory: &Path) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the daemon's environment is the service manager's, not a user's"
        )]
        let handed_over = std::env::var("CREDENTIALS_DIRECTORY");
        let handed_over = handed_over.ok().map(PathBuf::from).filter(|path| path.is_absolute());
        Self { handed_over, directory: directory.to_owned() }
    }
}

/// The credentials that a configuration names.
#[derive(Debug, Default)]
pub struct Credentials {
    known: BTreeMap<String, Secret>,
}

impl Credentials {
    /// Without any.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads one by name, unless it has been. A name has no `/` in it: the configuration saw to that.
    pub fn read(&mut self, places: &Places, name: &str) -> Result<(), CredentialError> {
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), read(places, name)?);
        }
        Ok(())
    }

    /// Those of these names alone.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let known = names.iter().filter_map(|name| Some(((*name).to_owned(), self.get(name)?.clone())));
        Self { known: known.collect() }
    }

    /// One that was read.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.known.get(name)
    }
}

/// Who made the file what it is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Trust {
    /// The service manager: its access list for the service's user shows as access of the group.
    ServiceManager,
    /// An administrator.
    Administrator,
}

fn read(places: &Places, name: &str) -> Result<Secret, CredentialError> {
    if let Some(directory) = &places.handed_over {
        match read_file(&directory.join(name), name, Trust::ServiceManager) {
            Err(CredentialError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    let directory = &places.directory;
    let unreadable =
        |source| CredentialError::Unreadable { name: name.to_owned(), path: directory.clone(), source };
    let metadata = std::fs::metadata(directory).map_err(unreadable)?;
    if let Some(problem) = writable_by_others(&metadata) {
        return Err(CredentialError::Exposed { name: name.to_owned(), path: directory.clone(), problem });
    }
    read_file(&directory.join(name), name, Trust::Administrator)
}

fn read_file(path: &Path, name: &str, trust: Trust) -> Result<Secret, CredentialError> {
    let unreadable =
        |source| CredentialError::Unreadable { name: name.to_owned(), path: path.to_owned(), source };
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let exposed =
        |problem| CredentialError::Exposed { name: name.to_owned(), path: path.to_owned(), problem };
    if !metadata.is_file() {
        return Err(exposed("is not a plain file".to_owned()));
    }
    if let Some(problem) = writable_by_others(&metadata).or_else(|| readable_by_others(&metadata, trust)) {
        return Err(exposed(problem));
    }
    let text = read_text(&file).map_err(unreadable)?;
    let malformed =
        |problem| CredentialError::Malformed { name: name.to_owned(), path: path.to_owned(), problem };
    text.map(Secret).map_err(malformed)
}

fn writable_by_others(metadata: &Metadata) -> Option<String> {
    let owner = metadata.uid();
    if owner != 0 && owner != geteuid().as_raw() {
        return Some(format!("belongs to uid {owner}: only root, or egress's user, may own it"));
    }
    let mode = metadata.mode() & 0o7777;
    (mode & 0o022 != 0).then(|| format!("is writable by others (mode {mode:04o}): run chmod go-w"))
}

/// A group that is egress's own may read: root writes the file, egress is no root.
fn readable_by_others(metadata: &Metadata, trust: Trust) -> Option<String> {
    let mode = metadata.mode() & 0o7777;
    let own_group = metadata.gid() == getegid().as_raw();
    let allowed = if own_group || trust == Trust::ServiceManager { 0o040 } else { 0 };
    (mode & 0o077 & !allowed != 0).then(|| {
        format!("is readable by others (mode {mode:04o}): make it root's, of egress's group, with mode 0640")
    })
}

/// One line without its end.
fn read_text(file: &File) -> io::Result<Result<Zeroizing<String>, &'static str>> {
    // All of it in one allocation, so that no copy is left where a growing buffer was.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_CREDENTIAL.saturating_add(3)));
    let most = u64::try_from(MAX_CREDENTIAL.saturating_add(2)).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    if bytes.ends_with(b"\r") {
        bytes.pop();
    }
    if bytes.len() > MAX_CREDENTIAL {
        return Ok(Err("has more than 8192 bytes"));
    }
    let text = match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Zeroizing::new(text),
        Err(error) => {
            error.into_bytes().zeroize();
            return Ok(Err("is not text"));
        }
    };
    Ok(match () {
        () if text.is_empty() => Err("is empty"),
        () if text.chars().any(char::is_control) => Err("has more than one line, or control characters"),
        () => Ok(text),
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    struct Here {
        directory: tempfile::TempDir,
        places: Places,
    }

    impl Here {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let places = Places { handed_over: None, directory: directory.path().join("own") };
            fs::create_dir(&places.directory).unwrap();
            set_mode(&places.directory, 0o755);
            Self { directory, places }
        }

        fn put(&self, content: &[u8], mode: u32) -> PathBuf {
            let path = self.places.directory.join("token");
            fs::write(&path, content).unwrap();
            set_mode(&path, mode);
            path
        }

        fn read(&self) -> Result<String, String> {
            let mut credentials = Credentials::none();
            credentials.read(&self.places, "token").map_err(|error| error.to_string())?;
            Ok(credentials.get("token").unwrap().expose().to_owned())
        }
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_credential_is_one_line_of_a_file_of_ours() {
        let here = Here::new();
        for (content, expected) in [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("a b\r\n", "a b")] {
            here.put(content.as_bytes(), 0o400);
            assert_eq!(here.read().unwrap(), expected);
        }
        here.put(b"s3cret", 0o640);
        assert_eq!(here.read().unwrap(), "s3cret", "its group is ours");
        let handed = here.directory.path().join("handed");
        fs::create_dir(&handed).unwrap();
        fs::write(handed.join("token"), "handed over").unwrap();
        set_mode(&handed.join("token"), 0o440);
        let places = Places { handed_over: Some(handed), ..here.places.clone() };
        assert_eq!(read(&places, "token").unwrap().expose(), "handed over");
        assert!(read(&places, "other").is_err());
        fs::rename(here.places.directory.join("token"), here.places.directory.join("other")).unwrap();
        assert_eq!(read(&places, "other").unwrap().expose(), "s3cret", "what was not handed over is a file");
    }

    #[test]
    fn what_others_may_read_or_change_is_refused_and_not_shown() {
        let here = Here::new();
        for mode in [0o644, 0o604, 0o620, 0o602, 0o666] {
            here.put(b"s3cret", mode);
            let told = here.read().unwrap_err();
            assert!(told.contains("by others") && !told.contains("s3cret"), "{told}");
        }
        let path = here.put(b"s3cret", 0o600);
        set_mode(&here.places.directory, 0o777);
        assert!(here.read().unwrap_err().contains("chmod go-w"));
        set_mode(&here.places.directory, 0o755);
        fs::rename(&path, here.directory.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(here.directory.path().join("elsewhere"), &path).unwrap();
        assert!(here.read().unwrap_err().contains("cannot be read"));
        fs::remove_file(&path).unwrap();
        assert!(here.read().unwrap_err().contains("cannot be read"));
        fs::create_dir(&path).unwrap();
        assert!(here.read().unwrap_err().contains("not a plain file"));
    }

    #[test]
    fn what_is_no_line_of_text_is_refused_and_not_shown() {
        let here = Here::new();
        for content in [&b""[..], b"\n", b"s3cret\ns3cret", b"s3cret\0", b"s3cret\xff", &[b'x'; 8193]] {
            here.put(content, 0o600);
            let told = here.read().unwrap_err();
            assert!(!told.contains("s3cret") && !told.contains("xxx"), "{told}");
        }
        here.put(&[b'x'; 8192], 0o600);
        assert_eq!(here.read().unwrap().len(), 8192);
        assert_eq!(format!("{:?}", Secret::new("s3cret".into())), "Secret(redacted)");
    }
}
