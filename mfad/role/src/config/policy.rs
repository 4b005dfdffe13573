//! `[policy]`: which logins need a second factor. First matching rule wins; without one it is needed.
//!
//! Refuses rules that match nothing, that no login can reach, and one that would switch the second
//! factor off for everybody.

mod key;
mod matching;
mod network;
mod reach;
mod week;

use std::time::Duration;

use mfa_proto::{admin::FactorKind, name::FactorLabel};

pub use self::{
    key::{Fingerprint, KeyPattern},
    matching::{GroupName, Match, Side},
    network::Network,
    week::{Day, Hours, Week},
};
use super::{
    kinds::{Checked, choice, duration, label, line, number, text, words},
    mention::Mentioned,
    reader::{Found, Reader, Section},
    sections::{Accounts, Identity},
    suggest::printable,
    tree::{Place, Value},
};

/// The most bytes of a rule's name.
const MAX_RULE_NAME: usize = 64;
/// The most rules: every login looks through them.
const MAX_RULES: usize = 1000;
/// The most different factors that a rule may want.
const MAX_COUNT: u8 = 3;
/// How long a success may be remembered.
const REMEMBERED: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(30 * 86_400);
/// The longest name of a time zone.
const MAX_ZONE: usize = 64;

/// Which logins need a second factor.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// What becomes of a user who has no active factor where one is needed.
    pub unenrolled: Unenrolled,
    /// The time zone of the rules; `None` for the system's.
    pub timezone: Option<String>,
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
    /// Which kinds of factor count, where one is required; empty for all.
    pub kinds: Vec<FactorKind>,
    /// How many different factors have to be proven, where one is required.
    pub count: u8,
    /// How long a success is remembered, where a factor is required.
    pub remember: Option<Duration>,
    /// What becomes of a user who has no active factor, where one is required; `None` for what holds elsewhere.
    pub unenrolled: Option<Unenrolled>,
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

impl Action {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Skip => "skip",
            Self::Deny => "deny",
        }
    }
}

impl Policy {
    /// Whether somebody without a factor may be made to enroll one in a login, by a rule or without.
    pub(super) fn enrolls(&self) -> bool {
        let rules = self.rules.iter().any(|rule| rule.unenrolled == Some(Unenrolled::Enroll));
        rules || self.unenrolled == Unenrolled::Enroll
    }

    pub(super) fn read(reader: &mut Reader, root: &mut Section, identity: &Identity) -> Self {
        let mut section = reader.section(root, "policy");
        let unenrolled =
            reader.value(&mut section, "unenrolled", Unenrolled::Deny, choice(&UNENROLLED)).value;
        let timezone = reader.optional(&mut section, "timezone", zone);
        if let (Some(place), Some(name)) = (timezone.place, &timezone.value) {
            reader.mention(place, Mentioned::TimeZone, name);
        }
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
            if let Some(rule) = read_rule(reader, place, table, identity) {
                reach::judge(reader, &rules, place, &rule);
                rules.push((place, rule));
            }
        }
        let rules = rules.into_iter().map(|(_, rule)| rule).collect();
        Self { unenrolled, timezone: timezone.value, rules }
    }

    /// Notes the keys of a rule as known, though there may be none.
    pub(super) fn note_keys(reader: &mut Reader, place: Place) {
        let empty = Section::empty("policy.rule");
        let identity = Identity { accounts: Accounts::Nss };
        let _none = read_rule(reader, place, empty, &identity);
    }
}

/// A rule, when all it needs is there; else it has been told what is missing.
fn read_rule(reader: &mut Reader, place: Place, mut section: Section, identity: &Identity) -> Option<Rule> {
    let s = &mut section;
    let name = reader.optional(s, "name", line(MAX_RULE_NAME));
    let actions = choice(&[("require", Action::Require), ("skip", Action::Skip), ("deny", Action::Deny)]);
    let action = reader.optional(s, "action", actions);
    let wanted = Wanted::read(reader, s);
    if action.value.is_some_and(|action| action != Action::Require) {
        wanted.refuse_all(reader);
    }
    let match_place = s.place_of("match");
    let inner = reader.section(s, "match");
    let read = Match::read(reader, inner);
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
    if identity.accounts == Accounts::Any {
        let message = "`policy.rule.match.group` needs [identity] accounts = \"nss\": with \"any\", names are no accounts of this host and in none of its groups";
        reader.fault(read.groups_at, message);
    }
    let faulty = match_place.is_none() || read.faulty;
    let rule = Rule {
        name: name.value?,
        matches: read.matches,
        action: action.value?,
        default_factor: wanted.default_factor.value,
        kinds: wanted.kinds.value.unwrap_or_default(),
        count: wanted.count.value.unwrap_or(1),
        remember: wanted.remember.value,
        unenrolled: wanted.unenrolled.value,
    };
    (!faulty).then_some(rule)
}

/// What a rule says of the factors that it requires.
struct Wanted {
    default_factor: Found<Option<FactorLabel>>,
    kinds: Found<Option<Vec<FactorKind>>>,
    count: Found<Option<u8>>,
    remember: Found<Option<Duration>>,
    unenrolled: Found<Option<Unenrolled>>,
}

impl Wanted {
    fn read(reader: &mut Reader, section: &mut Section) -> Self {
        let wanted = Self {
            default_factor: reader.optional(section, "default_factor", label),
            kinds: reader.optional(section, "kinds", words(&KINDS)),
            count: reader.optional(section, "count", number(1..=MAX_COUNT)),
            remember: reader.optional(section, "remember", duration(REMEMBERED)),
            unenrolled: reader.optional(section, "unenrolled", choice(&UNENROLLED)),
        };
        if let (Some(first), Some(kinds)) = (&wanted.default_factor.value, &wanted.kinds.value)
            && let Some(kind) = FactorKind::ALL.into_iter().find(|kind| kind.word() == first.as_str())
            && !kinds.contains(&kind)
        {
            let message = format!("`default_factor` is \"{first}\", which is none of the `kinds` that count");
            reader.fault(wanted.default_factor.place, message);
        }
        wanted
    }

    /// Where no factor is required, none of it means anything.
    fn refuse_all(&self, reader: &mut Reader) {
        for (key, place) in [
            ("default_factor", self.default_factor.place),
            ("kinds", self.kinds.place),
            ("count", self.count.place),
            ("remember", self.remember.place),
            ("unenrolled", self.unenrolled.place),
        ] {
            reader.fault(place, format!("`{key}` is for rules that require a factor: remove it"));
        }
    }
}

/// The words for what becomes of users without a factor.
const UNENROLLED: [(&str, Unenrolled); 3] =
    [("deny", Unenrolled::Deny), ("skip", Unenrolled::Skip), ("enroll", Unenrolled::Enroll)];

/// The kinds that a rule may name. Emergency codes count for every rule.
const KINDS: [(&str, FactorKind); 7] = [
    ("totp", FactorKind::Totp),
    ("hotp", FactorKind::Hotp),
    ("recovery", FactorKind::Recovery),
    ("sms", FactorKind::Sms),
    ("mail", FactorKind::Mail),
    ("rest", FactorKind::Rest),
    ("token", FactorKind::Token),
];

/// The name of a time zone. Whether there is one is for those who need it.
fn zone(value: &Value) -> Checked<String> {
    let name = text(value)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
    if name.is_empty() || name.len() > MAX_ZONE || name.starts_with('/') || !name.bytes().all(plain) {
        return Err(format!(
            "cannot be \"{}\": write the name of a time zone, as \"Europe/Berlin\", or leave it out",
            printable(name)
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
