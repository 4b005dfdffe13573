//! Who needs a second factor where: the first rule that matches decides; without one, it is required.
//!
//! Refuses to look anything up: what it needs to know comes in the request. [`Grant`], which alone lets
//! a login go on without a factor, is built here and nowhere else.

mod binding;
mod key;
mod kinds;
mod matching;
mod origin;
mod resolve;
mod rules;
mod why;
mod zone;

use mfa_proto::name::{ClientName, ServiceName, UserId};

use self::matching::Look;
pub use self::{
    binding::{Binding, Networks},
    key::Key,
    kinds::Kinds,
    matching::Undecided,
    origin::{Origin, Source},
    resolve::Names,
    rules::Rules,
    why::Path,
    zone::Zone,
};
use crate::{
    clock::UnixTime,
    config::Match,
    identity::Membership,
    session::Reason,
    store::{Graced, Recollection},
};

/// What to do with a user who has no active factor.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Unenrolled {
    /// Deny, through the same prompts as everyone.
    #[default]
    Deny,
    /// Let the rest of the PAM stack decide.
    Skip,
    /// Have a first factor enrolled on the way.
    Enroll,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// A second factor is needed.
    Require,
    /// None is needed.
    Skip,
    /// No login.
    Deny,
}

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// What the audit trail calls it.
    pub name: String,
    /// Which logins it is about.
    pub matches: Match,
    /// The groups of `matches`, in the same order; `None` for one that is not known.
    pub gids: Vec<Option<u32>>,
    /// What it does.
    pub action: Action,
    /// The factor that is begun without being asked for, where one is required: a label, a service or a
    /// kind.
    pub default_factor: Option<String>,
    /// Which kinds of factor count, where one is required.
    pub kinds: Kinds,
    /// How many different factors have to be proven, where one is required: at least 1.
    pub count: u8,
    /// How long a success is remembered.
    pub remember: Option<Remember>,
    /// What to do with a user who has no active factor, where one is required; `None` for what holds elsewhere.
    pub unenrolled: Option<Unenrolled>,
}

/// How long a success is remembered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Remember {
    /// Seconds, from the success on.
    pub seconds: u32,
}

/// What a login needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Need {
    /// The rule; `None` when none matched.
    pub rule: Option<String>,
    /// The factor that is begun without being asked for: a label, a service or a kind.
    pub preferred: Option<String>,
    /// Which kinds count.
    pub kinds: Kinds,
    /// How many different factors have to be proven: at least 1.
    pub count: u8,
    /// How long a success is remembered; `None` where it is not, for this service.
    pub remember: Option<Remember>,
    /// What to do with a user who has no active factor.
    pub unenrolled: Unenrolled,
    /// The rule says so, not the whole policy.
    pub unenrolled_by_rule: bool,
}

impl Default for Need {
    /// One factor of any kind, by no rule.
    fn default() -> Self {
        Self {
            rule: None,
            preferred: None,
            kinds: Kinds::ALL,
            count: 1,
            remember: None,
            unenrolled: Unenrolled::Deny,
            unenrolled_by_rule: false,
        }
    }
}

/// All rules, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// First match wins.
    pub rules: Rules,
    /// For users with no active factor, where a factor is required.
    pub unenrolled: Unenrolled,
    /// The factor that is begun without being asked for where no rule says otherwise.
    pub default_factor: Option<String>,
    /// The time zone of rules on hours and days; `None` leaves them undecided.
    pub zone: Option<Zone>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who logs in.
    pub user: &'a UserId,
    /// Through what.
    pub service: &'a ServiceName,
    /// The client of a front end that asks; `None` for the host's own logins.
    pub client: Option<&'a ClientName>,
    /// From where, with which keys.
    pub origin: &'a Origin,
    /// In which of [`Policy::groups_wanted`] the account is; `None` when that was not looked up.
    pub membership: Option<&'a Membership>,
    /// When.
    pub now: UnixTime,
}

/// What the rules say.
#[derive(Debug, Eq, PartialEq)]
pub enum Decision {
    /// A second factor is needed.
    Require(Need),
    /// None is needed.
    Skip(Grant),
    /// No login.
    Deny {
        /// The rule.
        rule: String,
    },
}

/// The policy's word that no factor is needed. Cannot be built elsewhere, nor copied.
#[derive(Debug, Eq, PartialEq)]
pub struct Grant {
    rule: String,
    reason: Reason,
}

impl Grant {
    fn by(rule: String) -> Self {
        Self { rule, reason: Reason::Policy }
    }

    /// The rule that grants it.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Why it is granted.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// Services in which one account becomes another: a success is remembered for them only where the rule
/// names them.
const BECOMING_ANOTHER: [&str; 8] = ["sudo", "sudo-i", "su", "su-l", "doas", "polkit-1", "runuser", "pkexec"];

impl Policy {
    /// Finds the rule that decides. Where it cannot be said which, there is no decision: the login is
    /// refused.
    pub fn decide(&self, request: &Request<'_>) -> Result<Decision, Undecided> {
        let look = Look::new(request, self.zone.as_ref());
        for rule in self.rules.that_may_fit(request) {
            if look.unmet(rule)?.is_none() {
                return Ok(self.decided(rule, request.service));
            }
        }
        Ok(Decision::Require(Need {
            preferred: self.default_factor.clone(),
            unenrolled: self.unenrolled,
            ..Need::default()
        }))
    }

    /// The groups whose members have to be known before [`Self::decide`] can decide: of those rules alone
    /// that fit but for the group, so that most logins look up none.
    pub fn groups_wanted(&self, request: &Request<'_>) -> Vec<u32> {
        let look = Look::new(request, self.zone.as_ref());
        let mut wanted = Vec::new();
        let mut about_groups = self.rules.about_groups(request);
        if about_groups.all(|rule| matches!(look.unmet_but_group(rule), Ok(Some(_)))) {
            return wanted;
        }
        for rule in self.rules.that_may_fit(request) {
            match look.unmet_but_group(rule) {
                Ok(Some(_)) => {}
                Ok(None) if rule.matches.groups.is_empty() => break,
                Ok(None) => wanted.extend(rule.gids.iter().flatten()),
                Err(_) => break,
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    fn decided(&self, rule: &Rule, service: &ServiceName) -> Decision {
        match rule.action {
            Action::Require => Decision::Require(Need {
                rule: Some(rule.name.clone()),
                preferred: rule.default_factor.clone().or_else(|| self.default_factor.clone()),
                kinds: rule.kinds,
                count: rule.count.max(1),
                remember: rule.remember.filter(|_| rule.may_remember(service)),
                unenrolled: rule.unenrolled.unwrap_or(self.unenrolled),
                unenrolled_by_rule: rule.unenrolled.is_some(),
            }),
            Action::Skip => Decision::Skip(Grant::by(rule.name.clone())),
            Action::Deny => Decision::Deny { rule: rule.name.clone() },
        }
    }

    /// Whether a login may go on because of a success that is remembered: of the same user, by the rule that
    /// decides now.
    #[expect(clippy::needless_pass_by_value, reason = "what is recalled is used up: it must not serve twice")]
    pub fn remembered(&self, need: &Need, user: &UserId, recalled: Recollection) -> Option<Grant> {
        let rule = need.rule.as_deref().filter(|rule| need.remember.is_some() && *rule == recalled.rule())?;
        let decides = self.rules.iter().any(|own| own.name == rule && own.remember.is_some());
        let granted = decides && recalled.user() == user;
        granted.then(|| Grant { rule: rule.to_owned(), reason: Reason::Remembered })
    }

    /// Whether a user who is proven to have no active factor may go on without, by what [`Self::decide`] said.
    pub fn without_factor(need: &Need) -> Option<Grant> {
        match (need.unenrolled, &need.rule) {
            (Unenrolled::Deny | Unenrolled::Enroll, _) => None,
            (Unenrolled::Skip, Some(rule)) if need.unenrolled_by_rule => Some(Grant::by(rule.clone())),
            (Unenrolled::Skip, _) => Some(Grant::by("unenrolled = skip".to_owned())),
        }
    }

    /// A user without a factor goes on, because the store has counted this login as one of grace.
    #[expect(clippy::needless_pass_by_value, reason = "what was counted is used up: it must not serve twice")]
    pub fn graced(&self, graced: Graced) -> Grant {
        tracing::debug!("a login of {} is one of grace", graced.user());
        Grant { rule: "enrollment grace".to_owned(), reason: Reason::Grace }
    }
}

impl Rule {
    fn may_remember(&self, service: &ServiceName) -> bool {
        !BECOMING_ANOTHER.contains(&service.as_str()) || self.matches.services.contains(service)
    }
}

#[cfg(test)]
mod tests;
