//! The files of the host that is looked at: this one's, or those below another root.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mfa_proto::text::escape_for_log;

use crate::cli::DoctorArgs;

use super::{Finding, Severity};

/// Where to look.
#[derive(Debug)]
pub(crate) struct Host {
    root: PathBuf,
    /// Where PAM stacks are, when it was said.
    pub(super) pam_dir: Option<PathBuf>,
}

impl Host {
    /// As the command line says.
    pub(super) fn of(arguments: &DoctorArgs) -> Self {
        Self { root: arguments.root.clone(), pam_dir: arguments.pam_dir.clone() }
    }

    /// The host whose files are below `root`.
    pub(crate) fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), pam_dir: None }
    }

    /// Whether it is the host that this runs on.
    pub(crate) fn is_this(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Where `path` of that host is.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// What is at `path`, links not followed; `None` where nothing is. What cannot be looked at is a finding of
    /// `check`.
    pub(super) fn look(check: &'static str, path: &Path) -> Result<Option<Metadata>, Finding> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unchecked(check, path, &error)),
        }
    }

    /// What the file at `path` says; `None` where there is none.
    pub(super) fn text(check: &'static str, path: &Path) -> Result<Option<String>, Finding> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unchecked(check, path, &error)),
        }
    }

    /// The names in a directory, in order; none where it is not there.
    pub(super) fn names(check: &'static str, path: &Path) -> Result<Vec<String>, Finding> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(unchecked(check, path, &error)),
        };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }
}

/// A path as it is shown.
pub(crate) fn shown(path: &Path) -> String {
    escape_for_log(&path.to_string_lossy())
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unchecked(check: &'static str, path: &Path, error: &std::io::Error) -> Finding {
    let finding =
        Finding::new(check, Severity::Unchecked, format!("cannot look at it: {error}")).at(shown(path));
    if error.kind() == ErrorKind::PermissionDenied {
        return finding.remedy("run it as root: sudo mfactl doctor");
    }
    finding
}
