//! Who needs a second factor where: the first rule that matches decides; without one, it is required.
//!
//! Refuses to look anything up: what it needs to know comes in the request. [`Grant`], which alone lets
//! a login go on without a factor, is built here and nowhere else.

mod binding;
mod key;
mod kinds;
mod origin;

use mfa_proto::name::{ServiceName, UserId, UserName};

pub use self::{
    binding::{Binding, Networks},
    key::Key,
    kinds::Kinds,
    origin::{Origin, Source},
};
use crate::{
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

/// One rule. An empty list matches everything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// What the audit trail calls it.
    pub name: String,
    /// Services it is about.
    pub services: Vec<ServiceName>,
    /// Users it is about.
    pub users: Vec<UserName>,
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
}

impl Default for Need {
    /// One factor of any kind, by no rule.
    fn default() -> Self {
        Self { rule: None, preferred: None, kinds: Kinds::ALL, count: 1, remember: None }
    }
}

/// All rules, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// First match wins.
    pub rules: Vec<Rule>,
    /// For users with no active factor, where a factor is required.
    pub unenrolled: Unenrolled,
    /// The factor that is begun without being asked for where no rule says otherwise.
    pub default_factor: Option<String>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who logs in.
    pub user: &'a UserName,
    /// Through what.
    pub service: &'a ServiceName,
    /// From where, with which keys.
    pub origin: &'a Origin,
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

impl Policy {
    /// Finds the rule that decides.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        match self.rules.iter().find(|rule| rule.matches(request)) {
            None => Decision::Require(Need {
                rule: None,
                preferred: self.default_factor.clone(),
                kinds: Kinds::ALL,
                count: 1,
                remember: None,
            }),
            Some(rule) => match rule.action {
                Action::Require => Decision::Require(Need {
                    rule: Some(rule.name.clone()),
                    preferred: rule.default_factor.clone().or_else(|| self.default_factor.clone()),
                    kinds: rule.kinds,
                    count: rule.count.max(1),
                    remember: rule.remember,
                }),
                Action::Skip => Decision::Skip(Grant::by(rule.name.clone())),
                Action::Deny => Decision::Deny { rule: rule.name.clone() },
            },
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

    /// Whether a user who is proven to have no active factor may go on without.
    pub fn without_factor(&self) -> Option<Grant> {
        match self.unenrolled {
            Unenrolled::Deny | Unenrolled::Enroll => None,
            Unenrolled::Skip => Some(Grant::by("unenrolled = skip".to_owned())),
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
    fn matches(&self, request: &Request<'_>) -> bool {
        (self.services.is_empty() || self.services.contains(request.service))
            && (self.users.is_empty() || self.users.contains(request.user))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(name: &str, service: Option<&str>, user: Option<&str>, action: Action) -> Rule {
        Rule {
            name: name.to_owned(),
            services: service.map(|s| ServiceName::new(s).unwrap()).into_iter().collect(),
            users: user.map(|u| UserName::new(u).unwrap()).into_iter().collect(),
            action,
            default_factor: None,
            kinds: Kinds::ALL,
            count: 1,
            remember: None,
        }
    }

    fn decide(policy: &Policy, user: &str, service: &str) -> Decision {
        let (user, service) = (UserName::new(user).unwrap(), ServiceName::new(service).unwrap());
        let origin = Origin { source: Source::Local, keys: Vec::new() };
        policy.decide(&Request { user: &user, service: &service, origin: &origin })
    }

    fn need(rule: Option<&str>) -> Need {
        Need { rule: rule.map(str::to_owned), preferred: None, kinds: Kinds::ALL, count: 1, remember: None }
    }

    fn required(rule: &str) -> Decision {
        Decision::Require(need(Some(rule)))
    }

    #[test]
    fn a_rule_says_what_is_sent_unasked_before_the_prompt_does() {
        let policy = Policy {
            rules: vec![
                Rule {
                    default_factor: Some("mail".to_owned()),
                    ..rule("jane", None, Some("jane"), Action::Require)
                },
                rule("su", Some("su"), None, Action::Require),
            ],
            default_factor: Some("sms".to_owned()),
            ..Policy::default()
        };
        let preferred = |user: &str, service: &str| {
            let Decision::Require(need) = decide(&policy, user, service) else { panic!() };
            need.preferred
        };
        assert_eq!(preferred("jane", "su").as_deref(), Some("mail"));
        assert_eq!(preferred("john", "su").as_deref(), Some("sms"));
        assert_eq!(preferred("john", "sshd").as_deref(), Some("sms"));
    }

    #[test]
    fn what_is_remembered_is_granted_by_the_rule_that_has_it_remembered_alone() {
        let remember = Some(Remember { seconds: 60 });
        let policy = Policy {
            rules: vec![
                Rule { remember, ..rule("office", None, None, Action::Require) },
                rule("other", None, None, Action::Require),
            ],
            ..Policy::default()
        };
        let need = |rule: &str| Need { remember, ..need(Some(rule)) };
        let user = |name: &str| UserId::local(UserName::new(name).unwrap());
        let recalled = |need: &Need, rule: &str, name: &str| {
            policy.remembered(need, &user("jane"), Recollection::of_nothing(user(name), rule))
        };
        let granted = recalled(&need("office"), "office", "jane").unwrap();
        assert_eq!((granted.rule(), granted.reason()), ("office", Reason::Remembered));
        for (need, rule, name) in [
            (need("office"), "office", "john"),
            (need("office"), "other", "jane"),
            (need("other"), "other", "jane"),
            (need("gone"), "gone", "jane"),
            (Need { remember: None, ..need("office") }, "office", "jane"),
            (Need { rule: None, ..need("office") }, "office", "jane"),
        ] {
            assert_eq!(recalled(&need, rule, name), None, "{need:?} {rule} {name}");
        }
    }

    #[test]
    fn the_first_match_wins_and_without_one_a_factor_is_required() {
        let policy = Policy {
            rules: vec![
                rule("robots", Some("sshd"), Some("robot"), Action::Skip),
                rule("no su", Some("su"), None, Action::Deny),
                rule("everyone", Some("sshd"), None, Action::Require),
            ],
            ..Policy::default()
        };
        assert_eq!(decide(&policy, "robot", "sshd"), Decision::Skip(Grant::by("robots".into())));
        assert_eq!(decide(&policy, "robot", "su"), Decision::Deny { rule: "no su".into() });
        assert_eq!(decide(&policy, "jane", "sshd"), required("everyone"));
        assert_eq!(decide(&policy, "jane", "login"), Decision::Require(need(None)));
        assert_eq!(decide(&policy, "Robot", "sshd"), required("everyone"));
        assert_eq!(policy.without_factor(), None);
    }

    proptest! {
        /// No order of rules yields a skip that no matching rule asks for.
        #[test]
        fn nothing_is_skipped_unasked(actions in proptest::collection::vec((0..3_u8, any::<bool>(), any::<bool>()), 0..8)) {
            let rules: Vec<Rule> = actions.iter().map(|(action, service, user)| {
                let action = [Action::Require, Action::Skip, Action::Deny][usize::from(*action)];
                rule("r", service.then_some("sshd"), user.then_some("jane"), action)
            }).collect();
            let policy = Policy { rules: rules.clone(), ..Policy::default() };
            for (user, service) in [("jane", "sshd"), ("jane", "su"), ("john", "sshd"), ("john", "su")] {
                if matches!(decide(&policy, user, service), Decision::Skip(_)) {
                    let first = rules.iter().find(|r| {
                        (r.services.is_empty() || service == "sshd") && (r.users.is_empty() || user == "jane")
                    });
                    prop_assert_eq!(first.map(|r| r.action), Some(Action::Skip));
                }
            }
        }
    }
}
