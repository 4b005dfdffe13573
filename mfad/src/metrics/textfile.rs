//! Figures as a file, for node-exporter's textfile collector: replaced as a whole, so that nobody reads half of
//! it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tracing::{info, warn};

use super::exposition;
use crate::core::Core;

/// Writes the file as often as the configuration says, until the task is dropped. What goes wrong is told
/// once, not each time.
pub(crate) async fn keep_writing(core: &Core) {
    let mut failing = false;
    loop {
        let (path, interval) = {
            let settings = core.settings();
            let metrics = settings.config().metrics();
            (metrics.textfile.clone(), metrics.interval)
        };
        if let Some(path) = path {
            let text = exposition(core).await;
            let shown = path.display().to_string();
            // A disk that hangs must not hold up logins.
            let written = tokio::task::spawn_blocking(move || replace(&path, &text)).await;
            let written = written.map_err(io::Error::other).and_then(|written| written);
            let failed_before = std::mem::replace(&mut failing, written.is_err());
            match (failed_before, written) {
                (true, Ok(())) => info!("{shown}: figures are written again"),
                (false, Err(error)) => warn!("{shown}: figures cannot be written: {error}; trying again"),
                (false, Ok(())) | (true, Err(_)) => {}
            }
        }
        tokio::time::sleep(interval).await;
    }
}

/// Writes beside it, and puts that in its place. A link that lies there is not followed.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = beside(path);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside)?;
    // Whatever the mask of the process.
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(text.as_bytes())?;
    fs::rename(&beside, path)
}

/// A name that the collector passes over: it does not end in `.prom`.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_whole_and_no_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mfad.prom");
        let precious = directory.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, directory.path().join(".mfad.prom.new")).unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        for text in ["1", "2"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            let found = fs::symlink_metadata(&path).unwrap();
            assert!(found.is_file() && found.permissions().mode() & 0o777 == 0o644);
        }
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        assert!(replace(&directory.path().join("none/mfad.prom"), "3").is_err());
    }
}
