//! Tells people of what happened to somebody's factors: by mail, by a program of the administrator's.
//!
//! A notice has been told when every way that is configured has taken it; what is tried again goes only the
//! ways that are missing. Refuses to let hostile text out of its line, and to tell more than one user's notice
//! to that user.

mod facts;
mod hook;
mod told;

use std::time::Duration;

use mfa_proto::{egress::Notice, secret::SecretText};
use mfa_role::config::Notify;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};
use zeroize::Zeroizing;

pub use self::hook::HookError;
use self::told::{Told, Way};
use crate::{
    fill::{Escape, Facts, fill},
    mail::{Letter, MailTrouble, Mailer, Stage},
    secrets::Secrets,
};

/// The most notices told at a time.
const AT_ONCE: usize = 2;

/// What tells people.
#[derive(Debug)]
pub struct Teller {
    config: Notify,
    places: Semaphore,
    told: Told,
}

/// Why a notice was not told, or not by all ways.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Untold {
    /// Too many are being told.
    Busy,
    /// Some way did not take it: which and why, without an address.
    Failed(String),
}

/// What this host is called, what sends mail, and how long all mail of one notice may take.
type By<'a> = (&'a str, Option<&'a Mailer>, Duration);

impl Teller {
    /// One that tells as configured.
    pub fn new(config: Notify) -> Self {
        Self { config, places: Semaphore::new(AT_ONCE), told: Told::default() }
    }

    /// Tells of one event, by all ways at once. Takes no longer than the mail and the program may.
    pub async fn tell(&self, notice: &Notice, by: By<'_>) -> Result<(), Untold> {
        if !self.config.is_on() {
            return Err(Untold::Failed("nobody is told of anything: [notify]".to_owned()));
        }
        let Ok(_place) = self.places.try_acquire() else { return Err(Untold::Busy) };
        let (mailed, hooked) = tokio::join!(self.mail(notice, by), self.hook(notice, by.0));
        let failures: Vec<String> = [mailed, hooked].into_iter().filter_map(Result::err).collect();
        if !failures.is_empty() {
            return Err(Untold::Failed(failures.join("; ")));
        }
        self.told.forget(notice);
        Ok(())
    }

    async fn mail(&self, notice: &Notice, (host, mailer, timeout): By<'_>) -> Result<(), String> {
        let recipients = self.recipients(notice);
        if recipients.is_empty() {
            return Ok(());
        }
        let Some(mailer) = mailer else { return Err("no mail is configured: [mail] server".to_owned()) };
        let (subject, text) = self.letter(notice, host)?;
        let deadline = Instant::now() + timeout;
        let mut failure = None;
        for (way, to) in recipients.iter().filter(|(way, _)| !self.told.has(notice, *way)) {
            let letter = Letter { to, subject: &subject, text: &text };
            match mailer.deliver(&letter, deadline).await {
                Ok(()) => {
                    info!(gateway = "mail", user = %notice.user, "{way} was told of {}", facts::word(notice));
                    self.told.note(notice, *way);
                }
                // Trying again for a day would not make it another address.
                Err(error) if is_final(&error.trouble) => {
                    warn!(gateway = "mail", user = %notice.user, "{way} cannot be told, and will not: {error}");
                    self.told.note(notice, *way);
                }
                Err(error) => {
                    warn!(gateway = "mail", user = %notice.user, "{way} was not told: {error}");
                    failure = failure.or(Some(error.to_string()));
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Who gets mail, each with the way that it is.
    fn recipients(&self, notice: &Notice) -> Vec<(Way, SecretText)> {
        let user = notice.to.as_ref().filter(|_| self.config.mail_user);
        let mut all: Vec<_> = user.map(|to| (Way::User, to.again())).into_iter().collect();
        for (n, admin) in self.config.mail_admin.iter().enumerate() {
            all.extend(SecretText::new(admin.clone()).map(|to| (Way::Admin(n), to)));
        }
        all
    }

    fn letter(&self, notice: &Notice, host: &str) -> Result<(Zeroizing<String>, Zeroizing<String>), String> {
        let facts = Facts::of_lines(facts::of(notice, host));
        let fill = |template| {
            fill(template, &facts, &Secrets::none(), Escape::Plain)
                .map_err(|missing| format!("the text of the mail cannot be made: {missing}"))
        };
        Ok((fill(&self.config.subject)?, fill(&self.config.text)?))
    }

    async fn hook(&self, notice: &Notice, host: &str) -> Result<(), String> {
        let Some(program) = &self.config.hook else { return Ok(()) };
        if self.told.has(notice, Way::Hook) {
            return Ok(());
        }
        let line = facts::json(notice, host);
        let deadline = Instant::now() + self.config.hook_timeout;
        let done = timeout_at(deadline, hook::run(program, &line)).await.unwrap_or(Err(HookError::Late));
        match done {
            Ok(()) => {
                info!(user = %notice.user, "{} was told of {}", program.display(), facts::word(notice));
                self.told.note(notice, Way::Hook);
                Ok(())
            }
            Err(error) => {
                let error = format!("{}: {error}", program.display());
                warn!(user = %notice.user, "the hook was not told of {}: {error}", facts::word(notice));
                Err(error)
            }
        }
    }
}

/// Whether the server, or the address itself, will never take it.
fn is_final(trouble: &MailTrouble) -> bool {
    match trouble {
        MailTrouble::BadRecipient | MailTrouble::BadMessage => true,
        MailTrouble::Refused { stage, reply } => *stage == Stage::Recipient && !reply.is_transient(),
        MailTrouble::Unreachable(_)
        | MailTrouble::Tls(_)
        | MailTrouble::NoStartTls
        | MailTrouble::NotLocal
        | MailTrouble::NoLogin
        | MailTrouble::Broken(_)
        | MailTrouble::Late(_) => false,
    }
}
