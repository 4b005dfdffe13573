//! What core asks for, done: each errand goes to what the configuration has for it.
//!
//! Refuses what is not configured, more errands at a time than allowed, and to tell core more than what
//! became of it.

mod calls;

use std::{collections::BTreeMap, sync::Arc};

use mfa_proto::{
    egress::{Authorization, Consultation, Delivery, Done, Errand, Look, Medium, Notice},
    name::FactorLabel,
    text::{ShownText, escape_for_log},
};
use mfa_role::{
    config::{Config, SelfAuth, Template},
    credentials::Credentials,
};
use tokio::time::Instant;
use tracing::{info, warn};

use self::calls::Calls;
use crate::{
    SetupFault,
    bus::SYSTEM_BUS,
    fill::{self, Escape, Facts},
    http::Trust,
    ldap::{Directory, LdapTrouble},
    mail::{Letter, MailLogin, MailOptions, MailTls, Mailer},
    notify::{Teller, Untold},
    polkit::{self, Polkit},
    rest::{Service, Step, verdict::Verdict},
    secrets::Secrets,
    sms::Sender,
};

/// Everything that errands need: made anew from each configuration.
#[derive(Debug)]
pub struct Outside {
    host: String,
    sms: Option<Sender>,
    mail: Option<Post>,
    rest: BTreeMap<FactorLabel, Service>,
    directory: Option<Arc<Directory>>,
    polkit: Option<Polkit>,
    teller: Teller,
    config: Arc<Config>,
    calls: Calls,
}

/// The server that takes mail, and what goes to it.
#[derive(Debug)]
struct Post {
    mailer: Mailer,
    subject: Template,
    text: Template,
}

impl Outside {
    /// Reads credentials and certificates; tells everything that is wrong with them.
    pub fn new(config: Arc<Config>, places: &Credentials) -> Result<Self, Vec<SetupFault>> {
        let mut faults = Vec::new();
        let credentials = read_credentials(&config, places, &mut faults);
        let host = config.egress().host.clone().unwrap_or_else(system_host);
        let trust = Trust::default();
        let timeout = config.egress().timeout;
        // What needs a credential that is not there says so a second time: once is enough.
        let told = faults.len();
        let with = (&trust, &credentials);
        let sms = config.sms().is_on().then(|| Sender::new(config.sms(), timeout, with)).transpose();
        let sms = sms.unwrap_or_else(|more| {
            faults.extend(more);
            None
        });
        let mail = post(&config, &credentials, &host).unwrap_or_else(|fault| {
            faults.push(SetupFault { section: "[mail]".to_owned(), fault });
            None
        });
        let mut rest = BTreeMap::new();
        for (name, service) in config.rest() {
            match Service::new(&service.calls, timeout, with) {
                Ok(service) => drop(rest.insert(name.clone(), service)),
                Err(fault) => faults.push(SetupFault { section: format!("[rest.{name}]"), fault }),
            }
        }
        let directory = config.ldap().directory.as_ref();
        let directory = directory.map(|terms| Directory::new(terms, &trust, &credentials)).transpose();
        let directory = directory.unwrap_or_else(|fault| {
            faults.push(SetupFault { section: "[ldap]".to_owned(), fault });
            None
        });
        if told > 0 {
            faults.truncate(told);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let asks_polkit = config.enrollment().self_auth == SelfAuth::Polkit;
        let polkit = asks_polkit.then(|| Polkit::new(SYSTEM_BUS.to_owned(), polkit::PATIENCE));
        let teller = Teller::new(config.notify().clone());
        let directory = directory.map(Arc::new);
        Ok(Self { host, sms, mail, rest, directory, polkit, teller, calls: Calls::new(&config), config })
    }

    /// The configuration it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What proves passwords for web, and has what core looks up.
    pub fn directory(&self) -> Option<Arc<Directory>> {
        self.directory.clone()
    }

    /// Does one errand. Takes no longer than what is called may take, one after the other.
    pub async fn run(&self, errand: Errand) -> Done {
        let _held = match self.calls.enter(&errand) {
            Ok(held) => held,
            Err(full) => {
                warn!(
                    "an errand was turned away: {full} has as many under way as it may ([egress] max_calls)"
                );
                return Done::Busy;
            }
        };
        match &errand {
            Errand::Deliver(delivery) => match delivery.medium {
                Medium::Sms => self.text(delivery).await,
                Medium::Mail => self.mail(delivery).await,
            },
            Errand::Begin(consultation) => {
                let done = self.consult(Step::Begin, consultation).await;
                if matches!(done, Done::No) { failed("the service refuses to begin") } else { done }
            }
            Errand::Judge(consultation) => self.consult(Step::Judge, consultation).await,
            Errand::Notify(notice) => Box::pin(self.notify(notice)).await,
            Errand::Authorize(wanted) => self.authorize(wanted).await,
            Errand::Ping => Done::Yes,
            Errand::Look(look) => self.look(look).await,
        }
    }

    async fn text(&self, delivery: &Delivery) -> Done {
        let Some(sender) = &self.sms else {
            return failed("no text messages are configured: [sms] gateways");
        };
        match sender.send(delivery, &self.host).await {
            Ok(gateway) => Done::Delivered { via: ShownText::clean(gateway) },
            Err(why) => failed(&why),
        }
    }

    async fn mail(&self, delivery: &Delivery) -> Done {
        let Some(post) = &self.mail else { return failed("no mail is configured: [mail] server") };
        let facts = Facts::of_delivery(delivery, &self.host);
        let fill = |template| fill::fill(template, &facts, &Secrets::none(), Escape::Plain);
        let (Ok(subject), Ok(text)) = (fill(&post.subject), fill(&post.text)) else {
            return failed("the text of the mail cannot be made");
        };
        let letter = Letter { to: &delivery.to, subject: &subject, text: &text };
        let begun = Instant::now();
        let done = post.mailer.deliver(&letter, begun + self.config.egress().timeout).await;
        let ms = milliseconds(begun);
        match done {
            Ok(()) => {
                info!(gateway = "mail", user = %delivery.user, ms, "mail handed over");
                Done::Delivered { via: ShownText::clean("mail") }
            }
            Err(error) => {
                warn!(gateway = "mail", user = %delivery.user, ms, "mail not handed over: {error}");
                failed(&error.to_string())
            }
        }
    }

    async fn authorize(&self, wanted: &Authorization) -> Done {
        let Some(polkit) = &self.polkit else {
            return failed("polkit is not configured: [enrollment] self_auth");
        };
        let Authorization { action, pid, uid, .. } = wanted;
        let said = polkit.ask(wanted).await;
        match said {
            Ok(said) => {
                info!(uid, pid, "polkit was asked for {}: {said:?}", escape_for_log(action.as_str()));
                match said {
                    polkit::Said::Yes => Done::Yes,
                    polkit::Said::No => Done::No,
                }
            }
            Err(unasked) => {
                warn!(uid, pid, "polkit did not answer for {}: {unasked}", escape_for_log(action.as_str()));
                failed(&unasked.to_string())
            }
        }
    }

    /// The realm is core's to judge: the directory knows names.
    async fn look(&self, look: &Look) -> Done {
        let user = &look.user;
        let Some(directory) = self.directory() else {
            return failed(&LdapTrouble::NotConfigured.to_string());
        };
        let begun = Instant::now();
        let looked = directory.look(&user.name).await;
        let ms = milliseconds(begun);
        match looked {
            Ok(Some(found)) => {
                let (phone, mail, sealed) = (found.phone.is_some(), found.mail.is_some(), found.sealed.len());
                info!(gateway = "ldap", %user, ms, phone, mail, sealed, "found in the directory");
                Done::Found(Box::new(found))
            }
            Ok(None) => {
                info!(gateway = "ldap", %user, ms, "the directory has not exactly one entry of this name");
                Done::No
            }
            Err(trouble) => {
                warn!(gateway = "ldap", %user, ms, "not looked up in the directory: {trouble}");
                failed(&format!("the LDAP directory: {trouble}"))
            }
        }
    }

    async fn notify(&self, notice: &Notice) -> Done {
        let mailer = self.mail.as_ref().map(|post| &post.mailer);
        let by = (self.host.as_str(), mailer, self.config.egress().timeout);
        match Box::pin(self.teller.tell(notice, by)).await {
            Ok(()) => Done::Yes,
            Err(Untold::Busy) => Done::Busy,
            Err(Untold::Failed(why)) => failed(&why),
        }
    }

    async fn consult(&self, step: Step, consultation: &Consultation) -> Done {
        let name = &consultation.outside;
        let Some(service) = self.rest.get(name) else {
            return failed(&format!("no service of this name is configured: [rest.{name}]"));
        };
        let begun = Instant::now();
        let (status, verdict) = service.consult(step, consultation, &self.host).await;
        let ms = milliseconds(begun);
        let what = match step {
            Step::Begin => "told that a login begins",
            Step::Judge => "asked to judge",
        };
        match verdict {
            Ok(verdict) => {
                info!(gateway = %name, user = %consultation.user, status, ms, "service {what}: {verdict:?}");
                match verdict {
                    Verdict::Yes => Done::Yes,
                    Verdict::No => Done::No,
                }
            }
            Err(error) => {
                warn!(gateway = %name, user = %consultation.user, status, ms, "service {what}: it {error}");
                failed(&format!("{name} {error}"))
            }
        }
    }
}

fn failed(why: &str) -> Done {
    Done::Failed { why: ShownText::clean(why) }
}

fn milliseconds(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What the system calls this host. A name that is not text, or none, is of no use in a message.
fn system_host() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

fn read_credentials(config: &Config, places: &Credentials, faults: &mut Vec<SetupFault>) -> Secrets {
    let mut credentials = Secrets::none();
    for (section, name) in config.credentials() {
        if let Err(error) = credentials.read(places, name) {
            faults.push(SetupFault { section, fault: error.to_string() });
        }
    }
    credentials
}

/// The way to the mail server, when there is one.
fn post(config: &Config, credentials: &Secrets, host: &str) -> Result<Option<Post>, String> {
    let mail = config.mail();
    let Some(server) = &mail.server else { return Ok(None) };
    let login = server.login.as_ref().map(|(user, name)| {
        let secret = credentials.get(name).ok_or_else(|| format!("credential \"{name}\" was not read"))?;
        let password = mfa_proto::secret::SecretText::new(secret.expose().to_owned())
            .map_err(|error| format!("credential \"{name}\": {error}"))?;
        Ok::<_, String>(MailLogin { user: user.clone(), password })
    });
    let ca = server.ca.as_ref().map(|path| {
        std::fs::read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
    });
    let options = MailOptions {
        server: server.host.clone(),
        port: server.port,
        tls: match server.tls {
            mfa_role::config::MailTls::StartTls => MailTls::StartTls,
            mfa_role::config::MailTls::Tls => MailTls::Implicit,
            mfa_role::config::MailTls::None => MailTls::None,
        },
        ca: ca.transpose()?,
        login: login.transpose()?,
        from: server.from.clone(),
        hello: host.to_owned(),
    };
    let mailer = Mailer::new(options).map_err(|error| error.to_string())?;
    Ok(Some(Post { mailer, subject: mail.subject.clone(), text: mail.text.clone() }))
}
