//! Finds and reads the files: `mfad.toml`, then `conf.d/*.toml` beside it in order of name.
//!
//! Refuses files and directories that someone other than root (or the user who runs this) could have
//! written, files that are no plain files, and files of absurd size.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;

use super::problem::{Position, Problem};
use crate::foreign::{self, Foreign};

/// The directory of further files, beside the main one.
const CONF_D: &str = "conf.d";
/// The largest file read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The text of one configuration file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it came from: shown in messages.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
}

/// Reads all files that belong to `main`, and says which could not be.
pub(super) fn read_all(main: &Path) -> (Vec<Source>, Vec<Problem>) {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    let directory = main.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    problems.extend(refuse_foreign(directory));
    let (more, conf_d_problems) = list_conf_d(&directory.join(CONF_D));
    problems.extend(conf_d_problems);
    for path in std::iter::once(main.to_owned()).chain(more) {
        match read_one(&path) {
            Ok(source) => sources.push(source),
            Err(_) if path == main && is_missing(main) => problems.push(Problem::with_file(
                main,
                "does not exist: copy etc/mfad.toml of the sources there, or name another with --config",
            )),
            Err(problem) => problems.push(problem),
        }
    }
    (sources, problems)
}

/// The `.toml` files of a directory in order of name. A directory that does not exist has none.
fn list_conf_d(directory: &Path) -> (Vec<PathBuf>, Option<Problem>) {
    let entries = match std::fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (Vec::new(), None),
        Err(error) => {
            return (Vec::new(), Some(Problem::with_file(directory, format!("cannot be listed: {error}"))));
        }
    };
    let mut paths: Vec<_> = entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml") && !is_hidden(path))
        .collect();
    paths.sort();
    (paths, refuse_foreign(directory))
}

fn is_missing(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn read_one(path: &Path) -> Result<Source, Problem> {
    let problem = |message: String| Problem::with_file(path, message);
    // Without O_NONBLOCK, opening a FIFO would wait for a writer that never comes.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits() | OFlag::O_CLOEXEC.bits())
        .open(path)
        .map_err(|error| problem(format!("cannot be read: {error}")))?;
    let metadata = file.metadata().map_err(|error| problem(format!("cannot be looked at: {error}")))?;
    if !metadata.is_file() {
        return Err(problem("is not a regular file: remove it, or give it another ending than .toml".into()));
    }
    refuse_metadata(path, &metadata)?;
    let bytes = read_bounded(&file).map_err(|error| problem(format!("cannot be read: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(problem(format!("is larger than {MAX_FILE} bytes: no configuration needs that")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { path: path.to_owned(), text }),
        Err(error) => Err(not_text(path, &error)),
    }
}

fn read_bounded(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Problem {
    let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let before = std::str::from_utf8(valid).unwrap_or_default();
    Problem {
        position: Some(Position::of(before, before.len())),
        ..Problem::with_file(path, "is not UTF-8 from here on: save it as UTF-8")
    }
}

/// What is wrong with the owner or the mode of a directory. One that does not exist is no problem here.
fn refuse_foreign(directory: &Path) -> Option<Problem> {
    let metadata = std::fs::metadata(directory).ok()?;
    refuse_metadata(directory, &metadata).err()
}

fn refuse_metadata(path: &Path, metadata: &Metadata) -> Result<(), Problem> {
    foreign::check(metadata).map_err(|found| {
        let shown = path.display();
        let what_to_do = match found {
            Foreign::Owner(_) => format!("who could change it: run `chown root {shown}`"),
            // To take the sticky bit's company away from /tmp would break the host.
            Foreign::Writable(_) if foreign::is_sticky(metadata) => {
                "keep the configuration in a directory of root's, such as /etc/mfad".to_owned()
            }
            Foreign::Writable(_) => format!("run `chmod go-w {shown}`"),
        };
        Problem::with_file(path, format!("{found}: {what_to_do}"))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A directory with `mfad.toml` in it, both with modes that are not refused.
    fn directory(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("mfad.toml");
        fs::write(&main, text).unwrap();
        set_mode(&main, 0o644);
        (dir, main)
    }

    fn only_problem(main: &Path) -> String {
        let (_, problems) = read_all(main);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    }

    #[test]
    fn further_files_follow_in_order_of_name() {
        let (dir, main) = directory(b"main");
        let conf_d = dir.path().join(CONF_D);
        fs::create_dir(&conf_d).unwrap();
        set_mode(&conf_d, 0o755);
        for name in ["20-b.toml", "10-a.toml", ".hidden.toml", "10-a.toml.dpkg-old", "README"] {
            fs::write(conf_d.join(name), name).unwrap();
            set_mode(&conf_d.join(name), 0o644);
        }
        let (sources, problems) = read_all(&main);
        assert_eq!(problems, []);
        let texts: Vec<_> = sources.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(texts, ["main", "10-a.toml", "20-b.toml"]);
    }

    #[test]
    fn what_others_could_have_written_is_refused() {
        let (dir, main) = directory(b"");
        for mode in [0o664, 0o646, 0o666] {
            set_mode(&main, mode);
            let told = only_problem(&main);
            assert!(told.contains("chmod go-w") && told.contains("mfad.toml"), "{told}");
        }
        set_mode(&main, 0o600);
        set_mode(dir.path(), 0o770);
        assert!(only_problem(&main).contains("chmod go-w"));
        set_mode(dir.path(), 0o755);
        let conf_d = dir.path().join(CONF_D);
        fs::create_dir(&conf_d).unwrap();
        set_mode(&conf_d, 0o777);
        assert!(only_problem(&main).contains("conf.d"));
    }

    #[test]
    fn nobody_is_told_to_close_tmp() {
        let (dir, main) = directory(b"");
        set_mode(dir.path(), 0o1777);
        let told = only_problem(&main);
        assert!(
            told.contains("mode 1777") && told.contains("/etc/mfad") && !told.contains("chmod"),
            "{told}"
        );
    }

    #[test]
    fn a_configuration_that_is_not_there_is_told_with_what_to_do() {
        let (dir, main) = directory(b"");
        fs::remove_file(&main).unwrap();
        let told = only_problem(&main);
        assert!(told.contains("does not exist") && told.contains("--config"), "{told}");
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &main).unwrap();
        assert!(only_problem(&main).contains("cannot be read"));
    }

    #[test]
    fn a_foreign_owner_is_refused() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root can give files away");
            return;
        }
        let (_dir, main) = directory(b"");
        std::os::unix::fs::chown(&main, Some(65_534), None).unwrap();
        assert!(only_problem(&main).contains("chown root"));
    }

    #[test]
    fn what_is_no_readable_text_file_is_refused() {
        let (dir, main) = directory(b"a = 1\nb = \xff\n");
        assert!(only_problem(&main).contains("mfad.toml:2:5: is not UTF-8"));
        fs::write(&main, vec![b'#'; 1024 * 1024 + 1]).unwrap();
        assert!(only_problem(&main).contains("larger than"));
        fs::remove_file(&main).unwrap();
        assert!(only_problem(&main).contains("does not exist"));
        fs::create_dir(&main).unwrap();
        assert!(only_problem(&main).contains("not a regular file"));
        fs::remove_dir(&main).unwrap();
        nix::unistd::mkfifo(&main, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        assert!(only_problem(&main).contains("not a regular file"));
        fs::write(dir.path().join(CONF_D), "").unwrap();
        let (_, problems) = read_all(&main);
        assert!(problems.iter().any(|p| p.to_string().contains("conf.d: cannot be listed")), "{problems:?}");
    }
}
