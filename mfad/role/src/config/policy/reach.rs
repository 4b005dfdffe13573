//! What one rule means for the others: which can never decide, and which share logins with one before.
//!
//! Refuses to guess who is in which group: where that would matter, nothing is said.

use super::{Action, Match, Rule, Side, key::KeyPattern, network::Network, week::Week};
use crate::config::{reader::Reader, tree::Place};

/// Tells what is wrong with `rule` in the light of those before it.
pub(super) fn judge(reader: &mut Reader, before: &[(Place, Rule)], place: Place, rule: &Rule) {
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
        return;
    }
    if let Some((_, other)) = before.iter().find(|(_, other)| other.matches.covers(&rule.matches)) {
        let (what, first) = (other.matches.fits_everyone(), &other.name);
        let what = if what { "every login" } else { "all that it does" };
        let message =
            format!("rule \"{name}\" is never reached, for \"{first}\" above it matches {what}: move it up");
        reader.fault(Some(place), message);
        return;
    }
    let shares = |other: &Rule| {
        other.action != rule.action
            && !rule.matches.covers(&other.matches)
            && other.matches.meets(&rule.matches)
    };
    if let Some((_, other)) = before.iter().find(|(_, other)| shares(other)) {
        let (first, decides, would) = (&other.name, other.action.word(), rule.action.word());
        let message = format!(
            "rule \"{name}\" ({would}) shares some logins with \"{first}\" above it, which decides those ({decides})"
        );
        reader.note(place, message);
    }
}

impl Match {
    pub(super) fn fits_everyone(&self) -> bool {
        // Every login of this host is of the realm `local`.
        let realms = self.realms.is_empty() || self.realms.iter().any(|realm| realm.as_str() == "local");
        Self { realms: Vec::new(), days: Vec::new(), hours: Vec::new(), ..self.clone() } == Self::default()
            && realms
    }

    /// Whether it fits every login that `other` fits.
    fn covers(&self, other: &Self) -> bool {
        within(&other.services, &self.services)
            && within(&other.clients, &self.clients)
            && within(&other.users, &self.users)
            && within(&other.groups, &self.groups)
            && within(&other.realms, &self.realms)
            && within(&other.key_fingerprints, &self.key_fingerprints)
            && covers_side(self, other)
            && covers_sources(&self.sources, &other.sources)
            && covers_keys(self, other)
            && covers_week(self.week.as_ref(), other.week.as_ref())
    }

    /// Whether some login surely fits both.
    fn meets(&self, other: &Self) -> bool {
        meet(&self.services, &other.services)
            && meet(&self.clients, &other.clients)
            && meet(&self.realms, &other.realms)
            && persons_meet(self, other)
            && sides_meet(self, other)
            && keys_meet(self, other)
            && match (&self.week, &other.week) {
                (Some(week), Some(others)) => week.meets(others),
                (None, _) | (_, None) => true,
            }
    }

    fn fits_anyone(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    fn names_keys(&self) -> bool {
        !self.key_types.is_empty() || !self.key_fingerprints.is_empty()
    }
}

/// Whether a list that bounds is within another; an empty one bounds nothing.
fn within<T: PartialEq>(inner: &[T], outer: &[T]) -> bool {
    outer.is_empty() || (!inner.is_empty() && inner.iter().all(|one| outer.contains(one)))
}

fn meet<T: PartialEq>(some: &[T], others: &[T]) -> bool {
    some.is_empty() || others.is_empty() || some.iter().any(|one| others.contains(one))
}

fn covers_side(outer: &Match, inner: &Match) -> bool {
    match outer.side {
        None => true,
        Some(Side::Remote) => inner.side == Some(Side::Remote) || !inner.sources.is_empty(),
        Some(Side::Local) => inner.side == Some(Side::Local),
    }
}

fn covers_sources(outer: &[Network], inner: &[Network]) -> bool {
    outer.is_empty() || (!inner.is_empty() && Network::all_within(inner, outer))
}

fn covers_keys(outer: &Match, inner: &Match) -> bool {
    if outer.key_types.is_empty() {
        return true;
    }
    if inner.key_types.is_empty() {
        return inner.names_keys() && outer.key_types.iter().any(KeyPattern::is_any);
    }
    inner.key_types.iter().all(|one| outer.key_types.iter().any(|pattern| pattern.covers(one)))
}

fn covers_week(outer: Option<&Week>, inner: Option<&Week>) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(outer), Some(inner)) => outer.covers(inner),
    }
}

/// Whether some person is surely meant by both.
fn persons_meet(one: &Match, other: &Match) -> bool {
    let alike = one.users.is_empty() == other.users.is_empty()
        && one.groups.is_empty() == other.groups.is_empty()
        && meet(&one.users, &other.users)
        && meet(&one.groups, &other.groups);
    one.fits_anyone() || other.fits_anyone() || alike
}

fn sides_meet(one: &Match, other: &Match) -> bool {
    let local = |m: &Match| m.side == Some(Side::Local);
    let remote = |m: &Match| m.side == Some(Side::Remote) || !m.sources.is_empty();
    let apart = (local(one) && remote(other)) || (remote(one) && local(other));
    let networks = one.sources.is_empty()
        || other.sources.is_empty()
        || one.sources.iter().any(|network| other.sources.iter().any(|others| network.meets(others)));
    !apart && networks
}

fn keys_meet(one: &Match, other: &Match) -> bool {
    let types = one
        .key_types
        .iter()
        .any(|pattern| other.key_types.iter().any(|others| pattern.covers(others) || others.covers(pattern)));
    if !one.names_keys() || !other.names_keys() {
        return true;
    }
    let alike = one.key_types.is_empty() == other.key_types.is_empty();
    alike && (types || one.key_types.is_empty()) && meet(&one.key_fingerprints, &other.key_fingerprints)
}
