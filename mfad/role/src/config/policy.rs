//! `[policy]`: which logins need a second factor. First matching rule wins; without one it is needed.
//!
//! Refuses rules that match nothing, that no login can reach, and one that would switch the second
//! factor off for everybody.

use mfa_proto::name::{FactorLabel, ServiceName, UserName};

use super::{
    kinds::{choice, label, line, names},
    reader::{Reader, Section},
    tree::Place,
};

/// The most bytes of a rule's name.
const MAX_RULE_NAME: usize = 64;
/// The most rules: every login looks through them.
const MAX_RULES: usize = 1000;

/// Which logins need a second factor.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// What becomes of a user who has no active factor where one is needed.
    pub unenrolled: Unenrolled,
    /// In order: the first that matches decides.
    pub rules: Vec<Rule>,
}

/// What becomes of a user who has no active factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unenrolled {
    /// The login is denied.
    Deny,
    /// The login needs no second factor.
    Skip,
    /// A first factor is enrolled on the way.
    Enroll,
}

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// What logs and `mfactl` call it; no two rules have the same.
    pub name: String,
    /// Which logins it is for.
    pub matches: Match,
    /// What becomes of them.
    pub action: Action,
    /// The factor that is sent or begun without being asked for, where one is required: a label, an outside
    /// service, or a kind.
    pub default_factor: Option<FactorLabel>,
}

/// Which logins a rule is for: all that is given must fit; an empty list fits every login.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The PAM services.
    pub services: Vec<ServiceName>,
    /// The account names.
    pub users: Vec<UserName>,
}

impl Match {
    /// Whether a login is one of those meant.
    pub fn fits(&self, service: &ServiceName, user: &UserName) -> bool {
        (self.services.is_empty() || self.services.contains(service))
            && (self.users.is_empty() || self.users.contains(user))
    }

    fn fits_everyone(&self) -> bool {
        self.services.is_empty() && self.users.is_empty()
    }
}

/// What becomes of a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It needs a second factor.
    Require,
    /// It needs none.
    Skip,
    /// It is denied.
    Deny,
}

impl Policy {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "policy");
        let words =
            choice(&[("deny", Unenrolled::Deny), ("skip", Unenrolled::Skip), ("enroll", Unenrolled::Enroll)]);
        let unenrolled = reader.value(&mut section, "unenrolled", Unenrolled::Deny, words).value;
        let tables = reader.sections(&mut section, "rule");
        reader.close(section);
        let mut rules: Vec<(Place, Rule)> = Vec::with_capacity(tables.len());
        for (index, (place, table)) in tables.into_iter().enumerate() {
            if index == MAX_RULES {
                reader.fault(
                    Some(place),
                    format!("this is one rule too many: keep {MAX_RULES}, by longer lists"),
                );
            }
            if let Some(rule) = read_rule(reader, place, table) {
                refuse_useless(reader, &rules, place, &rule);
                rules.push((place, rule));
            }
        }
        Self { unenrolled, rules: rules.into_iter().map(|(_, rule)| rule).collect() }
    }

    /// Notes the keys of a rule as known, though there may be none.
    pub(super) fn note_keys(reader: &mut Reader, place: Place) {
        let empty = Section::empty("policy.rule");
        let _none = read_rule(reader, place, empty);
    }
}

/// A rule, when all it needs is there; else it has been told what is missing.
fn read_rule(reader: &mut Reader, place: Place, mut section: Section) -> Option<Rule> {
    let s = &mut section;
    let name = reader.optional(s, "name", line(MAX_RULE_NAME));
    let actions = choice(&[("require", Action::Require), ("skip", Action::Skip), ("deny", Action::Deny)]);
    let action = reader.optional(s, "action", actions);
    let default_factor = reader.optional(s, "default_factor", label);
    if default_factor.place.is_some() && action.value.is_some_and(|action| action != Action::Require) {
        let message = "`default_factor` is for rules that require a factor: remove it";
        reader.fault(default_factor.place, message);
    }
    let match_place = s.place_of("match");
    let mut inner = reader.section(s, "match");
    let services = reader.optional(&mut inner, "service", names::<ServiceName>("sshd"));
    let users = reader.optional(&mut inner, "user", names::<UserName>("root"));
    let unread = inner.is_unread();
    reader.close(inner);
    reader.close(section);
    for (key, missing) in [
        ("name = \"…\"", name.place.is_none()),
        ("action = \"require\"", action.place.is_none()),
        ("match = { service = [\"…\"] }", match_place.is_none()),
    ] {
        if missing {
            reader.fault(Some(place), format!("this rule is not whole: add `{key}`"));
        }
    }
    let faulty = match_place.is_none() || services.faulty || users.faulty || unread;
    let matches =
        Match { services: services.value.unwrap_or_default(), users: users.value.unwrap_or_default() };
    let rule =
        Rule { name: name.value?, matches, action: action.value?, default_factor: default_factor.value };
    (!faulty).then_some(rule)
}

fn refuse_useless(reader: &mut Reader, before: &[(Place, Rule)], place: Place, rule: &Rule) {
    let name = &rule.name;
    if rule.matches.fits_everyone() && rule.action == Action::Skip {
        let message = format!(
            "rule \"{name}\" would skip the second factor for every login: name a service or a user in `match`"
        );
        reader.fault(Some(place), message);
    }
    if before.iter().any(|(_, other)| other.name == *name) {
        reader
            .fault(Some(place), format!("another rule is called \"{name}\" too: give this one its own name"));
    }
    if let Some((_, all)) = before.iter().find(|(_, other)| other.matches.fits_everyone()) {
        let all = &all.name;
        let message = format!(
            "rule \"{name}\" is never reached, for \"{all}\" above it matches every login: move it up"
        );
        reader.fault(Some(place), message);
    }
}
