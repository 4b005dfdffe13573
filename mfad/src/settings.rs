//! What the configuration means for the parts of core: one value, replaced as a whole on reload.

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    name::{FactorLabel, UserName},
    text::ShownText,
};

use crate::{
    clock::UnixTime,
    config::{self, Config},
    factor::{Rules, TokenSettings},
    identity::{Accounts, Directory, Nss},
    ldap::ValueKey,
    limits::{Profile, ProfileName},
    outgoing::Line,
    policy::{Names, Networks, Policy},
    server::admission::Caps,
    session::PromptSettings,
    store::{Forgetting, GraceTerms, SentLimits, StoreSettings},
};

/// What the configuration means. A reload replaces it; see [`Self::only_at_start`] for what it cannot change.
#[derive(Debug)]
pub struct Settings {
    config: Config,
    directory: Directory,
    policy: Policy,
    notes: Vec<String>,
    profile: Profile,
    prompt: PromptSettings,
    token: Arc<TokenSettings>,
    value_key: Option<ValueKey>,
    line: Option<Line>,
    grace: GraceTerms,
}

impl Settings {
    /// Derives all from a valid configuration, but for what credentials hold, and looks up what the names in
    /// rules mean; or all that is wrong with those.
    pub async fn resolved(config: Config) -> Result<Self, Vec<String>> {
        let directory = directory_of(&config);
        let names = Names::look_up(&config, &directory).await?;
        Ok(Self { policy: Policy::of(&config, &names), notes: names.notes().to_vec(), ..Self::new(config) })
    }

    /// The same without a look at the host: rules on groups, hours and days leave logins undecided.
    pub fn new(config: Config) -> Self {
        Self {
            directory: directory_of(&config),
            policy: Policy::of(&config, &Names::default()),
            notes: Vec::new(),
            profile: profile_of(config.limits()),
            line: line_of(&config),
            prompt: PromptSettings {
                text: ShownText::clean(&config.prompt().text),
                echo: config.prompt().echo,
                conceal: config.prompt().conceal,
                attempts: u32::from(config.prompt().attempts),
            },
            token: Arc::default(),
            value_key: None,
            grace: grace_of(config.enrollment()),
            config,
        }
    }

    /// The same, with what signed tokens are judged by ([`crate::signers::load`]).
    #[must_use]
    pub fn with_signers(self, token: TokenSettings) -> Self {
        Self { token: Arc::new(token), ..self }
    }

    /// The same, with the key that opens secrets of the directory ([`crate::ldap::load_key`]).
    #[must_use]
    pub fn with_value_key(self, value_key: Option<ValueKey>) -> Self {
        Self { value_key, ..self }
    }

    /// The same, with names looked up elsewhere.
    #[must_use]
    pub fn with_directory(self, directory: Directory) -> Self {
        Self { directory, ..self }
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

    /// What deserves a second look in the rules, each with file, line and column.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How many wrong codes are too many.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What prompts say.
    pub fn prompt(&self) -> &PromptSettings {
        &self.prompt
    }

    /// The way to egress, when something is configured that needs it.
    pub fn line(&self) -> Option<&Line> {
        self.line.as_ref()
    }

    /// The key that opens secrets of the directory.
    pub fn value_key(&self) -> Option<&ValueKey> {
        self.value_key.as_ref()
    }

    /// How long the directory may take, all its servers together.
    pub fn directory_patience(&self) -> Duration {
        let timeout =
            self.config.ldap().directory.as_ref().map_or(Duration::ZERO, |directory| directory.timeout);
        let patience = timeout.saturating_add(SLACK);
        self.line.as_ref().map_or(patience, |line| line.patience().min(patience))
    }

    /// For how long what the directory said of a person is good for further logins; `None` where logins do not ask.
    pub fn asks_directory(&self) -> Option<Duration> {
        self.config.ldap().look().filter(|look| look.at_login).map(|look| look.refresh)
    }

    /// How long users without a factor get in without.
    pub fn grace(&self) -> GraceTerms {
        self.grace
    }

    /// What core has to know of an outside service.
    pub fn outside(&self, service: &FactorLabel) -> Option<&config::RestTerms> {
        self.config.rest().get(service).map(|rest| &rest.terms)
    }

    /// Whether an application signs tokens for all its users.
    pub fn has_token_domains(&self) -> bool {
        !self.token.domains.is_empty()
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

    /// How much of an address successes that are remembered are bound to, and whether to this start of the
    /// machine.
    pub fn remembering(&self) -> (Networks, bool) {
        let remember = self.config.remember();
        let networks = Networks { ipv4: remember.ipv4_prefix, ipv6: remember.ipv6_prefix };
        (networks, remember.forget_on.boot)
    }

    /// Keys that differ from `before` and are read at the start alone, as `[section] key`.
    pub fn only_at_start(&self, before: &Self) -> Vec<&'static str> {
        let (new, old) = (self.config.core(), before.config.core());
        let log = |settings: &Self| (settings.config.log().level, settings.config.log().target);
        let figures = |settings: &Self| {
            let metrics = settings.config.metrics();
            (metrics.socket.clone(), metrics.socket_group.clone())
        };
        let front = |settings: &Self| {
            let web = settings.config.web();
            (web.user.clone(), web.core_socket.clone(), web.is_on())
        };
        let changed = [
            ("[core] socket", new.socket != old.socket),
            ("[core] user_socket", new.user_socket != old.user_socket),
            ("[core] state_dir", new.state_dir != old.state_dir),
            ("[metrics] socket or socket_group", figures(self) != figures(before)),
            ("[web] user, core_socket, or whether anything listens", front(self) != front(before)),
            ("[log] level or target", log(self) != log(before)),
            ("[process] sandbox", self.config.process() != before.config.process()),
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
            sent: sent_limits(&self.config),
            token: Arc::clone(&self.token),
            forget: Forgetting {
                on_change: self.config.remember().forget_on.factor_change,
                on_lock: self.config.remember().forget_on.lock,
            },
        }
    }
}

fn directory_of(config: &Config) -> Directory {
    let known = |accounts: config::Accounts| -> Option<Arc<dyn Accounts>> {
        match accounts {
            config::Accounts::Nss => Some(Arc::new(Nss)),
            config::Accounts::Any => None,
        }
    };
    let realms = config.realms().iter().map(|realm| (realm.name.clone(), known(realm.accounts)));
    Directory::new(known(config.identity().accounts), config.core().name_lookup_timeout).with_realms(realms)
}

/// What core waits for an errand beyond what egress allows itself for it: the way there and back.
const SLACK: Duration = Duration::from_secs(2);

fn line_of(config: &Config) -> Option<Line> {
    if !config.needs_egress() {
        return None;
    }
    let egress = config.egress();
    // A login that goes on a little longer can still say why nothing was sent.
    let most = config.core().login_timeout.mul_f32(0.9);
    let patience = config.longest_errand().saturating_add(SLACK).min(most);
    let user = UserName::new(egress.user.clone()).ok();
    Some(Line::new(egress.socket.clone(), user, patience, Arc::new(Nss)))
}

/// Bounds on codes that are sent. Where `[sms]` and `[mail]` are both used and differ, the stricter holds.
fn sent_limits(config: &Config) -> SentLimits {
    let (sms, mail) = (config.sms(), config.mail());
    let of_sms = sms.is_on().then(|| limits_of(&sms.limits));
    let of_mail = mail.is_on().then(|| limits_of(&mail.limits));
    match (of_sms, of_mail) {
        (None, None) => SentLimits::default(),
        (Some(only), None) | (None, Some(only)) => only,
        (Some(one), Some(other)) => SentLimits {
            digits: one.digits.max(other.digits),
            lifetime: one.lifetime.min(other.lifetime),
            resend_interval: one.resend_interval.max(other.resend_interval),
            per_user_day: one.per_user_day.min(other.per_user_day),
            per_number_day: one.per_number_day.min(other.per_number_day),
            global_day: one.global_day.min(other.global_day),
        },
    }
}

fn limits_of(limits: &config::SentLimits) -> SentLimits {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    SentLimits {
        digits: limits.digits,
        lifetime: seconds(limits.lifetime),
        resend_interval: seconds(limits.resend_interval),
        per_user_day: limits.per_user_day,
        per_number_day: limits.per_target_day,
        global_day: limits.global_day,
    }
}

/// The last day of grace counts to its end, as this host's zone has it.
fn grace_of(enrollment: &config::Enrollment) -> GraceTerms {
    let end = |day: jiff::civil::Date| {
        let next = day.tomorrow().and_then(|next| next.to_zoned(jiff::tz::TimeZone::system()));
        // The calendar's own last day has no next one.
        next.map_or(UnixTime(i64::MAX), |next| UnixTime(next.timestamp().as_second()))
    };
    GraceTerms { until: enrollment.enroll_by.map(end), logins: enrollment.grace_logins }
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
