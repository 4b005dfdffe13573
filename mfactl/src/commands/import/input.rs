//! What is to be read: each path as one input or many, with the account that the place itself names.

use std::path::Path;

use mfa_proto::name::UserName;
use mfa_proto::text::escape_for_log;
use mfactl::import::Format;
use nix::fcntl::AT_FDCWD;
use zeroize::Zeroizing;

use super::{
    accounts::{Accounts, Host, is_trusted},
    homes,
    open::{self, Content, NotRead},
    skip::{Place, Skip},
};

/// The file of libpam-google-authenticator in a home directory.
pub(super) const STATE_FILE: &str = ".google_authenticator";

/// What standard input is called in place of a path.
pub(super) const STDIN: &str = "standard input";

/// One file, or standard input.
#[derive(Debug)]
pub(super) struct Input {
    /// Where it is from.
    pub(super) path: String,
    /// All of it.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whom it may speak for.
    pub(super) speaker: Speaker,
    /// Whose it is by its place, where the format itself names nobody.
    pub(super) account: Option<UserName>,
    /// Its format, where the place tells it.
    pub(super) format: Option<Format>,
    /// Others than the owner could read it.
    pub(super) readable: bool,
    /// What tells it from all other files.
    pub(super) identity: Option<(u64, u64)>,
}

/// Whom a file may bring factors for: root's file for everyone, another's for its owner alone, who could put any
/// key into it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Speaker {
    /// Root, who runs this, or what was given on standard input.
    Trusted,
    /// Someone else; no name where the host has no account of this uid.
    Owner(u32, Option<UserName>),
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// In the order given.
    pub(super) inputs: Vec<Input>,
    /// What cannot be read, or not be trusted.
    pub(super) skipped: Vec<Skip>,
}

impl Inputs {
    /// Reads `paths`. In a directory only what is `only`'s, when that is given.
    pub(super) fn gather(paths: &[std::path::PathBuf], only: Option<&UserName>) -> Self {
        let mut all = Self::default();
        for path in paths {
            all.add(path, only);
        }
        let mut seen = std::collections::BTreeSet::new();
        all.inputs.retain(|input| input.identity.is_none_or(|identity| seen.insert(identity)));
        all
    }

    fn add(&mut self, path: &Path, only: Option<&UserName>) {
        let shown = shown(path);
        if path == Path::new("-") {
            match open::stdin() {
                Ok(bytes) => self.inputs.push(Input::of_stdin(bytes)),
                Err(why) => self.skip(STDIN, &why),
            }
        } else if path.is_dir() {
            homes::add(self, path, only);
        } else {
            match open::file(AT_FDCWD, path) {
                Ok(content) => self.inputs.push(Input::named(path, content)),
                Err(why) => self.skip(&shown, &why),
            }
        }
    }

    /// Reports that nothing was read at `path`.
    pub(super) fn skip(&mut self, path: &str, why: &NotRead) {
        let mut skip = Skip::at(Place::of(path), None, why.to_string());
        skip.hint = match why {
            NotRead::Writable(_) => {
                Some("look at what it holds; when it is right: chmod go-w, chown root".into())
            }
            NotRead::Link => Some("name the file that it leads to".into()),
            NotRead::Absent | NotRead::Irregular | NotRead::TooLarge | NotRead::System(_) => None,
        };
        self.skipped.push(skip);
    }
}

impl Input {
    fn of_stdin(bytes: Zeroizing<Vec<u8>>) -> Self {
        let path = STDIN.to_owned();
        let speaker = Speaker::Trusted;
        Self { path, bytes, speaker, account: None, format: None, readable: false, identity: None }
    }

    /// A file that was named on the command line: the person vouches for its path, not for its owner.
    fn named(path: &Path, content: Content) -> Self {
        let speaker = Speaker::of(content.uid);
        let is_state = path.file_name().is_some_and(|name| name == STATE_FILE);
        let by_directory = || {
            let directory = std::fs::canonicalize(path).ok()?.parent()?.file_name()?.to_str()?.to_owned();
            UserName::new(directory).ok().filter(|name| Host.exists(name))
        };
        let account = match &speaker {
            Speaker::Owner(_, name) => name.clone(),
            Speaker::Trusted if is_state => by_directory(),
            Speaker::Trusted => None,
        };
        Self::of(shown(path), content, speaker, account)
    }

    /// A file with what its place says.
    pub(super) fn of(path: String, content: Content, speaker: Speaker, account: Option<UserName>) -> Self {
        let Content { bytes, readable, identity, .. } = content;
        Self { path, bytes, speaker, account, format: None, readable, identity: Some(identity) }
    }
}

impl Speaker {
    /// The owner of a file.
    pub(super) fn of(uid: u32) -> Self {
        if is_trusted(uid) { Self::Trusted } else { Self::Owner(uid, Host.of_uid(uid)) }
    }
}

/// A path for messages.
pub(super) fn shown(path: &Path) -> String {
    escape_for_log(&path.to_string_lossy())
}
