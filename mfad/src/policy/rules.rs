//! All rules, beside what is told of each without looking at it: most of a thousand are passed over by that.
//!
//! Refuses to say that a rule fits: it only leaves out what cannot.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Deref,
};

use mfa_proto::name::{ServiceName, UserName};

use super::{Request, Rule};

/// All rules, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rules {
    all: Vec<Rule>,
    /// Of each, in the same order.
    gates: Vec<Gate>,
}

/// What a rule is for at most, in as few bytes as can be. A bit for each name, which others may share: one that
/// is not set is certain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Gate {
    services: u64,
    users: u64,
    address: bool,
    key: bool,
    group: bool,
}

impl Gate {
    fn of(rule: &Rule) -> Self {
        let matches = &rule.matches;
        Self {
            services: bits(&matches.services, ServiceName::as_str),
            users: bits(&matches.users, UserName::as_str),
            address: !matches.sources.is_empty(),
            key: !matches.key_types.is_empty() || !matches.key_fingerprints.is_empty(),
            group: !matches.groups.is_empty(),
        }
    }

    /// What a login has to show.
    fn login(request: &Request<'_>) -> Self {
        Self {
            services: bit(request.service.as_str()),
            users: bit(request.user.name.as_str()),
            address: request.origin.source.address().is_some(),
            key: !request.origin.keys.is_empty(),
            group: true,
        }
    }

    /// Whether a rule behind this may fit `login`.
    const fn may_fit(self, login: Self) -> bool {
        self.services & login.services != 0
            && self.users & login.users != 0
            && (login.address || !self.address)
            && (login.key || !self.key)
    }
}

/// The bits of all; without any, every bit.
fn bits<T>(names: &[T], text: impl Fn(&T) -> &str) -> u64 {
    names.iter().map(|name| bit(text(name))).reduce(|all, one| all | one).unwrap_or(u64::MAX)
}

/// One of 64 bits. Whoever makes names share one gains nothing: the rule is then looked at.
fn bit(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    1 << (hasher.finish() >> 58)
}

impl Rules {
    /// Those that may fit a login, in order.
    pub(super) fn that_may_fit(&self, request: &Request<'_>) -> impl Iterator<Item = &Rule> {
        self.behind(request, |_| true)
    }

    /// Those of them that are about groups.
    pub(super) fn about_groups(&self, request: &Request<'_>) -> impl Iterator<Item = &Rule> {
        self.behind(request, |gate| gate.group)
    }

    fn behind(&self, request: &Request<'_>, wanted: fn(&Gate) -> bool) -> impl Iterator<Item = &Rule> {
        let login = Gate::login(request);
        let gates = self.gates.iter().zip(&self.all);
        gates.filter(move |(gate, _)| gate.may_fit(login) && wanted(gate)).map(|(_, rule)| rule)
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let all: Vec<Rule> = rules.into_iter().collect();
        Self { gates: all.iter().map(Gate::of).collect(), all }
    }
}

/// To look at: what is changed would no longer be what is said of it.
impl Deref for Rules {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.all
    }
}
