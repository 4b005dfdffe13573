//! What the configuration means for the parts of core: one value, replaced as a whole on reload.

use std::{sync::Arc, time::Duration};

use mfa_proto::text::ShownText;

use crate::{
    config::{self, Config},
    factor::{Rules, TokenSettings},
    identity::{Accounts, Directory, Nss},
    limits::{Profile, ProfileName},
    policy::{Action, Policy, Rule, Unenrolled},
    server::admission::Caps,
    session::PromptSettings,
    store::{SentLimits, StoreSettings},
};

/// What the configuration means. A reload replaces it; see [`Self::only_at_start`] for what it cannot change.
#[derive(Debug)]
pub struct Settings {
    config: Config,
    directory: Directory,
    policy: Policy,
    profile: Profile,
    prompt: PromptSettings,
    token: Arc<TokenSettings>,
}

impl Settings {
    /// Derives all from a valid configuration, but for what credentials hold.
    pub fn new(config: Config) -> Self {
        let accounts: Option<Arc<dyn Accounts>> = match config.identity().accounts {
            config::Accounts::Nss => Some(Arc::new(Nss)),
            config::Accounts::Any => None,
        };
        Self {
            directory: Directory::new(accounts, config.core().name_lookup_timeout),
            policy: policy_of(config.policy()),
            profile: profile_of(config.limits()),
            prompt: PromptSettings {
                text: ShownText::clean(&config.prompt().text),
                echo: config.prompt().echo,
                conceal: config.prompt().conceal,
                attempts: u32::from(config.prompt().attempts),
            },
            token: Arc::default(),
            config,
        }
    }

    /// The same, with what signed tokens are judged by ([`crate::signers::load`]).
    #[must_use]
    pub fn with_signers(self, token: TokenSettings) -> Self {
        Self { token: Arc::new(token), ..self }
    }

    /// The configuration itself.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Who names are.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Who needs what.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many wrong codes are too many.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What prompts say.
    pub fn prompt(&self) -> &PromptSettings {
        &self.prompt
    }

    /// The longest a login may take.
    pub fn login_timeout(&self) -> Duration {
        self.config.core().login_timeout
    }

    /// Bounds on connections.
    pub fn caps(&self) -> Caps {
        let core = self.config.core();
        Caps { total: core.max_connections, per_uid: core.per_uid_connections }
    }

    /// Keys that differ from `before` and are read at the start alone, as `[section] key`.
    pub fn only_at_start(&self, before: &Self) -> Vec<&'static str> {
        let (new, old) = (self.config.core(), before.config.core());
        let log = |settings: &Self| (settings.config.log().level, settings.config.log().target);
        let changed = [
            ("[core] socket", new.socket != old.socket),
            ("[core] user_socket", new.user_socket != old.user_socket),
            ("[core] state_dir", new.state_dir != old.state_dir),
            ("[log] level or target", log(self) != log(before)),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }

    /// What the store has to know.
    pub fn for_store(&self) -> StoreSettings {
        StoreSettings {
            profile: self.profile,
            unproven: self.profile.for_unproven(),
            rules: Rules { window: self.config.totp().window, learn_drift: self.config.totp().learn_drift },
            max_factors: self.config.enrollment().max_factors,
            sent: SentLimits::default(),
            token: Arc::clone(&self.token),
        }
    }
}

fn policy_of(config: &config::Policy) -> Policy {
    let rule = |rule: &config::Rule| Rule {
        name: rule.name.clone(),
        services: rule.matches.services.clone(),
        users: rule.matches.users.clone(),
        action: match rule.action {
            config::Action::Require => Action::Require,
            config::Action::Skip => Action::Skip,
            config::Action::Deny => Action::Deny,
        },
    };
    Policy {
        rules: config.rules.iter().map(rule).collect(),
        unenrolled: match config.unenrolled {
            config::Unenrolled::Deny => Unenrolled::Deny,
            config::Unenrolled::Skip => Unenrolled::Skip,
        },
    }
}

fn profile_of(config: &config::LimitsConfig) -> Profile {
    let base = Profile::named(match config.profile {
        config::ProfileName::Default => ProfileName::Default,
        config::ProfileName::Pci => ProfileName::Pci,
        config::ProfileName::Stig => ProfileName::Stig,
    });
    let seconds = |wait: Option<Duration>, or: i64| {
        wait.map_or(or, |wait| i64::try_from(wait.as_secs()).unwrap_or(i64::MAX))
    };
    Profile {
        name: base.name,
        burst: config.burst.unwrap_or(base.burst),
        lock: seconds(config.lock, base.lock),
        lock_max: seconds(config.lock_max, base.lock_max),
        unlock_by_admin: config.unlock.map_or(base.unlock_by_admin, |unlock| unlock == config::Unlock::Admin),
        disable_at: config.disable_at.unwrap_or(base.disable_at).min(Profile::DISABLE_AT_MOST),
        window_failures: config.window_failures.unwrap_or(base.window_failures),
    }
}
