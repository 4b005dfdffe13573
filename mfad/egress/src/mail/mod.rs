//! Delivers codes by mail: one message to one address, by one SMTP server over TLS, until a deadline.
//!
//! Delivered means that the server has taken the message (2xx after its last byte). Refuses to send without
//! TLS but to this host itself, to keep connections open, to queue, and to try again: an answer that
//! comes too late is a code that nobody waits for.

mod address;
mod error;
mod message;
mod session;
mod stream;

use std::fmt;

use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use mfa_proto::secret::SecretText;
use tokio::time::Instant;

use session::Session;

pub use error::{MailError, MailOptionsError, MailTrouble, Reply, Stage};

/// How the way to the server is kept from being read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailTls {
    /// Plain at first, then STARTTLS, without which nothing is sent (RFC 3207; port 587).
    StartTls,
    /// TLS from the first byte (RFC 8314; port 465).
    Implicit,
    /// None. Only to an address of this host's loopback.
    None,
}

/// The account at the server.
#[derive(Debug)]
pub struct MailLogin {
    /// The name.
    pub user: String,
    /// The password: a credential.
    pub password: SecretText,
}

/// Where and how mail is handed over.
#[derive(Debug)]
pub struct MailOptions {
    /// The server's name, which its certificate has to bear, or its address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub tls: MailTls,
    /// Certificates (PEM) one of which has to have signed the server's; without, the system's.
    pub ca: Option<Vec<u8>>,
    /// The account there, if the server wants one.
    pub login: Option<MailLogin>,
    /// The sender: `mfa@example.org` or `Example <mfa@example.org>`.
    pub from: String,
    /// What this host calls itself to the server (`EHLO`).
    pub hello: String,
}

/// One message, its texts made.
pub struct Letter<'a> {
    /// The address alone: `jane@example.org`.
    pub to: &'a SecretText,
    /// The subject: one line.
    pub subject: &'a str,
    /// The text: lines of any length, ended by line feeds.
    pub text: &'a str,
}

impl fmt::Debug for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(redacted)")
    }
}

/// What delivers mail. Made from checked options; holds no connection.
pub struct Mailer {
    server: String,
    port: u16,
    tls: MailTls,
    parameters: Option<TlsParameters>,
    login: Option<MailLogin>,
    from: Mailbox,
    hello: ClientId,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, port, tls, .. } = self;
        f.debug_struct("Mailer")
            .field("server", server)
            .field("port", port)
            .field("tls", tls)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    /// Checks the options and reads the certificates to trust, the system's too: anew at each reload.
    pub fn new(options: MailOptions) -> Result<Self, MailOptionsError> {
        let MailOptions { server, port, tls, ca, login, from, hello } = options;
        if !address::is_host(&server) {
            return Err(MailOptionsError::Server);
        }
        if !address::is_host(&hello) {
            return Err(MailOptionsError::Hello);
        }
        let parameters = match tls {
            MailTls::None => None,
            MailTls::StartTls | MailTls::Implicit => Some(trust(&server, ca.as_deref())?),
        };
        let from = address::sender(&from).ok_or(MailOptionsError::From)?;
        Ok(Self { server, port, tls, parameters, login, from, hello: ClientId::Domain(hello) })
    }

    /// Hands the message to the server: all of it, from looking the server up to its last answer, until
    /// `deadline`. May be dropped at any time; the connection is then closed.
    pub async fn deliver(&self, letter: &Letter<'_>, deadline: Instant) -> Result<(), MailError> {
        let at = |trouble| MailError { server: self.server.clone(), port: self.port, trouble };
        self.hand_over(letter, deadline).await.map_err(at)
    }

    async fn hand_over(&self, letter: &Letter<'_>, deadline: Instant) -> Result<(), MailTrouble> {
        let to = address::recipient(letter.to).ok_or(MailTrouble::BadRecipient)?;
        let bytes = message::compose(&self.from, &to, letter).ok_or(MailTrouble::BadMessage)?;
        let mut session = Session::open(self, deadline).await?;
        if let Some(login) = &self.login {
            session.log_in(login).await?;
        }
        session.send(self.sender(), &to, &bytes).await?;
        session.leave().await;
        Ok(())
    }

    fn sender(&self) -> &Address {
        &self.from.email
    }
}

impl MailLogin {
    /// For lettre, which keeps them until the login is done, and does not wipe them.
    fn credentials(&self) -> Credentials {
        Credentials::new(self.user.clone(), self.password.expose().to_owned())
    }

    /// Both send the password as it is: the way is protected, or does not leave the host.
    const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
}

/// Whom to trust: the given certificates alone, or the system's.
fn trust(server: &str, ca: Option<&[u8]>) -> Result<TlsParameters, MailOptionsError> {
    let mut builder = TlsParameters::builder(server.to_owned());
    if let Some(pem) = ca {
        // lettre takes a file without any certificate, and would trust nobody.
        let marks = pem.windows(MARK.len()).any(|part| part == MARK);
        let certificate =
            Certificate::from_pem(pem).ok().filter(|_| marks).ok_or(MailOptionsError::Certificates)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|_| MailOptionsError::Certificates)
}

const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> MailOptions {
        MailOptions {
            server: "smtp.example.org".into(),
            port: 587,
            tls: MailTls::StartTls,
            ca: None,
            login: None,
            from: "Example <mfa@example.org>".into(),
            hello: "host.example.org".into(),
        }
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        assert!(Mailer::new(options()).is_ok());
        let refused = |options| Mailer::new(options).unwrap_err();
        let ca = |pem: &str| MailOptions { ca: Some(pem.into()), ..options() };
        assert_eq!(refused(ca("")), MailOptionsError::Certificates);
        assert_eq!(refused(ca("-----BEGIN CERTIFICATE-----\nAAAA\n")), MailOptionsError::Certificates);
        assert_eq!(refused(MailOptions { from: "mfa".into(), ..options() }), MailOptionsError::From);
        assert_eq!(refused(MailOptions { hello: "a\r\nb".into(), ..options() }), MailOptionsError::Hello);
        assert_eq!(refused(MailOptions { server: "a b".into(), ..options() }), MailOptionsError::Server);
    }

    #[test]
    fn printing_shows_neither_password_nor_address_nor_code() {
        let password = SecretText::new("markerpassword".into()).unwrap();
        let to = SecretText::new("marker@example.org".into()).unwrap();
        let options = MailOptions { login: Some(MailLogin { user: "mfa".into(), password }), ..options() };
        let letter = Letter { to: &to, subject: "marker", text: "marker 755224" };
        let printed = format!("{options:?} {letter:?}");
        let printed = format!("{printed} {:?}", Mailer::new(options).unwrap());
        assert!(!printed.contains("marker"), "{printed}");
    }
}
