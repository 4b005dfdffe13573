//! `[realm.NAME]`: users whom front ends ask about by another name than this host's accounts have.
//!
//! Refuses `local`, which is this host's own (`[identity]`), and the realm that stands for devices nobody has. No login
//! over PAM is of any realm here.

use mfa_proto::name::RealmName;

use super::{
    kinds::choice,
    reader::{Reader, Section},
    sections::Accounts,
    tree::Place,
};

/// The most realms.
const MOST: usize = 64;

/// A realm beside this host's own.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Realm {
    /// Its name.
    pub name: RealmName,
    /// Which names are users of it.
    pub accounts: Accounts,
}

/// The realms, in order of name.
pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Vec<Realm> {
    let mut all = reader.section(root, "realm");
    let mut realms = Vec::new();
    for (index, (name, place, section)) in reader.tables_beside_keys(&mut all).into_iter().enumerate() {
        if index == MOST {
            reader.fault(Some(place), format!("this is one realm too many: keep {MOST}"));
        }
        realms.extend(read_one(reader, &name, place, section));
    }
    reader.close(all);
    realms
}

/// Notes the keys of a realm as known, though there may be none.
pub(super) fn note_keys(reader: &mut Reader, place: Place) {
    let _none = read_one(reader, "name", place, Section::empty("realm.NAME"));
}

fn read_one(reader: &mut Reader, name: &str, place: Place, mut section: Section) -> Option<Realm> {
    let words = choice(&[("nss", Accounts::Nss), ("any", Accounts::Any)]);
    let accounts = reader.value(&mut section, "accounts", Accounts::Any, words).value;
    reader.close(section);
    match RealmName::new(name) {
        Ok(name) if name.is_local() => {
            reader
                .fault(Some(place), "[realm.local] is this host's own: its key is `accounts` in [identity]");
            None
        }
        Ok(name) if name.is_unassigned() => {
            reader.fault(Some(place), "[realm.unassigned] is taken: it stands for devices that nobody has");
            None
        }
        Ok(name) => Some(Realm { name, accounts }),
        Err(problem) => {
            reader.fault(Some(place), format!("[realm.\"…\"] {problem}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Config, ConfigErrors, Source},
        *,
    };

    fn read(text: &str) -> Result<Config, ConfigErrors> {
        Config::from_sources(&[Source { path: "m.toml".into(), text: text.to_owned() }])
    }

    #[test]
    fn realms_are_read_in_order_of_name() {
        let config = read("[realm.vpn]\n[realm.\"office.example.org\"]\naccounts = \"nss\"\n").unwrap();
        let read: Vec<_> =
            config.realms().iter().map(|realm| (realm.name.as_str(), realm.accounts)).collect();
        assert_eq!(read, [("office.example.org", Accounts::Nss), ("vpn", Accounts::Any)]);
        assert!(Config::default().realms().is_empty());
    }

    #[test]
    fn names_that_mean_something_else_are_refused() {
        for (text, told) in [
            ("[realm.local]\n", "[identity]"),
            ("[realm.unassigned]\n", "nobody has"),
            ("[realm.\"a/b\"]\n", "write a name"),
            ("[realm.vpn]\naccounts = \"all\"\n", "accounts"),
            ("[realm.vpn]\nusers = \"any\"\n", "users"),
        ] {
            let problems: Vec<_> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(told), "{text}: {problems:?}");
        }
    }
}
