//! The configuration: `/etc/mfad/mfad.toml` and `conf.d/*.toml` beside it, read into one checked value.
//!
//! Raw shape ([`tree`]), then one check ([`reader`] and the sections), then [`Config`], which cannot be
//! had in any other way. Refuses to guess and to go halfway: unknown keys, wrong types, zero or absurd
//! limits, relative paths and files that others can write are errors, all told at once with file, line
//! and column, and with one of them there is no configuration. What a running daemon does on a failed
//! reload (keep the old one) is the caller's.
//!
//! ```text
//! /etc/mfad/mfad.toml:4:1: `sokcet` is not a key of [core]: did you mean `socket`?
//! /etc/mfad/conf.d/limits.toml:2:9: `limits.burst` cannot be 0: write a whole number from 1 to 100
//! ```

mod arguments;
mod codes;
mod egress;
mod enrollment;
mod front;
mod gateway;
mod kinds;
mod ldap;
mod limits;
mod mail;
mod mention;
mod metrics;
mod notify;
mod policy;
mod problem;
mod process;
mod reader;
mod realm;
mod remember;
mod rest;
mod sections;
mod sent;
mod sms;
mod source;
mod suggest;
mod template;
mod token;
mod tree;
mod url;
mod web;

use std::{collections::BTreeSet, path::Path, time::Duration};

pub use self::{
    arguments::Argument,
    codes::CodePattern,
    egress::Egress,
    enrollment::{Enrollment, SelfAuth, SelfEnrollment},
    front::{
        CertificateName, CertificatePrint, ClientProof, Dialect, LinOtp, LinOtpDetail, Mount, Passwords,
        PemFile, Right, Rights, Tls, Web, WebClient, WebListen, WebPlace,
    },
    gateway::{Body, Gateway, GatewayKind, HttpGateway, Json, Method, Scalar, Success},
    ldap::{Ldap, LdapDirectory, LdapLook, LdapServer, LdapTls},
    limits::{LimitsConfig, ProfileName, Unlock},
    mail::{Mail, MailServer, MailTls},
    mention::{Mention, Mentioned},
    metrics::Metrics,
    notify::{Notify, NotifyEvent},
    policy::{
        Action, Day, Fingerprint, GroupName, Hours, KeyPattern, Match, Network, Policy, Rule, Side,
        Unenrolled, Week,
    },
    problem::{ConfigErrors, Position, Problem},
    process::{Process, SandboxMode},
    realm::Realm,
    remember::{ForgetOn, Remembering},
    rest::{Contract, Judge, Rest, RestCall, RestCalls, RestServices, RestTerms},
    sections::{Accounts, Audit, Core, Identity, KeySource, Log, LogLevel, LogTarget, Prompt, Totp},
    sent::SentLimits,
    sms::Sms,
    source::Source,
    template::{Fact, Piece, Template},
    token::{Token, TokenDomain},
    url::Url,
    web::{Access, Field},
};
use self::{
    reader::Reader,
    tree::{Fault, Place, Table},
};

/// Where the main file is looked for when nothing else is said.
pub const DEFAULT_PATH: &str = "/etc/mfad/mfad.toml";

/// The most faults told of each sort.
const MAX_FAULTS: usize = 100;

/// A configuration without a fault in it. The default is that of an empty file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    core: Core,
    identity: Identity,
    realms: Vec<Realm>,
    policy: Policy,
    totp: Totp,
    prompt: Prompt,
    limits: LimitsConfig,
    enrollment: Enrollment,
    egress: Egress,
    sms: Sms,
    mail: Mail,
    rest: RestServices,
    ldap: Ldap,
    token: Token,
    remember: Remembering,
    notify: Notify,
    metrics: Metrics,
    web: Web,
    audit: Audit,
    log: Log,
    process: Process,
    notes: Vec<Problem>,
    mentions: Vec<Mention>,
}

impl Config {
    /// Reads the main file at `path` and the files of `conf.d` beside it.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let (sources, unreadable) = source::read_all(path);
        Self::check(&sources, unreadable)
    }

    /// Checks texts that have been read already, in the order they count.
    pub fn from_sources(sources: &[Source]) -> Result<Self, ConfigErrors> {
        Self::check(sources, Vec::new())
    }

    fn check(sources: &[Source], mut problems: Vec<Problem>) -> Result<Self, ConfigErrors> {
        let (whole, not_toml) = tree::join(sources);
        let mut reader = Reader::default();
        let config = Self::read(&mut reader, whole);
        let found = reader.finish();
        problems.extend(in_order(sources, not_toml, found.faults));
        let notes = in_order(sources, Vec::new(), found.notes);
        let mentions = found.mentions.into_iter().filter_map(|mention| mentioned(sources, mention)).collect();
        match ConfigErrors::of(problems) {
            None => Ok(Self { notes, mentions, ..config }),
            Some(errors) => Err(errors),
        }
    }

    fn read(reader: &mut Reader, whole: Table) -> Self {
        let mut root = Reader::root(whole);
        let needed = ["sms", "mail", "rest"].into_iter().find_map(|section| root.place_of(section));
        let unenrolled = root.place_within("policy", "unenrolled").or(root.place_of("policy"));
        let (enrollment, places) = Enrollment::read(reader, &mut root);
        let (egress, timeout) = Egress::read(reader, &mut root);
        let core = Core::read(reader, &mut root);
        let identity = Identity::read(reader, &mut root);
        let mail = Mail::read(reader, &mut root);
        let mail_is_on = mail.is_on();
        let (ldap, ldap_places) = Ldap::read(reader, &mut root);
        let ldap_is_on = ldap.is_on();
        let realms = realm::read(reader, &mut root);
        let config = Self {
            core,
            policy: Policy::read(reader, &mut root, &identity),
            identity,
            totp: Totp::read(reader, &mut root),
            prompt: Prompt::read(reader, &mut root),
            limits: LimitsConfig::read(reader, &mut root),
            enrollment,
            egress,
            sms: Sms::read(reader, &mut root),
            mail,
            rest: rest::read_all(reader, &mut root),
            ldap,
            token: Token::read(reader, &mut root),
            remember: Remembering::read(reader, &mut root),
            notify: Notify::read(reader, &mut root, mail_is_on),
            metrics: Metrics::read(reader, &mut root),
            web: Web::read(reader, &mut root, (&realms, ldap_is_on)),
            realms,
            audit: Audit::read(reader, &mut root),
            log: Log::read(reader, &mut root),
            process: Process::read(reader, &mut root),
            notes: Vec::new(),
            mentions: Vec::new(),
        };
        reader.close(root);
        config.enrollment.check(reader, &places, (&config.policy, unenrolled));
        let gateways = config.sms.gateways.len();
        egress::check_times(reader, &timeout, gateways, config.core.login_timeout, needed);
        ldap_places.check(reader, &config);
        config
    }

    /// Whether something is configured that only the role that talks to the network can do, or that is left
    /// to it because core links no D-Bus.
    pub fn needs_egress(&self) -> bool {
        let polkit = self.enrollment.self_auth == SelfAuth::Polkit;
        let sends = self.sms.is_on() || self.mail.is_on() || self.notify.is_on();
        sends || !self.rest.is_empty() || polkit || self.ldap.look().is_some()
    }

    /// Whether egress runs: for core, or for web, which has passwords proven there.
    pub fn runs_egress(&self) -> bool {
        self.needs_egress() || self.ldap.is_on()
    }

    /// The credentials that egress needs, each with the section that names it: never what opens sealed secrets.
    pub fn credentials(&self) -> Vec<(String, &str)> {
        let mut named: Vec<(String, &str)> = Vec::new();
        for gateway in &self.sms.gateways {
            let section = format!("[sms.gateway.{}]", gateway.name);
            named.extend(gateway.credentials().into_iter().map(|name| (section.clone(), name)));
        }
        let login = self.mail.server.as_ref().and_then(|server| server.login.as_ref());
        named.extend(login.map(|(_, name)| ("[mail]".to_owned(), name.as_str())));
        named.extend(self.ldap.directory.iter().map(|one| ("[ldap]".to_owned(), one.credential.as_str())));
        for (name, service) in &self.rest {
            let credential = service.calls.access.credential.as_deref();
            named.extend(credential.map(|credential| (format!("[rest.{name}]"), credential)));
        }
        named
    }

    /// How long the longest errand of egress may take: what core waits at least.
    pub fn longest_errand(&self) -> Duration {
        let look = self.ldap.directory.as_ref().filter(|directory| directory.look.is_some());
        let look = look.map_or(Duration::ZERO, |directory| directory.timeout);
        egress::longest_errand(self.egress.timeout, self.sms.gateways.len()).max(look)
    }

    /// What is valid and deserves a second look, in order.
    pub fn notes(&self) -> &[Problem] {
        &self.notes
    }

    /// Names that mean something elsewhere on the host.
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// `[core]`: sockets, directories, key, connections.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// `[identity]`: which names are users.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// `[realm.NAME]`: users that only front ends ask about.
    pub fn realms(&self) -> &[Realm] {
        &self.realms
    }

    /// `[policy]`: which logins need a second factor.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// `[totp]`: how time-based codes are judged.
    pub fn totp(&self) -> &Totp {
        &self.totp
    }

    /// `[prompt]`: what a person sees.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// `[limits]`: how many wrong codes are borne.
    pub fn limits(&self) -> &LimitsConfig {
        &self.limits
    }

    /// `[enrollment]`: who may add factors.
    pub fn enrollment(&self) -> &Enrollment {
        &self.enrollment
    }

    /// `[egress]`: the role that talks to the network.
    pub fn egress(&self) -> &Egress {
        &self.egress
    }

    /// `[sms]`: codes by text message.
    pub fn sms(&self) -> &Sms {
        &self.sms
    }

    /// `[mail]`: codes by mail.
    pub fn mail(&self) -> &Mail {
        &self.mail
    }

    /// `[rest.NAME]`: outside services, by name.
    pub fn rest(&self) -> &RestServices {
        &self.rest
    }

    /// `[ldap]`: a directory that proves passwords, and has addresses and sealed secrets.
    pub fn ldap(&self) -> &Ldap {
        &self.ldap
    }

    /// `[token]`: signed tokens of machines.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// `[remember]`: what successes that are remembered are bound to.
    pub fn remember(&self) -> &Remembering {
        &self.remember
    }

    /// `[notify]`: who is told of what happens to factors, and how.
    pub fn notify(&self) -> &Notify {
        &self.notify
    }

    /// `[metrics]`: where figures are given out.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// `[web]`: the role that speaks HTTP.
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// `[audit]`: how long the audit trail is kept.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// `[log]`: what is logged, and where.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// `[process]`: what the roles give up when they have started.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::read(&mut Reader::default(), Table::new())
    }
}

/// Every key there is, as `section.key`: what documentation has to explain.
pub fn known_keys() -> BTreeSet<String> {
    let mut reader = Reader::default();
    let _defaults = Config::read(&mut reader, Table::new());
    for note_keys in [
        Policy::note_keys,
        gateway::note_keys,
        rest::note_keys,
        token::note_keys,
        Web::note_keys,
        realm::note_keys,
    ] {
        note_keys(&mut reader, Place { file: 0, offset: 0 });
    }
    reader.finish().known
}

/// A mention with its file and place.
fn mentioned(sources: &[Source], (place, what, name): (Place, Mentioned, String)) -> Option<Mention> {
    let source = sources.get(place.file)?;
    let position = Position::of(&source.text, place.offset);
    Some(Mention { what, name, file: source.path.clone(), position })
}

/// Faults as problems, by file and place. On a line that is not TOML, only that is told: what else was
/// found there is made of what the parser guessed. A file that is something else altogether has a fault
/// in every line: the first show it.
fn in_order(sources: &[Source], mut not_toml: Vec<Fault>, mut faults: Vec<Fault>) -> Vec<Problem> {
    let untold = keep_first(&mut not_toml).saturating_add(keep_first(&mut faults));
    let locate = |fault: Fault| {
        let source = sources.get(fault.place.file)?;
        let position = Position::of(&source.text, fault.place.offset);
        Some((fault.place.file, position, fault.message))
    };
    let mut told: Vec<_> = not_toml.into_iter().filter_map(locate).collect();
    let broken: BTreeSet<_> = told.iter().map(|(file, at, _)| (*file, at.line)).collect();
    let sound = |(file, at, _): &(usize, Position, String)| !broken.contains(&(*file, at.line));
    told.extend(faults.into_iter().filter_map(locate).filter(sound));
    told.sort();
    told.dedup();
    let mut problems: Vec<_> = told
        .into_iter()
        .filter_map(|(file, position, message)| {
            let file = sources.get(file)?.path.clone();
            Some(Problem { file, position: Some(position), message })
        })
        .collect();
    if let Some(last) = problems.last().filter(|_| untold > 0) {
        let rest = Problem { message: format!("and {untold} more problems from here on"), ..last.clone() };
        problems.push(rest);
    }
    problems
}

/// Keeps the first faults, by place, and says how many it dropped.
fn keep_first(faults: &mut Vec<Fault>) -> usize {
    faults.sort_by_key(|fault| fault.place);
    let dropped = faults.len().saturating_sub(MAX_FAULTS);
    faults.truncate(MAX_FAULTS);
    dropped
}

#[cfg(test)]
mod outside_tests;
#[cfg(test)]
mod tests;
