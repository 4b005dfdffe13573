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
    accounts::{Accounts, Host},
    input::{Input, Inputs, STATE_FILE, Speaker, shown},
    open::{self, NotRead},
    skip::{Place, Skip},
};

/// Adds what `path` holds: its own file when it is a home, else those of the directories in it.
pub(super) fn add(inputs: &mut Inputs, path: &Path, only: Option<&UserName>) {
    if matches!(home(inputs, path, true), Home::Told) {
        return;
    }
    let mut homes: Vec<PathBuf> = match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => return inputs.skip(&shown(path), &NotRead::System(error.to_string())),
    };
    homes.sort();
    let mut told = false;
    for path in homes {
        let mut here = Inputs::default();
        told |= matches!(home(&mut here, &path, false), Home::Told);
        // Of a home that is not asked for, nothing is told, not even what is wrong with it.
        let asked = |account: Option<&str>| only.is_none_or(|only| account == Some(only.as_str()));
        let named = path.file_name().and_then(|name| name.to_str());
        here.inputs.retain(|input| asked(input.account.as_ref().map(UserName::as_str)));
        here.skipped.retain(|skip| asked(skip.user.as_deref()) || asked(named));
        inputs.inputs.append(&mut here.inputs);
        inputs.skipped.append(&mut here.skipped);
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

fn home(inputs: &mut Inputs, path: &Path, follow: bool) -> Home {
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
    let named = path.file_name().and_then(|name| name.to_str()).and_then(|name| UserName::new(name).ok());
    let content = match open::file(&directory, Path::new(STATE_FILE)) {
        Ok(content) => content,
        Err(NotRead::Absent) => return Home::Empty,
        Err(why) => {
            inputs.skip(&shown(&file), &why);
            let user = named.filter(|name| Host.exists(name)).map(String::from);
            inputs.skipped.last_mut().into_iter().for_each(|skip| skip.user.clone_from(&user));
            return Home::Told;
        }
    };
    let here = directory.metadata().map_or((0, 0), |about| (about.dev(), about.ino()));
    match owner(named.as_ref(), here, content.uid, &Host) {
        Ok(account) => {
            // Whoever runs this, a file in a home speaks for that home alone.
            let speaker = Speaker::Owner(content.uid, Some(account.clone()));
            let mut input = Input::of(shown(&file), content, speaker, Some(account));
            input.format = Some(Format::GoogleAuthenticator);
            inputs.inputs.push(input);
        }
        Err(nobody) => {
            let known = nobody.user.as_ref().is_some_and(|name| Host.exists(name));
            let user = nobody.user.map(|name| name.to_string());
            let hint = nobody.hint.unwrap_or_else(|| {
                let name = user.as_deref().filter(|_| known).unwrap_or("NAME");
                format!("to import it all the same: mfactl import --user {name} {}", shown(&file))
            });
            inputs.skipped.push(Skip::at(Place::of(&shown(&file)), user, nobody.why).hint(hint));
        }
    }
    Home::Told
}

/// Why a file in a home is nobody's.
#[derive(Debug, Eq, PartialEq)]
struct Nobody {
    user: Option<UserName>,
    why: String,
    /// `None`: name the user.
    hint: Option<String>,
}

/// Whom the file in a home is for: its owner, whose home this must be; where root owns it, the account that the
/// directory is `named` for. `here` is the device and inode of the directory.
fn owner(
    named: Option<&UserName>,
    here: (u64, u64),
    uid: u32,
    accounts: &impl Accounts,
) -> Result<UserName, Nobody> {
    let no = |user: Option<&UserName>, why: String, hint| Err(Nobody { user: user.cloned(), why, hint });
    if uid == 0 {
        return match named {
            Some(name) if accounts.exists(name) => Ok(name.clone()),
            _ => no(named, "root owns it, and no account has the name of its directory".to_owned(), None),
        };
    }
    let Some(account) = accounts.of_uid(uid) else {
        let hint = "give the home to its account (chown -R), or delete it".to_owned();
        return no(named, format!("it belongs to uid {uid}, which has no account here"), Some(hint));
    };
    if named == Some(&account) || accounts.is_home(&account, here) {
        return Ok(account);
    }
    no(Some(&account), format!("it belongs to {account}, whose home this is not"), None)
}

#[cfg(test)]
mod tests {
    use super::{super::accounts::Few, *};

    fn whose(named: &str, inode: u64, uid: u32) -> Result<String, (Option<String>, String)> {
        let named = UserName::new(named).ok();
        let found = owner(named.as_ref(), (1, inode), uid, &Few);
        found.map(String::from).map_err(|nobody| (nobody.user.map(String::from), nobody.why))
    }

    #[test]
    fn a_file_is_its_owners_in_the_owners_home() {
        assert_eq!(whose("alice", 9, 1000), Ok("alice".into()), "a copy of the home, named for her");
        assert_eq!(whose("home-of-alice", 7, 1000), Ok("alice".into()), "her home by another name");
        assert_eq!(whose("bob", 9, 0), Ok("bob".into()), "put there by root");
    }

    #[test]
    fn everything_else_is_nobodys() {
        let some = |name: &str| Some(name.to_owned());
        for (named, inode, uid, user, part) in [
            ("alice", 7, 1001, some("bob"), "whose home this is not"),
            ("alice.old", 9, 1000, some("alice"), "whose home this is not"),
            ("alice", 7, 4242, some("alice"), "uid 4242"),
            ("lost+found", 9, 0, some("lost+found"), "no account has the name"),
            ("", 9, 0, None, "no account has the name"),
        ] {
            let (who, why) = whose(named, inode, uid).unwrap_err();
            assert!(who == user && why.contains(part), "{named} {uid}: {who:?} {why}");
        }
    }
}
