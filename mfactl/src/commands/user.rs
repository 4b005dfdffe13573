//! Whose account a command is for.

use mfa_proto::name::{RealmName, UserId, UserName};
use nix::unistd::{User, getuid};

use super::Context;
use crate::{cli::OptionalUser, failure::Failure};

/// The user named, else the account this runs as. `SUDO_USER` is not asked: anyone can set it, and under
/// sudo the account is root; the person is told so.
pub(super) fn resolve(context: &mut Context, user: &OptionalUser) -> Result<UserId, Failure> {
    if let Some(name) = &user.user {
        return Ok(UserId { realm: user.realm.clone(), name: name.clone() });
    }
    if user.realm != RealmName::local() {
        return Err(Failure::usage("--realm needs a USER: the account this runs as is of realm local"));
    }
    let id = UserId::local(caller()?);
    if getuid().is_root() {
        context.out.note(&format!("No USER given: this is for {id}, the account mfactl runs as."));
    }
    Ok(id)
}

fn caller() -> Result<UserName, Failure> {
    let uid = getuid();
    let what = || format!("find the account of uid {uid}");
    let account = User::from_uid(uid).map_err(|e| Failure::local(what(), &e))?;
    let account = account
        .ok_or_else(|| Failure::local(what(), &"the host's account database has none; name a USER"))?;
    UserName::new(account.name).map_err(|e| Failure::local(what(), &e))
}

/// Whether the host has an account of this name. What cannot be looked up counts as one.
pub(super) fn exists(name: &UserName) -> bool {
    !matches!(User::from_name(name.as_str()), Ok(None))
}
