//! Backups: carried between the daemon's directory and where they are wanted.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use mfa_proto::admin::{RefusalCode, Reply, Request, Restored, Status};

use crate::daemon::{FakeDaemon, Seen};
use crate::golden;
use crate::pty::Terminal;
use crate::run::{Ran, run};
use crate::sample;

/// A state directory of the daemon's, and one of the administrator's.
struct Places {
    state: tempfile::TempDir,
    own: tempfile::TempDir,
}

impl Places {
    fn new() -> Self {
        Self { state: tempfile::tempdir().unwrap(), own: tempfile::tempdir().unwrap() }
    }

    fn made(&self) -> PathBuf {
        self.state.path().join("backup.db")
    }

    fn laid(&self) -> PathBuf {
        self.state.path().join("restore.db")
    }

    fn file(&self) -> PathBuf {
        self.own.path().join("mfad-backup.db")
    }

    fn copy(&self) -> Reply {
        let path = self.made().to_str().unwrap().to_owned();
        Reply::Copy { path, users: 12, keys: vec!["0123456789abcdef".to_owned()] }
    }

    fn status(&self) -> Reply {
        let Reply::Status(status) = sample::status(Ok(())) else { panic!("no status") };
        let database = self.state.path().join("mfad.db").to_str().unwrap().to_owned();
        Reply::Status(Box::new(Status { database, ..*status }))
    }
}

fn restored() -> Reply {
    Reply::Restored(Restored { users: 12, carried_over: 10, need_resync: 1, recovery_void: 2 })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Compares with a golden file, whatever the directories are called.
fn check(name: &str, places: &Places, arguments: &[&str], (seen, ran): (&[Seen], &Ran), socket: &Path) {
    let transcript = golden::transcript(arguments, seen, ran, socket);
    let transcript = transcript.replace(text(places.state.path()), "STATE");
    golden::check(name, &transcript.replace(text(places.own.path()), "OWN"));
}

#[test]
fn a_backup_is_a_new_file_for_its_owner_alone_and_nothing_is_left_behind() {
    for (name, json) in [("backup.txt", false), ("backup-json.txt", true)] {
        let places = Places::new();
        fs::write(places.made(), "sealed").unwrap();
        let daemon = FakeDaemon::admin(vec![places.copy()]);
        let file = places.file();
        let arguments: Vec<&str> =
            ["backup", text(&file)].into_iter().chain(json.then_some("--json")).collect();
        let socket = daemon.socket();
        let ran = run(&socket, &arguments, "");
        check(name, &places, &arguments, (&daemon.finish(), &ran), &socket);
        assert_eq!(fs::read_to_string(&file).unwrap(), "sealed");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(!places.made().exists());
    }
}

#[test]
fn a_backup_that_fails_leaves_no_file() {
    let places = Places::new();
    let file = places.file();
    let foreign = places.own.path().join("shadow");
    fs::write(&foreign, "secret").unwrap();
    symlink(&foreign, places.made()).unwrap();
    for replies in [
        vec![sample::refused(RefusalCode::Tampered, "a row of jane was changed")],
        vec![places.copy()],
        vec![Reply::Copy { path: "/nonexistent/backup.db".to_owned(), users: 1, keys: Vec::new() }],
    ] {
        let daemon = FakeDaemon::admin(replies);
        let ran = run(&daemon.socket(), &["backup", text(&file)], "");
        assert_eq!((ran.code, file.exists()), (1, false), "{ran:?}");
        daemon.finish();
    }
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "secret");
    fs::write(&file, "another backup").unwrap();
    let daemon = FakeDaemon::admin(Vec::new());
    let ran = run(&daemon.socket(), &["backup", text(&file)], "");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("it exists, and is not written over"), "{ran:?}");
    assert!(daemon.finish().is_empty(), "nothing is asked of the daemon for nothing");
    assert_eq!(fs::read_to_string(&file).unwrap(), "another backup");
}

#[test]
fn a_directory_that_is_not_the_daemons_is_not_touched() {
    let places = Places::new();
    fs::write(places.made(), "sealed").unwrap();
    fs::set_permissions(places.state.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let daemon = FakeDaemon::admin(vec![places.copy()]);
    let ran = run(&daemon.socket(), &["backup", text(&places.file())], "");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(places.made().exists() && !places.file().exists());
    daemon.finish();
}

#[test]
fn a_backup_is_laid_beside_the_database_and_restored() {
    for (name, json) in [("restore.txt", false), ("restore-json.txt", true)] {
        let places = Places::new();
        fs::write(places.file(), "sealed").unwrap();
        fs::write(places.laid(), "left over").unwrap();
        let daemon = FakeDaemon::admin(vec![places.status(), restored()]);
        let (file, socket) = (places.file(), daemon.socket());
        let arguments: Vec<&str> =
            ["restore", text(&file), "--yes"].into_iter().chain(json.then_some("--json")).collect();
        let ran = run(&socket, &arguments, "");
        check(name, &places, &arguments, (&daemon.finish(), &ran), &socket);
        // This daemon does not take it.
        assert!(!places.laid().exists(), "what the daemon did not take is left");
    }
}

#[test]
fn restoring_is_asked_about_and_only_yes_is_yes() {
    for (answer, goes_on) in [("y\n", true), ("n\n", false), ("\u{3}", false)] {
        let places = Places::new();
        fs::write(places.file(), "sealed").unwrap();
        let mut replies = vec![places.status()];
        replies.extend(goes_on.then(restored));
        let daemon = FakeDaemon::admin(replies);
        let mut terminal = Terminal::run(&daemon.socket(), &["restore", text(&places.file())], 80);
        terminal.wait_for("The database in use (12 users) is replaced by ");
        terminal.wait_for("Go on? [y/N] ");
        terminal.enter(answer);
        terminal.wait_for(if goes_on { "Restored from " } else { "mfactl: nothing was changed" });
        assert_eq!(terminal.end().1, i32::from(!goes_on));
        daemon.finish();
    }
    let places = Places::new();
    fs::write(places.file(), "sealed").unwrap();
    let daemon = FakeDaemon::admin(vec![places.status()]);
    let ran = run(&daemon.socket(), &["restore", text(&places.file())], "");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(!places.laid().exists());
    daemon.finish();
}

#[test]
fn a_backup_that_is_refused_does_not_stay_beside_the_database() {
    let places = Places::new();
    fs::write(places.file(), "sealed").unwrap();
    let refused = sample::refused(RefusalCode::Invalid, "mfad cannot restore the copy, and changed nothing");
    let daemon = FakeDaemon::admin(vec![places.status(), refused]);
    let ran = run(&daemon.socket(), &["restore", text(&places.file()), "-y"], "");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(!places.laid().exists());
    let seen = daemon.finish();
    assert!(matches!(seen.last(), Some(Seen::Request(request)) if matches!(**request, Request::Restore)));
    let daemon = FakeDaemon::admin(Vec::new());
    assert_eq!(run(&daemon.socket(), &["restore", "/nonexistent", "-y"], "").code, 1);
    assert!(daemon.finish().is_empty());
}
