//! Whose a factor is: by the map that was given, by the account that was named, by what the input says.

use std::collections::BTreeMap;
use std::path::Path;

use mfa_proto::name::UserName;
use mfactl::import::{Name, Whose, shown_name};
use nix::fcntl::AT_FDCWD;

use super::{
    super::user,
    input::{Input, Speaker, shown},
    open,
};
use crate::failure::Failure;

/// What the command line says of names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The only account to import for.
    pub(super) only: Option<UserName>,
    /// Accounts by what the input calls them, or by the serial number of their token.
    pub(super) map: BTreeMap<String, UserName>,
}

/// Whose it is.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Holder {
    /// This account's.
    User(UserName),
    /// Of someone who is not asked for.
    LeftOut,
}

/// Nobody here can be said to hold it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NoHolder {
    /// What the input says, when it is fit to be shown.
    pub(super) name: Option<String>,
    /// Why not.
    pub(super) why: String,
    /// What to do.
    pub(super) hint: &'static str,
}

const NAME_IT: &str = "say whose it is by --user NAME, or by --map FILE";
const MAP_IT: &str = "say which account is meant by --map FILE";

impl Names {
    /// Reads the map, when one is given.
    pub(super) fn of(only: Option<UserName>, map: Option<&Path>) -> Result<Self, Failure> {
        let map = map.map_or(Ok(BTreeMap::new()), read_map)?;
        Ok(Self { only, map })
    }

    /// The holder of what stands in `input`, which calls him `whose`.
    pub(super) fn holder(&self, input: &Input, whose: &Whose) -> Result<Holder, NoHolder> {
        let user = match self.named(input, whose)? {
            Some(user) if self.only.as_ref().is_some_and(|only| *only != user) => return Ok(Holder::LeftOut),
            Some(user) => user,
            None => return Ok(Holder::LeftOut),
        };
        if !user::exists(&user) {
            let why = "there is no such account here".to_owned();
            return Err(NoHolder { name: shown_name(user.as_str()), why, hint: MAP_IT });
        }
        match &input.speaker {
            Speaker::Owner(_, Some(owner)) if *owner == user => Ok(Holder::User(user)),
            Speaker::Trusted => Ok(Holder::User(user)),
            Speaker::Owner(uid, owner) => {
                let owner = owner.as_ref().map_or_else(|| format!("uid {uid}"), ToString::to_string);
                let why = format!("the file belongs to {owner}, who could put any key into it");
                let hint = "when you trust it: chown root FILE, or give it on standard input (mfactl import - <FILE)";
                Err(NoHolder { name: shown_name(user.as_str()), why, hint })
            }
        }
    }

    /// Who is named; `None` is someone else than who is asked for.
    fn named(&self, input: &Input, whose: &Whose) -> Result<Option<UserName>, NoHolder> {
        let text = match &whose.name {
            Name::None => None,
            Name::Firm(text) | Name::Loose(text) => Some(text.as_str()),
        };
        let mapped = whose.serial.as_deref().and_then(|serial| self.map.get(serial));
        if let Some(user) = mapped.or_else(|| self.map.get(text?)) {
            return Ok(Some(user.clone()));
        }
        let nobody = |why: &str, hint| {
            let name = text.and_then(shown_name);
            Err(NoHolder { name, why: why.to_owned(), hint })
        };
        match (&whose.name, &self.only, &input.account) {
            (Name::Firm(name), ..) => match UserName::new(name.as_str()) {
                Ok(name) => Ok(Some(name)),
                Err(_) => nobody("what stands for the user is no name of an account", MAP_IT),
            },
            (Name::None | Name::Loose(_), Some(only), _) => Ok(Some(only.clone())),
            (Name::Loose(name), None, _) => match UserName::new(name.as_str()) {
                Ok(name) if user::exists(&name) => Ok(Some(name)),
                Ok(_) | Err(_) => nobody("its label is not the name of an account here", NAME_IT),
            },
            (Name::None, None, Some(account)) => Ok(Some(account.clone())),
            (Name::None, None, None) => nobody("nothing says whose it is", NAME_IT),
        }
    }
}

/// Reads lines of a name or serial number and, behind white space, an account.
fn read_map(path: &Path) -> Result<BTreeMap<String, UserName>, Failure> {
    let shown = shown(path);
    let content = open::file(AT_FDCWD, path).map_err(|why| Failure::local(format!("use {shown}"), &why))?;
    if !matches!(Speaker::of(content.uid), Speaker::Trusted) {
        return Err(Failure::usage(format!("{shown} is someone else's: chown root it when it is right")));
    }
    let text = std::str::from_utf8(&content.bytes).map_err(|e| Failure::local(format!("use {shown}"), &e))?;
    let mut map = BTreeMap::new();
    for (line, text) in (1_usize..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let pair = text.rsplit_once(char::is_whitespace);
        let pair = pair.and_then(|(name, user)| Some((name.trim_end(), UserName::new(user).ok()?)));
        let Some((name, user)) = pair else {
            return Err(Failure::usage(format!(
                "{shown}:{line}: this is not a name or serial number, and an account"
            )));
        };
        if map.insert(name.to_owned(), user).is_some() {
            return Err(Failure::usage(format!("{shown}:{line}: this name stands in it twice")));
        }
    }
    Ok(map)
}
