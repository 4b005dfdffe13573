//! A directory of home directories: the `.google_authenticator` in each, with the account it is for.
//!
//! Refuses links, files in the wrong home, and files of uids without account: everything below a home is under
//! the control of its owner.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mfa_proto::name::UserName;
use mfactl::import::Format;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;

use super::{
    super::user,
    input::{Input, Inputs, STATE_FILE, Speaker, account_of, is_home, shown},
    open::{self, NotRead},
    skip::{Place, Skip},
};

/// Adds what `path` holds: its own file when it is a home, else those of the directories in it.
pub(super) fn add(inputs: &mut Inputs, path: &Path, only: Option<&UserName>) {
    if matches!(home(inputs, path, only, true), Home::Told) {
        return;
    }
    let mut names: Vec<PathBuf> = match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => return inputs.skip(&shown(path), &NotRead::System(error.to_string())),
    };
    names.sort();
    let mut told = false;
    for name in names {
        told |= matches!(home(inputs, &name, only, false), Home::Told);
    }
    if !told {
        let why = format!("there is no {STATE_FILE} in it, nor in a directory in it");
        inputs.skipped.push(Skip::at(Place::of(&shown(path)), None, why));
    }
}

/// What became of one directory.
enum Home {
    /// There is no file in it.
    Empty,
    /// It is in the list, or left out, or the list says why it is not.
    Told,
}

fn home(inputs: &mut Inputs, path: &Path, only: Option<&UserName>, follow: bool) -> Home {
    let directory = match open::directory(AT_FDCWD, path, follow) {
        Ok(directory) => File::from(directory),
        // What is no directory, or a link to one, is no home.
        Err(Errno::ENOTDIR | Errno::ELOOP | Errno::ENOENT) => return Home::Empty,
        Err(errno) => {
            inputs.skip(&shown(path), &NotRead::System(errno.desc().to_owned()));
            return Home::Told;
        }
    };
    let file = path.join(STATE_FILE);
    let content = match open::file(&directory, Path::new(STATE_FILE)) {
        Ok(content) => content,
        Err(NotRead::Absent) => return Home::Empty,
        Err(why) => {
            inputs.skip(&shown(&file), &why);
            return Home::Told;
        }
    };
    match owner(path, &directory, content.uid) {
        Ok(account) if only.is_none_or(|user| *user == account) => {
            // Whoever runs this, a file in a home speaks for that home alone.
            let speaker = Speaker::Owner(content.uid, Some(account.clone()));
            let mut input = Input::of(shown(&file), content, speaker, Some(account));
            input.format = Some(Format::GoogleAuthenticator);
            inputs.inputs.push(input);
        }
        Ok(_left_out) => {}
        Err((user, why)) => {
            let mut skip = Skip::at(Place::of(&shown(&file)), user, why);
            skip.hint = Some("to import it all the same: mfactl import --user NAME FILE".to_owned());
            inputs.skipped.push(skip);
        }
    }
    Home::Told
}

/// Whom the file in the home `path` is for: its owner, whose home this must be; where root owns it, the account that
/// the directory is named for.
fn owner(path: &Path, directory: &File, uid: u32) -> Result<UserName, (Option<String>, String)> {
    let named = path.file_name().and_then(|name| name.to_str()).and_then(|name| UserName::new(name).ok());
    if uid == 0 {
        return match named {
            Some(name) if user::exists(&name) => Ok(name),
            Some(name) => {
                Err((Some(name.to_string()), format!("root owns it, and there is no account {name} here")))
            }
            None => Err((None, "root owns it, and its directory is not named for an account".to_owned())),
        };
    }
    let Some(account) = account_of(uid) else {
        return Err((
            named.map(|name| name.to_string()),
            format!("it belongs to uid {uid}, which has no account here"),
        ));
    };
    let here = directory.metadata().map(|about| (about.dev(), about.ino()));
    if named.as_ref() == Some(&account) || here.is_ok_and(|here| is_home(&account, here)) {
        return Ok(account);
    }
    Err((Some(account.to_string()), format!("it belongs to {account}, whose home this is not")))
}
