//! Whose a factor is: by the map that was given, by the account that was named, by what the input says.

use std::collections::BTreeMap;
use std::path::Path;

use mfa_proto::name::UserName;
use mfactl::import::{Name, Whose, shown_name};
use nix::fcntl::AT_FDCWD;

use super::{
    accounts::{Accounts, is_trusted},
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
    pub(super) fn holder(
        &self,
        input: &Input,
        whose: &Whose,
        accounts: &impl Accounts,
    ) -> Result<Holder, NoHolder> {
        let user = match self.named(input, whose, accounts)? {
            Some(user) if self.only.as_ref().is_some_and(|only| *only != user) => return Ok(Holder::LeftOut),
            Some(user) => user,
            None => return Ok(Holder::LeftOut),
        };
        if !accounts.exists(&user) {
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
    fn named(
        &self,
        input: &Input,
        whose: &Whose,
        accounts: &impl Accounts,
    ) -> Result<Option<UserName>, NoHolder> {
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
                Ok(name) if accounts.exists(&name) => Ok(Some(name)),
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
    if !is_trusted(content.uid) {
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

#[cfg(test)]
mod tests {
    use super::{super::accounts::Few, *};

    fn user(name: &str) -> UserName {
        UserName::new(name).unwrap()
    }

    fn input(speaker: Speaker, account: Option<&str>) -> Input {
        Input {
            path: "f".into(),
            bytes: zeroize::Zeroizing::default(),
            speaker,
            account: account.map(user),
            format: None,
            readable: false,
            identity: None,
        }
    }

    fn names(only: Option<&str>, map: &[(&str, &str)]) -> Names {
        Names {
            only: only.map(user),
            map: map.iter().map(|(name, to)| ((*name).to_owned(), user(to))).collect(),
        }
    }

    fn whose(name: Name) -> Whose {
        Whose { serial: Some("42".into()), name }
    }

    fn firm(name: &str) -> Whose {
        whose(Name::Firm(name.into()))
    }

    fn loose(name: &str) -> Whose {
        whose(Name::Loose(name.into()))
    }

    #[test]
    fn the_map_comes_first_then_the_name() {
        let file = input(Speaker::Trusted, None);
        let held =
            |names: &Names, whose: &Whose| names.holder(&file, whose, &Few).map_err(|nobody| nobody.hint);
        let alice = || Ok(Holder::User(user("alice")));
        assert_eq!(held(&names(None, &[]), &firm("alice")), alice());
        assert_eq!(held(&names(None, &[]), &loose("alice")), alice());
        assert_eq!(held(&names(None, &[("42", "alice"), ("bob", "root")]), &firm("bob")), alice());
        assert_eq!(held(&names(None, &[("bob", "alice")]), &firm("bob")), alice());
        assert_eq!(held(&names(Some("alice"), &[]), &loose("Example:x")), alice());
        assert_eq!(held(&names(Some("alice"), &[]), &whose(Name::None)), alice());
        assert_eq!(held(&names(Some("alice"), &[]), &firm("bob")), Ok(Holder::LeftOut));
        assert_eq!(held(&names(Some("alice"), &[("42", "bob")]), &loose("alice")), Ok(Holder::LeftOut));
        assert_eq!(held(&names(None, &[]), &firm("carol")), Err(MAP_IT));
        assert_eq!(held(&names(None, &[]), &firm("a/b")), Err(MAP_IT));
        assert_eq!(held(&names(None, &[("42", "carol")]), &firm("alice")), Err(MAP_IT));
        assert_eq!(held(&names(None, &[]), &loose("me@example.org")), Err(NAME_IT));
        assert_eq!(held(&names(None, &[]), &whose(Name::None)), Err(NAME_IT));
    }

    #[test]
    fn a_file_speaks_for_its_owner_and_roots_for_all() {
        let owned = |uid, name: Option<&str>| input(Speaker::Owner(uid, name.map(user)), name);
        let all = names(None, &[]);
        let held = |file: &Input, whose: &Whose| all.holder(file, whose, &Few);
        assert_eq!(held(&owned(1000, Some("alice")), &whose(Name::None)), Ok(Holder::User(user("alice"))));
        assert_eq!(held(&owned(1000, Some("alice")), &firm("alice")), Ok(Holder::User(user("alice"))));
        for (file, owner) in [(owned(1000, Some("alice")), "alice"), (owned(4242, None), "uid 4242")] {
            let nobody = held(&file, &firm("bob")).unwrap_err();
            assert_eq!(nobody.why, format!("the file belongs to {owner}, who could put any key into it"));
        }
        let only = names(Some("bob"), &[]);
        assert!(only.holder(&owned(1000, Some("alice")), &whose(Name::None), &Few).is_err());
    }

    #[test]
    fn a_name_that_may_be_a_key_is_not_repeated() {
        let nobody = names(None, &[]).holder(&input(Speaker::Trusted, None), &firm("JBSWY3DPEHPK3PXP"), &Few);
        assert_eq!(nobody.unwrap_err().name, None);
    }

    #[test]
    fn maps_are_lines_of_a_name_and_an_account() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_map(&path).map_err(|failure| failure.to_string())
        };
        let map = read("# whose\n\n2308154 alice\nCN=John Smith\tbob\n").unwrap();
        let pairs: Vec<_> = map.iter().map(|(name, to)| (name.as_str(), to.as_str())).collect();
        assert_eq!(pairs, [("2308154", "alice"), ("CN=John Smith", "bob")]);
        assert!(read("\nalice\n").unwrap_err().contains("map:2: "));
        assert!(read("1 a/b").unwrap_err().contains("map:1: "));
        assert!(read("1 alice\n1 bob").unwrap_err().contains("map:2: this name stands in it twice"));
        assert!(read_map(&directory.path().join("none")).is_err());
    }
}
