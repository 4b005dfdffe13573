//! Why a rule decides and those before it do not, in sentences for people.

use std::fmt::Display;

use super::{
    Request, Rule, Source, Undecided,
    matching::{Look, Unmet},
};
use crate::{
    config::{Fingerprint, Side},
    policy::Policy,
};

/// What was found on the way to the rule that decides.
#[derive(Debug, Eq, PartialEq)]
pub struct Path {
    /// What decides, or why nothing can.
    pub decided: String,
    /// Each rule before it, and why it does not fit.
    pub before: Vec<String>,
}

impl Policy {
    /// Says in words what [`Self::decide`] does.
    pub fn path(&self, request: &Request<'_>) -> Path {
        let look = Look::new(request, self.zone.as_ref());
        let mut before = Vec::new();
        for (number, rule) in (1_u32..).zip(self.rules.iter()) {
            let decided = match look.unmet(rule) {
                Ok(Some(unmet)) => {
                    let why = unmet.why(rule, request);
                    before.push(format!("rule {number} \"{}\" does not match: {why}", rule.name));
                    continue;
                }
                Ok(None) => {
                    format!("rule {number} \"{}\" is the first that matches: {}", rule.name, met(rule))
                }
                Err(undecided) => nothing(&undecided),
            };
            return Path { decided, before };
        }
        Path { decided: "no rule matches, so a second factor is required".to_owned(), before }
    }
}

fn nothing(undecided: &Undecided) -> String {
    format!("nothing can be decided, so the login is refused: {undecided}")
}

/// The conditions of a rule that fits.
fn met(rule: &Rule) -> String {
    let matches = &rule.matches;
    let mut said: Vec<String> = Vec::new();
    let mut say = |what: &str, list: String| {
        if !list.is_empty() {
            said.push(format!("{what} {list}"));
        }
    };
    say("service", any(&matches.services));
    say("client", any(&matches.clients));
    say("user", any(&matches.users));
    say("group", groups(rule));
    say("realm", any(&matches.realms));
    say("source", any(&matches.sources));
    say("origin", matches.side.map_or("", side).to_owned());
    say("hours", any(&matches.hours));
    say("days", any(matches.days.iter().map(|day| day.word())));
    say("key type", any(&matches.key_types));
    say("key", any(matches.key_fingerprints.iter().map(Fingerprint::as_str)));
    if said.is_empty() { "it is for every login".to_owned() } else { said.join(", ") }
}

impl Unmet {
    fn why(self, rule: &Rule, request: &Request<'_>) -> String {
        let matches = &rule.matches;
        match self {
            Self::Service => format!("it is for service {}, not {}", any(&matches.services), request.service),
            Self::Client => format!("it is for client {} of a front end", any(&matches.clients)),
            Self::User => format!("it is for user {}", any(&matches.users)),
            Self::Realm => format!("it is for realm {}", any(&matches.realms)),
            Self::Source => format!("it is for source {}; {}", any(&matches.sources), from(request)),
            Self::Side => format!("it is for {} logins; {}", matches.side.map_or("", side), from(request)),
            Self::Key => format!(
                "it is for keys {}; {}",
                any(matches
                    .key_types
                    .iter()
                    .map(ToString::to_string)
                    .chain(matches.key_fingerprints.iter().map(|print| print.as_str().to_owned()))),
                keys(request)
            ),
            Self::Time => {
                let (hours, days) = (any(&matches.hours), any(matches.days.iter().map(|day| day.word())));
                let both = [hours, days].into_iter().filter(|part| !part.is_empty());
                format!("it is for {}, which it is not", both.collect::<Vec<_>>().join(", "))
            }
            Self::Group => format!("the user is not in group {}", groups(rule)),
        }
    }
}

fn from(request: &Request<'_>) -> String {
    match request.origin.source {
        Source::Local => "this login comes from the host itself".to_owned(),
        Source::Address(address) => format!("this login comes from {address}"),
        Source::Unknown => "this login comes from what is no address, so from no network".to_owned(),
    }
}

fn keys(request: &Request<'_>) -> String {
    let types: Vec<&str> = request.origin.keys.iter().map(|key| key.key_type.as_str()).collect();
    if types.is_empty() {
        "no key is known that sshd accepted".to_owned()
    } else {
        format!("sshd accepted {}", types.join(", "))
    }
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Local => "local",
        Side::Remote => "remote",
    }
}

fn groups(rule: &Rule) -> String {
    let gids = rule.gids.iter().copied().chain(std::iter::repeat(None));
    any(rule.matches.groups.iter().zip(gids).map(|(group, gid)| match gid {
        Some(gid) => format!("{} (gid {gid})", group.as_str()),
        None => format!("{} (gid unknown)", group.as_str()),
    }))
}

/// The entries, of which one is enough; the first few when there are many.
fn any(list: impl IntoIterator<Item = impl Display>) -> String {
    const MOST: usize = 4;
    let all: Vec<String> = list.into_iter().map(|one| one.to_string()).collect();
    let said = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(" or ");
    match all.len().checked_sub(MOST).filter(|more| *more > 0) {
        None => said,
        Some(more) => format!("{said} or {more} more"),
    }
}
