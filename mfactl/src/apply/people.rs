//! Who must still get in: administrators, and whoever runs this.

use std::collections::BTreeSet;

use mfa_proto::name::{UserId, UserName};
use nix::unistd::{Group, Uid, User};

use crate::doctor::host::Host;
use crate::doctor::users;

/// Groups whose members administer.
const GROUPS: [&str; 3] = ["sudo", "wheel", "admin"];

/// Who runs this, as far as can be told.
#[derive(Debug)]
pub(crate) struct Caller;

impl Caller {
    /// The person behind root: as whom the session logged in (the kernel's word), else what sudo says. A hint: it
    /// gives no right to anything.
    pub(crate) fn hint() -> Option<UserName> {
        let own = || {
            let uid: u32 = std::fs::read_to_string("/proc/self/loginuid").ok()?.trim().parse().ok()?;
            // 4294967295: nobody logged in.
            let uid = (uid != u32::MAX && uid != 0).then(|| Uid::from_raw(uid))?;
            UserName::new(User::from_uid(uid).ok()??.name).ok()
        };
        let by_sudo = || {
            let name = std::env::var_os("SUDO_USER")?.into_string().ok().filter(|name| name != "root")?;
            User::from_name(&name).ok()??;
            UserName::new(name).ok()
        };
        own().or_else(by_sudo)
    }
}

/// Members of the groups that administer, without root.
pub(super) fn administrators() -> BTreeSet<String> {
    let members =
        |name: &&str| Group::from_name(name).ok().flatten().map(|group| group.mem).unwrap_or_default();
    GROUPS.iter().flat_map(members).filter(|name| name != "root").collect()
}

/// All accounts of this host with a shell.
pub(super) fn accounts() -> BTreeSet<String> {
    let host = Host::below(std::path::Path::new("/"));
    users::login_accounts(&host).unwrap_or_default().into_iter().map(String::from).collect()
}

/// The user, as the daemon names it.
pub(super) fn id(name: &str) -> Option<UserId> {
    UserName::new(name).ok().map(UserId::local)
}

/// Whether the host's own file says that nobody can type this account's password. What is kept elsewhere is not
/// known to have none.
pub(crate) fn has_no_password(name: &str) -> bool {
    let Ok(text) = std::fs::read_to_string("/etc/shadow") else { return false };
    let field = |line: &str| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.next().unwrap_or_default().to_owned())
    };
    text.lines().find_map(field).is_some_and(|field| field.starts_with(['!', '*']))
}

/// The one account of a person that this host has, when there is only one.
pub(crate) fn only_person() -> Option<UserName> {
    let person = |name: &String| {
        let account = User::from_name(name).ok().flatten();
        account.is_some_and(|account| (1000..60_000).contains(&account.uid.as_raw()))
    };
    let mut people = accounts().into_iter().filter(person);
    let first = people.next()?;
    if people.next().is_some() { None } else { UserName::new(first).ok() }
}
