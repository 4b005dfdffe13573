//! What the names in rules mean on this host: groups become gids, the time zone its clock.
//!
//! Refuses to go on with a group that is not there or cannot be looked up: a rule that says "members of
//! it" must not turn into one that says "nobody" or "everybody". Accounts that are gone are only noted:
//! one that was removed must not keep mfad from starting.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mfa_proto::name::{UserId, UserName};

use super::{Action, Kinds, Policy, Remember, Rule, Unenrolled, Zone};
use crate::{
    config::{self, Config, Mention, Mentioned},
    identity::{Account, Directory},
};

/// How long all accounts together may take to be looked up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What names mean on this host.
#[derive(Debug, Default)]
pub struct Names {
    groups: BTreeMap<String, u32>,
    zone: Option<Zone>,
    notes: Vec<String>,
}

impl Names {
    /// Looks up the names that `config` mentions. An error holds all that is wrong.
    pub async fn look_up(config: &Config, directory: &Directory) -> Result<Self, Vec<String>> {
        let mut names =
            Self { notes: config.notes().iter().map(ToString::to_string).collect(), ..Self::default() };
        let mut problems = Vec::new();
        let of = |what: Mentioned| config.mentions().iter().filter(move |mention| mention.what == what);
        names.find_groups(of(Mentioned::Group), directory, &mut problems).await;
        names.find_zone(of(Mentioned::TimeZone).next(), config, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let users = names.find_users(of(Mentioned::User), directory);
        let within = tokio::time::timeout(PATIENCE, users).await.unwrap_or_else(|_| {
            vec!["rules name accounts that were not looked up: the account database is slow".to_owned()]
        });
        names.notes.extend(within);
        Ok(names)
    }

    /// Names that are known already.
    #[cfg(test)]
    pub(super) fn known(groups: BTreeMap<String, u32>, zone: Zone) -> Self {
        Self { groups, zone: Some(zone), notes: Vec::new() }
    }

    /// What deserves a second look.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    async fn find_groups(
        &mut self,
        mentions: impl Iterator<Item = &Mention>,
        directory: &Directory,
        problems: &mut Vec<String>,
    ) {
        for mention in mentions {
            let name = mention.name.as_str();
            if self.groups.contains_key(name) {
                continue;
            }
            match directory.gid_of(name).await {
                Ok(Some(gid)) => {
                    self.groups.insert(name.to_owned(), gid);
                }
                Ok(None) => problems.push(
                    mention
                        .problem(format!(
                            "there is no group \"{name}\" on this host: correct the name, or make the group first"
                        ))
                        .to_string(),
                ),
                Err(error) => {
                    // The others would wait as long for the same.
                    let message = format!("group \"{name}\" cannot be looked up: {error}; see that `getent group` works");
                    problems.push(mention.problem(message).to_string());
                    return;
                }
            }
        }
    }

    fn find_zone(&mut self, mention: Option<&Mention>, config: &Config, problems: &mut Vec<String>) {
        let Some(mention) = mention else {
            self.zone = Some(Zone::of_host().unwrap_or_else(|error| {
                if config.policy().rules.iter().any(|rule| rule.matches.week.is_some()) {
                    self.notes.push(format!(
                        "the host's time zone is not known ({error}): rules on hours and days go by UTC; set [policy] timezone"
                    ));
                }
                Zone::UTC
            }));
            return;
        };
        match Zone::named(&mention.name) {
            Ok(zone) => self.zone = Some(zone),
            Err(error) => {
                let message = format!(
                    "the time zone cannot be used: {error}; `timedatectl list-timezones` shows what there is"
                );
                problems.push(mention.problem(message).to_string());
            }
        }
    }

    async fn find_users(
        &self,
        mentions: impl Iterator<Item = &Mention>,
        directory: &Directory,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        let mut seen = BTreeSet::new();
        for mention in mentions.filter(|mention| seen.insert(mention.name.as_str())) {
            let Ok(name) = mention.name.parse::<UserName>() else { continue };
            match directory.find(&UserId::local(name.clone())).await {
                Ok(Account::Known { .. } | Account::Unchecked) => {}
                Ok(Account::Unknown) => {
                    let message = format!(
                        "there is no account \"{name}\" on this host: this part of the rule matches nobody"
                    );
                    notes.push(mention.problem(message).to_string());
                }
                Err(error) => {
                    notes.push(mention.problem(format!("accounts were not looked up: {error}")).to_string());
                    return notes;
                }
            }
        }
        notes
    }
}

impl Policy {
    /// The rules of a configuration, with what the names in them mean. A name that is not known leaves each
    /// login undecided that comes to its rule.
    pub fn of(config: &Config, names: &Names) -> Self {
        let rules = config.policy();
        Self {
            rules: rules.rules.iter().map(|rule| Rule::of(rule, names)).collect(),
            unenrolled: rules.unenrolled.into(),
            default_factor: config.prompt().default.clone().map(Into::into),
            zone: names.zone.clone(),
        }
    }
}

impl From<config::Unenrolled> for Unenrolled {
    fn from(word: config::Unenrolled) -> Self {
        match word {
            config::Unenrolled::Deny => Self::Deny,
            config::Unenrolled::Skip => Self::Skip,
            config::Unenrolled::Enroll => Self::Enroll,
        }
    }
}

impl Rule {
    fn of(rule: &config::Rule, names: &Names) -> Self {
        let gid = |group: &config::GroupName| names.groups.get(group.as_str()).copied();
        Self {
            name: rule.name.clone(),
            gids: rule.matches.groups.iter().map(gid).collect(),
            matches: rule.matches.clone(),
            action: match rule.action {
                config::Action::Require => Action::Require,
                config::Action::Skip => Action::Skip,
                config::Action::Deny => Action::Deny,
            },
            default_factor: rule.default_factor.as_ref().map(ToString::to_string),
            kinds: if rule.kinds.is_empty() { Kinds::ALL } else { Kinds::of(rule.kinds.iter().copied()) },
            count: rule.count,
            remember: rule
                .remember
                .and_then(|time| u32::try_from(time.as_secs()).ok())
                .map(|seconds| Remember { seconds }),
            unenrolled: rule.unenrolled.map(Unenrolled::from),
        }
    }
}
