//! `match` of a rule: which logins it is for. Refuses what no login can fit.

use std::str::FromStr;

use mfa_proto::name::{ClientName, RealmName, ServiceName, UserName};

use super::{
    key::{Fingerprint, KeyPattern},
    network::Network,
    week::{Day, Hours, Week},
};
use crate::config::{
    kinds::{choice, names, placed_names},
    mention::Mentioned,
    reader::{Reader, Section},
    tree::Place,
};

/// Which logins a rule is for: all that is given must fit; an empty list fits every login.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The PAM services.
    pub services: Vec<ServiceName>,
    /// The clients of a front end.
    pub clients: Vec<ClientName>,
    /// The account names.
    pub users: Vec<UserName>,
    /// The groups of which the account is in one at least.
    pub groups: Vec<GroupName>,
    /// Where names are looked up.
    pub realms: Vec<RealmName>,
    /// The networks of which the login comes from one.
    pub sources: Vec<Network>,
    /// Whether the login comes from elsewhere.
    pub side: Option<Side>,
    /// The days of the week.
    pub days: Vec<Day>,
    /// The hours of the day.
    pub hours: Vec<Hours>,
    /// What days and hours are together; `None` for always.
    pub week: Option<Week>,
    /// The types that a key may have which sshd accepted.
    pub key_types: Vec<KeyPattern>,
    /// The fingerprints that it may have.
    pub key_fingerprints: Vec<Fingerprint>,
}

/// Whether a login comes from elsewhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// No remote host was named.
    Local,
    /// A remote host was named, whatever it is.
    Remote,
}

/// The name of a group, as the host's account database has it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct GroupName(String);

impl GroupName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let forbidden = |c: char| c.is_control() || matches!(c, ':' | ',');
        if text.is_empty() || text.len() > UserName::MAX || text.chars().any(forbidden) {
            return Err("write the name of a group, as `getent group` shows it");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What was read of a match.
pub(super) struct Read {
    pub(super) matches: Match,
    /// Something of it could not be used, and has been told.
    pub(super) faulty: bool,
    /// Where groups are named.
    pub(super) groups_at: Option<Place>,
}

impl Match {
    pub(super) fn read(reader: &mut Reader, mut section: Section) -> Read {
        let s = &mut section;
        let services = reader.optional(s, "service", names("sshd"));
        let clients = reader.optional(s, "client", names("vpn"));
        let users = reader.optional(s, "user", placed_names("root"));
        let groups = reader.optional(s, "group", placed_names("wheel"));
        let sources = reader.optional(s, "source", names("10.20.0.0/16"));
        let sides = choice(&[("local", Side::Local), ("remote", Side::Remote)]);
        let side = reader.optional(s, "origin", sides);
        let hours = reader.optional(s, "hours", names("22:00-06:00"));
        let days = reader.optional(s, "days", names("sat"));
        let key_types = reader.optional(s, "key_type", names("sk-*"));
        let prints = reader.optional(s, "key_fingerprint", names("SHA256:…"));
        let realms = reader.optional(s, "realm", names("local"));
        let faulty = [
            services.faulty || users.faulty || groups.faulty || sources.faulty || side.faulty,
            hours.faulty
                || days.faulty
                || key_types.faulty
                || prints.faulty
                || realms.faulty
                || clients.faulty,
            s.is_unread(),
        ]
        .contains(&true);
        reader.close(section);
        let (days, hours) = (days.value.unwrap_or_default(), hours.value.unwrap_or_default());
        let matches = Self {
            services: services.value.unwrap_or_default(),
            clients: clients.value.unwrap_or_default(),
            users: mentioned(reader, Mentioned::User, users.value, UserName::as_str),
            groups: mentioned(reader, Mentioned::Group, groups.value, GroupName::as_str),
            realms: realms.value.unwrap_or_default(),
            sources: sources.value.unwrap_or_default(),
            side: side.value,
            week: Week::of(&days, &hours),
            days,
            hours,
            key_types: key_types.value.unwrap_or_default(),
            key_fingerprints: prints.value.unwrap_or_default(),
        };
        if !matches.sources.is_empty() && matches.side == Some(Side::Local) {
            let message = "`origin` is \"local\", and a login at this host comes from no network: remove one";
            reader.fault(side.place, message);
        }
        Read { matches, faulty, groups_at: groups.place }
    }
}

/// Names that mean something on the host, noted with their places.
fn mentioned<T>(
    reader: &mut Reader,
    what: Mentioned,
    names: Option<Vec<(Place, T)>>,
    text: impl Fn(&T) -> &str,
) -> Vec<T> {
    let names = names.unwrap_or_default();
    for (place, name) in &names {
        reader.mention(*place, what, text(name));
    }
    names.into_iter().map(|(_, name)| name).collect()
}
