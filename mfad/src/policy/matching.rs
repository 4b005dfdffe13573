//! Whether a rule fits a login: one condition after the other, the same for logins and for explanations.
//!
//! Refuses to take what is not known for "no": a group that could not be looked up, and the time on a host
//! whose clock is not set, leave the login undecided.

use std::cell::OnceCell;

use super::{Key, Request, Rule, Source, Zone, zone::Moment};
use crate::config::{Match, Side};

/// Why no rule can be said to decide.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Undecided {
    /// It is not known who is in a group.
    #[error(
        "rule \"{rule}\" is about group {group}, which cannot be looked up: see that `getent group {group}` works, then reload"
    )]
    Group {
        /// The rule.
        rule: String,
        /// The group.
        group: String,
    },
    /// It is not known what time it is.
    #[error("rule \"{rule}\" is about hours or days, and the host's clock is not set")]
    Time {
        /// The rule.
        rule: String,
    },
}

/// The first condition of a rule that a login does not meet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unmet {
    Service,
    Client,
    User,
    Realm,
    Source,
    Side,
    Key,
    Time,
    Group,
}

/// One look at the rules for one login.
#[derive(Debug)]
pub(super) struct Look<'a> {
    request: &'a Request<'a>,
    zone: Option<&'a Zone>,
    moment: OnceCell<Option<Moment>>,
}

impl<'a> Look<'a> {
    pub(super) fn new(request: &'a Request<'a>, zone: Option<&'a Zone>) -> Self {
        Self { request, zone, moment: OnceCell::new() }
    }

    /// The first condition that is not met; `None` when the rule fits.
    pub(super) fn unmet(&self, rule: &Rule) -> Result<Option<Unmet>, Undecided> {
        match self.unmet_but_group(rule)? {
            None if self.is_in_group(rule)? => Ok(None),
            None => Ok(Some(Unmet::Group)),
            Some(unmet) => Ok(Some(unmet)),
        }
    }

    /// The same, as if the account were in every group.
    pub(super) fn unmet_but_group(&self, rule: &Rule) -> Result<Option<Unmet>, Undecided> {
        let (request, matches) = (self.request, &rule.matches);
        let bounds = |bounded: bool, met: bool, unmet: Unmet| (bounded && !met).then_some(unmet);
        let unmet =
            bounds(!matches.services.is_empty(), matches.services.contains(request.service), Unmet::Service)
                .or_else(|| {
                    let is_one = |client| matches.clients.contains(client);
                    bounds(!matches.clients.is_empty(), request.client.is_some_and(is_one), Unmet::Client)
                })
                .or_else(|| {
                    bounds(!matches.users.is_empty(), matches.users.contains(&request.user.name), Unmet::User)
                })
                .or_else(|| {
                    bounds(
                        !matches.realms.is_empty(),
                        matches.realms.contains(&request.user.realm),
                        Unmet::Realm,
                    )
                })
                .or_else(|| bounds(true, side_fits(matches, request.origin.source), Unmet::Side))
                .or_else(|| bounds(true, source_fits(matches, request.origin.source), Unmet::Source))
                .or_else(|| bounds(true, key_fits(matches, &request.origin.keys), Unmet::Key));
        let Some(week) = matches.week.as_ref().filter(|_| unmet.is_none()) else { return Ok(unmet) };
        let moment = self.moment().ok_or_else(|| Undecided::Time { rule: rule.name.clone() })?;
        Ok((!week.holds(moment.day, moment.minute)).then_some(Unmet::Time))
    }

    fn moment(&self) -> Option<Moment> {
        *self.moment.get_or_init(|| self.zone?.moment(self.request.now))
    }

    /// Being in one that is known is enough; else each has to be known.
    fn is_in_group(&self, rule: &Rule) -> Result<bool, Undecided> {
        if rule.matches.groups.is_empty() {
            return Ok(true);
        }
        let is_in = |gid: &Option<u32>| gid.and_then(|gid| self.request.membership?.is_in(gid));
        if rule.gids.iter().any(|gid| is_in(gid) == Some(true)) {
            return Ok(true);
        }
        let gids = rule.gids.iter().map(Some).chain(std::iter::repeat(None));
        let unknown = rule.matches.groups.iter().zip(gids).find(|(_, gid)| gid.and_then(is_in).is_none());
        match unknown {
            None => Ok(false),
            Some((group, _)) => {
                Err(Undecided::Group { rule: rule.name.clone(), group: group.as_str().to_owned() })
            }
        }
    }
}

fn side_fits(matches: &Match, source: Source) -> bool {
    match matches.side {
        None => true,
        Some(Side::Local) => !source.is_remote(),
        Some(Side::Remote) => source.is_remote(),
    }
}

fn source_fits(matches: &Match, source: Source) -> bool {
    let held = |address| matches.sources.iter().any(|network| network.holds(address));
    matches.sources.is_empty() || source.address().is_some_and(held)
}

/// One key has to fit by type and by fingerprint.
fn key_fits(matches: &Match, keys: &[Key]) -> bool {
    let (types, prints) = (&matches.key_types, &matches.key_fingerprints);
    let fits = |key: &Key| {
        (types.is_empty() || types.iter().any(|pattern| pattern.fits(&key.key_type)))
            && (prints.is_empty() || prints.iter().any(|print| print.as_str() == key.fingerprint))
    };
    (types.is_empty() && prints.is_empty()) || keys.iter().any(fits)
}
