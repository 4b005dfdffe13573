//! Accounts of a world, in its own `/etc/passwd`. Refuses names that the host has: tests make theirs.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
    process::Command,
};

use crate::sys::run_with;

/// The password of accounts that have no other. It does not end in a digit, so that combined mode splits it
/// from a code in one way only.
pub const PASSWORD: &str = "Horse7 staple";

/// An account of a world.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its user and group id.
    pub uid: u32,
    /// Its home directory.
    pub home: PathBuf,
}

impl Account {
    /// A command that runs as this account, with its groups and home.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", self.uid))
            .arg(format!("--regid={}", self.uid))
            .args(["--init-groups", "--", program])
            .env("HOME", &self.home)
            .env("USER", &self.name);
        command
    }
}

pub(super) fn add(name: &str, password: &str) -> Account {
    let account = add_locked(name);
    // Few rounds: how hard a password is to guess is not what is tested.
    let mut chpasswd = Command::new("chpasswd");
    run_with(chpasswd.args(["-c", "SHA512", "-s", "1000"]), &format!("{name}:{password}\n")).ok();
    account
}

pub(super) fn add_locked(name: &str) -> Account {
    let home = PathBuf::from("/home").join(name);
    let account = Account { name: name.to_owned(), uid: next_uid(), home };
    let Account { uid, home, .. } = &account;
    append("/etc/group", &format!("{name}:x:{uid}:"));
    append("/etc/passwd", &format!("{name}:x:{uid}:{uid}::{}:/bin/sh", home.display()));
    append("/etc/shadow", &format!("{name}:!:19000:0:99999:7:::"));
    fs::create_dir_all(home).expect("/home is the world's own");
    chown(home, Some(*uid), Some(*uid)).expect("root may");
    fs::set_permissions(home, fs::Permissions::from_mode(0o700)).expect("root may");
    account
}

pub(super) fn add_service(name: &str) -> Account {
    let account = Account { name: name.to_owned(), uid: next_uid(), home: PathBuf::from("/") };
    append("/etc/group", &format!("{name}:x:{}:", account.uid));
    append("/etc/passwd", &format!("{name}:x:{0}:{0}::/:/usr/sbin/nologin", account.uid));
    account
}

/// Takes the host's people out of the copied account files: their names are free for tests.
pub(super) fn forget_people() {
    let is_system = |id: &str| id.parse::<u32>().is_ok_and(|id| !(1000..65_000).contains(&id));
    for (file, secrets) in [("/etc/passwd", "/etc/shadow"), ("/etc/group", "/etc/gshadow")] {
        let kept = filter(file, |line| line.split(':').nth(2).is_some_and(is_system));
        let names: Vec<&str> = kept.lines().filter_map(|line| line.split(':').next()).collect();
        if fs::exists(secrets).expect("root may") {
            filter(secrets, |line| line.split(':').next().is_some_and(|name| names.contains(&name)));
        }
    }
}

/// Keeps some lines of a file; what is left of it.
fn filter(file: &str, keep: impl Fn(&str) -> bool) -> String {
    let text = fs::read_to_string(file).expect("the world has its account files");
    let kept: String = text.lines().filter(|line| keep(line)).flat_map(|line| [line, "\n"]).collect();
    fs::write(file, &kept).expect("the world's /etc is writable");
    kept
}

/// The first free id from 2000 on.
fn next_uid() -> u32 {
    let ids: Vec<u32> = ["/etc/passwd", "/etc/group"]
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).expect("the world has its account files");
            text.lines().filter_map(|line| line.split(':').nth(2)?.parse().ok()).collect::<Vec<u32>>()
        })
        .collect();
    (2000..60_000).find(|id| !ids.contains(id)).expect("some id is free")
}

fn append(file: &str, line: &str) {
    let text = fs::read_to_string(file).expect("the world has its account files");
    let name = line.split(':').next().expect("split gives at least one part");
    assert!(!text.lines().any(|l| l.split(':').next() == Some(name)), "{file} already has {name}");
    let mut file = OpenOptions::new().append(true).open(file).expect("the world's /etc is writable");
    writeln!(file, "{line}").expect("the world's /etc is writable");
}
