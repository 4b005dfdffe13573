//! `[mail]`: codes by mail, over one SMTP server.

use std::path::PathBuf;

use super::{
    kinds::{choice, credential, host_or_address, line, number, path, sender},
    reader::{Found, Reader, Section},
    sent::{IN_MESSAGES, SentLimits},
    template::{Fact, Template, template},
    url::is_loopback,
};

/// The longest text, in bytes.
const MAX_TEXT: usize = 4096;
/// The longest subject, in bytes.
const MAX_SUBJECT: usize = 200;
const DEFAULT_SUBJECT: &str = "Code for {host}";
const DEFAULT_TEXT: &str = "{code}\n\nis your code for {host}, good for {minutes} minutes. It was asked for by a login as {user} ({service}).\nIf that was not you, somebody else knows your password.\n";

/// Codes by mail.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Mail {
    /// How codes are made, and how many are sent.
    pub limits: SentLimits,
    /// What the subject says.
    pub subject: Template,
    /// What is sent.
    pub text: Template,
    /// Who takes the mail. Without one, no mail is sent.
    pub server: Option<MailServer>,
}

/// Who takes the mail.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MailServer {
    /// Its name, which its certificate has to show, or its address (IPv6 without brackets).
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// The certificates trusted instead of the system's: a file in PEM.
    pub ca: Option<PathBuf>,
    /// The user name, and the name of the password.
    pub login: Option<(String, String)>,
    /// Whose mail it is.
    pub from: String,
}

/// How the connection to the server is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailTls {
    /// After STARTTLS (RFC 3207), without which nothing is sent.
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
    /// Not at all: within this host only.
    None,
}

impl MailTls {
    fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl Mail {
    /// Whether mail can be sent.
    pub fn is_on(&self) -> bool {
        self.server.is_some()
    }

    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "mail");
        let s = &mut section;
        let limits = SentLimits::read(reader, s, "per_address_day");
        let subject = reader.optional(s, "subject", template(MAX_SUBJECT, false, IN_MESSAGES));
        let text = reader.optional(s, "text", template(MAX_TEXT, true, IN_MESSAGES));
        if text.value.as_ref().is_some_and(|text| !text.has(Fact::Code)) {
            reader.fault(text.place, "`mail.text` has no {code} in it: write where the code stands");
        }
        let server = read_server(reader, s);
        reader.close(section);
        let or = |found: Found<Option<Template>>, default| {
            found.value.or_else(|| Template::parse(default, IN_MESSAGES).ok()).unwrap_or_default()
        };
        Self { limits, subject: or(subject, DEFAULT_SUBJECT), text: or(text, DEFAULT_TEXT), server }
    }
}

fn read_server(reader: &mut Reader, s: &mut Section) -> Option<MailServer> {
    let host = reader.optional(s, "server", host_or_address);
    let words = choice(&[("starttls", MailTls::StartTls), ("tls", MailTls::Tls), ("none", MailTls::None)]);
    let tls = reader.value(s, "tls", MailTls::StartTls, words);
    let port = reader.value(s, "port", tls.value.port(), number(1..=u16::MAX));
    let user = reader.optional(s, "user", line(256));
    let password = reader.optional(s, "credential", credential);
    let from = reader.optional(s, "from", sender);
    let ca = reader.optional(s, "ca", path);
    if user.place.is_some() != password.place.is_some() {
        let message = "`mail.user` and `mail.credential` belong together: write both, or none";
        reader.fault(user.place.or(password.place), message);
    }
    if host.value.as_deref().is_some_and(|host| tls.value == MailTls::None && !is_loopback(host)) {
        let message = "`mail.tls` cannot be \"none\" to another host: write \"starttls\" or \"tls\"";
        reader.fault(tls.place, message);
    }
    if host.place.is_some() && from.place.is_none() {
        reader.fault(host.place, "`mail.server` needs `from = \"…\"` beside it: whose mail it is");
    }
    if host.place.is_none() {
        let idle = [user.place, password.place, from.place, ca.place];
        let place = idle.into_iter().flatten().next();
        reader.fault(place, "this is for the server that takes the mail: add `server = \"…\"` to [mail]");
    }
    Some(MailServer {
        host: host.value?,
        port: port.value,
        tls: tls.value,
        ca: ca.value,
        login: user.value.zip(password.value),
        from: from.value?,
    })
}
